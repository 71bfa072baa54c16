"""Limits over sums: caps, the plan's amounts, pay of a person, fees of a day."""

from dataclasses import replace
from fractions import Fraction

import pytest

from services.grants.expenses.rules import (
    Checker,
    Expense,
    Goods,
    Limit,
    Plan,
    PlannedAsset,
    Work,
    check_expense,
    spending_meters,
)
from services.grants.programmes.rules import Funds
from tests.grants.year import DAY, PLAN, documents, expense, plan, said

EVERYTHING = {kind: Funds(grant=10**12) for kind in PLAN.rules.kinds}


def limits(*expenses: Expense, plan: Plan = PLAN) -> dict[str, tuple[int, int]]:
    """Code and rule of each limit exceeded, with its won and the excess."""
    found = {}
    for limit in Checker(plan, "settlement").check(expenses).limits:
        finding = limit.breach(limit.members[0], 1).finding()
        assert finding.message("ko")
        assert finding.message("en")
        assert finding.kind.citation
        key = f"{limit.kind.code} {limit.source.rule}"
        found[key] = (limit.limit_won, limit.excess_won(_sum(limit)))
    return found


def _sum(limit: Limit) -> int:
    return sum(member.amount_won for member in limit.members)


def many(kind: str, count: int, won: int, **changes: object) -> list[Expense]:
    base = expense(kind, amount_won=won, **changes)
    return [replace(base, id=f"{kind}-{i}") for i in range(count)]


