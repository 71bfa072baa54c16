"""The timing matrix and the arrival limits of G-044."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grants.expenses.rules import Goods, Stage
from tests.grants.year import YEAR, expense, said, the

BEFORE, IN, LATER, AFTER = (
    date(2020, 2, 29),
    date(2020, 12, 1),
    date(2021, 2, 28),
    date(2021, 3, 1),
)
APPROVED = frozenset(["late_payment_approved"])


@pytest.mark.parametrize(
    ("kind", "cause", "paid", "facts", "code", "ground"),
    [
        ("printing", IN, IN, frozenset(), None, None),
        ("printing", YEAR.start, YEAR.end, frozenset(), None, None),
        ("printing", BEFORE, IN, frozenset(), "OUT_OF_PERIOD", 2),
        ("printing", BEFORE, BEFORE, frozenset(), "OUT_OF_PERIOD", 2),
        ("printing", IN, BEFORE, frozenset(), "OUT_OF_PERIOD", 2),
        ("printing", LATER, AFTER, frozenset(), "PAID_AFTER_END", 2),
        ("printing", LATER, AFTER, APPROVED, None, None),
        ("printing", AFTER, AFTER, frozenset(), "OBLIGATED_AFTER_END", 7),
        ("printing", AFTER, AFTER, APPROVED, "OBLIGATED_AFTER_END", 7),
        ("printing", None, AFTER, frozenset(), "OBLIGATED_AFTER_END", 7),
        ("printing", None, IN, frozenset(), None, None),
        ("report_printing", LATER, AFTER, frozenset(), None, None),
        ("report_printing", AFTER, AFTER, frozenset(), None, None),
        ("audit_fee", AFTER, AFTER, frozenset(), None, None),
        ("audit_fee", BEFORE, IN, frozenset(), "OUT_OF_PERIOD", 2),
    ],
)
def test_cause_and_payment_decide(
    kind: str,
    cause: date | None,
    paid: date,
    facts: frozenset[str],
    code: str | None,
    ground: int | None,
) -> None:
    row = expense(kind, obligated_on=cause, paid_on=paid, facts=facts)
    assert said(row) == ({code: 500_000} if code else {})
    if code:
        assert the(code, row).ground == ground


def test_paying_before_the_obligation_is_remarked() -> None:
    row = expense("printing", obligated_on=IN, paid_on=IN - timedelta(days=1))
    assert said(row) == {"PAID_BEFORE_OBLIGATION": 0}


@given(st.dates(date(2019, 1, 1), date(2022, 1, 1)), st.integers(0, 500))
def test_money_is_recognised_exactly_inside_the_period(cause: date, later: int) -> None:
    paid = cause + timedelta(days=later)
    row = expense("printing", obligated_on=cause, paid_on=paid)
    assert (said(row) == {}) is (cause in YEAR and paid in YEAR)


@pytest.mark.parametrize(
    ("kind", "arrived", "used", "code"),
    [
        ("equipment_purchase", "2020-11-30", "2020-11-30", None),
        ("equipment_purchase", "2020-12-01", "2020-12-01", "ARRIVED_LATE"),
        ("equipment_purchase", "2020-11-30", "2020-12-01", "NOT_USED"),
        ("equipment_purchase", "2020-11-30", None, "NOT_USED"),
        ("equipment_purchase", None, None, "ARRIVED_LATE"),
        ("equipment_rental", "2020-12-01", "2020-12-01", "ARRIVED_LATE"),
        ("software", "2020-12-01", "2020-12-01", "ARRIVED_LATE"),
        ("reagents", "2020-12-31", None, None),
        ("reagents", "2021-01-01", None, "ARRIVED_LATE"),
        ("test_rig", "2021-01-01", None, "ARRIVED_LATE"),
        ("outside_analysis", None, None, None),
    ],
)
def test_goods_arrive_months_before_the_end(
    kind: str, arrived: str | None, used: str | None, code: str | None
) -> None:
    base = expense(kind).goods or Goods()
    goods = replace(
        base,
        arrived_on=date.fromisoformat(arrived) if arrived else None,
        used_on=date.fromisoformat(used) if used else None,
    )
    row = expense(kind, goods=goods)
    assert said(row) == ({code: row.amount_won} if code else {})


def test_the_limit_is_said_with_its_date() -> None:
    late = Goods(arrived_on=date(2021, 2, 1))
    finding = the("ARRIVED_LATE", expense("reagents", goods=late)).finding()
    assert finding.message() == (
        "2020-12-31까지 입고되어야 합니다(종료 2개월 전). 입고일: 2021-02-01"
    )


def test_a_reviewer_may_waive_the_limit_for_materials_but_not_for_equipment() -> None:
    late = Goods("gc", arrived_on=date(2021, 2, 1), used_on=date(2021, 2, 1))
    waived = frozenset(["arrival_waived"])
    assert said(expense("reagents", goods=late, facts=waived)) == {}
    assert "ARRIVED_LATE" in said(expense("equipment_purchase", goods=late, facts=waived))


@pytest.mark.parametrize("stage", ["plan", "entry"])
def test_what_has_not_arrived_yet_is_a_reminder_until_the_settlement(stage: Stage) -> None:
    row = expense("equipment_purchase", goods=Goods("gc", 500_000))
    assert said(row, stage=stage)["ARRIVE_BY"] == 0
    assert said(row, stage="settlement")["ARRIVED_LATE"] == 500_000


def test_ordering_after_the_limit_is_refused_before_spending() -> None:
    row = expense("reagents", goods=None, obligated_on=date(2021, 1, 4), paid_on=None)
    assert said(row, stage="plan")["ARRIVED_LATE"] == 500_000
