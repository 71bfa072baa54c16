"""`make fuzz`: asks every route of a fresh installation what it never expects, through the gateway.

Schemathesis makes the requests from the merged OpenAPI document: legal, illegal and borderline,
first without a token and then as each kind of user. A run fails when an answer is a server error,
is not declared in the document, differs from its declared form, or is given to a caller without
a token where the document demands one.

    python -m tests.fuzz [--seconds 60] [--seed 1] [--only hanbit]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2

from deploy.local.child import ROOT
from deploy.local.stack import stack
from services.auth.demo import LOGINS

STRANGER = "nobody"
PLAYERS = ("operator", "hanbit", "9998100015", "officer", "evaluator1", "auditor", "observer")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
)
# What would shut the caller itself out, and a stream that is no document.
LEFT_OUT = r"/(token|password|sessions|second-factor|me)\b|/intake/files"
NO_LIMIT = {f"LIMIT_{name}": "100000000/60" for name in ("LOGIN", "PUBLIC", "USER", "PARTNER")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each caller")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=(STRANGER, *PLAYERS), help="one caller instead of all")
    given = parser.parse_args()
    failed = []
    temporary = tempfile.TemporaryDirectory(prefix="sanhak-fuzz-")
    with temporary as directory, stack(Path(directory) / "var", env=NO_LIMIT) as running:
        document = Path(directory) / "openapi.json"
        address = running.gateway_url
        document.write_bytes(httpx2.get(f"{address}/openapi.json", timeout=60).content)
        for player in [given.only] if given.only else [STRANGER, *PLAYERS]:
            print(f"\n=== as {player}", flush=True)
            if not ask(address, document, player, given.seconds, given.seed):
                failed.append(player)
    print(f"\nFound something as: {', '.join(failed)}" if failed else "\nNothing unexpected.")
    return 1 if failed else 0


def ask(address: str, document: Path, player: str, seconds: int, seed: int) -> bool:
    """Whether all answers were as declared."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", address),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
        *("--exclude-path-regex", LEFT_OUT, "--seed", str(seed), "--max-time", str(seconds)),
        *("--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off"),
    ]
    if player != STRANGER:
        command += ["--header", f"Authorization: Bearer {log_in(address, player)}"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, cwd=document.parent, env=env).returncode == 0


def log_in(address: str, player: str) -> str:
    passwords = {login_id: password for login_id, password, *_ in LOGINS}
    form = {
        "grant_type": "password",
        "client_id": "portal",
        "username": player,
        "password": passwords[player],
    }
    answer = httpx2.post(f"{address}/api/v1/auth/token", data=form, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


if __name__ == "__main__":
    sys.exit(main())
