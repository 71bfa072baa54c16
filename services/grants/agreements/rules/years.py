"""The years of a project (2+1): when the next may begin, the stage evaluation, and the stop
(G-001)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.grants.programmes.rules import Period, RuleSet, cited
from shared.problems import Finding, FindingKind

Outcome = Literal["passed", "failed"]

YEAR_RULE = "G-001"

NO_MORE_YEARS = FindingKind(
    "NO_MORE_YEARS",
    "지원기간은 최대 {years}년입니다. 다음 연도가 없습니다.",
    "A project lasts {years} years at most; there is no next one.",
)
PROJECT_STOPPED = FindingKind(
    "PROJECT_STOPPED",
    "{stopped_on}에 중단된 과제입니다. 다음 연도를 시작할 수 없습니다.",
    "The project was stopped on {stopped_on}; no further year begins.",
)
YEAR_NOT_CONCLUDED = FindingKind(
    "YEAR_NOT_CONCLUDED",
    "{year}차년도 협약이 아직 체결되지 않았습니다.",
    "The agreement of year {year} has not been concluded yet.",
)
STAGE_EVALUATION_DUE = FindingKind(
    "STAGE_EVALUATION_DUE",
    "{year}차년도 후의 단계평가에서 계속 지원이 결정되어야 합니다.",
    "The stage evaluation after year {year} decides first whether the project goes on.",
)
STAGE_EVALUATION_FAILED = FindingKind(
    "STAGE_EVALUATION_FAILED",
    "단계평가 결과에 따라 추가 지원하지 않습니다.",
    "By the stage evaluation the project is not supported further.",
)
STAGE_NOT_HERE = FindingKind(
    "STAGE_NOT_HERE",
    "단계평가는 {due}차년도 후에 합니다(현재 {year}차년도).",
    "The stage evaluation comes after year {due} (this is year {year}).",
)
YEAR_MISMATCH = FindingKind(
    "YEAR_MISMATCH",
    "{year}차년도 사업기간은 {start}~{end}입니다.",
    "Year {year} of the project lasts from {start} to {end}.",
)
STOP_DAY = FindingKind(
    "STOP_DAY",
    "중단일은 사업기간({start}~{end}) 안이어야 합니다(입력 {given}).",
    "The day of the stop lies in the project year, {start} to {end} ({given} given).",
)


@dataclass(frozen=True, slots=True)
class ProjectYear:
    """A year as far as the next one depends on it; `stage` is the outcome of its stage
    evaluation."""

    number: int
    concluded: bool
    stopped_on: date | None = None
    stage: Outcome | None = None


def continuation_findings(rules: RuleSet, year: ProjectYear) -> Iterator[Finding]:
    """Why the year after this one may not begin; nothing when it may."""
    call = rules.call
    if year.number >= len(call.years):
        yield _about(rules, NO_MORE_YEARS).at(years=len(call.years))
    if not year.concluded:
        yield _about(rules, YEAR_NOT_CONCLUDED).at(year=year.number)
    if year.stopped_on is not None:
        yield _about(rules, PROJECT_STOPPED).at(stopped_on=str(year.stopped_on))
    if year.number == call.stage_evaluation_after_year:
        if year.stage is None:
            yield _about(rules, STAGE_EVALUATION_DUE).at(year=year.number)
        elif year.stage == "failed":
            yield _about(rules, STAGE_EVALUATION_FAILED).at()


def stage_finding(rules: RuleSet, number: int) -> Finding | None:
    """Whether a stage evaluation belongs to this year."""
    due = rules.call.stage_evaluation_after_year
    if number == due:
        return None
    return _about(rules, STAGE_NOT_HERE).at("/outcome", field="outcome", due=due, year=number)


def year_finding(rules: RuleSet, number: int, period: Period) -> Finding | None:
    """Whether a continuing plan is for the year of the call it should be for."""
    expected = rules.call.years[number - 1]
    if period == expected:
        return None
    return _about(rules, YEAR_MISMATCH).at(
        "/budget/year", year=number, start=str(expected.start), end=str(expected.end)
    )


def stop_finding(period: Period, stopped_on: date) -> Finding | None:
    """Whether a year can be stopped on a day."""
    if stopped_on in period:
        return None
    return STOP_DAY.at(
        "/stopped_on",
        field="stopped_on",
        start=str(period.start),
        end=str(period.end),
        given=str(stopped_on),
    )


def _about(rules: RuleSet, kind: FindingKind) -> FindingKind:
    return cited(kind, YEAR_RULE, rules.call.years_citation)
