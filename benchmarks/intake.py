"""100,000 rows from a partner, end to end, against the least that could be done with them.

`python -m benchmarks.intake [--rows 100000]` prints one line of JSON: medians of CPU seconds (ours
and the server's) and of seconds on the wall, and the ratios that survive a change of machine. Two
peers take the same rows on the same server:

- *bare*: one COPY of the rows, and the same checks in one Python loop, nothing else. Ours is
  measured from the first byte of the body to drafts a reviewer can open, with a result for every
  row and idempotent by external id; it should reach half of the bare rate.
- *naive*: the rows in a workbook, read by openpyxl, inserted one by one; it should take ten times
  as long. It is run on a part of the rows, and scaled.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import orjson
import psycopg
from sqlalchemy import text

from deploy.local.postgres import Cluster
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.rows import raw_rows
from services.accrual.applications.rules import check_rows
from services.accrual.criteria.service import field_rule
from services.accrual.intake import landing, service
from services.accrual.intake.receiving import spool
from shared import migrations
from shared.brn import check_digit as brn_check_digit
from shared.clock import seoul_day, utc_now
from shared.db import Database
from shared.tokens import Claims

FIELD = "PRACTICE"
COMPANIES = 900
MAX_ROWS = 5_000
NAIVE_ROWS = 2_000
ROUNDS = 3
CHUNK = 64 * 2**10


def rows(count: int) -> list[dict[str, Any]]:
    """Rows as a university's system has them: every student another, some 900 companies."""
    today = seoul_day(utc_now())
    start, end = today - timedelta(days=100), today - timedelta(days=10)
    made = []
    for n in range(count):
        first_nine = f"1048{n % COMPANIES + 10_001:05d}"
        made.append(
            {
                "brn": f"{first_nine}{brn_check_digit(first_nine)}",
                "company_name": f"한빛정밀{n % COMPANIES}",
                "trainee_name": f"홍길동{n}",
                "department": "기계공학과",
                "admission_year": "2022",
                "practice_type": "표준",
                "hours": "320",
                "start_date": f"{start:%Y%m%d}",
                "end_date": f"{end:%Y%m%d}",
                "allowance_won": "4500000",
            }
        )
    return made


def resident_mib() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(server: int) -> float:
    """CPU this process and the database server have used so far, ended backends included.

    The machine is shared: what others take from it changes the time on the wall, not this.
    """
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                # Its own, and that of the children it has waited for.
                used[int(entry.name)] = sum(map(int, fields[11:15]))
    ticks = sum(spent for pid, spent in used.items() if pid == server or parents.get(pid) == server)
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


class Watch:
    """The most memory held while it is open, looked at ten times a second: a look is not free."""

    async def __aenter__(self) -> "Watch":
        self.before = self.most = resident_mib()
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self.most = max(self.most, resident_mib())

    async def _look(self) -> None:
        while True:
            self.most = max(self.most, resident_mib())
            await asyncio.sleep(0.1)

    @property
    def grown(self) -> float:
        return self.most - self.before


async def end_to_end(database: Database, path: Path) -> float:
    """Push and land; the MiB that memory grew."""
    claims = Claims(
        sub="p_bench", client_id="p_bench", scope=frozenset({"accrual:push"}), role="partner",
        institution_id=str(uuid4()), institution_kind="university", exp=0, iat=0, jti="",
    )  # fmt: skip
    async with Watch() as watch:
        with tempfile.TemporaryFile() as body:
            digest, total = await spool(
                _chunks(path), body, array=False, max_rows=10**6, terms="bench"
            )
            async with database.sessions.begin() as session:
                batch, _ = await service.receive(
                    session, claims, external_id="bench", field=FIELD, submit=False, evidence=(),
                    body=body, digest=digest, total=total,
                )  # fmt: skip
        await landing.process(database.sessions, batch.id, max_rows=MAX_ROWS)
    await _landed(database, batch.id, total)
    return watch.grown


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


async def _landed(database: Database, batch_id: UUID, total: int) -> None:
    async with database.sessions() as session:
        accepted = await session.scalar(
            text("SELECT count(*) FROM intake_row WHERE batch_id = :id AND status = 'accepted'"),
            {"id": batch_id},
        )
        kept = await session.scalar(text("SELECT count(*) FROM application_row"))
    assert accepted == kept == total, (accepted, kept, total)


