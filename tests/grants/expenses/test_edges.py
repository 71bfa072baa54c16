"""The exact edges of fees, limits and pay, most of them written against mutants of the rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from services.grants.expenses.rules import Checker, Expense, Goods, Limit, Plan, Trip, Work
from services.grants.expenses.rules.model import PlanLine
from services.grants.programmes.rules import Funds
from tests.grants.year import DAY, PLAN, YEAR, breaches, expense, plan, said, the, with_person


def exceeded(*expenses: Expense, plan: Plan = PLAN) -> list[Limit]:
    return [*Checker(plan, "settlement").check(expenses).limits]


def codes(limits: Sequence[Limit]) -> list[str]:
    return [limit.kind.code for limit in limits]


# Fees -------------------------------------------------------------------------------------------


def fees(*, count: int = 2, won: int = 125_000, **changes: Any) -> list[Expense]:
    done = {"work": Work(DAY, DAY, units={"hour": Fraction(5)})} | changes
    return [expense("expert_fee", id=f"f{n}", amount_won=won, **done) for n in range(count)]


def test_less_than_the_standard_is_no_offence() -> None:
    assert said(expense("lecture_fee", amount_won=1)) == {}
    assert said(expense("domestic_trip", amount_won=1)) == {}


def test_an_allowance_is_cut_to_whole_won() -> None:
    third = {"work": Work(DAY, DAY, units={"hour": Fraction(1, 3)})}
    assert said(expense("expert_fee", amount_won=8_333, **third)) == {}
    assert said(expense("expert_fee", amount_won=8_334, **third)) == {"FEE_OVER_STANDARD": 1}


def test_the_days_standard_is_for_two_fees_or_more_of_a_person_on_one_day() -> None:
    (over,) = exceeded(*fees())
    assert (over.kind.code, over.limit_won, over.params["day"]) == (
        "FEE_OVER_DAY",
        200_000,
        str(DAY),
    )
    assert {expense.id for expense in over.members} == {"f0", "f1"}
    assert exceeded(*fees(won=100_000)) == exceeded(*fees(won=99_999)) == []
    assert exceeded(*fees(count=1, won=250_000)) == []  # the standard by hours says it
    assert exceeded(*fees(person=None)) == []
    for other in (
        Work(DAY, DAY + timedelta(days=1)),
        Work(DAY + timedelta(days=1), DAY),
        Work(None, None),
        None,
    ):
        assert exceeded(*fees(work=other)) == [], other
    alone = replace(fees(count=1, won=250_000)[0], id="alone", person="x9")
    assert [limit.members[0].id for limit in exceeded(*fees(), alone)] == ["f0"]
    mixed = [*fees(), *fees(count=1, work=None, person=None)]
    assert codes(exceeded(*mixed)) == ["FEE_OVER_DAY"]


def test_uses_of_one_day_fall_in_the_order_of_their_names_and_months_stay_apart() -> None:
    rows = [replace(row, amount_won=1) for row in fees(count=5)]
    rows = [replace(row, paid_on=DAY + timedelta(days=9 - n)) for n, row in enumerate(rows)]
    found = [b for b in breaches(*rows[::-1]) if b.kind.code == "TOO_MANY_USES"]
    assert [(b.expense.id, b.params["use"]) for b in found] == [("f4", 5)]
    unworked = [replace(row, work=None, paid_on=DAY) for row in rows]
    found = [b for b in breaches(*unworked) if b.kind.code == "TOO_MANY_USES"]
    assert [(b.expense.id, b.params["month"]) for b in found] == [("f4", "2020-06")]
    later = [replace(row, paid_on=date(2020, 7, 1)) for row in unworked[3:]]
    assert "TOO_MANY_USES" not in said(*unworked[:3], *later)
    assert "TOO_MANY_USES" not in said(*(replace(row, person=None) for row in rows))
    two = [replace(row, person=f"x{n % 2}") for n, row in enumerate(rows)]
    assert "TOO_MANY_USES" not in said(*two)


# Evidence ---------------------------------------------------------------------------------------


def test_two_papers_of_one_sort_each_over_the_whole_prove_it_twice() -> None:
    twice = expense("meeting", also=("card_slip",))
    assert said(twice) == {"EVIDENCE_EXCEEDS": 0}
    assert the("EVIDENCE_EXCEEDS", twice).params == {"proven_won": 600_000}


# Travel -----------------------------------------------------------------------------------------


def test_a_journey_without_days_or_grade_has_no_standard() -> None:
    assert said(expense("domestic_trip", trip=None)) == {}
    nobody = with_person("p1", grade=None)
    assert said(expense("domestic_trip", amount_won=900_000), plan=nobody) == {}
    assert said(expense("training_abroad", trip=None)) == {"NOT_IN_PLAN": 500_000}


@pytest.mark.parametrize(
    ("person", "rail", "remark"),
    [("o1", "first", True), ("o1", "standard", False), ("o1", None, False), ("p1", "first", False)],
)
def test_the_class_is_remarked_where_it_is_above_the_grade(
    person: str, rail: Any, remark: bool
) -> None:
    trip = Trip(DAY, DAY, rail=rail)
    found = said(expense("domestic_trip", person=person, trip=trip, amount_won=1))
    assert found == ({"TRAVEL_CLASS": 0} if remark else {})


def test_the_parts_of_the_standard_are_told() -> None:
    trip = Trip(DAY, DAY + timedelta(days=2), fare_won=59_800)
    params = the("TRAVEL_OVER_STANDARD", expense("domestic_trip", trip=trip)).params
    assert params == {
        "daily_won": 60_000,
        "lodging_won": 100_000,
        "meals_won": 72_000,
        "fare_won": 59_800,
    }


def _conference(**journey: Any) -> list[Expense]:
    trip = expense("overseas_trip").trip
    assert trip is not None
    given = {"registration_won": 200_000, "event": "tokyo"} | journey
    trip = replace(trip, registration_won=given.pop("registration_won"))
    fee = expense("conference_abroad", id="fee", person="p1", event=given["event"])
    return [fee, expense("overseas_trip", id="journey", trip=trip, **given)]


def test_what_was_paid_twice_is_at_most_the_journey() -> None:
    assert said(*_conference(registration_won=600_000)) == {"PAID_TWICE": 500_000}
    assert said(*_conference(registration_won=499_999)) == {"PAID_TWICE": 499_999}
    assert said(*_conference(registration_won=0)) == {}
    assert said(*_conference(event=None)) == {}
    fee, journey = _conference()
    assert said(replace(fee, trip=journey.trip)) == {}  # a fee is not paid twice with itself
    assert said(journey) == {}
    assert the("PAID_TWICE", fee, journey).params == {"other": "fee"}


# Lines and amounts of the plan ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fund", "line", "fits"),
    [
        ("printing", "grant", 1, True),
        ("printing", "grant", 2, False),
        ("books", "grant", 2, True),
        ("printing", "cash", 1, False),
        ("printing", "cash", 3, True),
        ("printing", "cash", 0, False),
        ("printing", "cash", 4, False),
        ("printing", "cash", -1, False),
        ("printing", "grant", None, True),
    ],
)
def test_a_line_of_the_plan_is_for_one_use_and_source(
    kind: str, fund: Any, line: int | None, fits: bool
) -> None:
    lines = (
        PlanLine("printing", "grant"),
        PlanLine("books", "grant"),
        PlanLine("printing", "cash"),
    )
    planned = {**PLAN.planned, "printing": Funds(10_000_000, 10_000_000)}
    year = plan(lines=lines, planned=planned)
    found = said(expense(kind, fund=fund, line=line), plan=year)
    assert found == ({} if fits else {"LINE_MISMATCH": 0})


def test_grant_and_cash_of_an_item_are_one_amount_and_in_kind_is_another() -> None:
    year = plan(planned={**PLAN.planned, "printing": Funds(6_000_000, 4_000_000, 1_000_000)})
    money = [expense("printing", id="g", amount_won=8_000_000)]
    money += [expense("printing", id="c", fund="cash", amount_won=2_000_000)]
    assert exceeded(*money, plan=year) == []
    (over,) = exceeded(*money, expense("printing", id="x", amount_won=1), plan=year)
    assert (over.kind.code, over.limit_won, len(over.members)) == ("OVER_PLAN", 10_000_000, 3)
    assert over.params == {"name_ko": "수용비·수수료", "name_en": "Supplies and fees"}
    lent = expense("printing", id="k", fund="in_kind", amount_won=1_000_001)
    (over,) = exceeded(*money, lent, plan=year)
    assert (over.limit_won, [e.id for e in over.members]) == (1_000_000, ["k"])


def test_growth_by_fifteen_percent_is_counted_to_the_won() -> None:
    year = plan(planned={**PLAN.planned, "operator_pay": Funds(grant=10_000_001)})
    for won, code in ((11_500_001, {"CHANGE_NEEDS_PAPER": 0}), (11_500_002, {})):
        row = expense("severance", amount_won=won)
        assert said(row, plan=year) == code
        changed = [x for x in exceeded(row, plan=year) if x.kind.code == "PLAN_CHANGED"]
        assert [x.excess_won(won) for x in changed] == ([] if code else [1_500_001])
    assert changed[0].excess_won(11_500_001) == 0  # what others lost brings it under the trigger
    assert changed[0].params["percent"] == "15"


def test_the_paper_is_asked_for_at_the_latest_expense() -> None:
    rows = [
        expense("severance", id=name, amount_won=21_000_000, paid_on=day)
        for name, day in (("a", DAY), ("c", date(2020, 9, 1)), ("b", date(2020, 9, 1)))
    ]
    found = the("CHANGE_NEEDS_PAPER", *rows)
    assert (found.expense.id, found.params["limit_won"]) == ("c", 60_000_000)
    elsewhere = plan(internal_changes=frozenset(["travel"]))
    assert said(*rows, plan=elsewhere) == {"CHANGE_NEEDS_PAPER": 0}


def test_pay_is_summed_by_person_and_use() -> None:
    month = Work(date(2020, 6, 1), date(2020, 6, 30), Fraction(50))
    rows = [expense("operator_pay", id=f"o{n}", amount_won=3_000_000) for n in range(12)]
    (over,) = exceeded(*rows, expense("operator_pay", id="x", amount_won=1))
    assert (over.kind.code, over.limit_won, len(over.members)) == (
        "PAY_OVER_STANDARD",
        36_000_000,
        13,
    )
    beside = [
        expense(kind, id=f"{kind}-{person}", person=person, amount_won=1)
        for kind in ("insurance_employee", "operator_pay", "severance")
        for person in ("a1", "o1", "z1")
        if (kind, person) != ("operator_pay", "o1")
    ]
    (mixed,) = exceeded(*beside, *rows, rows[0])
    assert {e.id for e in mixed.members} == {e.id for e in rows}
    other = expense("operator_pay", id="y", person="o2", work=month, amount_won=1_000_000)
    assert exceeded(*rows, other) == []
    assert exceeded(*rows, expense("severance", id="z", person="o1", amount_won=1)) == []
    assert "PAY_OVER_STANDARD" not in codes(
        exceeded(*rows, expense("operator_pay", id="n", person=None, amount_won=99))
    )


# Caps -------------------------------------------------------------------------------------------


def test_a_cap_is_told_in_thousands_and_in_won() -> None:
    row = expense("incentive", amount_won=7_234_567)
    (cap,) = [limit for limit in exceeded(row) if limit.kind.code == "CAP_EXCEEDED"]
    told = {key: cap.params[key] for key in ("amount_won", "amount_thousand", "limit_thousand")}
    assert told == {"amount_won": 7_234_567, "amount_thousand": 7_234, "limit_thousand": 6_000}
    assert (cap.params["percent"], cap.params["base_won"]) == ("2", 300_000_000)


def test_a_person_is_one_head_however_many_are_stated() -> None:
    row = expense("undergraduate", amount_won=1_500_000, heads=3)
    (head,) = exceeded(row)
    assert (head.limit_won, head.params["heads"]) == (1_000_000, 1)
    for won, over in ((3_000_000, []), (3_000_001, ["HEAD_CAP_EXCEEDED"])):
        three = expense("internship", amount_won=won, heads=3)
        assert codes(exceeded(three)) == over
    assert exceeded(expense("undergraduate", amount_won=1_000_000)) == []
    assert exceeded(expense("undergraduate", amount_won=999_999)) == []
    nameless = [expense("internship", id=f"i{n}", amount_won=1_000_000) for n in range(2)]
    assert exceeded(*nameless) == []  # two students, not one twice


def test_an_assets_price_is_that_of_all_its_pieces_or_the_dearest_stated() -> None:
    assets = {**PLAN.assets, "gc": replace(PLAN.assets["gc"], quantity=2)}
    row = expense("equipment_in_kind", goods=Goods("gc"), amount_won=4_000_000)
    assert exceeded(row, plan=plan(assets=assets)) == []
    (over,) = exceeded(replace(row, amount_won=4_000_001), plan=plan(assets=assets))
    assert (over.limit_won, over.params["base_won"]) == (4_000_000, 40_000_000)
    assert exceeded(replace(row, amount_won=1), plan=plan(assets=assets)) == []
    odd = {**PLAN.assets, "gc": replace(PLAN.assets["gc"], price_won=812_345_678)}
    (over,) = exceeded(replace(row, amount_won=81_234_568), plan=plan(assets=odd))[-1:]
    told = (over.params["amount_thousand"], over.params["limit_thousand"], over.limit_won)
    assert told == (81_234, 81_234, 81_234_567)
    taken = {**PLAN.assets, "gc": replace(PLAN.assets["gc"], pledged_elsewhere_won=9_000_000)}
    (none,) = exceeded(replace(row, amount_won=1), plan=plan(assets=taken))
    assert none.limit_won == 0
    stated = [
        replace(row, id=f"s{price}", goods=Goods("new", price), amount_won=500_000)
        for price in (10_000_000, 4_000_000)
    ]
    assert exceeded(*stated) == []
    (over,) = exceeded(*stated, replace(stated[0], id="s", amount_won=1))
    assert (over.limit_won, len(over.members)) == (1_000_000, 3)
    unknown = [replace(row, id=f"u{n}", goods=goods) for n, goods in enumerate((None, Goods()))]
    assert sorted((x.limit_won, len(x.members)) for x in exceeded(*unknown)) == [(0, 1), (0, 1)]


# Pay --------------------------------------------------------------------------------------------


def _worked(start: date | None, end: date | None, rate: int | str = 100, **more: Any) -> Work:
    return Work(start, end, Fraction(rate), **more)


def test_the_first_and_the_last_day_of_a_participation_are_paid() -> None:
    for start, end, lost in (
        (YEAR.start, date(2020, 3, 31), 0),
        (date(2021, 2, 1), YEAR.end, 0),
        (date(2020, 2, 29), date(2020, 3, 31), 93_750),
        (date(2021, 2, 1), date(2021, 3, 1), 103_449),
    ):
        row = expense("operator_pay", work=_worked(start, end))
        found = said(row)
        assert ("OUTSIDE_PARTICIPATION" in found) is bool(lost), (start, end)
        kept = 3_000_000 * _kept(start, end) // _days(start, end)
        assert found.get("OUTSIDE_PARTICIPATION", 0) == 3_000_000 - kept


def _days(start: date, end: date) -> int:
    return (end - start).days + 1


def _kept(start: date, end: date) -> int:
    return _days(max(start, YEAR.start), min(end, YEAR.end))


@pytest.mark.parametrize(
    ("rate", "others", "found"),
    [
        ("60", "40", {}),
        ("60", "40.1", {"RATE_OVER_100": 5_000}),
        ("60", "41", {"RATE_OVER_100": 50_000}),
        ("50.25", "49.75", {"RATE_DECIMAL": 0}),
        ("1", "0", {"RATE_UNDER_50": 3_000_000}),
        ("0", "100.1", {"RATE_OVER_100": 3_000_000}),
        ("50", "120", {"RATE_OVER_100": 3_000_000}),
        ("50.25", "0", {"RATE_DECIMAL": 0}),
        ("50.2", "0", {}),
        ("49.9", "0", {"RATE_UNDER_50": 3_000_000}),
        ("50", "0", {}),
        ("0", "0", {}),
    ],
)
def test_rates_are_compared_exactly(rate: str, others: str, found: dict[str, int]) -> None:
    work = _worked(DAY, date(2020, 6, 30), rate, other_rates=Fraction(others))
    row = expense("operator_pay", work=work, amount_won=3_000_000)
    seen = {code: won for code, won in said(row).items() if code.startswith("RATE")}
    assert seen == found


def _rated(rate: str, others: str = "0") -> Expense:
    work = _worked(DAY, date(2020, 6, 30), rate, other_rates=Fraction(others))
    return expense("operator_pay", work=work, amount_won=1)


def _rates(*, decimals: int = 1, at_most: str = "100", operators: str = "50") -> Plan:
    pay = PLAN.rules.budget.pay
    pay = replace(
        pay,
        participation=replace(pay.participation, decimals=decimals, at_most=Fraction(at_most)),
        operators=replace(pay.operators, rate_at_least=Fraction(operators)),
    )
    return plan(rules=replace(PLAN.rules, budget=replace(PLAN.rules.budget, pay=pay)))


def test_rates_are_told_to_six_decimals() -> None:
    over = the("RATE_OVER_100", _rated("60", "40.1234567")).params
    assert over == {"rate": "100.123456", "limit": "100"}
    assert the("RATE_DECIMAL", _rated("50.1234567")).params == {"rate": "50.123456"}
    under = the("RATE_UNDER_50", _rated("49.1234567")).params
    assert under == {"rate": "49.123456", "limit": "50"}


def test_a_call_may_set_other_bounds_of_a_rate() -> None:
    year = _rates(decimals=2, at_most="100.5", operators="50.5")
    for rate, others, codes in (
        ("50.51", "0", set()),
        ("50.505", "0", {"RATE_DECIMAL"}),
        ("50.5", "50", set()),
        ("50.5", "50.1", {"RATE_OVER_100"}),
        ("50.4", "0", {"RATE_UNDER_50"}),
        ("60", "0", set()),
    ):
        assert set(said(_rated(rate, others), plan=year)) == codes, (rate, others)


def test_payees_are_named_in_both_languages() -> None:
    params = the("WRONG_PAYEE", expense("internship", payee="person")).params
    assert params == {"accepted_ko": "실습기관", "accepted_en": "the host organisation"}
    assert said(expense("internship", payee=None)) == {}
