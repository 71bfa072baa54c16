"""Points that expire, oldest first: beside a model that knows every single point, and switched off
unless somebody says otherwise."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.accrual.jobs import expire_points
from services.accrual.ledger import lots, rules, service, statements, verification
from services.accrual.ledger.rules import Kind, NewReversal
from services.accrual.ledger.statements import Filter
from services.accrual.settings import Settings
from shared.clock import SEOUL, seoul_day, utc_now
from shared.db import Database
from shared.paging import PageRequest
from shared.problems import Problem
from tests.accrual.ledger.conftest import Ledger, broken_books, issue, move

YEARS = 3


@pytest.mark.parametrize(
    ("received", "years", "last"),
    [
        ("2023-02-28", 1, "2024-02-29"),
        ("2024-02-28", 1, "2025-02-28"),
        ("2024-02-29", 1, "2025-02-28"),
        ("2023-08-15", 3, "2026-08-15"),
        ("2020-02-29", 4, "2024-02-29"),
    ],
)
def test_the_last_day_is_counted_from_the_day_after(received, years, last):
    assert rules.last_day(date.fromisoformat(received), years) == date.fromisoformat(last)


@dataclass
class Point:
    day: date
    lot: UUID
    gone: bool = False


@dataclass
class Model:
    """Every point by itself, the oldest first; who uses points uses the oldest there are."""

    points: list[Point] = field(default_factory=list)
    owed: int = 0
    held: int = 0

    @property
    def left(self) -> list[Point]:
        return [one for one in self.points if not one.gone]

    @property
    def available(self) -> int:
        return max(0, len(self.left) - self.held)

    def earn(self, day: date, lot: UUID, amount: int) -> None:
        self.points += [Point(day, lot) for _ in range(amount)]
        self.points.sort(key=lambda one: one.day)
        self.settle()

    def use(self, amount: int) -> None:
        for one in self.left[:amount]:
            one.gone = True

    def undo(self, amount: int) -> None:
        """What was used last comes back; what is owed is paid of it first."""
        paid = min(self.owed, amount)
        self.owed -= paid
        for one in [one for one in self.points if one.gone][::-1][: amount - paid]:
            one.gone = False

    def revoke(self, lot: UUID, amount: int) -> None:
        """Points of that lot never were; those of them that were used, others have to cover."""
        of_lot = [one for one in self.points if one.lot == lot][:amount]
        self.owed += sum(one.gone for one in of_lot)
        for one in of_lot:
            self.points.remove(one)
        self.settle()

    def settle(self) -> None:
        paid = min(self.owed, len(self.left))
        self.use(paid)
        self.owed -= paid

    def expire(self, today: date) -> int:
        over = [one for one in self.left if rules.last_day(one.day, YEARS) < today]
        amount = max(0, len(over) - self.held)  # the oldest are the ones held
        self.use(amount)
        return amount


steps = st.lists(
    st.tuples(
        st.sampled_from(["earn", "earn", "spend", "hold", "undo", "revoke", "expire", "expire"]),
        st.integers(1, 60),
        st.integers(0, 500),
    ),
    min_size=4,
    max_size=14,
)


async def play(ledger: Ledger, steps: list[tuple[str, int, int]]) -> None:
    """The same on both; after each step they hold the same points of the same days."""
    account, shop, model = await ledger.institution(), uuid4(), Model()
    earned: list[Any] = []
    spent: list[Any] = []
    today = seoul_day(utc_now()) - timedelta(days=500 * 15)
    for action, amount, later in steps:
        today += timedelta(days=later)
        if action == "earn":
            one = issue(account, amount, effective_at=noon(today))
            await ledger.post(one)
            model.earn(today, one.id, amount)
            earned.append(one)
        elif action in ("spend", "hold"):
            one = move(account, shop, amount)
            use_case = service.hold if action == "hold" else post_one
            if model.available < amount:
                with pytest.raises(Problem):
                    await ledger(use_case, one)
            else:
                await ledger(use_case, one)
                model.held += amount if action == "hold" else 0
                if action == "spend":
                    model.use(amount)
                    spent.append(one)
        elif action == "undo" and spent:
            one = spent.pop()
            await ledger(service.reverse, NewReversal(uuid4(), one.id), reason="-")
            model.undo(one.amount)
        elif action == "revoke" and earned:
            one = earned.pop(amount % len(earned))
            reversal = NewReversal(uuid4(), one.id)
            kind = Kind.REVOCATION
            await ledger(service.reverse_transfers, [reversal], reason="-", kind=kind)
            model.revoke(one.id, one.amount)
        elif action == "expire":
            found = await ledger(lots.expire, account, years=YEARS, now=noon(today))
            assert found == model.expire(today)
        left: dict[date, int] = {}
        for point in model.left:
            left[point.day] = left.get(point.day, 0) + 1
        assert {lot.day: lot.points for lot in await ledger(lots.lots, account)} == left
        assert (await ledger.balance(account))[0] == len(model.left) - model.owed


async def post_one(session, one):
    return await service.post_transfers(session, [one])


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), SEOUL)


def test_whatever_happens_the_oldest_points_go_first_and_expire_in_time(database):
    url = database("accrual")

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def run(steps):
        async def go() -> None:
            opened = Database(url)
            try:
                await play(Ledger(opened.sessions), steps)
            finally:
                await opened.close()

        asyncio.run(go())

    run()

    async def prove() -> None:
        opened = Database(url)
        ledger = Ledger(opened.sessions)
        report, broken = await ledger(verification.verify), await broken_books(ledger)
        await opened.close()
        assert (report.ok, broken) == (True, [])

    asyncio.run(prove())


async def test_points_expire_by_setting_only_and_statements_and_balances_tell(runtime_of):
    """By default nothing expires, however old it is."""
    always, limited = [
        await runtime_of("accrual", Settings, points_lifetime_years=years) for years in (None, 2)
    ]
    for runtime, expected in ((always, 100), (limited, 70)):
        ledger, institution = Ledger(runtime.sessions), uuid4()
        today = seoul_day(utc_now())
        await ledger.post(issue(institution, 50, effective_at=noon(today - timedelta(days=740))))
        await ledger.post(issue(institution, 70, effective_at=noon(today - timedelta(days=5))))
        await ledger.post(move(institution, uuid4(), 20))
        await expire_points(runtime)
        await expire_points(runtime)  # once more changes nothing
        assert (await ledger.balance(institution))[0] == expected
        begins = datetime.combine(today, time(), SEOUL)
        before = await ledger(
            service.balance_as_of, institution, begins - timedelta(microseconds=1)
        )
        assert before == 120
        rows, _, _ = await ledger(
            statements.statement, institution, Filter(kind="expiry"), PageRequest()
        )
        told = [(entry.amount, transfer.title) for entry, transfer in rows]
        assert told == ([] if expected == 100 else [(-30, "유효기간 경과 소멸")])


async def test_held_points_expire_only_after_their_hold(ledger):
    institution = uuid4()
    await ledger.post(issue(institution, 50, effective_at=noon(date(2020, 5, 1))))
    hold = move(institution, uuid4(), 40)
    await ledger(service.hold, hold)
    assert await ledger(lots.expire, institution, years=2, now=utc_now()) == 10
    await ledger(service.void_hold, id=uuid4(), hold_id=hold.id)
    assert await ledger(lots.expire, institution, years=2, now=utc_now()) == 40
    assert await ledger.balance(institution) == (0, 0, 0)


async def test_a_hold_keeps_the_oldest_points_though_there_are_younger_ones(ledger):
    institution = uuid4()
    await ledger.post(issue(institution, 50, effective_at=noon(date(2020, 5, 1))))
    await ledger.post(issue(institution, 50))
    hold = move(institution, uuid4(), 40)
    await ledger(service.hold, hold)
    assert await ledger(lots.expire, institution, years=2, now=utc_now()) == 10
    await ledger(service.post_hold, id=uuid4(), hold_id=hold.id, amount=40)
    assert await ledger(lots.expire, institution, years=2, now=utc_now()) == 0
    assert (await ledger.balance(institution))[0] == 50
