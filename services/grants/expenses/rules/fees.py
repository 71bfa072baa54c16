"""Fees and travel: standards by hour, day, page and grade, and what may be paid once only.

Rules G-031, G-032, G-045 and G-047. Where the agency accepted the institution's own rule, the
standard of the call does not apply.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.grants.expenses.rules.model import Expense, Plan, Trip
from services.grants.expenses.rules.registry import (
    Bound,
    Breach,
    Check,
    Group,
    JointCheck,
    Limit,
    Limiter,
    NoParams,
    each,
    joint_kind,
    limit_kind,
    refers,
    rule_kind,
    whole_won,
)
from services.grants.programmes.rules import Fee, TravelRate, month_of, month_text
from shared.problems import FindingKind

FEE_OVER_STANDARD = FindingKind(
    "FEE_OVER_STANDARD",
    "{fee_ko} 기준 {limit_won:,}원을 초과했습니다.",
    "It exceeds the standard of {limit_won:,} won ({fee_en}).",
)
FEE_BASIS_MISSING = FindingKind(
    "FEE_BASIS_MISSING",
    "{fee_ko} 산출 근거(시간·일수·매수, 직급)를 입력하세요.",
    "Enter what the fee is figured from: hours, days or pages, and the grade ({fee_en}).",
    level="warning",
)
FEE_OVER_DAY = FindingKind(
    "FEE_OVER_DAY",
    "{fee_ko} 1일 한도 {limit_won:,}원을 초과했습니다({day}).",
    "It exceeds the {limit_won:,} won a day allows on {day} ({fee_en}).",
)
TOO_MANY_USES = FindingKind(
    "TOO_MANY_USES",
    "전문가 1인은 월 {at_most}회까지 활용할 수 있습니다({month}, {use}회째).",
    "An expert is used at most {at_most} times a month (use {use} in {month}).",
)
TRAVEL_OVER_STANDARD = FindingKind(
    "TRAVEL_OVER_STANDARD",
    "출장비 기준 {limit_won:,}원을 초과했습니다"
    "(일비 {daily_won:,}원, 숙박비 {lodging_won:,}원, 식비 {meals_won:,}원, 운임 {fare_won:,}원).",
    "It exceeds the {limit_won:,} won of the travel standard (daily {daily_won:,},"
    " lodging {lodging_won:,}, meals {meals_won:,}, fare {fare_won:,} won).",
)
TRAVEL_CLASS = FindingKind(
    "TRAVEL_CLASS",
    "직급의 운임기준은 KTX 일반실입니다. 특실 운임의 차액을 확인하세요.",
    "This grade travels standard class; please check the difference of the fare.",
    level="warning",
)
TRIP_NOT_IN_PLAN = FindingKind(
    "NOT_IN_PLAN",
    "사업계획서에 없는 국외출장입니다.",
    "This journey abroad is not in the plan.",
)
TRIP_NOT_APPROVED = FindingKind(
    "TRIP_NOT_APPROVED",
    "국외출장은 출발 전({start})에 계획서 승인을 받아야 합니다.",
    "A journey abroad is approved before it starts ({start}).",
)
STAY_TOO_LONG = FindingKind(
    "STAY_TOO_LONG",
    "국외연수는 {limit}일 이내입니다. 초과한 {days}일은 인정되지 않습니다.",
    "Training abroad lasts at most {limit} days; {days} days are not recognised.",
)
PAID_TWICE = FindingKind(
    "PAID_TWICE",
    "학회참가비와 여비가 중복 지급되었습니다({other}).",
    "The conference fee was paid again with the journey ({other}).",
)


@dataclass(frozen=True, slots=True)
class FeeStandard:
    fee: str = refers("fee")


@rule_kind(FeeStandard, FEE_OVER_STANDARD, FEE_BASIS_MISSING)
def unit_fee(rule: Bound[FeeStandard]) -> Check | None:
    """A fee stays within its standard for the hours, days or pages paid (G-031)."""
    fee = _fee(rule.plan, rule.params.fee)
    over, basis = rule.cites(FEE_OVER_STANDARD), rule.cites(FEE_BASIS_MISSING)
    texts = {"fee_ko": fee.name.ko, "fee_en": fee.name.en}
    if fee.own_rule in rule.plan.own_rules:
        return None

    def breach(expense: Expense) -> Breach | None:
        work = expense.work
        limit = None
        if work is not None:
            limit = fee_won(fee, work.units, work.grade)
        if limit is None:
            return rule.remark(basis, expense, **texts)
        return rule.excess(over, expense, limit, **texts) if expense.amount_won > limit else None

    return lambda group: [
        found for expense in group.expenses if (found := breach(expense)) is not None
    ]


@limit_kind(FeeStandard, FEE_OVER_DAY)
def fee_per_day(rule: Bound[FeeStandard]) -> Limiter | None:
    """Fees of one person on one day together stay within the day's standard (G-031)."""
    fee = _fee(rule.plan, rule.params.fee)
    kind = rule.cites(FEE_OVER_DAY)
    if fee.at_most is None or fee.own_rule in rule.plan.own_rules:
        return None
    limit = fee.at_most.won

    def limits(groups: Sequence[Group]) -> list[Limit]:
        expenses = [
            expense
            for expense in each(groups)
            if (work := expense.work) is not None and work.start is not None
            if work.start == work.end and expense.person is not None
        ]
        days: dict[tuple[str | None, date | None], list[Expense]] = {}
        if len({_day(expense) for expense in expenses}) < len(expenses):
            for expense in expenses:
                days.setdefault(_day(expense), []).append(expense)
        return [
            Limit(
                rule.spec,
                kind,
                tuple(members),
                limit,
                params={"day": str(day), "fee_ko": fee.name.ko, "fee_en": fee.name.en},
            )
            for (_, day), members in days.items()
            if len(members) > 1 and sum(member.amount_won for member in members) > limit
        ]

    return limits