@pytest.mark.parametrize(
    ("kind", "rule", "limit"),
    [
        ("severance", "G-021", 72_000_000),
        ("incentive", "G-022", 6_000_000),
        ("thesis_student", "G-023", 108_000_000),
        ("undergraduate", "G-024", 45_000_000),
        ("common_support", "G-025", 25_200_000),
        ("equipment_purchase", "G-026", 60_000_000),
    ],
)
def test_money_over_a_cap_of_the_agreed_funds_is_excess(kind: str, rule: str, limit: int) -> None:
    # Everything is planned generously, so that only the cap of the call binds; G and C stay.
    generous = plan(approved_changes=frozenset(["external_labour"]))
    assert f"CAP_EXCEEDED {rule}" not in limits(*many(kind, 2, limit // 2), plan=generous)
    over = limits(*many(kind, 2, limit // 2 + 1), plan=generous)
    assert over[f"CAP_EXCEEDED {rule}"] == (limit, 2)


def test_an_intern_and_an_undergraduate_get_a_million_in_all() -> None:
    halves = many("undergraduate", 3, 400_000)
    assert limits(*halves)["HEAD_CAP_EXCEEDED G-028"] == (1_000_000, 200_000)
    assert limits(*halves[:2]) == {}
    three = expense("internship", amount_won=3_000_001, heads=3)
    assert limits(three)["HEAD_CAP_EXCEEDED G-028"] == (3_000_000, 1)


@pytest.mark.parametrize(
    ("kind", "asset", "rule", "limit"),
    [
        ("facility_in_kind", "hall", "G-027", 5_000_000),
        ("equipment_in_kind", "gc", "G-027", 2_000_000),
        ("maintenance", "lab", "G-029", 1_000_000),
    ],
)
def test_an_asset_counts_up_to_its_percentage_over_all_expenses(
    kind: str, asset: str, rule: str, limit: int
) -> None:
    rows = many(kind, 2, limit // 2, goods=Goods(asset))
    assert f"ASSET_CAP_EXCEEDED {rule}" not in limits(*rows)
    third = many(kind, 3, limit // 2, goods=Goods(asset))
    assert limits(*third)[f"ASSET_CAP_EXCEEDED {rule}"] == (limit, limit // 2)
    elsewhere = replace(PLAN.assets[asset], pledged_elsewhere_won=1)
    shared = plan(assets={**PLAN.assets, asset: elsewhere})
    assert limits(*rows, plan=shared)[f"ASSET_CAP_EXCEEDED {rule}"] == (limit - 1, 1)


def test_the_worked_in_kind_examples() -> None:
    assets = {
        "site": PlannedAsset("site", 812_345_678),
        "gauge": PlannedAsset("gauge", 33_333_333),
    }
    year = plan(assets=assets, planned=EVERYTHING | {"facility_in_kind": Funds(in_kind=10**12)})
    site = expense("facility_in_kind", amount_won=162_470_000, goods=Goods("site"))
    gauge = expense("equipment_in_kind", amount_won=3_334_000, goods=Goods("gauge"))
    assert limits(site, plan=year)["ASSET_CAP_EXCEEDED G-027"] == (162_469_135, 865)
    assert limits(gauge, plan=year)["ASSET_CAP_EXCEEDED G-027"] == (3_333_333, 667)


def test_an_item_is_spent_up_to_the_plan_in_money_and_in_kind_apart() -> None:
    assert limits(*many("printing", 2, 5_000_000)) == {}
    assert limits(*many("printing", 2, 5_000_001))["OVER_PLAN G-033"] == (10_000_000, 2)
    other_use = [*many("printing", 1, 10_000_000), *many("utilities", 1, 1)]
    assert limits(*other_use)["OVER_PLAN G-033"] == (10_000_000, 1)


@pytest.mark.parametrize(
    ("kind", "rule", "ground"),
    [
        ("common_support", "G-033", 4),
        ("incentive", "G-045", 4),
        ("overseas_trip", "G-033", 3),
        ("meeting", "G-045", 3),
        ("reagents", "G-033", 3),
    ],
)
def test_spending_over_plan_has_its_ground(kind: str, rule: str, ground: int) -> None:
    planned = PLAN.planned[kind].total
    found = [
        limit
        for limit in Checker(PLAN, "settlement").check(many(kind, 1, planned + 1)).limits
        if limit.kind.code == "OVER_PLAN"
    ]
    assert (rule, ground) in {(limit.source.rule, limit.source.ground) for limit in found}


@pytest.mark.parametrize(
    ("spent", "expected", "remark"),
    [
        (60_000_000, {}, {}),
        (60_000_001, {}, {"CHANGE_NEEDS_PAPER": 0}),
        (68_999_999, {}, {"CHANGE_NEEDS_PAPER": 0}),
        (69_000_000, {"PLAN_CHANGED G-033": (60_000_000, 9_000_000)}, {}),
        (70_000_000, {"PLAN_CHANGED G-033": (60_000_000, 10_000_000)}, {}),
    ],
)
def test_personnel_grown_by_fifteen_percent_loses_all_of_its_growth(
    spent: int, expected: dict[str, tuple[int, int]], remark: dict[str, int]
) -> None:
    rows = many("severance", 1, spent)
    assert limits(*rows) == expected
    assert said(*rows) == remark
    approved = plan(approved_changes=frozenset(["external_labour"]))
    assert limits(*rows, plan=approved) == {}
    papered = plan(internal_changes=frozenset(["external_labour"]))
    assert said(*rows, plan=papered) == {}
    assert limits(*rows, plan=papered) == expected


def test_a_month_is_not_paid_twice_to_one_person() -> None:
    year = Fraction(3_000_000) * 12
    rows = many("operator_pay", 12, 3_000_000)
    assert "PAY_OVER_STANDARD G-030" not in limits(*rows)
    again = many("operator_pay", 13, 3_000_000)
    assert limits(*again)["PAY_OVER_STANDARD G-030"] == (int(year), 3_000_000)


def test_two_fees_on_one_day_share_the_days_standard() -> None:
    work = Work(DAY, DAY, units={"hour": Fraction(5)})
    rows = many("expert_fee", 2, 125_000, work=work)
    assert limits(*rows)["FEE_OVER_DAY G-031"] == (200_000, 50_000)
    apart = [rows[0], replace(rows[1], person="x2")]
    assert limits(*apart) == {}
    own = plan(own_rules=frozenset(["expert"]))
    assert limits(*rows, plan=own) == {}


# One expense among others -----------------------------------------------------------------------


def test_before_spending_the_new_expense_bears_the_excess() -> None:
    spent = many("printing", 2, 4_000_000)
    planned = expense("printing", amount_won=3_000_000, evidence=(), paid_on=None)
    result = check_expense(PLAN, planned, spent)
    assert result.recognisable_won == 2_000_000
    assert not result.ok
    over = next(f for f in result.findings if f.code == "OVER_PLAN")
    assert (over.params["disallowed_won"], over.params["ground"]) == (1_000_000, 3)
    assert over.pointer == "/expenses/e-printing"


def test_money_others_already_lost_does_not_count_against_a_new_expense() -> None:
    void = many("printing", 2, 4_000_000, evidence=documents((), 0))
    new = expense("printing", amount_won=10_000_000)
    assert check_expense(PLAN, new, void, "entry").recognisable_won == 10_000_000


def test_several_limits_take_what_is_left_once() -> None:
    row = expense("incentive", amount_won=6_000_001, work=Work())
    result = check_expense(PLAN, row, (), "entry")
    (breach,) = result.breaches
    assert (breach.kind.code, breach.ground, breach.disallowed_won) == ("OVER_PLAN", 4, 1)
    assert result.recognisable_won == 6_000_000


def test_a_faultless_expense_among_others_is_fine() -> None:
    result = check_expense(PLAN, expense("printing"), many("printing", 3, 100_000), "entry")
    assert (result.ok, result.findings) == (True, ())


def test_meters_show_what_is_spent_of_caps_and_items() -> None:
    rows = [*many("common_support", 2, 6_300_000), *many("internal_pay", 1, 6_000_000)]
    meters = {meter.pointer: meter for meter in spending_meters(PLAN, rows)}
    overhead = meters["/caps/G-025"]
    assert (overhead.numerator_won, overhead.limit_won, overhead.used_percent) == (
        12_600_000,
        25_200_000,
        "3.5",
    )
    internal = meters["/items/internal_labour"]
    assert (internal.numerator_won, internal.denominator_won, internal.used_percent) == (
        6_000_000,
        60_000_000,
        "10",
    )
    assert "/items/travel" in meters
