"""People paid by a project: plan, participation, pay, rates, payees, students."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from services.grants.expenses.rules import (
    Checker,
    Leave,
    Participant,
    Plan,
    Study,
    Term,
    Trip,
    Work,
)
from tests.grants.year import (
    DAY,
    PLAN,
    YEAR,
    breaches,
    expense,
    period,
    plan,
    said,
    the,
    with_person,
)

JUNE = Work(date(2020, 6, 1), date(2020, 6, 30), Fraction(100))


# Who --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "person", "ground"),
    [
        ("operator_pay", "nobody", 2),
        ("operator_pay", "p1", 2),
        ("operator_pay", None, 2),
        ("internal_pay", "o1", 2),
        ("incentive", "r1", 5),
        ("incentive", "nobody", 5),
        ("industry_research", "o1", 5),
        ("thesis_student", "o1", 2),
        ("domestic_trip", "nobody", 5),
        ("overseas_trip", "nobody", 5),
    ],
)
def test_money_goes_to_people_of_the_plan_in_their_role(
    kind: str, person: str | None, ground: int
) -> None:
    breach = the("NOT_IN_PLAN", expense(kind, person=person))
    assert breach.ground == ground
    assert breach.disallowed_won == breach.expense.amount_won


def test_the_message_says_what_is_not_in_the_plan() -> None:
    finding = the("NOT_IN_PLAN", expense("operator_pay", person="홍길동")).finding()
    assert finding.message() == "사업계획서에 없는 인력입니다: 홍길동"


def test_nobody_employed_elsewhere_is_paid_in_cash() -> None:
    employed = with_person("o1", employed_elsewhere=True)
    assert said(expense("operator_pay"), plan=employed) == {"EMPLOYED_ELSEWHERE": 3_000_000}
    assert said(expense("internal_pay")) == {}


@pytest.mark.parametrize(
    "kind",
    [
        "expert_fee",
        "expert_invitation",
        "lecture_fee",
        "committee",
        "manuscript_fee",
        "translation_fee",
    ],
)
def test_fees_never_go_to_a_participant(kind: str) -> None:
    row = expense(kind, person="o1")
    assert said(row)["PAYEE_IS_PARTICIPANT"] == row.amount_won


def test_internship_support_goes_to_the_host_and_pay_to_the_person() -> None:
    wrong = the("WRONG_PAYEE", expense("internship", payee="person"))
    assert (wrong.disallowed_won, wrong.finding().kind.rule) == (1_000_000, "G-028")
    assert "실습기관" in wrong.finding().message()
    assert "WRONG_PAYEE" in said(expense("operator_pay", payee="organisation"))


# When -------------------------------------------------------------------------------------------


def test_only_days_of_the_participation_are_paid() -> None:
    part = with_person("o1", period=period("2020-06-11", "2021-02-28"))
    assert said(expense("operator_pay"), plan=part) == {"OUTSIDE_PARTICIPATION": 1_000_000}
    breach = the("OUTSIDE_PARTICIPATION", expense("operator_pay"), plan=part)
    assert breach.limit_won == 2_000_000
    assert breach.finding().params["days"] == 10


def test_what_is_kept_of_a_month_is_cut_to_whole_won() -> None:
    part = with_person("o1", period=period("2020-06-12", "2021-02-28"))
    row = expense("operator_pay", amount_won=1_000_000)
    assert said(row, plan=part) == {"OUTSIDE_PARTICIPATION": 1_000_000 - 633_333}


def test_travel_outside_of_the_participation_falls() -> None:
    part = with_person("p1", period=period("2020-06-01", "2021-02-28"))
    assert said(expense("domestic_trip"), plan=part) == {"OUTSIDE_PARTICIPATION": 342_000}


def test_a_replacement_is_paid_from_its_approval_on() -> None:
    row = expense("operator_pay", facts=frozenset(["replacement"]), also=("replacement_paper",))
    new = with_person("o1", replacement=True, approved_on=date(2020, 6, 16))
    assert said(row, plan=new) == {"OUTSIDE_PARTICIPATION": 1_500_000}
    unapproved = with_person("o1", replacement=True)
    assert said(row, plan=unapproved) == {"REPLACEMENT_UNAPPROVED": 3_000_000}
    before = with_person("o1", replacement=True, approved_on=date(2020, 5, 31))
    assert said(row, plan=before) == {}


# How much ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("operator_pay", 3_000_000),
        ("internal_pay", 1_600_000),
        ("research_student", 1_000_000),
        ("thesis_student", 1_000_000),
        ("incentive", 800_000),
        ("industry_research", 300_000),
    ],
)
def test_pay_is_monthly_pay_times_rate(kind: str, limit: int) -> None:
    assert said(expense(kind, amount_won=limit)) == {}
    breach = the("PAY_OVER_STANDARD", expense(kind, amount_won=limit + 1))
    assert (breach.disallowed_won, breach.limit_won, breach.ground) == (1, limit, 2)


def test_pay_counts_the_months_and_the_days_of_a_part() -> None:
    three = Work(date(2020, 6, 1), date(2020, 8, 31), Fraction(100))
    assert said(expense("operator_pay", work=three, amount_won=9_000_000)) == {}
    half = Work(date(2020, 6, 16), date(2020, 6, 30), Fraction(100))
    assert said(expense("operator_pay", work=half, amount_won=1_500_000)) == {}
    assert said(expense("operator_pay", work=half, amount_won=1_500_001)) == {
        "PAY_OVER_STANDARD": 1
    }
    assert said(expense("operator_pay", work=half, amount_won=1)) == {}
    day = Work(DAY, DAY, Fraction(100))
    assert said(expense("operator_pay", work=day, amount_won=100_000)) == {}
    assert said(expense("operator_pay", work=day, amount_won=100_001)) == {"PAY_OVER_STANDARD": 1}
    ragged = Work(date(2020, 6, 16), date(2020, 8, 15), Fraction(100))
    exact = Fraction(3_000_000) * (Fraction(15, 30) + 1 + Fraction(15, 31))
    assert said(expense("operator_pay", work=ragged, amount_won=int(exact))) == {}
    assert said(expense("operator_pay", work=ragged, amount_won=int(exact) + 1)) == {
        "PAY_OVER_STANDARD": 1
    }


def test_the_grade_table_binds_even_where_the_plan_says_more() -> None:
    rich = with_person(
        "o1", terms=(Term("operator_pay", YEAR, Fraction(9_000_000), Fraction(100)),)
    )
    row = expense("operator_pay", amount_won=3_500_000)
    assert said(row, plan=rich) == {"PAY_OVER_STANDARD": 500_000}
    own = replace(rich, own_rules=frozenset(["pay"]))
    assert said(row, plan=own) == {}


def test_a_change_of_rate_in_the_year_is_paid_by_its_months() -> None:
    terms = (
        Term("operator_pay", period("2020-03-01", "2020-06-30"), Fraction(3_000_000), Fraction(50)),
        Term(
            "operator_pay", period("2020-07-01", "2021-02-28"), Fraction(3_000_000), Fraction(100)
        ),
    )
    changed = with_person("o1", terms=terms)
    both = Work(date(2020, 6, 1), date(2020, 7, 31), Fraction(100))
    assert said(expense("operator_pay", work=both, amount_won=4_500_000), plan=changed) == {}
    over = expense("operator_pay", work=both, amount_won=4_500_001)
    assert said(over, plan=changed) == {"PAY_OVER_STANDARD": 1}


def _terms(*lines: tuple[str, int | str, int | str]) -> Plan:
    return with_person(
        "o1", terms=tuple(Term(k, YEAR, Fraction(won), Fraction(rate)) for k, won, rate in lines)
    )


def test_parts_of_a_won_a_month_are_kept_until_the_months_are_summed() -> None:
    year = _terms(("operator_pay", 2_500_001, 50))
    two = Work(DAY, date(2020, 7, 31), Fraction(50))
    for won, found in ((2_500_001, {}), (2_500_002, {"PAY_OVER_STANDARD": 1})):
        assert said(expense("operator_pay", work=two, amount_won=won), plan=year) == found


def test_a_line_of_nothing_allows_nothing() -> None:
    assert said(expense("operator_pay", amount_won=1), plan=_terms(("operator_pay", 0, 100))) == {
        "PAY_OVER_STANDARD": 1
    }


def test_the_first_of_a_month_is_paid_as_the_last_day() -> None:
    ragged = Work(date(2020, 6, 16), date(2020, 7, 1), Fraction(100))
    for won, found in ((1_596_774, {}), (1_596_775, {"PAY_OVER_STANDARD": 1})):
        assert said(expense("operator_pay", work=ragged, amount_won=won)) == found


def test_each_use_of_a_person_has_its_own_lines_of_pay() -> None:
    year = _terms(("incentive", 700_000, 100), ("operator_pay", 1_000_000, 100), ("patent", 9, 100))
    row = expense("operator_pay", amount_won=1_000_001)
    assert said(row, plan=year) == {"PAY_OVER_STANDARD": 1}
    year_long = replace(row, amount_won=12_000_001)
    (over,) = Checker(year, "settlement").check([year_long]).limits
    assert (over.kind.code, over.limit_won) == ("PAY_OVER_STANDARD", 12_000_000)


def test_pay_without_a_line_is_bound_by_the_grade_unless_a_rule_of_their_own_counts() -> None:
    row = expense("industry_research", amount_won=300_001)
    assert said(row) == {"PAY_OVER_STANDARD": 1}
    assert said(row, plan=plan(own_rules=frozenset(["pay"]))) == {}
    assert said(row, plan=with_person("c1", grade=None)) == {}


def test_pay_without_days_has_no_standard() -> None:
    for work in (None, Work(None, None), Work(DAY, None), Work(None, DAY)):
        assert said(expense("operator_pay", work=work)) == {}, work
        assert work is None or work.full_months == 0


@pytest.mark.parametrize(
    ("rate", "others", "expected"),
    [
        ("100", "0", {}),
        ("60", "40", {}),
        ("60", "40.1", {"RATE_OVER_100": 5_000}),
        ("60", "70", {"RATE_OVER_100": 1_500_000}),
        ("60", "130", {"RATE_OVER_100": 3_000_000}),
        ("33.33", "0", {"RATE_DECIMAL": 0, "RATE_UNDER_50": 3_000_000}),
        ("49.9", "0", {"RATE_UNDER_50": 3_000_000}),
        ("50", "0", {}),
    ],
)
def test_rates_over_all_projects(rate: str, others: str, expected: dict[str, int]) -> None:
    work = replace(JUNE, rate=Fraction(rate), other_rates=Fraction(others))
    assert said(expense("operator_pay", work=work)) == expected


def test_half_time_is_asked_of_operators_only() -> None:
    assert said(expense("research_student", work=replace(JUNE, rate=Fraction(40)))) == {}


# Students ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "falls"),
    [
        (Study(), False),
        (Study(standing="dropped_out"), True),
        (Study(on_topic=False), True),
        (Study(standing="graduated", related_credits=12, total_credits=24), False),
        (Study(standing="graduated", related_credits=11, total_credits=24), True),
        (Study(related_credits=0, total_credits=24), False),
    ],
)
def test_a_thesis_student_who_fails_repays_everything(study: Study, falls: bool) -> None:
    months = [
        expense(
            "thesis_student", id=f"t{m}", amount_won=500_000, work=replace(JUNE, rate=Fraction(50))
        )
        for m in range(3)
    ]
    found = said(*months, plan=with_person("t1", study=study))
    assert found == ({"STUDENT_DISQUALIFIED": 1_500_000} if falls else {})
    if falls:
        breach = breaches(*months, plan=with_person("t1", study=study))[0]
        assert breach.ground == 2


def leave(kind: str, start: str, end: str | None) -> Study:
    return Study(
        leaves=(Leave(kind, date.fromisoformat(start), date.fromisoformat(end) if end else None),)
    )


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        (leave("military", "2020-06-16", None), {"PAID_DURING_LEAVE": 500_000}),
        (leave("other", "2020-07-01", None), {}),
        (leave("other", "2019-03-01", "2020-05-31"), {"LEAVE_TOO_LONG": 1_000_000}),
        (leave("other", "2019-06-01", "2020-05-31"), {}),
        (leave("other", "2019-05-31", "2020-05-31"), {"LEAVE_TOO_LONG": 1_000_000}),
        (leave("military", "2017-06-01", "2020-05-31"), {}),
        (leave("military", "2017-05-31", "2020-05-31"), {"LEAVE_TOO_LONG": 1_000_000}),
        (leave("other", "2019-05-01", None), {"LEAVE_TOO_LONG": 1_000_000}),
    ],
)
def test_leave_is_not_paid_and_may_not_be_too_long(study: Study, expected: dict[str, int]) -> None:
    assert said(expense("thesis_student"), plan=with_person("t1", study=study)) == expected


def test_a_journey_without_a_grade_is_not_judged_by_rates() -> None:
    people = {**PLAN.people, "u1": Participant("u1", "한학부", "undergraduate", YEAR)}
    trip = Trip(DAY, DAY)
    assert said(expense("domestic_trip", person="u1", trip=trip), plan=plan(people=people)) == {}
