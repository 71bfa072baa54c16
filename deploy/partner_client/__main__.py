"""`python -m deploy.partner_client push rows.ndjson --field PRACTICE --id 2026-1`.

The platform's address and the credentials come from MILEAGE_URL, MILEAGE_CLIENT_ID and
MILEAGE_CLIENT_SECRET. Progress is told on standard error, rejected rows as lines of JSON on
standard output. Ends with 0 when every row was taken, 1 when some were not, 2 when nothing was.
"""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .answers import Batch, PartnerError, Result, Unreachable
from .client import PartnerClient


def main() -> int:
    arguments = _parser().parse_args()
    try:
        access = [os.environ[f"MILEAGE_{name}"] for name in ("URL", "CLIENT_ID", "CLIENT_SECRET")]
    except KeyError as missing:
        print(f"{missing.args[0]} is not set", file=sys.stderr)
        return 2
    try:
        with PartnerClient(*access) as client:
            return int(arguments.run(client, arguments))
    except (PartnerError, Unreachable, TimeoutError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.partner_client",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    push = commands.add_parser("push", help="send a file of rows and wait for their results")
    push.add_argument("file", help="NDJSON, or a JSON array; - for standard input")
    push.add_argument("--field", required=True, help="the accrual field: PRACTICE, HIRING, …")
    push.add_argument("--id", required=True, help="your own name of the batch")
    push.add_argument("--submit", action="store_true", help="hand in what passes the checks")
    push.add_argument(
        "--evidence",
        action="append",
        default=[],
        metavar="KIND=FILE",
        help="a document for all applications, such as OFFICIAL_LETTER=공문.pdf; repeatable",
    )
    push.set_defaults(run=_push)
    results = commands.add_parser("results", help="what became of the rows of a batch")
    results.add_argument("batch", help="the platform's id of the batch")
    results.add_argument("--status", choices=["accepted", "unchanged", "rejected", "superseded"])
    results.set_defaults(run=_results)
    return parser


def _push(client: PartnerClient, arguments: argparse.Namespace) -> int:
    named = [one.partition("=") for one in arguments.evidence]
    evidence = [client.upload(path, kind=kind) for kind, _, path in named]
    with _opened(arguments.file) as file:
        pushed = client.push(
            read_rows(file),
            field=arguments.field,
            external_id=arguments.id,
            submit=arguments.submit,
            evidence=evidence,
        )
    for batch in client.follow(pushed.id):
        print(f"{batch.id} {batch.state}: {batch.done:,} of {batch.total:,}", file=sys.stderr)
    for result in client.results(batch.id, status="rejected"):
        _print(result)
    _tell(batch)
    refused = any(made.outcome == "refused" for made in batch.applications)
    return 1 if batch.rejected or refused else 0


def _results(client: PartnerClient, arguments: argparse.Namespace) -> int:
    for result in client.results(arguments.batch, status=arguments.status):
        _print(result)
    return 0


def read_rows(file: IO[str]) -> Iterator[dict[str, Any]]:
    """Rows of NDJSON, a line at a time, or of one JSON array. Raises ValueError, with the line."""
    start = file.readline()
    if start.lstrip("\ufeff \t").startswith("["):
        yield from json.loads(start.lstrip("\ufeff") + file.read())
        return
    number, line = 1, start.lstrip("\ufeff")
    while line:
        if not line.isspace():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is no JSON: {error}") from error
        number, line = number + 1, file.readline()


def _opened(name: str) -> IO[str]:
    return sys.stdin if name == "-" else Path(name).open(encoding="utf-8")


def _print(result: Result) -> None:
    print(json.dumps(dataclasses.asdict(result), ensure_ascii=False))


def _tell(batch: Batch) -> None:
    print(
        f"{batch.accepted:,} accepted, {batch.unchanged:,} unchanged, {batch.rejected:,} rejected",
        file=sys.stderr,
    )
    for made in batch.applications:
        print(
            f"  {made.number or made.id}: {made.outcome}, {made.row_count} rows, "
            f"{made.mileage} points",
            file=sys.stderr,
        )
        for finding in made.findings:
            print(f"    {finding}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
