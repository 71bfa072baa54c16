"""Recorded changes make the plan the rules see (G-033, G-045 … G-047)."""

from datetime import date
from typing import Any

import pytest

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
        *[("approved_change", {"item": "travel"})] * 2,  # said twice, it holds all the same
        ("internal_change", {"item": "materials"}),
        *[("trip", {"trip": "berlin"})] * 2,
        *[("trait", {"trait": "public"})] * 2,
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


def places(kind: str, body: dict[str, Any], party: Any) -> list[tuple[str, str]]:
    change = read(CHANGES[kind][0], body)
    return [(f.pointer, f.code) for f in change_findings(PLAN, kind, change, party)]


def test_what_a_change_does_not_find_is_named_by_its_place() -> None:
    unknown = "PERSON_UNKNOWN"
    gone = NEWCOMER | {"replaces": "o8"}
    assert places("person", gone, "institution") == [("/replaces", unknown)]
    study = {"person": "zz", "study": {}}
    assert places("study", study, "institution") == [("/person", unknown)]
    nowhere = MOVE | {"source": "moon", "target": "stars"}
    assert places("reallocation", nowhere, "agency") == [
        ("/source", "ITEM_UNKNOWN"),
        ("/target", "ITEM_UNKNOWN"),
    ]
    for side in ("source", "target"):
        found = places("reallocation", MOVE | {side: "moon"}, "agency")
        assert found == [(f"/{side}", "ITEM_UNKNOWN")]


@pytest.mark.parametrize(("won", "good"), [(-1, False), (0, False), (1, True)])
def test_at_least_one_won_moves(won: int, good: bool) -> None:
    found = places("reallocation", MOVE | {"won": won}, "agency")
    assert found == ([] if good else [("/won", "AMOUNT_NEGATIVE")])
    both = places("reallocation", MOVE | {"won": won, "source": "moon"}, "agency")
    assert both[1:] == found
    across = places("reallocation", MOVE | {"won": won, "target": "printing"}, "institution")
    assert across == (found or [("/target", "MOVE_NEEDS_APPROVAL")])


@pytest.mark.parametrize(("won", "good"), [(-1, False), (0, True), (1, True)])
def test_nothing_less_than_nothing_is_carried_over(won: int, good: bool) -> None:
    found = places("carry_over", {"won": won}, "agency")
    assert found == ([] if good else [("/won", "AMOUNT_NEGATIVE")])


@pytest.mark.parametrize(
    ("source", "target", "fund"),
    [("books", "printing", "grant"), ("printing", "books", "grant"), ("software", "books", "cash")],
)
def test_between_items_the_agency_decides_whichever_way_money_moves(
    source: str, target: str, fund: str
) -> None:
    move = {"source": source, "target": target, "fund": fund, "won": 1}
    assert places("reallocation", move, "institution") == [("/target", "MOVE_NEEDS_APPROVAL")]
    assert places("reallocation", move, "agency") == []
    into = {"source": source, "target": "common_support", "fund": fund, "won": 1}
    assert places("reallocation", into, "agency") == [("/target", "BUDGET_FROZEN")]
    change = read(CHANGES["reallocation"][0], into)
    (frozen,) = change_findings(PLAN, "reallocation", change, "agency")
    assert (frozen.params["before_won"], frozen.params["after_won"]) == (24_000_000, 24_000_001)


def test_someone_of_the_plan_keeps_what_a_change_does_not_say() -> None:
    year = after(("person", {"person": "p1", "approved_on": "2020-05-01", "grade": "senior"}))
    person, before = year.people["p1"], PLAN.people["p1"]
    assert (person.grade, person.role, person.terms) == (before.grade, before.role, before.terms)
    assert (person.period, person.employed_elsewhere) == (before.period, True)
    assert person.replacement
    fresh = {"person": "n1", "approved_on": None, "replaces": "o1", "grade": "technical"}
    year = after(("person", fresh | {"employed_elsewhere": True}))
    newcomer = year.people["n1"]
    assert (newcomer.grade, newcomer.employed_elsewhere) == ("technical", True)
    assert year.people["o1"].period == PLAN.people["o1"].period  # no day is known to leave on
    late = {"person": "n1", "approved_on": "2021-12-01", "replaces": "o1"}
    assert after(("person", late)).people["o1"].period == PLAN.people["o1"].period
