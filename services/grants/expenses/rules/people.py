"""People paid by a project: who they are, when, how much, and how they stand (G-013, G-030, G-045).

Days outside of what may be paid fall in proportion; the rest is kept, cut to whole won.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from services.grants.expenses.rules.model import Expense, Participant, Plan, Term
from services.grants.expenses.rules.registry import (
    Bound,
    Breach,
    Check,
    Group,
    NoParams,
    rule_kind,
    whole_won,
)
from services.grants.programmes.rules import Period, add_months, decimal_text
from shared.problems import FindingKind

PERSON_NOT_IN_PLAN = FindingKind(
    "NOT_IN_PLAN",
    "사업계획서에 없는 인력입니다: {person}",
    "This person is not in the plan: {person}",
)
OUTSIDE_PARTICIPATION = FindingKind(
    "OUTSIDE_PARTICIPATION",
    "참여기간({start}~{end}) 밖의 {days}일은 인정되지 않습니다.",
    "{days} days outside of the participation ({start} to {end}) are not recognised.",
)
REPLACEMENT_UNAPPROVED = FindingKind(
    "REPLACEMENT_UNAPPROVED",
    "참여인력 변경의 내부결재일이 없어 인정되지 않습니다: {person}",
    "The replacement has no internal approval: {person}",
)
EMPLOYED_ELSEWHERE = FindingKind(
    "EMPLOYED_ELSEWHERE",
    "주관기관이나 타 기관에 소속된 사람에게는 현금으로 지급할 수 없습니다: {person}",
    "Someone employed elsewhere is never paid in cash: {person}",
)
PAYEE_IS_PARTICIPANT = FindingKind(
    "PAYEE_IS_PARTICIPANT",
    "참여인력에게 지급한 수당·강사료·자문료는 인정되지 않습니다: {person}",
    "Fees to a participant are not recognised: {person}",
)
WRONG_PAYEE = FindingKind(
    "WRONG_PAYEE",
    "지급 대상이 다릅니다. {accepted_ko}에 지급해야 합니다.",
    "This is paid to the wrong sort of payee; it goes to {accepted_en}.",
)
PAY_OVER_STANDARD = FindingKind(
    "PAY_OVER_STANDARD",
    "계상기준에 따른 지급 한도 {limit_won:,}원을 초과했습니다.",
    "It exceeds the {limit_won:,} won the pay standard allows.",
)
RATE_OVER_100 = FindingKind(
    "RATE_OVER_100",
    "참여율 합계 {rate}%가 {limit}%를 초과했습니다.",
    "The participation rates sum to {rate}%, over {limit}%.",
)
RATE_DECIMAL = FindingKind(
    "RATE_DECIMAL",
    "참여율은 소수 첫째 자리까지입니다(입력 {rate}%).",
    "Participation rates have one decimal ({rate}% given).",
    level="warning",
)
RATE_UNDER_50 = FindingKind(
    "RATE_UNDER_50",
    "운영인력의 참여율은 {limit}% 이상이어야 합니다(지급 {rate}%).",
    "Operators take part at {limit}% or more ({rate}% paid).",
)
_PAYEES = {
    "person": ("개인 계좌", "the individual's account"),
    "organisation": ("실습기관", "the host organisation"),
}


@dataclass(frozen=True, slots=True)
class PlannedPerson:
    """`roles` that may be paid; empty means anyone of the plan."""

    roles: frozenset[str] = frozenset()


@rule_kind(PlannedPerson, PERSON_NOT_IN_PLAN)
def planned_person(rule: Bound[PlannedPerson]) -> Check:
    """The payee or traveller is a person of the plan, in a role that fits (G-045)."""
    roles = rule.params.roles
    known = frozenset(
        ref for ref, person in rule.plan.people.items() if not roles or person.role in roles
    )
    kind = rule.cites(PERSON_NOT_IN_PLAN)
    return lambda group: [
        rule.whole(kind, expense, person=expense.person or "-")
        for expense in group.expenses
        if expense.person not in known
    ]


@rule_kind(NoParams, OUTSIDE_PARTICIPATION, REPLACEMENT_UNAPPROVED)
def participation_window(rule: Bound[NoParams]) -> Check:
    """Pay and travel only within the participation; a replacement from its approval on (G-045)."""
    windows: dict[str | None, Period | None] = {
        ref: _window(person) for ref, person in rule.plan.people.items()
    }
    outside, unapproved = rule.cites(OUTSIDE_PARTICIPATION), rule.cites(REPLACEMENT_UNAPPROVED)
    always = Period(date.min, date.max)  # whoever is not on the plan is another rule's matter

    def breach(expense: Expense) -> Breach | None:
        days, window = expense.days, windows[expense.person]
        if window is None:
            return rule.whole(unapproved, expense, person=expense.person)
        if days is None:
            return None
        kept = days.overlap_days(window)
        texts = {"start": str(window.start), "end": str(window.end), "days": days.days - kept}
        return rule.part(outside, expense, kept, days.days, **texts)

    return lambda group: [
        found
        for expense in group.expenses
        if (
            (window := windows.get(expense.person, always)) is None
            or (source := expense.work or expense.trip) is None
            or source.start is None
            or source.end is None
            or not window.start <= source.start <= source.end <= window.end
        )
        and (found := breach(expense)) is not None
    ]


@rule_kind(NoParams, EMPLOYED_ELSEWHERE)
def not_employed(rule: Bound[NoParams]) -> Check | None:
    """No cash pay to anyone the lead or another institution employs (G-045)."""
    employed = frozenset(
        ref for ref, person in rule.plan.people.items() if person.employed_elsewhere
    )
    kind = rule.cites(EMPLOYED_ELSEWHERE)
    if not employed:
        return None
    return lambda group: [
        rule.whole(kind, expense, person=expense.person)
        for expense in group.expenses
        if expense.person in employed
    ]


@rule_kind(NoParams, PAYEE_IS_PARTICIPANT)
def not_participant(rule: Bound[NoParams]) -> Check:
    """Fees go to outsiders, never to a participant (G-045)."""
    people = frozenset(rule.plan.people)
    kind = rule.cites(PAYEE_IS_PARTICIPANT)
    return lambda group: [
        rule.whole(kind, expense, person=expense.person)
        for expense in group.expenses
        if expense.person in people
    ]


@dataclass(frozen=True, slots=True)
class PayeeType:
    accepted: frozenset[str]


@rule_kind(PayeeType, WRONG_PAYEE)
def payee_type(rule: Bound[PayeeType]) -> Check:
    """Paid to the individual, or to the host organisation, as the call says (G-028, G-045)."""
    accepted = rule.params.accepted | {None}
    texts = [_PAYEES.get(code, (code, code)) for code in sorted(rule.params.accepted)]
    params = {
        "accepted_ko": " 또는 ".join(ko for ko, _ in texts),
        "accepted_en": " or ".join(en for _, en in texts),
    }
    kind = rule.cites(WRONG_PAYEE)
    return lambda group: [
        rule.whole(kind, expense, **params)
        for expense in group.expenses
        if expense.payee not in accepted
    ]


@rule_kind(NoParams, PAY_OVER_STANDARD)
def pay_ceiling(rule: Bound[NoParams]) -> Check:
    """Pay within the planned monthly rate, the grade table and the months paid for (G-030).

    Where the plan has no line of pay for this use, the grade table times the rate paid counts.
    """
    plan = rule.plan
    kind = rule.cites(PAY_OVER_STANDARD)
    monthly = {
        (ref, term.kind): _per_month(plan, person, term)
        for ref, person in plan.people.items()
        for term in person.terms
        if sum(other.kind == term.kind for other in person.terms) == 1
    }

    def breach(expense: Expense) -> Breach | None:
        allowed = allowance_won(plan, expense)
        if allowed is None or expense.amount_won <= allowed:
            return None
        return rule.excess(kind, expense, allowed)

    def check(group: Group) -> list[Breach]:
        found = []
        for expense in group.expenses:
            # Most pay is for whole months of a person with one line of pay: two products decide.
            work, rate = expense.work, monthly.get((expense.person or "", expense.kind))
            if (
                work is not None
                and rate is not None
                and expense.amount_won * rate[1] <= rate[0] * work.full_months
                and rate[2].start <= (work.start or date.min)
                and (work.end or date.max) <= rate[2].end
            ):
                continue
            if (broken := breach(expense)) is not None:
                found.append(broken)
        return found

    return check


@rule_kind(NoParams, RATE_OVER_100, RATE_DECIMAL)
def participation_rate(rule: Bound[NoParams]) -> Check:
    """Rates over all projects sum to 100 % at most; pay for the part above falls (G-013)."""
    limits = rule.plan.rules.budget.pay.participation
    over, decimals = rule.cites(RATE_OVER_100), rule.cites(RATE_DECIMAL)
    most, of = limits.at_most.as_integer_ratio()
    scale = 10**limits.decimals

    def breaches(expense: Expense, rate: Fraction, others: Fraction) -> list[Breach]:
        found = []
        if rate + others > limits.at_most:
            kept = max(Fraction(0), limits.at_most - others) / rate if rate else Fraction(0)
            total = decimal_text(rate + others, 6)
            limit = decimal_text(limits.at_most)
            found.append(
                rule.part(over, expense, kept.numerator, kept.denominator, rate=total, limit=limit)
            )
        if scale % rate.denominator:
            found.append(rule.remark(decimals, expense, rate=decimal_text(rate, 6)))
        return found

    return lambda group: [
        breach
        for expense in group.expenses
        if (work := expense.work) is not None
        and ((rates := work.sum_ratio)[0] * of > most * rates[1] or scale % work.rate_ratio[1])
        for breach in breaches(expense, work.rate, work.other_rates)
    ]


@rule_kind(NoParams, RATE_UNDER_50)
def operator_rate(rule: Bound[NoParams]) -> Check:
    """An operator gives at least half of the time; pay below that rate falls whole (G-030)."""
    limit = rule.plan.rules.budget.pay.operators.rate_at_least
    least, of = limit.as_integer_ratio()
    kind = rule.cites(RATE_UNDER_50)
    return lambda group: [
        rule.whole(kind, expense, rate=decimal_text(work.rate, 6), limit=decimal_text(limit))
        for expense in group.expenses
        if (work := expense.work) is not None
        and 0 < (rate := work.rate_ratio)[0] * of < least * rate[1]
    ]


def allowance_won(plan: Plan, expense: Expense) -> int | None:
    """The most a person may be paid for the days of an expense; None where nothing bounds it."""
    days, person = expense.days, plan.people.get(expense.person or "")
    if expense.work is None or days is None or person is None:
        return None
    terms = [term for term in person.terms if term.kind == expense.kind]
    if not terms:
        limit = plan.rules.monthly_won.get(person.grade or expense.work.grade or "")
        if limit is None or plan.rules.budget.pay.own_rule in plan.own_rules:
            return None
        terms = [Term(expense.kind, days, Fraction(limit), expense.work.rate)]
    total = Fraction(0)
    for term in terms:
        won, of, _ = _per_month(plan, person, term)
        total += Fraction(won, of) * _months(days, term.period)
    return whole_won(total)


def term_won(plan: Plan, person: Participant, use: str) -> int:
    """The most the plan's lines of pay give a person for one use, over their whole time."""
    total = Fraction(0)
    for term in person.terms:
        if term.kind == use:
            won, of, _ = _per_month(plan, person, term)
            total += Fraction(won, of) * _months(term.period, term.period)
    return whole_won(total)


