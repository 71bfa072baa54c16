"""Amending the agreed plan (G-033): frozen lines, whose decision it is, what binds before it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.grants.agreements.rules import (
    ChangeStep,
    PlanStep,
    amendment_findings,
    decisions,
    money_of,
    plan_after,
)
from services.grants.expenses.rules import CHANGES, Checker, Expense, Participant, Plan, Study
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Funds, Period
from services.grants.proposals.rules import Budget, totals
from tests.grants.agreements.plans import budget, line
from tests.grants.calls import harbour, keco
from tests.grants.year import PLAN, YEAR, expense, said

START, LATER = date(2020, 3, 1), date(2020, 9, 1)


def plan(**won: int) -> Plan:
    """The year's plan with only some uses of grant money."""
    return replace(PLAN, planned={kind: Funds(grant=amount) for kind, amount in won.items()})


def amended_to(
    before: Plan, *, on: date = LATER, spent: dict[str, int] | None = None, **won: int
) -> list[str]:
    """The codes of amending a plan to other sums."""
    new = budget(*(line(kind, amount) for kind, amount in won.items()))
    sums = totals(keco(), new)
    found = amendment_findings(
        before,
        new,
        sums,
        effective_on=on,
        not_before=START,
        spent=spent or {},
        differs=True,
    )
    return [item.code for item in found]


@pytest.mark.parametrize("kind", ["common_support", "overseas_trip"])
def test_overhead_and_travel_abroad_are_never_increased_though_they_may_shrink(kind: str) -> None:
    before = plan(**{kind: 5_000_000, "printing": 5_000_000})
    assert "BUDGET_FROZEN" in amended_to(before, **{kind: 5_001_000, "printing": 4_999_000})
    assert "BUDGET_FROZEN" not in amended_to(before, **{kind: 4_999_000, "printing": 5_001_000})


def test_what_is_frozen_is_compared_with_the_plan_in_force_not_the_one_agreed_first() -> None:
    """Money moved out of a frozen use on record does not come back with an amendment."""
    agreed = plan(overseas_trip=5_000_000, domestic_trip=1_000_000)
    move = {"source": "overseas_trip", "target": "domestic_trip", "fund": "grant", "won": 2_000_000}
    now = plan_after([PlanStep(agreed, None, 0)], [change(1, "reallocation", move)])
    codes = amended_to(now, overseas_trip=5_000_000, domestic_trip=1_000_000)
    assert codes.count("BUDGET_FROZEN") == 1


def test_an_items_sum_is_the_agencys_decision_and_what_moves_inside_the_institutions() -> None:
    before = money_of(plan(books=4_000_000, meeting=2_000_000, printing=1_000_000))

    def found(**won: int) -> dict[str, str]:
        after = totals(keco(), budget(*(line(kind, amount) for kind, amount in won.items())))
        return {item.item: item.decision for item in decisions(before, after)}

    assert found(books=3_000_000, meeting=3_000_000, printing=1_000_000) == {
        "technical_information": "internal"
    }
    assert found(books=3_000_000, meeting=2_000_000, printing=2_000_000) == {
        "technical_information": "approval",
        "supplies_fees": "approval",
    }
    assert found(books=4_000_000, meeting=2_000_000, common_support=1_000_000) == {
        "supplies_fees": "approval",
        "overhead": "never",
    }


def test_the_finding_says_which_of_the_two_decides() -> None:
    before = plan(books=4_000_000, meeting=2_000_000)
    assert amended_to(before, books=3_000_000, meeting=3_000_000) == ["INTERNAL_IS_ENOUGH"]
    assert amended_to(before, books=3_000_000, meeting=2_000_000) == ["ITEM_NEEDS_APPROVAL"]


@pytest.mark.parametrize(
    ("now", "needed"),
    [(114_900_000, False), (115_000_000, True), (85_000_000, True), (85_100_000, False)],
)
def test_personnel_changed_by_fifteen_percent_is_remarked(now: int, needed: bool) -> None:
    codes = amended_to(plan(operator_pay=100_000_000), operator_pay=now)
    assert ("CHANGE_NEEDS_APPROVAL" in codes) is needed


@pytest.mark.parametrize(
    ("on", "fits"),
    [
        (date(2020, 2, 29), False),
        (START, True),
        (YEAR.end, True),
        (date(2021, 3, 1), False),
    ],
)
def test_an_amendment_takes_effect_within_the_year(on: date, fits: bool) -> None:
    codes = amended_to(plan(books=2_000_000), on=on, books=1_000_000)
    assert ("AMENDMENT_DAY" not in codes) is fits


def test_an_item_is_not_cut_below_what_was_spent_of_it() -> None:
    before = plan(books=4_000_000, meeting=2_000_000)
    spent = {"books": 1_000_000, "meeting": 2_000_000}
    assert "SPENT_ALREADY" in amended_to(before, spent=spent, books=2_999_999)
    assert "SPENT_ALREADY" not in amended_to(before, spent=spent, books=3_000_000)


