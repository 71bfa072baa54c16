"""Duties of a year (G-006), papers that count (G-008), the certificate (G-007), from records."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.grants.agreements.rules import (
    DutyCount,
    Record,
    duty_counts,
    masked,
    record_findings,
    standing,
    unmet_findings,
)
from services.grants.errors import RuleSetInvalid
from services.grants.programmes import builtin
from services.grants.programmes.rules import parse
from tests.grants.calls import harbour, keco

_numbers = iter(range(10_000))


def record(kind: str, *, proven: bool = True, **body: Any) -> Record:
    return Record(f"{kind}-{next(_numbers)}", kind, body, proven)


def student(ref: str, level: str = "master", **more: Any) -> Record:
    body = {"ref": ref, "name": "홍길동", "level": level, "courses": 2} | more
    return Record(f"student-{ref}", "student", body, True)


def count(code: str, *records: Record, targets: dict[str, int] | None = None) -> DutyCount:
    (found,) = (
        one for one in duty_counts(keco(), records, targets or {}) if one.tally.counter.code == code
    )
    return found


@pytest.mark.parametrize(
    ("code", "kind", "required"),
    [
        ("demand_surveys", "demand_survey", 1),
        ("courses_reformed", "course", 4),
        ("textbooks", "textbook", 2),
        ("industry_lectures", "industry_lecture", 5),
        ("satisfaction_surveys", "satisfaction_survey", 2),
    ],
)
def test_what_is_counted_by_number_is_met_at_the_number(
    code: str, kind: str, required: int
) -> None:
    short = count(code, *(record(kind) for _ in range(required - 1)))
    assert (short.required, short.missing) == (required, 1)
    (finding,) = unmet_findings([short])
    assert (finding.code, finding.kind.rule) == ("DUTY_UNMET", "G-006")
    met = count(code, *(record(kind) for _ in range(required)), targets={code: 9})
    assert (met.tally.value, met.missing, met.planned) == (required, 0, 9)


def test_an_internship_lasts_eighty_hours_and_gives_two_credits_the_shortest_decides() -> None:
    whole = record("internship", hours=80, credits=2)
    short = record("internship", hours=79, credits=3)
    assert count("internship_hours").missing == 80
    assert count("internship_hours", whole).missing == 0
    assert count("internship_hours", whole, short).tally.value == 79
    assert count("internship_credits", whole, short).missing == 0


def test_a_specialist_has_two_courses_and_a_linked_programme() -> None:
    lecture = record("industry_lecture", students=["a", "b", "c"])
    found = count(
        "graduates",
        lecture,
        student("a"),
        student("b", courses=1),
        student("c", "doctor"),
        student("d"),
        student("u", "bachelor", academic_year=3, attendance_percent=90),
    )
    assert found.tally.counted == ("student-a", "student-c")
    assert {ref: why.ko for ref, why in found.tally.left_out} == {
        "student-b": "개설 교과목 이수(과목) 2 미만",
        "student-d": "산학연계 프로그램 참여 실적이 없습니다",
    }


@pytest.mark.parametrize(
    ("year", "attendance", "counts"),
    [(3, 90, True), (4, 100, True), (2, 90, False), (3, 89, False), (None, None, False)],
)
def test_an_undergraduate_is_in_the_third_year_and_attended_nine_in_ten(
    year: int | None, attendance: int | None, counts: bool
) -> None:
    one = student("u", "bachelor", academic_year=year, attendance_percent=attendance)
    assert bool(count("undergraduates", one).tally.value) is counts


def test_a_paper_without_acknowledgement_does_not_count_nor_a_thesis_off_the_topic() -> None:
    good = record("paper", related=True, acknowledged=True)
    silent = record("paper", related=True, acknowledged=False)
    found = count("papers", good, silent)
    assert (found.tally.counted, found.required) == ((good.id,), None)
    (finding,) = unmet_findings([found])
    assert (finding.code, finding.kind.rule) == ("RECORD_LEFT_OUT", "G-008")
    assert "사사 표기" in finding.message()
    assert count("theses", record("thesis", related=False)).tally.value == 0
    assert count("presentations", record("presentation", acknowledged=True)).tally.value == 1


def test_what_is_not_proven_does_not_count() -> None:
    found = count("textbooks", record("textbook"), record("textbook", proven=False))
    assert (found.tally.value, found.missing) == (1, 1)
    lecture = record("industry_lecture", students=["a"], proven=False)
    assert count("graduates", lecture, student("a")).tally.value == 0


# The certificate ----------------------------------------------------------------------------------

PAPER = {"related": True, "acknowledged": True, "students": ["a"]}
EARNED = (
    record("basic_research", students=["a"]),
    record("paper", **PAPER),
    record("course_credit", reformed=True, credits=6, students=["a"]),
    record("course_credit", reformed=True, credits=3, students=["a", "b"]),
)


def lacking(*records: Record) -> list[str]:
    return [found.pointer for found in standing(keco(), student("a"), records).findings]


def test_research_or_internship_a_paper_and_nine_credits_earn_the_certificate() -> None:
    assert lacking(*EARNED) == []
    intern = record("internship", hours=80, credits=2, students=["a"])
    assert lacking(intern, *EARNED[1:]) == []
    assert lacking(*EARNED[1:]) == ["/activities"]
    assert lacking(EARNED[0], *EARNED[2:]) == ["/counts/papers"]
    assert lacking(*EARNED[:3]) == ["/counts/reformed_credits"]
    assert lacking() == ["/activities", "/counts/papers", "/counts/reformed_credits"]


def test_the_certificate_counts_only_what_names_the_student_and_would_count() -> None:
    others = record("paper", **PAPER | {"students": ["b"]})
    silent = record("paper", **PAPER | {"acknowledged": False})
    assert lacking(EARNED[0], others, silent, *EARNED[2:]) == ["/counts/papers"]
    old = record("course_credit", reformed=False, credits=9, students=["a"])
    assert lacking(*EARNED[:3], old) == ["/counts/reformed_credits"]
    assert standing(keco(), student("a"), EARNED).counts == {
        "basic_research": 1,
        "internship": 0,
        "papers": 1,
        "reformed_credits": 9,
    }


def test_the_headcount_of_specialists_is_another_test_than_the_certificate() -> None:
    """Two courses and a lecture make a specialist of the year (G-006), not a graduate (G-007)."""
    lecture = record("industry_lecture", students=["a"])
    assert count("graduates", lecture, student("a")).tally.value == 1
    assert not standing(keco(), student("a"), [lecture]).earned


# Records ------------------------------------------------------------------------------------------


def wrong(kind: str, **body: Any) -> dict[str, str]:
    """What is wrong with a record while one student, `a`, is registered."""
    known = frozenset({"a"})
    return {found.pointer: found.code for found in record_findings(keco(), kind, body, known)}


BOOK = {"title": "폐자원 공학", "authors": "홍길동", "published_on": "2020-11-30"}


def test_a_record_has_the_fields_the_call_gives_it() -> None:
    assert wrong("textbook", **BOOK) == {}
    assert wrong("cookbook") == {"/kind": "RECORD_KIND_UNKNOWN"}
    assert wrong("textbook", title="", isbn="1") == {
        "/body/isbn": "RECORD_FIELD_UNKNOWN",
        "/body/title": "RECORD_FIELD_MISSING",
        "/body/authors": "RECORD_FIELD_MISSING",
        "/body/published_on": "RECORD_FIELD_MISSING",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", "2020-02-30"),
        ("start", "20200301"),
        ("start", 20200301),
        ("hours", -1),
        ("hours", 1_000_001),
        ("hours", "80"),
        ("hours", 80.0),
        ("hours", True),
        ("company", "가" * 501),
        ("company", ["가"]),
        ("students", "a"),
        ("students", [1]),
        ("students", ["a"] * 501),
    ],
)
def test_a_value_of_another_form_is_a_finding_and_never_a_crash(field: str, value: Any) -> None:
    good = {"company": "가람", "start": "2020-07-01", "end": "2020-07-31", "hours": 80,
            "credits": 2, "students": ["a"]}  # fmt: skip
    assert wrong("internship", **good) == {}
    assert wrong("internship", **good | {field: value}) == {f"/body/{field}": "RECORD_FIELD_VALUE"}


def test_students_are_known_before_they_are_named_and_only_once() -> None:
    thesis = {"title": "논문", "related": True, "students": ["a", "z"]}
    assert wrong("thesis", **thesis) == {"/body/students": "STUDENT_UNKNOWN"}
    person = {"name": "홍길동", "level": "master", "courses": 2}
    assert wrong("student", ref="z", **person) == {}
    assert wrong("student", ref="a", **person) == {"/body/ref": "STUDENT_TWICE"}
    assert wrong("student", ref="z", **person | {"level": "guru"}) == {
        "/body/level": "RECORD_FIELD_VALUE"
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    [("홍길동", "홍*동"), ("남궁길동", "남**동"), ("홍동", "홍*"), ("홍", "홍"), ("", "")],
)
def test_names_on_lists_are_masked(name: str, shown: str) -> None:
    assert masked(name) == shown


# Another call -------------------------------------------------------------------------------------


def test_a_call_without_counters_counts_nothing() -> None:
    assert duty_counts(harbour(), [record("voyage")], {}) == ()


def test_another_call_counts_its_own_records() -> None:
    call = keco().call
    (textbooks,) = (one for one in call.counters if one.code == "textbooks")
    dear = replace(textbooks, measure="sum", of="respondents", record="demand_survey")
    rules = replace(keco(), call=replace(call, counters=(dear,)))
    surveys = [record("demand_survey", respondents=3), record("demand_survey", respondents=4)]
    (found,) = duty_counts(rules, surveys, {})
    assert (found.tally.value, found.required) == (7, 2)


def test_a_field_left_open_counts_nothing_and_breaks_nothing() -> None:
    call = keco().call
    (papers,) = (one for one in call.counters if one.code == "papers")
    sums = replace(
        papers, measure="sum", of="respondents", record="demand_survey", flags=frozenset()
    )
    rules = replace(keco(), call=replace(call, counters=(sums,)))
    surveys = [
        record("demand_survey", respondents=3),
        record("demand_survey", respondents=None),
        record("demand_survey", respondents=""),
    ]
    assert duty_counts(rules, surveys, {})[0].tally.value == 3
    assert not record("thesis", students=None).names("a")


def broken(change: Any) -> set[tuple[str, str]]:
    data = json.loads(builtin.text("keco-2020"))
    change(data["call"])
    with pytest.raises(RuleSetInvalid) as refused:
        parse(json.dumps(data))
    return {(found.pointer, found.code) for found in refused.value.errors}


def test_a_counter_of_what_is_no_record_is_refused_with_the_rule_set() -> None:
    def unknown(call: dict[str, Any]) -> None:
        call["counters"][0]["record"] = "cookbook"
        call["counters"][1]["flags"] = ["title"]
        call["counters"][4]["of"] = None
        call["counters"].pop()

    assert broken(unknown) == {
        ("/call/counters/0", "RULE_SET_REFERENCE"),
        ("/call/counters/1", "RULE_SET_REFERENCE"),
        ("/call/counters/4", "RULE_SET_SHAPE"),
        ("/call/completion", "RULE_SET_REFERENCE"),
    }
