"""A mistake is undone: the books as they were a moment before it, proved by the ledger itself."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.backup import archiving, back_up, restore
from deploy.local.errors import LocalError
from deploy.local.postgres import Cluster
from services.accrual.ledger import service, verification
from services.accrual.ledger.rules import ISSUANCE, Kind, NewTransfer
from shared import migrations
from shared.db import Database


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sanhak-backup-") as name:
        yield Path(name)


@pytest.fixture
def archive(folder: Path) -> Path:
    return folder / "an archive's 100%"


@pytest.fixture
def cluster(folder: Path, archive: Path) -> Iterator[Cluster]:
    cluster = Cluster.start(folder / "live", settings=archiving(archive))
    yield cluster
    cluster.stop()


@asynccontextmanager
async def sessions(cluster: Cluster) -> AsyncIterator[Database]:
    database = Database(cluster.url("accrual", "accrual"))
    try:
        yield database
    finally:
        await database.close()


def issued(institution: UUID, amount: int) -> NewTransfer:
    return NewTransfer(
        id=uuid4(),
        debit_account=ISSUANCE,
        credit_account=institution,
        amount=amount,
        kind=Kind.ACCRUAL,
        effective_at=datetime.now(UTC),
    )


async def issue(session: AsyncSession, institution: UUID, amount: int) -> None:
    await service.post_transfers(session, [issued(institution, amount)])


def archived(cluster: Cluster) -> None:
    """Everything so far is in the archive."""
    cluster.ask("SELECT pg_create_restore_point('here')")  # else there may be nothing to switch
    written = cluster.ask("SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + 60
    while cluster.ask("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver") < written:
        assert time.monotonic() < deadline, "the server does not archive"
        time.sleep(0.1)


async def test_the_books_are_restored_to_the_moment_before_a_mistake(folder, archive, cluster):
    url = cluster.ensure_service_databases(["accrual"])["accrual"]
    migrations.upgrade("accrual", url)
    one, two = uuid4(), uuid4()
    async with sessions(cluster) as database:
        async with database.sessions.begin() as session:
            await issue(session, one, 1_000)
        copy = back_up(cluster, archive)
        async with database.sessions.begin() as session:  # only in the archived changes
            await issue(session, two, 234)
        await asyncio.sleep(1.1)  # copies are told apart by the second
        before = datetime.fromisoformat(cluster.ask("SELECT clock_timestamp()"))
    with psycopg.connect(cluster.url("accrual").replace("+psycopg", "")) as superuser:
        # Past every guard of the ledger, as only the database's own administrator can.
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE entry SET amount = amount * 10")
        superuser.execute("DELETE FROM transfer WHERE amount = 234")
    async with sessions(cluster) as database, database.sessions() as session:
        assert not (await verification.verify(session)).ok
    archived(cluster)
    cluster.stop()

    assert restore(archive, folder / "restored", before) == copy
    restored = Cluster.start(folder / "restored")
    try:
        async with sessions(restored) as database:
            async with database.sessions() as session:
                report = await verification.verify(session)
                assert (report.ok, report.points_issued) == (True, 1_234)
            async with database.sessions.begin() as session:
                assert (await service.account(session, two)).balance == 234
                await issue(session, two, 6)  # and it goes on from there
            async with database.sessions() as session:
                assert (await verification.verify(session)).ok
                assert (await service.account(session, two)).balance == 240
    finally:
        restored.stop()


def test_a_moment_the_archive_does_not_reach_is_refused(folder, archive, cluster):
    back_up(cluster, archive)
    archived(cluster)
    cluster.stop()
    early = datetime.now(UTC) - timedelta(days=1)
    with pytest.raises(LocalError, match=r"no backup .* from before that moment"):
        restore(archive, folder / "restored", early)
    late = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(LocalError, match="recovery ended before configured recovery target"):
        restore(archive, folder / "restored", late)
    with pytest.raises(LocalError, match="holds a server already"):
        restore(archive, folder / "live")


def test_a_copy_that_was_changed_is_not_restored(folder, archive, cluster):
    copy = back_up(cluster, archive)
    cluster.stop()
    (copy / "pgdata/PG_VERSION").write_text("19\n")
    with pytest.raises(LocalError, match="not whole"):
        restore(archive, folder / "restored")
    assert not (folder / "restored").exists()


def test_a_server_that_keeps_its_changes_to_itself_is_not_backed_up(folder):
    alone = Cluster.start(folder / "live")
    try:
        (folder / "archive").mkdir()
        with pytest.raises(LocalError, match="start it with that"):
            back_up(alone, folder / "archive")
    finally:
        alone.stop()
