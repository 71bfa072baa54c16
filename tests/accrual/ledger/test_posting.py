"""Transfers: what they do to balances, what is refused, and that a repetition does nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual.ledger import errors, service
from services.accrual.ledger.rules import ISSUANCE, REDEMPTION
from shared.problems import Invalid
from tests.accrual.ledger.conftest import issue, move


async def test_a_transfer_moves_points_and_each_entry_keeps_the_balance_it_left(ledger):
    company, university = await ledger.institution(750), await ledger.institution()
    spent = move(company, university, 300)
    assert await ledger.post(spent) == 1
    assert await ledger.balance(company) == (450, 0, 450)
    assert await ledger.balance(university) == (300, 0, 300)
    entries = await ledger.sql(
        "SELECT account_id, version, amount, balance FROM entry WHERE transfer_id = :id",
        id=spent.id,
    )
    assert set(entries) == {(company, 2, -300, 450), (university, 1, 300, 300)}


async def test_approving_posts_university_and_companies_together_or_not_at_all(ledger):
    university, first, second = uuid4(), uuid4(), uuid4()
    batch = [issue(university, 1350), issue(first, 450), issue(second, 900)]
    assert await ledger.post(*batch) == 3
    assert (await ledger.balance(university))[0] == 1350
    broke = await ledger.institution(10)
    with pytest.raises(errors.Insufficient):
        await ledger.post(issue(first, 5), move(broke, second, 11))
    assert (await ledger.balance(first))[0] == 450


@pytest.mark.parametrize("together", [False, True], ids=["one", "many"])
async def test_more_than_what_is_available_is_refused_with_how_much_there_is(ledger, together):
    company, university = await ledger.institution(100), await ledger.institution()
    await ledger(service.hold, move(company, university, 30))
    others = [issue(university, 1)] if together else []
    with pytest.raises(errors.Insufficient) as refused:
        await ledger.post(*others, move(company, university, 71))
    assert refused.value.params["available"] == 70
    assert await ledger.post(*others, move(company, university, 70)) == 1 + len(others)


async def test_in_a_batch_a_transfer_may_spend_what_an_earlier_one_brought_but_not_a_later(ledger):
    company, university = await ledger.institution(), await ledger.institution()
    earn, spend = issue(company, 50), move(company, university, 50)
    with pytest.raises(errors.Insufficient) as refused:
        await ledger.post(spend, earn)
    assert refused.value.params == {"transfer_id": str(spend.id), "available": 0}
    assert await ledger.post(earn, spend) == 2


@pytest.mark.parametrize("together", [False, True], ids=["one", "many"])
async def test_every_request_may_be_repeated_and_acts_once(ledger, together):
    company, university = await ledger.institution(100), await ledger.institution()
    batch = [move(company, university, 60)] + ([issue(company, 1)] if together else [])
    assert await ledger.post(*batch) == len(batch)
    assert await ledger.post(*batch) == 0
    assert await ledger.post(*batch, move(company, university, 1)) == 1
    assert (await ledger.balance(university))[0] == 61


async def test_a_transfer_given_twice_in_one_batch_is_posted_once(ledger):
    company = await ledger.institution()
    earn = issue(company, 5)
    assert await ledger.post(earn, issue(company, 1), earn) == 2
    assert (await ledger.balance(company))[0] == 6


async def test_a_replay_is_answered_though_the_points_are_gone(ledger):
    company, university = await ledger.institution(100), await ledger.institution()
    spent = move(company, university, 100)
    await ledger.post(spent)
    assert await ledger.post(spent) == 0


CHANGES = {
    "amount": 6,
    "credit_account": REDEMPTION,
    "kind": "utilisation",
    "field": "PRACTICE",
    "title": "",
    "reference": "23-1",
    "origin_id": uuid4(),
    "metadata": {"a": 1},
    "effective_at": datetime(2024, 1, 1, tzinfo=UTC),
    "expires_at": datetime(2024, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("together", [False, True], ids=["one", "many"])
async def test_the_same_id_with_other_content_is_a_conflict(ledger, field, together):
    company, university = await ledger.institution(100), await ledger.institution()
    spent = move(company, university, 5)
    await ledger.post(spent)
    other = replace(spent, **{field: CHANGES[field]})
    with pytest.raises(errors.TransferConflict):
        await ledger.post(other, *([issue(company, 1)] if together else []))
    assert (await ledger.balance(university))[0] == 5


async def test_an_instant_named_by_the_caller_belongs_to_the_request(ledger):
    company = await ledger.institution()
    earned = issue(company, 5, effective_at=datetime(2024, 2, 29, 14, 59, 59, 999999, tzinfo=UTC))
    assert await ledger.post(earned) == 1
    assert await ledger.post(earned) == 0
    with pytest.raises(errors.TransferConflict):
        await ledger.post(replace(earned, effective_at=None))


async def test_nonsense_is_refused_with_every_finding(ledger):
    company = await ledger.institution(10)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        await ledger.post(move(company, company, 0), issue(company, 1, effective_at=tomorrow))
    assert [(found.code, found.pointer) for found in refused.value.errors] == [
        ("AMOUNT_NOT_POSITIVE", "/0/amount"),
        ("SAME_ACCOUNT", "/0/to_institution_id"),
        ("EFFECTIVE_IN_FUTURE", "/1/effective_at"),
    ]


async def test_nothing_to_post_is_nothing(ledger):
    assert await ledger.post() == 0


@pytest.mark.parametrize("table", ["transfer", "entry"])
@pytest.mark.parametrize(
    "change",
    ["UPDATE {} SET amount = amount + 1", "DELETE FROM {}", "TRUNCATE {}"],
    ids=["update", "delete", "truncate"],
)
async def test_the_database_refuses_to_change_what_was_recorded(ledger, table, change):
    await ledger.institution(1)
    with pytest.raises(DBAPIError, match="is append-only"):
        await ledger.sql(change.format(table))


async def test_the_database_itself_refuses_an_overdraft(ledger):
    company = await ledger.institution(5)
    for change in ("available = available - 6", "held = -1", "debt = -1"):
        with pytest.raises(DBAPIError, match="points_never_negative"):
            await ledger.sql(f"UPDATE account SET {change} WHERE id = :id", id=company)


async def test_points_come_from_issuance_alone(ledger):
    await ledger.post(issue(uuid4(), 5), issue(uuid4(), 7))
    assert await ledger.sql("SELECT sum(available) FROM account") == [(12,)]
    assert await ledger.sql("SELECT count(*) FROM account WHERE id = :id", id=ISSUANCE) == [(0,)]
