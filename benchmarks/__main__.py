"""`make bench`: every benchmark in turn, or one (`make bench BENCH=ledger`).

Each prints its own table and ends with one JSON line; the lines are gathered at the end. Those that
take long run only when asked for by name.
"""

import os
import subprocess
import sys
from pathlib import Path

LONG = frozenset({"soak"})
OTHERS = frozenset({"mutants"})  # no benchmarks: it wants to be told which files


def names() -> list[str]:
    modules = {file.stem for file in Path(__file__).parent.glob("*.py")}
    return sorted(name for name in modules - OTHERS if not name.startswith("_"))


def main() -> int:
    wanted = os.environ.get("BENCH")
    if wanted is not None and wanted not in names():
        print(f"There is no benchmark '{wanted}'. Known: {', '.join(names())}", file=sys.stderr)
        return 2
    lines: list[str] = []
    failed: list[str] = []
    for name in [wanted] if wanted else [name for name in names() if name not in LONG]:
        print(f"\n== {name}", flush=True)
        process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                lines.append(line.rstrip())
        if process.wait() != 0:
            failed.append(name)
    print("\n== results", *lines, sep="\n")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


sys.exit(main())
