"""What people see: statements with running balance, balances by field and at an instant."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.accrual.ledger import service, statements
from services.accrual.ledger.rules import Kind, NewReversal
from services.accrual.ledger.statements import FieldBalance, Filter
from shared.clock import seoul_day
from shared.paging import PageRequest
from tests.accrual.ledger.conftest import issue, move

LONG_AGO = datetime(2023, 3, 1, tzinfo=UTC)


async def amounts(ledger, institution, **wanted):
    rows, _, total = await ledger(
        statements.statement, institution, Filter(**wanted), PageRequest()
    )
    assert total == len(rows)
    return [entry.amount for entry, _ in rows]


async def test_a_statement_runs_newest_first_with_the_balance_after_each_line(ledger):
    company, university = await ledger.institution(100), await ledger.institution()
    await ledger(service.hold, move(company, university, 10))
    await ledger.post(move(company, university, 30))
    await ledger.post(issue(company, 5))
    rows, _, _ = await ledger(statements.statement, company, Filter(), PageRequest())
    assert [(entry.amount, entry.balance) for entry, _ in rows] == [(5, 75), (-30, 70), (100, 100)]


async def test_pages_follow_each_other_without_gap_or_repetition(ledger):
    company = await ledger.institution()
    await ledger.post(*(issue(company, amount) for amount in range(1, 8)))
    seen, cursor = [], None
    while True:
        rows, cursor, total = await ledger(
            statements.statement, company, Filter(), PageRequest(limit=3, cursor=cursor)
        )
        assert total == 7
        seen += [entry.amount for entry, _ in rows]
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_filters_of_the_statement(ledger):
    company, university = uuid4(), uuid4()
    await ledger.post(
        issue(company, 1, field="PRACTICE", title="대학생 현장실습", origin_id=university),
        issue(company, 2, field="RESEARCH", title="산업체 과제수행"),
        issue(company, 4, field="RESEARCH", kind="migration"),
    )
    today = seoul_day(datetime.now(UTC))
    assert await amounts(ledger, company, field="RESEARCH") == [4, 2]
    assert await amounts(ledger, company, title="현장") == [1]
    assert await amounts(ledger, company, title="%") == []
    assert await amounts(ledger, company, origin_id=university) == [1]
    assert await amounts(ledger, company, kind="migration") == [4]
    assert await amounts(ledger, company, fields=frozenset({"PRACTICE"})) == [1]
    assert await amounts(ledger, company, since=today, until=today) == [4, 2, 1]
    assert await amounts(ledger, company, since=today + timedelta(days=1)) == []
    assert await amounts(ledger, company, until=today - timedelta(days=1)) == []


async def test_a_balance_by_field_adds_up_and_loses_what_was_revoked(ledger):
    company = uuid4()
    research = issue(company, 100, field="RESEARCH")
    await ledger.post(research, issue(company, 20, field="PRACTICE"))
    await ledger.post(move(company, uuid4(), 30))
    reversal = NewReversal(uuid4(), research.id, 40)
    await ledger(service.reverse_transfers, [reversal], reason="-", kind=Kind.REVOCATION)
    found = await ledger(statements.balance_by_field, company)
    assert set(found) == {
        FieldBalance("PRACTICE", 20),
        FieldBalance("RESEARCH", 60),
        FieldBalance(None, -30),
    }
    assert sum(one.points for one in found) == (await ledger.balance(company))[0]


async def test_the_balance_at_an_instant_counts_what_took_effect_by_then(ledger):
    company = uuid4()
    before = datetime.now(UTC)
    await ledger.post(issue(company, 100))
    between = datetime.now(UTC)
    await ledger.post(issue(company, 10, effective_at=LONG_AGO))
    await ledger.post(move(company, uuid4(), 5))

    async def at(instant):
        by_field = await ledger(statements.balance_by_field, company, instant=instant)
        balance = await ledger(service.balance_as_of, company, instant)
        assert balance == sum(one.points for one in by_field)
        return balance

    assert await at(LONG_AGO - timedelta(microseconds=1)) == 0
    assert await at(LONG_AGO) == 10
    assert await at(before) == 10
    assert await at(between) == 110
    assert await at(datetime.now(UTC)) == 105


@pytest.mark.parametrize("seed", range(3))
async def test_as_of_agrees_with_adding_up_every_entry(ledger, seed):
    import random

    chance = random.Random(seed)
    company = uuid4()
    for _ in range(30):
        dated = LONG_AGO + timedelta(days=chance.randrange(1000))
        effective = dated if chance.random() < 0.4 else None
        await ledger.post(issue(company, chance.randrange(1, 100), effective_at=effective))
    entries = await ledger.sql("SELECT amount, effective_at FROM entry")
    for instant in [when for _, when in entries]:
        for moment in (instant, instant - timedelta(microseconds=1)):
            expected = sum(amount for amount, when in entries if when <= moment)
            assert await ledger(service.balance_as_of, company, moment) == expected
