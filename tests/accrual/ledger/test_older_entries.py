"""A ledger begun before 0014, when hashes spelled entries out and rare things had indexes."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import text

from services.accrual.ledger import errors, service, verification
from services.accrual.ledger.rules import ISSUANCE, NewReversal
from shared import migrations
from shared.db import Database
from tests.accrual.ledger.conftest import Ledger, broken_books, issue, move

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
SOON = datetime.now(UTC) + timedelta(days=1)
COMPANY, UNIVERSITY = uuid4(), uuid4()
_numbers = count(1)


def request(debit, credit, amount, *, state="posted", kind="exchange", **more) -> dict:
    return {
        "id": uuid4(), "state": state, "kind": kind, "debit": debit, "credit": credit,
        "amount": amount, "pending": None, "reverses": None, "effective": None, "expires": None,
    } | more  # fmt: skip


@pytest.fixture
async def older(cluster):
    """Points dated back, a hold that ended, one that is open, a reversal: by the functions of
    then. Migrated since."""
    name = f"accrual_older_{next(_numbers)}"
    cluster.create_database(name)
    url = cluster.url(name)
    command.upgrade(migrations.config_for("accrual", url), "0013")
    issued = request(ISSUANCE, COMPANY, 1_000, kind="accrual", effective=LONG_AGO)
    ended = request(COMPANY, UNIVERSITY, 40, state="pending", expires=SOON)
    open_ = request(COMPANY, UNIVERSITY, 70, state="pending", expires=SOON)
    sold = request(COMPANY, UNIVERSITY, 100)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for one in (
            issued, ended, open_, sold, request(COMPANY, UNIVERSITY, 30, pending=ended["id"]),
            request(UNIVERSITY, COMPANY, 60, kind="reversal", reverses=sold["id"]),
        ):  # fmt: skip
            connection.execute(
                "SELECT post_transfers(ARRAY[ROW(%(id)s, %(state)s, %(kind)s, %(debit)s,"
                " %(credit)s, %(amount)s, %(pending)s, %(reverses)s, %(effective)s, %(expires)s,"
                " NULL, NULL, NULL, NULL, NULL)::transfer_request])",
                one,
            )
    migrations.upgrade("accrual", url)
    database = Database(url)
    yield Ledger(database.sessions), ended["id"], open_["id"], sold["id"]
    await database.close()
    cluster.drop_database(name)


async def test_what_was_posted_before_goes_on_as_if_nothing_had_changed(older):
    ledger, ended, open_, sold = older
    assert (await ledger(verification.verify)).broken is None

    assert await ledger(service.due_holds, now=SOON) == [open_]
    with pytest.raises(errors.HoldEnded):
        await ledger(service.void_hold, id=uuid4(), hold_id=ended)
    assert (await ledger(service.transfer, ended)).posted == 30
    assert (await ledger(service.transfer, sold)).reversed == 60
    with pytest.raises(errors.ReversedAlready):
        await ledger(service.reverse, NewReversal(uuid4(), sold, 41), reason="r")
    assert await ledger(service.balance_as_of, COMPANY, LONG_AGO) == 1_000

    await ledger.post(move(COMPANY, UNIVERSITY, 5), issue(UNIVERSITY, 3, effective_at=LONG_AGO))
    await ledger.post(issue(COMPANY, 7, effective_at=LONG_AGO))
    await ledger(service.expire_hold, open_)
    assert await ledger(service.due_holds, now=SOON) == []
    assert await ledger(service.balance_as_of, COMPANY, LONG_AGO) == 1_007
    assert await broken_books(ledger) == []
    assert (await ledger(verification.verify)).broken is None


async def test_entries_of_then_and_of_now_are_guarded_alike(older):
    ledger, *_ = older
    await ledger.post(move(COMPANY, UNIVERSITY, 5))
    versions = await ledger.sql(
        "SELECT account_id, version FROM entry ORDER BY account_id, version"
    )
    changes = (
        "amount = amount + 1", "balance = balance + 1", "held = held + 1", "hash = sha256('x')",
        "effective_at = effective_at + interval '1 microsecond'",
        "recorded_at = recorded_at - interval '1 microsecond'",
    )  # fmt: skip
    for account, version in versions:
        for change in changes:
            assert await check_after(ledger, change, account, version) == "entry_chain", change


async def check_after(ledger: Ledger, change: str, account: UUID, version: int) -> str | None:
    """Which check finds a change of an entry, which is undone afterwards."""
    where = "WHERE account_id = :account AND version = :version"
    async with ledger.sessions.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(
            text(f"UPDATE entry SET {change} {where}"), {"account": account, "version": version}
        )
        found = None
        for check, statement in verification.CHECKS.items():
            if (await session.execute(text(statement))).one_or_none() is not None:
                found = check
                break
        await session.rollback()
    return found
