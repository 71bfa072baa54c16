"""Falsifying any column of any row, past the database's own refusals, is found and named."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual import jobs
from services.accrual.app import create_app
from services.accrual.ledger import service, verification
from services.accrual.ledger.rules import NewReversal
from shared.clock import utc_now
from tests.accrual.ledger.conftest import Ledger, move


@pytest.fixture
def ledger(runtime):
    """Without the usual look at the books in the end: these tests falsify them."""
    return Ledger(runtime.sessions)


@pytest.fixture
async def books(ledger):
    """Three institutions, some traffic, a hold posted in part."""
    one, two = await ledger.institution(1_000), await ledger.institution(500)
    three = await ledger.institution()
    await ledger.post(move(one, two, 100), move(two, three, 50))
    await ledger.post(move(one, three, 7))
    return one, two, three


async def falsify(ledger, statement: str) -> None:
    """As a superuser would who wants to leave no trace."""
    await ledger.sql("SET LOCAL session_replication_role = replica; " + statement)


async def test_an_honest_ledger_is_whole(ledger, books):
    report = await ledger(verification.verify)
    assert (report.ok, report.broken) == (True, None)
    assert (report.accounts, report.transfers, report.points_issued) == (3, 5, 1_500)


async def test_an_empty_ledger_is_whole(ledger):
    assert (await ledger(verification.verify)).ok


ONE_TRANSFER = "WHERE id = (SELECT id FROM transfer WHERE amount = 100)"
ONE_ENTRY = "WHERE amount = -100"
SWAP = "UPDATE transfer SET credit_account = debit_account, debit_account = credit_account"


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        (f"UPDATE transfer SET amount = 101 {ONE_TRANSFER}", "transfer_digest"),
        (f"UPDATE transfer SET kind = 'gift' {ONE_TRANSFER}", "transfer_digest"),
        (f"UPDATE transfer SET reference = 'x' {ONE_TRANSFER}", "transfer_digest"),
        (f"UPDATE transfer SET field = 'HIRING' {ONE_TRANSFER}", "transfer_digest"),
        (f"{SWAP} {ONE_TRANSFER}", "transfer_digest"),
        (f"UPDATE transfer SET effective_at = effective_at - interval '1 year' {ONE_TRANSFER}",
         "transfer_digest"),
        (f"UPDATE transfer SET digest = sha256('x') {ONE_TRANSFER}", "transfer_digest"),
        (f"UPDATE entry SET amount = amount - 1 {ONE_ENTRY}", "entry_chain"),
        (f"UPDATE entry SET balance = balance + 1 {ONE_ENTRY}", "entry_chain"),
        (f"UPDATE entry SET held = held + 1 {ONE_ENTRY}", "entry_chain"),
        (f"UPDATE entry SET hash = sha256('x') {ONE_ENTRY}", "entry_chain"),
        (f"UPDATE entry SET recorded_at = recorded_at - interval '1 day' {ONE_ENTRY}",
         "entry_chain"),
        (f"UPDATE entry SET effective_at = effective_at - interval '1 day' {ONE_ENTRY}",
         "entry_chain"),
        (f"UPDATE entry SET transfer_id = uuidv7() {ONE_ENTRY}", "entry_chain"),
        (f"DELETE FROM entry {ONE_ENTRY}", "entry_chain"),
        ("DELETE FROM transfer WHERE amount = 100", "entry_chain"),
        ("UPDATE account SET available = available + 1 WHERE available > 600", "account_balance"),
        ("UPDATE account SET held = held + 1 WHERE available > 600", "account_balance"),
        ("UPDATE account SET head = sha256('x') WHERE available > 600", "account_balance"),
        ("UPDATE account SET debt = debt + 1, available = available + 1", "account_balance"),
        ("UPDATE account SET moved_at = now()", "account_balance"),
        ("UPDATE account SET version = version + 1", "account_balance"),
        ("DELETE FROM entry WHERE amount = 7", "account_balance"),
    ],
)  # fmt: skip
async def test_every_falsification_is_found(ledger, books, statement, check):
    await falsify(ledger, statement)
    report = await ledger(verification.verify)
    assert not report.ok
    assert report.broken is not None
    assert report.broken.check == check


async def test_a_side_of_a_transfer_taken_out_with_its_account_made_to_fit_is_found(ledger, books):
    _one, _two, three = books
    await falsify(
        ledger,
        f"DELETE FROM entry WHERE account_id = '{three}' AND version = 2; "
        "UPDATE account SET version = 1, available = 50, "
        "(head, moved_at) = (SELECT hash, recorded_at FROM entry "
        f"WHERE account_id = '{three}' AND version = 1) "
        f"WHERE id = '{three}'",
    )
    report = await ledger(verification.verify)
    assert report.broken is not None
    assert report.broken.check == "transfer_entries"


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("DELETE FROM hold_ending", "transfer_references"),
        ("UPDATE hold_ending SET hold_id = uuidv7()", "transfer_references"),
        ("DELETE FROM hold_expiry", "transfer_references"),
        ("UPDATE hold_expiry SET expires_at = expires_at + interval '1 second'",
         "transfer_references"),
        ("DELETE FROM transfer_reversal", "transfer_references"),
        ("INSERT INTO transfer_reversal VALUES (uuidv7(), uuidv7())", "transfer_references"),
        ("DELETE FROM entry_dated_back", "entries_dated_back"),
        ("UPDATE entry_dated_back SET version = version + 1", "entries_dated_back"),
    ],
)  # fmt: skip
async def test_falsified_tables_of_what_few_have_are_found(ledger, statement, check):
    now = utc_now()
    one = await ledger.institution(100, effective_at=now - timedelta(days=1))
    two = await ledger.institution()
    sold = move(one, two, 10)
    await ledger.post(sold)
    await ledger(service.reverse, NewReversal(uuid4(), sold.id), reason="r")
    held = move(one, two, 10, expires_at=now + timedelta(days=1))
    await ledger(service.hold, held)
    await ledger(service.void_hold, id=uuid4(), hold_id=held.id)
    assert (await ledger(verification.verify)).ok
    if not statement.startswith("INSERT"):
        with pytest.raises(DBAPIError, match="is append-only"):
            await ledger.sql(statement)
    await falsify(ledger, statement)
    report = await ledger(verification.verify)
    assert report.broken is not None
    assert report.broken.check == check


async def test_the_nightly_job_fails_when_the_ledger_is_broken(runtime, ledger, books):
    await jobs.verify_ledger(runtime)
    await falsify(ledger, f"UPDATE entry SET balance = balance + 1 {ONE_ENTRY}")
    with pytest.raises(RuntimeError, match="entry_chain"):
        await jobs.verify_ledger(runtime)


async def test_only_the_operator_may_ask(runtime, client_of, tokens, ledger, books):
    http = client_of(create_app(runtime.settings, runtime))
    url = "/api/v1/accrual/ledger/verify"
    assert (await http.post(url)).status_code == 401
    assert (await http.post(url, headers=tokens.headers("ledger:read"))).status_code == 403
    answer = await http.post(url, headers=tokens.headers("ledger:adjust", role="operator"))
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
