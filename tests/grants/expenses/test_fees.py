"""Fees, travel, conferences: standards, uses, journeys abroad (G-031, G-032, G-045, G-047)."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from services.grants.expenses.rules import Trip, Work
from tests.grants.year import DAY, breaches, expense, plan, said, the, with_person


def work(grade: str = "senior", **units: Any) -> Work:
    counted = {unit: Fraction(count) for unit, count in units.items()}
    return Work(DAY, DAY, grade=grade, units=counted)


@pytest.mark.parametrize(
    ("kind", "done", "limit"),
    [
        ("expert_fee", work(hour=1), 25_000),
        ("expert_fee", work(hour=8, day=1), 200_000),
        ("expert_fee", work(hour=10, day=1), 200_000),
        ("expert_fee", work(hour="1.5"), 37_500),
        ("lecture_fee", work("principal", hour=1), 200_000),
        ("lecture_fee", work("senior", hour=2), 300_000),
        ("lecture_fee", work("associate", hour=1), 100_000),
        ("lecture_fee", work("technical", hour=1), 100_000),
        ("manuscript_fee", work(a4_page=3), 60_000),
        ("manuscript_fee", work(manuscript_sheet=3), 15_000),
        ("manuscript_fee", work(a4_page=1, manuscript_sheet=1), 25_000),
        ("committee", work(day=1), 180_000),
    ],
)
def test_fees_follow_their_standards(kind: str, done: Work, limit: int) -> None:
    assert said(expense(kind, work=done, amount_won=limit)) == {}
    breach = the("FEE_OVER_STANDARD", expense(kind, work=done, amount_won=limit + 10))
    assert (breach.disallowed_won, breach.limit_won, breach.ground) == (10, limit, 2)
    assert breach.finding().kind.rule == "G-031"


def test_half_an_hour_is_half_the_fee() -> None:
    half = work(hour="0.5")
    assert said(expense("expert_fee", work=half, amount_won=12_500)) == {}
    assert said(expense("expert_fee", work=half, amount_won=12_501)) == {"FEE_OVER_STANDARD": 1}


def test_a_fee_without_hours_or_grade_asks_for_them() -> None:
    assert said(expense("lecture_fee", work=None)) == {"FEE_BASIS_MISSING": 0}
    assert said(expense("lecture_fee", work=work("stranger", hour=2))) == {"FEE_BASIS_MISSING": 0}


def test_the_institutions_accepted_rule_replaces_the_standard() -> None:
    row = expense("lecture_fee", amount_won=900_000)
    assert "FEE_OVER_STANDARD" in said(row)
    assert said(row, plan=plan(own_rules=frozenset(["lecture"]))) == {}


def test_an_expert_works_four_times_a_month_and_the_fifth_falls() -> None:
    rows = [
        expense(
            "expert_fee",
            id=f"x{day}",
            work=Work(date(2020, 6, day), date(2020, 6, day), units={"hour": Fraction(8)}),
            paid_on=date(2020, 6, 30),
        )
        for day in (3, 5, 9, 11, 25)
    ]
    found = [b for b in breaches(*reversed(rows)) if b.kind.code == "TOO_MANY_USES"]
    assert [b.expense.id for b in found] == ["x25"]
    assert (
        found[0].finding().message()
        == "전문가 1인은 월 4회까지 활용할 수 있습니다(2020-06, 5회째)."
    )
    july = replace(
        rows[-1], work=Work(date(2020, 7, 1), date(2020, 7, 1), units={"hour": Fraction(8)})
    )
    assert said(*rows[:-1], july) == {}
    others = [
        replace(row, id=f"{who}-{row.id}", person=who) for who in ("w", "z") for row in rows[1:]
    ]
    assert [b.expense.id for b in breaches(*rows, *others)] == ["x25"]


@pytest.mark.parametrize(
    ("person", "nights", "days", "fare", "limit"),
    [
        ("p1", None, 3, 0, 232_000),
        ("p1", None, 3, 59_800, 291_800),
        ("o1", None, 3, 0, 200_000),
        ("o2", None, 3, 0, 200_000),
        ("p1", None, 1, 0, 44_000),
        ("o1", 0, 2, 0, 80_000),
    ],
)
def test_travel_follows_the_table(
    person: str, nights: int | None, days: int, fare: int, limit: int
) -> None:
    trip = Trip(DAY, DAY + timedelta(days=days - 1), nights, fare)
    assert said(expense("domestic_trip", person=person, trip=trip, amount_won=limit)) == {}
    over = expense("domestic_trip", person=person, trip=trip, amount_won=limit + 1)
    breach = the("TRAVEL_OVER_STANDARD", over)
    assert (breach.disallowed_won, breach.limit_won) == (1, limit)


def test_the_institutions_travel_rule_replaces_the_table() -> None:
    row = expense("domestic_trip", amount_won=900_000)
    assert said(row, plan=plan(own_rules=frozenset(["travel"]))) == {}


def test_first_class_belongs_to_the_highest_grade() -> None:
    trip = Trip(DAY, DAY, rail="first")
    assert said(expense("domestic_trip", person="o1", trip=trip, amount_won=1)) == {
        "TRAVEL_CLASS": 0
    }


ABROAD = expense("overseas_trip").trip
assert ABROAD is not None


@pytest.mark.parametrize(
    ("trip", "code"),
    [
        (ABROAD, None),
        (replace(ABROAD, planned=None), "NOT_IN_PLAN"),
        (replace(ABROAD, planned="seoul-paris"), "NOT_IN_PLAN"),
        (replace(ABROAD, approved_on=None), "TRIP_NOT_APPROVED"),
        (replace(ABROAD, approved_on=ABROAD.start), "TRIP_NOT_APPROVED"),
        (replace(ABROAD, approved_on=ABROAD.start + timedelta(days=1)), "TRIP_NOT_APPROVED"),
        (replace(ABROAD, approved_on=ABROAD.start - timedelta(days=1)), None),
        (None, "NOT_IN_PLAN"),
    ],
)
def test_journeys_abroad_are_planned_and_approved(trip: Trip | None, code: str | None) -> None:
    row = expense("overseas_trip", trip=trip)
    assert said(row) == ({code: 500_000} if code else {})
    if code:
        assert the(code, row).ground == 3


def test_the_message_of_an_unplanned_journey() -> None:
    finding = the("NOT_IN_PLAN", expense("overseas_trip", trip=None)).finding()
    assert finding.message() == "사업계획서에 없는 국외출장입니다."
    assert (finding.kind.rule, finding.kind.citation) == ("G-047", "S2:950,1100-1101")


@pytest.mark.parametrize(
    ("days", "lost"), [(29, 0), (30, 0), (31, 16_130), (40, 125_000), (60, 250_000)]
)
def test_training_abroad_counts_thirty_days(days: int, lost: int) -> None:
    base = expense("training_abroad").trip
    assert base is not None
    row = expense("training_abroad", trip=replace(base, end=base.start + timedelta(days=days - 1)))
    assert said(row) == ({"STAY_TOO_LONG": lost} if lost else {})
    if lost:
        assert the("STAY_TOO_LONG", row).params == {"limit": 30, "days": days - 30}


def test_a_conference_fee_is_not_paid_again_with_the_journey() -> None:
    fee = expense("conference_abroad", id="fee", person="p1", event="tokyo")
    trip = replace(ABROAD, registration_won=200_000)
    journey = expense("overseas_trip", id="journey", trip=trip, event="tokyo")
    breach = the("PAID_TWICE", fee, journey)
    assert (breach.expense.id, breach.disallowed_won, breach.ground) == ("journey", 200_000, 2)
    assert said(fee, replace(journey, event="osaka")) == {}
    assert said(fee, replace(journey, person="o1")) == {}


def test_travellers_take_part_when_they_travel() -> None:
    row = expense("overseas_trip", person="o1")
    assert said(row, plan=with_person("o1", replacement=True)) == {
        "REPLACEMENT_UNAPPROVED": 500_000
    }
