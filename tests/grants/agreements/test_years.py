"""The years of a project (2+1, G-001): when the next may begin, and what it begins with."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.grants.agreements.rules import (
    ProjectYear,
    continuation_findings,
    stage_finding,
    stop_finding,
    year_finding,
)
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Period, RuleSet
from services.grants.proposals.carry_over import carry_over
from services.grants.proposals.document import Document, check
from tests.grants.agreements.plans import YEAR
from tests.grants.api.conftest import document
from tests.grants.calls import harbour, keco
from tests.grants.year import PLAN, expense, said


def against(year: ProjectYear, rules: RuleSet | None = None) -> list[str]:
    return [found.code for found in continuation_findings(rules or keco(), year)]


@pytest.mark.parametrize(
    ("year", "codes"),
    [
        (ProjectYear(1, concluded=True), []),
        (ProjectYear(1, concluded=False), ["YEAR_NOT_CONCLUDED"]),
        (ProjectYear(1, concluded=True, stopped_on=date(2020, 9, 1)), ["PROJECT_STOPPED"]),
        (ProjectYear(2, concluded=True), ["STAGE_EVALUATION_DUE"]),
        (ProjectYear(2, concluded=True, stage="failed"), ["STAGE_EVALUATION_FAILED"]),
        (ProjectYear(2, concluded=True, stage="passed"), []),
        (ProjectYear(3, concluded=True), ["NO_MORE_YEARS"]),
    ],
)
def test_two_years_go_on_and_the_third_only_by_the_stage_evaluation(
    year: ProjectYear, codes: list[str]
) -> None:
    assert against(year) == codes


def test_what_stands_against_the_next_year_names_the_rule_and_its_place() -> None:
    (found,) = continuation_findings(keco(), ProjectYear(2, concluded=True))
    assert (found.kind.rule, found.kind.citation) == ("G-001", "S2:52-53,160")
    assert "2차년도" in found.message()


def test_how_many_years_and_when_the_stage_ends_is_the_calls_data() -> None:
    assert against(ProjectYear(1, concluded=True), harbour()) == [
        "NO_MORE_YEARS",
        "STAGE_EVALUATION_DUE",
    ]
    longer = replace(keco(), call=replace(keco().call, stage_evaluation_after_year=1))
    assert against(ProjectYear(1, concluded=True), longer) == ["STAGE_EVALUATION_DUE"]
    assert against(ProjectYear(2, concluded=True), longer) == []


@pytest.mark.parametrize(("number", "due"), [(1, False), (2, True), (3, False)])
def test_the_stage_evaluation_belongs_to_the_second_year(number: int, due: bool) -> None:
    assert (stage_finding(keco(), number) is None) is due


def test_a_continuing_plan_is_for_its_own_year_of_the_call() -> None:
    second = keco().call.years[1]
    assert year_finding(keco(), 2, second) is None
    wrong = year_finding(keco(), 2, YEAR)
    assert wrong is not None
    assert (wrong.code, wrong.params["start"]) == ("YEAR_MISMATCH", "2021-03-01")


@pytest.mark.parametrize(
    ("day", "fits"),
    [
        (date(2020, 2, 29), False),
        (date(2020, 3, 1), True),
        (date(2021, 2, 28), True),
        (date(2021, 3, 1), False),
    ],
)
def test_a_year_is_stopped_on_one_of_its_days(day: date, fits: bool) -> None:
    assert (stop_finding(YEAR, day) is None) is fits


def test_what_is_obligated_after_the_stop_does_not_count() -> None:
    spent = expense("printing")
    stopped = replace(PLAN, stopped_on=date(2020, 6, 30))
    july = replace(spent, obligated_on=date(2020, 7, 1), paid_on=date(2020, 7, 1))
    last = replace(spent, obligated_on=date(2020, 6, 30), paid_on=date(2020, 6, 30))
    assert "OBLIGATED_AFTER_END" in said(july, plan=stopped)
    assert "OBLIGATED_AFTER_END" not in said(last, plan=stopped)
    assert "OBLIGATED_AFTER_END" not in said(july)


# Carry-over ---------------------------------------------------------------------------------------

SECOND = keco().call.years[1]


def last_year(**more: Any) -> dict[str, Any]:
    return document() | more


def test_the_new_plan_passes_the_check_but_for_the_papers_to_hand_in_anew() -> None:
    made = carry_over(last_year(), SECOND, "2020-00001")
    errors = {finding.code for finding in check(keco(), made.document).errors}
    assert errors == {"DOCUMENT_MISSING"}
    again = made.document | {"copies": document()["copies"]}
    assert check(keco(), again).errors == check(keco(), document()).errors == ()


def test_money_and_people_move_on_by_a_year() -> None:
    made = carry_over(last_year(), SECOND, "2020-00001")
    budget = read(Document, made.document).budget
    before = read(Document, last_year()).budget
    assert budget is not None
    assert before is not None
    assert budget.year == SECOND
    assert budget.people == before.people
    assert [line.exact_won for line in budget.lines] == [line.exact_won for line in before.lines]
    assert {line.pay.start for line in budget.lines if line.pay} == {SECOND.start}


def test_what_is_carried_and_what_is_not_is_named() -> None:
    raw = last_year(texts={"goals": "목표"})
    raw["budget"]["declared"] = {"total": {"grant": 200_000_000}}
    made = carry_over(raw, SECOND, "2020-00001")
    assert {part.pointer: part.count for part in made.carried} == {
        "/applicant": 2,
        "/pledge": 5,
        "/texts": 1,
        "/budget/lines": 11,
        "/budget/people": 2,
    }
    assert {part.pointer: part.count for part in made.left_out} == {
        "/copies": 5,
        "/budget/declared": 1,
    }
    assert "copies" not in made.document
    assert "declared" not in made.document["budget"]


def test_pay_is_cut_to_the_months_the_new_year_has() -> None:
    raw = last_year()
    pay = raw["budget"]["lines"][0]["pay"]
    pay["start"], pay["months"] = "2020-12-01", 3
    half = Period(SECOND.start, date(2021, 12, 31))
    made = carry_over(raw, half, "n").document["budget"]["lines"]
    assert (made[0]["pay"]["start"], made[0]["pay"]["months"]) == ("2021-12-01", 1)
    assert made[2]["pay"]["months"] == 10
    gone = carry_over(raw, Period(SECOND.start, date(2021, 11, 30)), "n")
    assert len(gone.document["budget"]["lines"]) == 10
    assert {part.pointer: part.count for part in gone.left_out}["/budget/lines"] == 1


def test_other_projects_that_ended_stay_behind() -> None:
    raw = last_year()
    raw["budget"]["people"][0]["other_projects"] = [
        {"name": "끝난 과제", "start": "2020-03-01", "months": 12, "rate": "10"},
        {"name": "이어지는 과제", "start": "2020-03-01", "months": 13, "rate": "10"},
        {"name": "끝 모를 과제", "start": "9999-12-01", "months": 1, "rate": "10"},
    ]
    made = carry_over(raw, SECOND, "n")
    others = made.document["budget"]["people"][0]["other_projects"]
    assert [other["name"] for other in others] == ["이어지는 과제", "끝 모를 과제"]


def test_the_cover_says_that_the_project_goes_on_under_its_number() -> None:
    cover = {"cover": {"project": {"kind": "new", "field": "organic"}}, "needs": {"a": 1}}
    made = carry_over(last_year(sections=cover), SECOND, "2020-00007").document["sections"]
    assert made["cover"]["project"] == {
        "kind": "continuing",
        "number": "2020-00007",
        "field": "organic",
    }
    assert made["needs"] == {"a": 1}
    assert cover["cover"]["project"]["kind"] == "new"