def bare(url: str, path: Path) -> None:
    """One COPY of the rows and one loop of checks, a piece at a time as memory is not the point."""
    today = seoul_day(utc_now())
    rule, columns = field_rule(FIELD, today), COLUMNS[FIELD]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (external_id text, cells jsonb)")
        with (
            path.open("rb") as file,
            connection.cursor() as cursor,
            cursor.copy("COPY bare FROM STDIN") as copy,
        ):
            piece: list[dict[str, Any]] = []
            for line in file:
                item = orjson.loads(line)
                copy.write_row((item["external_id"], orjson.dumps(item["cells"]).decode()))
                piece.append(item["cells"])
                if len(piece) == MAX_ROWS:
                    check_rows(rule, raw_rows(columns, enumerate(piece, 1)), today=today)
                    piece = []
            if piece:
                check_rows(rule, raw_rows(columns, enumerate(piece, 1)), today=today)


def naive(url: str, directory: Path, made: list[dict[str, Any]]) -> None:
    """The way it is often done: openpyxl in read-only mode, one INSERT a row."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet()
    keys = list(made[0])
    sheet.append(keys)
    for row in made:
        sheet.append([row[key] for key in keys])
    workbook.save(directory / "rows.xlsx")
    today = seoul_day(utc_now())
    rule, columns = field_rule(FIELD, today), COLUMNS[FIELD]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE naive (cells jsonb)")
        book = openpyxl.load_workbook(directory / "rows.xlsx", read_only=True)
        header, *lines = book.worksheets[0].iter_rows(values_only=True)
        for line in lines:
            cells = dict(zip(map(str, header), line, strict=True))
            check_rows(rule, raw_rows(columns, [(1, cells)]), today=today)
            connection.execute("INSERT INTO naive VALUES (%s)", (orjson.dumps(cells).decode(),))


async def measure(directory: Path, count: int) -> dict[str, Any]:
    path = directory / "rows.ndjson"
    made = rows(count)
    with path.open("wb") as file:
        for n, cells in enumerate(made):
            file.write(orjson.dumps({"external_id": f"r{n}", "cells": cells}) + b"\n")
    part = made[:NAIVE_ROWS]
    del made
    cluster = Cluster.start(directory / "pg", durable=True)
    server = int((cluster.pgdata / "postmaster.pid").read_text().split()[0])
    spent: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": [], "naive": []}

    def note(name: str, start: tuple[float, float]) -> None:
        spent[name].append((cpu_seconds(server) - start[0], time.perf_counter() - start[1]))

    def now() -> tuple[float, float]:
        return cpu_seconds(server), time.perf_counter()

    most_grown = 0.0
    try:
        for turn in range(ROUNDS):  # in turn, so that a busy moment of the machine hits all
            cluster.create_database(f"bench{turn}")
            url = cluster.url(f"bench{turn}")
            plain = url.replace("postgresql+psycopg", "postgresql")
            migrations.upgrade("accrual", url)
            start = now()
            bare(plain, path)
            note("bare", start)
            start = now()
            naive(plain, directory, part)
            note("naive", start)
            database = Database(url)
            start = now()
            grown = await end_to_end(database, path)
            note("ours", start)
            most_grown = max(most_grown, grown)
            await database.close()
    finally:
        cluster.stop()
    cpu = {name: median(one for one, _ in runs) for name, runs in spent.items()}
    wall = {name: median(one for _, one in runs) for name, runs in spent.items()}
    scale = count / len(part)
    return {
        "benchmark": "intake",
        "rows": count,
        "cpu_seconds": round(cpu["ours"], 2),
        "bare_cpu_seconds": round(cpu["bare"], 2),
        "wall_seconds": round(wall["ours"], 2),
        "bare_wall_seconds": round(wall["bare"], 2),
        "rate_of_bare_cpu": round(cpu["bare"] / cpu["ours"], 3),
        "rate_of_bare_wall": round(wall["bare"] / wall["ours"], 3),
        "times_naive_cpu": round(cpu["naive"] * scale / cpu["ours"], 2),
        "times_naive_wall": round(wall["naive"] * scale / wall["ours"], 2),
        "memory_grown_mib": round(most_grown, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    count = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="bench-intake-") as name:
        directory = Path(name)
        print(json.dumps(asyncio.run(measure(directory, count))))


if __name__ == "__main__":
    main()
