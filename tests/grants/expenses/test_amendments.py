"""Recorded changes make the plan the rules see (G-033, G-045 … G-047)."""

from datetime import date
from typing import Any

from services.grants.expenses.rules import CHANGES, Plan, Study, amended, change_findings
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Funds
from tests.grants.year import PLAN, YEAR, expense, period, said


def after(*changes: tuple[str, dict[str, Any]], plan: Plan = PLAN) -> Plan:
    return amended(plan, [(kind, read(CHANGES[kind][0], body)) for kind, body in changes])


def codes(kind: str, body: dict[str, Any], party: Any, plan: Plan = PLAN) -> list[str]:
    change = read(CHANGES[kind][0], body)
    return [found.code for found in change_findings(plan, kind, change, party)]


NEWCOMER = {"person": "o9", "name": "새운영", "approved_on": "2020-09-01", "replaces": "o1"}


def test_who_takes_anothers_place_is_paid_from_the_approval_and_the_other_until_then() -> None:
    year = after(("person", NEWCOMER))
    assert year.people["o1"].period == period("2020-03-01", "2020-08-31")
    newcomer = year.people["o9"]
    assert (newcomer.role, newcomer.grade) == ("operator", "senior")
    assert newcomer.terms == PLAN.people["o1"].terms
    assert (newcomer.period, newcomer.approved_on) == (YEAR, date(2020, 9, 1))
    june = expense("operator_pay")
    assert said(june, plan=year) == {}
    assert said(expense("operator_pay", person="o9"), plan=year) == {
        "OUTSIDE_PARTICIPATION": june.amount_won
    }


def test_someone_who_joins_takes_nobodys_place() -> None:
    joined = {"person": "o9", "approved_on": "2020-04-01", "role": "operator", "grade": "technical"}
    year = after(("person", {**joined, "start": "2020-04-01", "end": "2020-06-30"}))
    assert year.people["o9"].period == period("2020-04-01", "2020-06-30")
    assert year.people["o9"].terms == ()
    assert {ref: year.people[ref] for ref in PLAN.people} == dict(PLAN.people)


def test_changes_apply_in_order_and_the_agreed_plan_stays_as_it_was() -> None:
    away = {"person": "t1", "study": {"standing": "dropped_out"}}
    back = {"person": "t1", "study": {"standing": "enrolled"}}
    assert after(("study", away), ("study", back)).people["t1"].study == Study()
    assert after(("study", back), ("study", away)).people["t1"].study == Study("dropped_out")
    assert PLAN.people["t1"].study == Study()


def test_items_trips_traits_and_carry_over_add_up() -> None:
    year = after(
        ("internal_change", {"item": "travel"}),
        ("internal_change", {"item": "materials"}),
        ("approved_change", {"item": "travel"}),
        ("trip", {"trip": "berlin"}),
        ("trait", {"trait": "public"}),
        ("carry_over", {"won": 5}),
        ("carry_over", {"won": 7}),
    )
    assert year.internal_changes == {"travel", "materials"}
    assert year.approved_changes == {"travel"}
    assert year.trips == {"seoul-tokyo", "berlin"}
    assert year.traits == {"nonprofit", "public"}
    assert year.carried_over_won == 7


MOVE = {"source": "books", "target": "meeting", "fund": "grant", "won": 4_000_000}


def test_moved_money_leaves_the_whole_as_it_was() -> None:
    year = after(("reallocation", MOVE))
    assert year.planned["books"] == Funds()
    assert year.planned["meeting"] == Funds(grant=10_000_000)
    assert year.funds == PLAN.funds


def test_money_moves_to_a_use_that_had_none() -> None:
    year = after(("reallocation", MOVE | {"target": "patent", "won": 1}))
    assert year.planned["patent"] == Funds(grant=1)


def test_a_move_is_checked_against_what_is_left_whose_it_is_and_what_may_never_grow() -> None:
    assert codes("reallocation", MOVE, "institution") == []
    assert codes("reallocation", MOVE | {"won": 4_000_001}, "agency") == ["MOVE_TOO_LARGE"]
    assert codes("reallocation", MOVE, "agency", after(("reallocation", MOVE))) == [
        "MOVE_TOO_LARGE"
    ]
    across = MOVE | {"target": "printing"}
    assert codes("reallocation", across, "institution") == ["MOVE_NEEDS_APPROVAL"]
    assert codes("reallocation", across, "agency") == []
    assert codes("reallocation", MOVE | {"fund": "cash"}, "agency") == ["MOVE_TOO_LARGE"]
    grown = MOVE | {"source": "domestic_trip", "target": "overseas_trip"}
    assert codes("reallocation", grown, "institution") == ["BUDGET_FROZEN"]
    overhead = {"source": "common_support", "target": "lab_safety", "fund": "grant", "won": 1}
    assert codes("reallocation", overhead, "institution") == []  # within the item: no growth


def test_a_change_names_what_it_does_not_find() -> None:
    assert codes("person", NEWCOMER | {"replaces": "o8"}, "institution") == ["PERSON_UNKNOWN"]
    assert codes("person", NEWCOMER, "institution") == []
    assert codes("study", {"person": "zz", "study": {}}, "institution") == ["PERSON_UNKNOWN"]
    assert codes("internal_change", {"item": "labour"}, "institution") == ["ITEM_UNKNOWN"]
    assert codes("carry_over", {"won": 0}, "agency") == []
