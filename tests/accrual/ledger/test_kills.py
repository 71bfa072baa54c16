"""Storms of transfers that cross, ended by SIGKILL: of the clients, and of PostgreSQL itself.

What was answered is there, what is there was asked for, and the books balance.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.postgres import Cluster
from services.accrual.ledger import verification
from shared import migrations
from shared.db import Database
from tests.accrual.ledger.conftest import Ledger, broken_books, issue

ACCOUNTS = 6
OPENING = 2_000
PROCESSES = 2
ANSWERS = 60  # so many calls must have been answered before the kill


class Storm:
    """Processes that post, and the journals of what they asked and were answered."""

    def __init__(self, url: str, folder: Path, accounts: list[UUID]) -> None:
        self.url = url
        self.accounts = accounts
        self.journals = [folder / f"journal-{number}" for number in range(PROCESSES)]
        self.processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        for seed, journal in enumerate(self.journals):
            self.processes.append(
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.accrual.ledger.storming_process",
                    self.url, str(journal), str(seed), *map(str, self.accounts),
                    stderr=asyncio.subprocess.DEVNULL,
                )
            )  # fmt: skip

    async def under_way(self) -> None:
        """Until every process has had its answers."""
        async with asyncio.timeout(120):
            while not all(self._answers(journal) >= ANSWERS for journal in self.journals):
                assert all(one.returncode is None for one in self.processes)
                await asyncio.sleep(0.05)

    @staticmethod
    def _answers(journal: Path) -> int:
        return journal.read_text().count("done ") if journal.exists() else 0

    async def end(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()

    def said(self, word: str) -> set[UUID]:
        """The ids after a word. A line the kill cut short tells nothing."""
        return {
            UUID(name)
            for journal in self.journals
            for line in journal.read_text().splitlines(keepends=True)
            if line.startswith(f"{word} ") and line.endswith("\n")
            for name in line.split()[1:]
        }


async def settle(ledger: Ledger) -> None:
    """Until the server has ended the transactions of the dead: their locks are gone then."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    for _ in range(300):
        if not (await ledger.sql(query))[0][0]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("transactions of killed clients go on")


async def check(ledger: Ledger, storm: Storm) -> None:
    posted = {row[0] for row in await ledger.sql("SELECT id FROM transfer WHERE kind = 'exchange'")}
    lost = storm.said("done") - posted
    invented = posted - storm.said("ask")
    assert (lost, invented) == (set(), set())
    assert len(posted) >= ANSWERS
    report = await ledger(verification.verify)
    assert report.ok, report.broken
    assert report.points_issued == ACCOUNTS * OPENING
    assert await broken_books(ledger) == []


async def open_accounts(ledger: Ledger) -> list[UUID]:
    accounts = [uuid4() for _ in range(ACCOUNTS)]
    await ledger.post(*(issue(one, OPENING) for one in accounts))
    return accounts


async def test_killed_clients_lose_nothing_and_leave_no_half_transfer(runtime, ledger, tmp_path):
    storm = Storm(runtime.settings.database_url, tmp_path, await open_accounts(ledger))
    await storm.start()
    try:
        await storm.under_way()
    finally:
        await storm.end()
    await settle(ledger)
    await check(ledger, storm)


@pytest.fixture
def durable() -> Iterator[Path]:
    """A directory for a server of the test's own, one that keeps what it was told."""
    with tempfile.TemporaryDirectory(prefix="sanhak-kill-") as folder:
        yield Path(folder)


async def test_a_killed_server_keeps_every_transfer_it_answered(durable, tmp_path):
    cluster = await asyncio.to_thread(Cluster.start, durable / "pg", durable=True)
    try:
        await asyncio.to_thread(cluster.create_database, "accrual")
        url = cluster.url("accrual")
        await asyncio.to_thread(migrations.upgrade, "accrual", url)
        database = Database(url)
        storm = Storm(url, tmp_path, await open_accounts(Ledger(database.sessions)))
        await database.close()
        await storm.start()
        try:
            await storm.under_way()
            os.kill(int((cluster.pgdata / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            for process in storm.processes:
                await process.wait()  # an unknown answer ends a client
        finally:
            await storm.end()
        cluster.stop()
        cluster = await asyncio.to_thread(Cluster.start, durable / "pg", durable=True)
        database = Database(cluster.url("accrual"))
        await check(Ledger(database.sessions), storm)
        await database.close()
    finally:
        await asyncio.to_thread(cluster.stop)