@dataclass(frozen=True, slots=True)
class UsesPerMonth:
    at_most: int


@joint_kind(UsesPerMonth, TOO_MANY_USES)
def uses_per_month(rule: Bound[UsesPerMonth]) -> JointCheck:
    """An expert is used a few times a month; uses beyond that fall, the latest first (G-045)."""
    at_most, kind = rule.params.at_most, rule.cites(TOO_MANY_USES)

    def check(groups: Sequence[Group]) -> list[Breach]:
        expenses = [expense for expense in each(groups) if expense.person is not None]
        months = [(expense.person, month_of(_used_on(expense))) for expense in expenses]
        often = {month for month, uses in Counter(months).items() if uses > at_most}
        found = []
        for person, month in often:
            uses = [e for e, when in zip(expenses, months, strict=True) if when == (person, month)]
            uses.sort(key=lambda e: (_used_on(e), e.id))
            found += [
                rule.whole(kind, expense, at_most=at_most, month=month_text(month), use=number)
                for number, expense in enumerate(uses, start=1)
                if number > at_most
            ]
        return found

    return check


@rule_kind(NoParams, TRAVEL_OVER_STANDARD, TRAVEL_CLASS)
def travel_allowance(rule: Bound[NoParams]) -> Check | None:
    """Travel in Korea within daily, lodging and meal rates of the grade, plus the fare (G-032)."""
    plan, travel = rule.plan, rule.plan.rules.budget.travel
    rates = {rate.grade: rate for rate in travel.rates}
    over, first_class = rule.cites(TRAVEL_OVER_STANDARD), rule.cites(TRAVEL_CLASS)
    if travel.own_rule in plan.own_rules:
        return None

    def breaches(expense: Expense) -> list[Breach]:
        person, trip = plan.people.get(expense.person or ""), expense.trip
        rate = rates.get((person and person.grade) or "")
        if trip is None or rate is None:
            return []
        found = []
        if expense.amount_won > trip.fare_won:  # only then can the rates decide
            parts = travel_parts(rate, trip)
            if expense.amount_won > (limit := sum(parts.values())):
                found.append(rule.excess(over, expense, limit, **parts))
        if trip.rail == "first" and rate.rail != "first":
            found.append(rule.remark(first_class, expense))
        return found

    return lambda group: [breach for expense in group.expenses for breach in breaches(expense)]