def _per_month(plan: Plan, person: Participant, term: Term) -> tuple[int, int, Period]:
    """Won a month of a line of pay as numerator and denominator, with its days."""
    monthly = term.monthly_won
    kind = plan.rules.kinds.get(term.kind)
    ceiling = plan.rules.monthly_won.get(person.grade or "")
    by_grade = kind is not None and kind.pay == "grade"
    if by_grade and ceiling is not None and plan.rules.budget.pay.own_rule not in plan.own_rules:
        monthly = min(monthly, Fraction(ceiling))
    won = monthly * term.rate / 100
    return won.numerator, won.denominator, term.period


def _months(days: Period, within: Period) -> Fraction:
    """The months of `days` inside `within`; a part of a month counts by its days."""
    first, last = max(days.start, within.start), min(days.end, within.end)
    if whole := Period(first, last).whole_months:
        return Fraction(whole)
    total = Fraction(0)
    month = first.replace(day=1)
    while month <= last:
        following = add_months(month, 1)
        length = (following - month).days
        part = Period(first, last).overlap_days(Period(month, following - timedelta(days=1)))
        total += Fraction(part, length)
        month = following
    return total


def _window(person: Participant) -> Period | None:
    if not person.replacement:
        return person.period
    if person.approved_on is None:
        return None
    return Period(max(person.period.start, person.approved_on), person.period.end)