def test_the_agreed_year_stays_and_an_empty_amendment_is_none() -> None:
    year = Period(YEAR.start, date(2021, 1, 31))
    new = Budget(year, (line("books", 1_000_000),))
    found = amendment_findings(
        plan(books=1_000_000),
        new,
        totals(keco(), new),
        effective_on=LATER,
        not_before=START,
        spent={},
        differs=False,
    )
    assert [item.code for item in found] == ["YEAR_FIXED", "NOTHING_AMENDED"]


def test_another_call_freezes_other_items() -> None:
    rules = harbour()
    before = replace(PLAN, rules=rules, year=rules.call.years[0], planned={"crew": Funds(70_000)})
    new = Budget(before.year, (line_of("crew", 80_000),))
    found = amendment_findings(
        before,
        new,
        totals(rules, new),
        effective_on=before.year.start,
        not_before=before.year.start,
        spent={},
        differs=True,
    )
    assert [(item.code, item.kind.rule) for item in found if item.is_error] == [
        ("BUDGET_FROZEN", "T-35")
    ]


def line_of(kind: str, won: int) -> Any:
    return replace(line("books", won), item=harbour().item_of[kind], kind=kind)


# The plan in force --------------------------------------------------------------------------------


def change(seq: int, kind: str, body: dict[str, Any]) -> ChangeStep:
    return ChangeStep(seq, kind, read(CHANGES[kind][0], body))


MOVE = {"source": "books", "target": "meeting", "fund": "grant", "won": 1_000_000}


def second(after_seq: int = 0, **more: Any) -> PlanStep:
    return PlanStep(replace(PLAN, **more), LATER, after_seq)


def test_a_version_restates_the_money_with_what_was_moved_before_and_moves_go_on_after() -> None:
    changes = [change(1, "reallocation", MOVE), change(2, "reallocation", MOVE)]
    first = PlanStep(PLAN, None, 0)
    year = plan_after([first, second(after_seq=1)], changes)
    # The first move is part of the new version, whose sums count; the second comes on top.
    assert year.planned["meeting"].grant == PLAN.planned["meeting"].grant + 1_000_000
    (earlier,) = year.earlier
    assert earlier[0] == LATER
    assert earlier[1]["meeting"].grant == PLAN.planned["meeting"].grant + 1_000_000


def test_what_is_on_record_of_people_items_and_journeys_holds_on_beyond_a_version() -> None:
    changes = [
        change(1, "study", {"person": "t1", "study": {"standing": "dropped_out"}}),
        change(2, "internal_change", {"item": "travel"}),
        change(3, "trip", {"trip": "berlin"}),
        change(4, "carry_over", {"won": 1_000}),
    ]
    year = plan_after([PlanStep(PLAN, None, 0), second(after_seq=4)], changes)
    assert year.people["t1"].study == Study("dropped_out")
    assert year.internal_changes == {"travel"}
    assert "berlin" in year.trips
    assert year.carried_over_won == 1_000


def test_who_comes_with_a_version_is_paid_from_its_day_and_who_goes_until_then() -> None:
    people = {ref: person for ref, person in PLAN.people.items() if ref != "o1"}
    people["o9"] = Participant("o9", "새운영", "operator", YEAR, "senior", PLAN.people["o1"].terms)
    year = plan_after([PlanStep(PLAN, None, 0), second(people=people)], [])
    assert year.people["o1"].period == Period(YEAR.start, date(2020, 8, 31))
    assert (year.people["o9"].replacement, year.people["o9"].approved_on) == (True, LATER)
    june = expense("operator_pay")
    assert said(june, plan=year) == {}
    assert said(replace(june, person="o9"), plan=year) == {"OUTSIDE_PARTICIPATION": june.amount_won}
    assert said(replace(june, person="o9"), plan=replace(PLAN, people=people)) == {}


def test_money_spent_before_an_amendment_is_held_against_the_plan_of_its_time() -> None:
    richer = {**PLAN.planned, "printing": Funds(grant=12_000_000), "reagents": Funds(18_000_000)}
    year = plan_after([PlanStep(PLAN, None, 0), second(planned=richer)], [])
    spent = replace(expense("printing"), amount_won=12_000_000, evidence=())
    before = replace(spent, obligated_on=date(2020, 8, 30), paid_on=date(2020, 8, 31))
    after = replace(spent, obligated_on=LATER, paid_on=LATER)

    def over(one: Expense, plan: Plan) -> dict[str, int]:
        limits = Checker(plan, "settlement").check([one]).limits
        return {limit.kind.code: limit.excess_won(one.amount_won) for limit in limits}

    assert over(before, year) == {"OVER_EARLIER_PLAN": 2_000_000}
    assert over(after, year) == {}
    assert over(after, PLAN) == {"OVER_PLAN": 2_000_000}


def test_a_move_with_its_day_binds_what_was_spent_before() -> None:
    dated = MOVE | {"source": "printing", "target": "books", "effective_on": "2020-09-01"}
    year = plan_after([PlanStep(PLAN, None, 0)], [change(1, "reallocation", dated)])
    assert year.earlier == ((LATER, PLAN.planned),)
    whole = plan_after(
        [PlanStep(PLAN, None, 0)], [change(1, "reallocation", dated | {"effective_on": None})]
    )
    assert whole.earlier == ()
    assert whole.planned == year.planned
