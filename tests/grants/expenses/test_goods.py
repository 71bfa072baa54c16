"""Things bought, exclusions, funds: G-034, G-045 and the border to mileage."""

from dataclasses import replace
from datetime import date

import pytest

from services.grants.expenses.rules import Goods
from services.grants.programmes.rules import Fund
from tests.grants.calls import keco
from tests.grants.year import DAY, expense, plan, said, the

THING = expense("equipment_purchase").goods
assert THING is not None


@pytest.mark.parametrize(("months", "falls"), [(0, True), (1, False), (None, False)])
def test_equipment_is_usable_for_a_month(months: int | None, falls: bool) -> None:
    row = expense("equipment_purchase", goods=replace(THING, usable_months=months))
    assert said(row) == ({"TOO_SHORT_USE": 500_000} if falls else {})


@pytest.mark.parametrize(
    ("price", "facts", "also", "expected"),
    [
        (9_999_999, (), (), {"CHANGE_NEEDS_PAPER": 0}),
        (9_999_999, (), ("internal_change",), {}),
        (10_000_000, (), ("internal_change", "cost_analysis"), {"NOT_IN_PLAN": 10_000_000}),
        (10_000_000, ("change_approved",), ("cost_analysis",), {}),
    ],
)
def test_big_equipment_outside_the_plan_needs_an_amendment(
    price: int, facts: tuple[str, ...], also: tuple[str, ...], expected: dict[str, int]
) -> None:
    goods = replace(THING, asset="unplanned", unit_price_won=price, reported_on=DAY)
    row = expense(
        "equipment_purchase", amount_won=price, goods=goods, facts=frozenset(facts), also=also
    )
    assert said(row) == expected
    if "NOT_IN_PLAN" in expected:
        assert the("NOT_IN_PLAN", row).ground == 3


@pytest.mark.parametrize(
    ("reported", "late"),
    [(date(2020, 6, 15), False), (date(2020, 6, 16), True), (None, True)],
)
def test_big_equipment_is_reported_within_three_months_of_the_agreement(
    reported: date | None, late: bool
) -> None:
    goods = replace(THING, unit_price_won=10_000_000, reported_on=reported)
    row = expense("equipment_purchase", amount_won=10_000_000, goods=goods, also=("cost_analysis",))
    assert said(row) == ({"PURCHASE_UNREPORTED": 0} if late else {})


@pytest.mark.parametrize(
    ("kind", "fact", "ground"),
    [
        ("printing", "forged", 6),
        ("printing", "unrelated", 5),
        ("domestic_trip", "excess_found", 4),
        ("software", "general_software", 2),
        ("equipment_purchase", "unrelated_pc", 5),
        ("equipment_purchase", "main_change_unapproved", 3),
        ("equipment_in_kind", "mileage_discounted", 2),
        ("meeting", "off_purpose", 5),
        ("books", "reference_book", 5),
        ("books", "institution_wide", 5),
        ("conference_domestic", "membership_fee", 2),
        ("expert_fee", "fixed_monthly_fee", 2),
        ("conference_abroad", "wasteful", 5),
        ("utilities", "institution_wide", 5),
        ("utilities", "operating_expense", 5),
        ("environment_upkeep", "common_expense", 5),
        ("periodicals", "magazine_newspaper", 5),
        ("domestic_trip", "vehicle_rental", 5),
    ],
)
def test_what_the_call_excludes_falls_whole(kind: str, fact: str, ground: int) -> None:
    row = expense(kind, facts=frozenset([fact]))
    breach = the("EXCLUDED", row)
    assert (breach.disallowed_won, breach.ground) == (row.amount_won, ground)
    assert breach.finding().params["facts"] == [fact]


@pytest.mark.parametrize(
    ("kind", "fact"),
    [("printing", "vehicle_rental"), ("expert_fee", "magazine_newspaper"), ("reagents", "bundle")],
)
def test_a_fact_that_does_not_concern_the_item_changes_nothing(kind: str, fact: str) -> None:
    assert "EXCLUDED" not in said(expense(kind, facts=frozenset([fact])))


def test_employer_side_insurance_is_never_recognised() -> None:
    assert the("EXCLUDED", expense("insurance_employer")).ground == 2


def test_support_staff_belongs_to_nonprofits() -> None:
    assert said(expense("support_staff")) == {}
    assert said(expense("support_staff"), plan=plan(traits=frozenset())) == {"EXCLUDED": 500_000}


@pytest.mark.parametrize(
    ("kind", "fund", "code"),
    [
        ("operator_pay", "in_kind", "EXTERNAL_PAY_INKIND"),
        ("internal_pay", "grant", "INTERNAL_PAY_CASH"),
        ("domestic_trip", "in_kind", "FUND_NOT_ALLOWED"),
    ],
)
def test_items_are_paid_only_from_their_funds(kind: str, fund: Fund, code: str) -> None:
    row = expense(kind, fund=fund)
    assert said(row)[code] == row.amount_won


def test_money_also_claimed_for_mileage_is_shown() -> None:
    claimed = plan(claimed={"KB-77": "적립신청 2020-0003"})
    row = expense("equipment_purchase", deposit="KB-77")
    assert said(row, plan=claimed) == {"CROSS_CLAIM": 0}
    assert said(expense("equipment_purchase", deposit="KB-78"), plan=claimed) == {}


def test_a_facility_is_judged_by_its_total_where_no_unit_price_is_given() -> None:
    goods = Goods("annex", arrived_on=DAY, used_on=DAY)
    row = expense("facility_works", amount_won=10_000_000, goods=goods, also=("cost_analysis",))
    assert said(row) == {"NOT_IN_PLAN": 10_000_000}


def test_every_fact_of_the_call_is_used_somewhere() -> None:
    rules = keco().spending
    used = set().union(*(exclusion.facts for exclusion in rules.exclusions))
    named = str([rule.params for rule in rules.rules])
    assert [f.code for f in rules.facts if f.code not in used and f"'{f.code}'" not in named] == []