@rule_kind(NoParams, TRIP_NOT_IN_PLAN, TRIP_NOT_APPROVED)
def planned_trip(rule: Bound[NoParams]) -> Check:
    """A journey abroad is in the plan and approved before it starts (G-047)."""
    plan = rule.plan
    unplanned, unapproved = rule.cites(TRIP_NOT_IN_PLAN), rule.cites(TRIP_NOT_APPROVED)

    def breach(expense: Expense) -> Breach | None:
        trip = expense.trip
        if trip is None or trip.planned not in plan.trips:
            return rule.whole(unplanned, expense)
        if trip.approved_on is None or trip.approved_on >= trip.start:
            return rule.whole(unapproved, expense, start=str(trip.start))
        return None

    return lambda group: [
        found for expense in group.expenses if (found := breach(expense)) is not None
    ]


@dataclass(frozen=True, slots=True)
class StayLimit:
    days: int


@rule_kind(StayLimit, STAY_TOO_LONG)
def stay_limit(rule: Bound[StayLimit]) -> Check:
    """Training abroad up to so many days; the days beyond fall in proportion (G-047)."""
    limit, kind = rule.params.days, rule.cites(STAY_TOO_LONG)
    return lambda group: [
        rule.part(kind, expense, limit, trip.days, limit=limit, days=trip.days - limit)
        for expense in group.expenses
        if (trip := expense.trip) is not None and trip.days > limit
    ]


@dataclass(frozen=True, slots=True)
class PaidTwice:
    registrations: frozenset[str] = refers("kind")


@joint_kind(PaidTwice, PAID_TWICE)
def paid_twice(rule: Bound[PaidTwice]) -> JointCheck:
    """A conference fee paid by itself is not paid again with the journey (G-045)."""
    kind = rule.cites(PAID_TWICE)

    def check(groups: Sequence[Group]) -> list[Breach]:
        expenses = each(groups)
        paid: dict[tuple[str | None, str | None], Expense] = {
            (expense.person, expense.event): expense
            for expense in expenses
            if expense.kind in rule.params.registrations and expense.event is not None
        }
        return [
            rule.excess(kind, expense, max(0, expense.amount_won - again), other=other.id)
            for expense in expenses
            if expense.trip is not None
            and (again := expense.trip.registration_won)
            and expense.kind not in rule.params.registrations
            and (other := paid.get((expense.person, expense.event))) is not None
        ]

    return check


def fee_won(fee: Fee, units: Mapping[str, Fraction | int], grade: str | None) -> int | None:
    """The standard for some units of work in won; None where units or grade are not known."""
    total: Fraction | int = 0
    for part in fee.per:
        won = part.by_grade.get(grade or "", part.won) if part.by_grade else part.won
        total += units.get(part.unit, 0) * won
    if not total:
        return None
    if fee.at_most is not None and (most := units.get(fee.at_most.unit)) is not None:
        total = min(total, most * fee.at_most.won)
    return whole_won(total)


def travel_parts(rate: TravelRate, trip: Trip) -> dict[str, int]:
    """What a journey may cost by its parts: two nights and three days of a 책임급 make 232,000."""
    nights = trip.days - 1 if trip.nights is None else trip.nights
    return {
        "daily_won": rate.daily_won * trip.days,
        "lodging_won": rate.lodging_won * nights,
        "meals_won": rate.meals_won * trip.days,
        "fare_won": trip.fare_won,
    }


def _fee(plan: Plan, code: str) -> Fee:
    return next(fee for fee in plan.rules.budget.fees if fee.code == code)


def _day(expense: Expense) -> tuple[str | None, date | None]:
    return expense.person, expense.work.start if expense.work else None


def _used_on(expense: Expense) -> date:
    return (expense.work and expense.work.start) or expense.dated_on
