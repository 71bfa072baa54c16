"""`python -m deploy.audit`: what we depend on is locked by hash, freely licensed, and not known to
be vulnerable.

The last needs advisories from outside. Whether they can be had is proved, not assumed: a version
that everybody knows to be vulnerable is asked about first. Where nobody objects to that one, the
answer about ours would mean nothing, and the audit says so instead of passing in silence.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from deploy.local.child import ROOT

DEV = "requirements-dev.txt"
KNOWN_VULNERABLE = "jinja2==2.11.2"  # CVE-2020-28493

# What each package calls its licence, in the names of SPDX.
SPELLINGS = {
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved": "",
    "Python Software Foundation License": "PSF-2.0",
}
ALLOWED = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
)
# Weak copyleft: used as it is, replaceable by whoever runs the product.
ALLOWED_FOR = {
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "psycopg-pool": "LGPL-3.0-only",
}


def lock_objections(lock: str, wanted: Iterable[str]) -> list[str]:
    """What is wrong with a lock file: an entry that is no exact version with hashes, or one of
    the packages `wanted` that it does not hold."""
    objections: list[str] = []
    found: set[str] = set()
    for entry in _entries(lock):
        match = re.fullmatch(
            r"([a-z0-9][a-z0-9._-]*)==\S+( ;.*?)?((?: --hash=sha256:\w{64})*)", entry
        )
        if match is None:
            objections.append(f"not an exact version: {entry[:60]}")
        elif not match[3]:
            objections.append(f"no hash: {entry[:60]}")
        else:
            found.add(match[1])
    return objections + [f"not locked: {name}" for name in sorted({*wanted} - found)]


def licence_objection(name: str, about: Mapping[str, Any]) -> str | None:
    """What is wrong with the licence that a package's metadata names, if anything."""
    words = _licences(about)
    refused = {word for word in words if word not in ALLOWED and word != ALLOWED_FOR.get(name)}
    if not words:
        return f"{name} names no licence"
    return f"{name} is under {', '.join(sorted(refused))}" if refused else None


def advisory_findings(report: Mapping[str, Any]) -> list[str]:
    """The vulnerabilities in a report of pip-audit."""
    return [
        f"{package['name']} {package['version']}: {found['id']}"
        f" (fixed in {', '.join(found['fix_versions']) or 'no version yet'})"
        for package in report["dependencies"]
        for found in package.get("vulns", ())
    ]


def main() -> int:
    objections: list[str] = []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct, groups = project["project"]["dependencies"], project["dependency-groups"]
    locks = {
        "requirements.txt": direct,
        DEV: direct + groups["dev"],
        "requirements-portal.txt": groups["portal"],
    }
    for file, wanted in locks.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        objections += [f"{file}: {what}" for what in lock_objections(text, map(_name, wanted))]
    names = sorted({_name(entry) for entry in _entries((ROOT / DEV).read_text(encoding="utf-8"))})
    present = {name: about for name in names if (about := _metadata(name)) is not None}
    objections += filter(None, (licence_objection(*item) for item in present.items()))
    print(f"dependencies: {len(names)} locked, licences of {len(present)} read")

    canary = _pip_audit(KNOWN_VULNERABLE)
    if canary is None or not advisory_findings(canary):
        print("dependencies: NOT audited for vulnerabilities: no advisory data reachable from here")
    else:
        report = _pip_audit((ROOT / DEV).read_text(encoding="utf-8"))
        objections += ["the audit broke off"] if report is None else advisory_findings(report)
        if report is not None:
            print(f"dependencies: {len(report['dependencies'])} audited for vulnerabilities")
    for objection in objections:
        print(f"dependencies: {objection}", file=sys.stderr)
    return 1 if objections else 0


def _entries(lock: str) -> list[str]:
    """The lines of a requirements file, continued ones joined, without comments."""
    joined = re.sub(r"\\\n\s*", "", lock)
    return [line.strip() for line in joined.splitlines() if line.strip() and line[:1] != "#"]


def _name(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[._-]+", "-", name[0]).lower() if name else ""


def _licences(about: Mapping[str, Any]) -> set[str]:
    given = about.get("License-Expression")
    if not given:
        classifiers = [
            value.rpartition(" :: ")[2]
            for key, value in about.items()
            if key == "Classifier" and value.startswith("License ::")
        ]
        given = " AND ".join(classifiers) or (about.get("License") or "").partition("\n")[0]
    # Every licence that is named must be on the list, those of an OR too: simple and strict.
    words = (
        word.strip(" ()") if word not in SPELLINGS else word
        for word in re.split(r" (?:AND|OR) ", given)
    )
    return {SPELLINGS.get(word, word) for word in words} - {""}


def _metadata(name: str) -> Any | None:
    """None for what other systems or Python versions need."""
    try:
        return metadata(name)
    except PackageNotFoundError:
        return None


def _pip_audit(requirements: str) -> dict[str, Any] | None:
    """Its report on the content of a requirements file; None when it could not ask."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "requirements.txt"
        file.write_text(requirements, encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off"]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip_audit",
                "--requirement",
                str(file),
                "--timeout=10",
                *options,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        return None
    return report


if __name__ == "__main__":
    sys.exit(main())
