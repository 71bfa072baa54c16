"""When money is obligated, paid, and its goods arrive (G-044)."""

from dataclasses import dataclass

from services.grants.expenses.rules.model import Expense
from services.grants.expenses.rules.registry import Bound, Breach, Check, refers, rule_kind
from shared.problems import FindingKind

BEFORE_PERIOD = FindingKind(
    "OUT_OF_PERIOD",
    "사업기간({start}~{end}) 전에 집행했습니다.",
    "It was spent before the project period ({start} to {end}).",
)
OBLIGATED_AFTER_END = FindingKind(
    "OBLIGATED_AFTER_END",
    "사업기간 종료({end}) 후의 지출원인행위입니다.",
    "The obligation was made after the end of the project ({end}).",
)
PAID_AFTER_END = FindingKind(
    "PAID_AFTER_END",
    "사업기간 종료({end}) 후 지출에는 사전 승인이 있어야 합니다.",
    "Paying after the end of the project ({end}) needs approval beforehand.",
)
PAID_BEFORE_OBLIGATION = FindingKind(
    "PAID_BEFORE_OBLIGATION",
    "지급일이 지출원인행위일보다 빠릅니다. 날짜를 확인하세요.",
    "It was paid before it was obligated; please check the dates.",
    level="warning",
)
ARRIVED_LATE = FindingKind(
    "ARRIVED_LATE",
    "{limit}까지 입고되어야 합니다(종료 {months}개월 전). 입고일: {arrived}",
    "It must arrive by {limit} ({months} months before the end); arrived: {arrived}",
)
NOT_USED = FindingKind(
    "NOT_USED",
    "{limit}까지 입고되어 교육에 활용되어야 합니다. 활용 시작일: {used}",
    "It must be used in teaching by {limit}; first use: {used}",
)
ARRIVE_BY = FindingKind(
    "ARRIVE_BY",
    "{limit}까지 입고·활용되어야 인정됩니다(종료 {months}개월 전).",
    "It must arrive and be used by {limit} ({months} months before the end).",
    level="warning",
)


@dataclass(frozen=True, slots=True)
class ProjectPeriod:
    """`late_kinds` are paid after the end by their nature (보고서 인쇄비, 회계감사수수료)."""

    after_end_ground: int
    approval: str | None = refers("fact", None)
    late_kinds: frozenset[str] = refers("kind", frozenset())


@rule_kind(
    ProjectPeriod, BEFORE_PERIOD, OBLIGATED_AFTER_END, PAID_AFTER_END, PAID_BEFORE_OBLIGATION
)
def project_period(rule: Bound[ProjectPeriod]) -> Check:
    """Cause and payment lie in the project period; after it only with reason (G-044, G-048.7)."""
    year, params = rule.plan.year, rule.params
    start, end = year.start, min(year.end, rule.plan.stopped_on or year.end)
    texts = {"start": str(start), "end": str(end)}
    before, paid_after = rule.cites(BEFORE_PERIOD), rule.cites(PAID_AFTER_END)
    obligated_after, order = rule.cites(OBLIGATED_AFTER_END), rule.cites(PAID_BEFORE_OBLIGATION)

    def no_cause(expense: Expense) -> Breach:
        ground, won = params.after_end_ground, expense.amount_won
        return Breach(expense, rule.spec, obligated_after, won, ground, params=texts)

    def breach(expense: Expense) -> Breach | None:
        cause, paid = expense.obligated_on, expense.paid_on
        late = expense.kind in params.late_kinds
        if (cause and cause < start) or (paid and paid < start):
            return rule.whole(before, expense, **texts)
        if cause and cause > end:
            return None if late else no_cause(expense)
        if paid and paid > end:
            if late or params.approval in expense.facts:
                return None
            return rule.whole(paid_after, expense, **texts) if cause else no_cause(expense)
        if cause and paid and paid < cause:
            return rule.remark(order, expense)
        return None

    return lambda group: [
        found
        for expense in group.expenses
        if (
            (cause := expense.obligated_on) is None
            or (paid := expense.paid_on) is None
            or not start <= cause <= paid <= end
        )
        and (found := breach(expense)) is not None
    ]


@dataclass(frozen=True, slots=True)
class Arrival:
    """`waived_by` is the fact by which a reviewer waives the limit ("원칙적으로")."""

    months_before_end: int
    must_be_used: bool = False
    waived_by: str | None = refers("fact", None)


@rule_kind(Arrival, ARRIVED_LATE, NOT_USED, ARRIVE_BY)
def arrival(rule: Bound[Arrival]) -> Check:
    """Goods arrive, and equipment is used, whole months before the end (G-044).

    The limit is counted back from the day after the end: a year ending on 2021-02-28 gives
    2020-11-30 for three months. What is still to come is only a reminder until the settlement.
    """
    params, plan = rule.params, rule.plan
    limit = plan.year.last_day_before_end(params.months_before_end)
    texts = {"limit": str(limit), "months": params.months_before_end}
    late, unused = rule.cites(ARRIVED_LATE), rule.cites(NOT_USED)
    remind = rule.cites(ARRIVE_BY)

    def breach(expense: Expense) -> Breach | None:
        if params.waived_by in expense.facts:
            return None
        goods = expense.goods
        arrived = goods.arrived_on if goods else None
        used = goods.used_on if goods else None
        pending = arrived is None or (params.must_be_used and used is None)
        if arrived is None and expense.obligated_on and expense.obligated_on > limit:
            return rule.whole(late, expense, arrived="-", **texts)
        if arrived and arrived > limit:
            return rule.whole(late, expense, arrived=str(arrived), **texts)
        if params.must_be_used and used and used > limit:
            return rule.whole(unused, expense, used=str(used), **texts)
        if pending and rule.stage != "settlement":
            return rule.remark(remind, expense, **texts)
        if arrived is None:
            return rule.whole(late, expense, arrived="-", **texts)
        return rule.whole(unused, expense, used="-", **texts) if pending else None

    return lambda group: [
        found for expense in group.expenses if (found := breach(expense)) is not None
    ]
