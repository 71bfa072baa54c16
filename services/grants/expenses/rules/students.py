"""Students a project pays: their standing at the end, and their leave (G-045, G-046)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from services.grants.expenses.rules.model import Expense, Leave, Study
from services.grants.expenses.rules.registry import Bound, Breach, Check, rule_kind
from services.grants.programmes.rules import Period, add_months
from shared.problems import FindingKind

STUDENT_DISQUALIFIED = FindingKind(
    "STUDENT_DISQUALIFIED",
    "학위논문 연구인력의 자격 요건에 맞지 않아 지급액 전액을 환수합니다({reason_ko}).",
    "The student does not meet the conditions; all money paid is recovered ({reason_en}).",
)
PAID_DURING_LEAVE = FindingKind(
    "PAID_DURING_LEAVE",
    "휴학 기간({start}~{end})의 {days}일은 지급할 수 없습니다.",
    "{days} days of leave ({start} to {end}) cannot be paid.",
)
LEAVE_TOO_LONG = FindingKind(
    "LEAVE_TOO_LONG",
    "휴학이 {months}개월을 초과하여 지원을 재개할 수 없습니다.",
    "The leave exceeded {months} months; support cannot be resumed.",
)


@dataclass(frozen=True, slots=True)
class StudyStanding:
    related_percent: Fraction


@rule_kind(StudyStanding, STUDENT_DISQUALIFIED)
def study_standing(rule: Bound[StudyStanding]) -> Check | None:
    """A thesis student who leaves, writes off topic or lacks related credits repays all (G-045)."""
    reasons = {
        ref: reason
        for ref, person in rule.plan.people.items()
        if person.study and (reason := _disqualified(person.study, rule.params.related_percent))
    }
    kind = rule.cites(STUDENT_DISQUALIFIED)
    if not reasons:
        return None
    return lambda group: [
        rule.whole(kind, expense, reason_ko=reason[0], reason_en=reason[1])
        for expense in group.expenses
        if (reason := reasons.get(expense.person or "")) is not None
    ]


@dataclass(frozen=True, slots=True)
class StudyLeave:
    """The longest leave in months by its kind (군복무 36, 기타 12)."""

    months: Mapping[str, int]


@rule_kind(StudyLeave, PAID_DURING_LEAVE, LEAVE_TOO_LONG)
def study_leave(rule: Bound[StudyLeave]) -> Check | None:
    """Leave is not paid; support resumes on return unless the leave was too long (G-046)."""
    leaves = {
        ref: person.study.leaves
        for ref, person in rule.plan.people.items()
        if person.study and person.study.leaves
    }
    during, too_long = rule.cites(PAID_DURING_LEAVE), rule.cites(LEAVE_TOO_LONG)
    if not leaves:
        return None

    def breach(expense: Expense, leave: Leave) -> Breach | None:
        days = expense.days
        if days is None:
            return None
        last = leave.end or date.max
        longest = rule.params.months.get(leave.kind)
        if longest is not None:
            allowed = add_months(leave.start, longest) - timedelta(days=1)
            if allowed < last and allowed < days.start:
                return rule.whole(too_long, expense, months=longest)
        away = days.overlap_days(Period(leave.start, last))
        if not away:
            return None
        texts = {"start": str(leave.start), "end": str(leave.end or "-"), "days": away}
        return rule.part(during, expense, days.days - away, days.days, **texts)

    return lambda group: [
        found
        for expense in group.expenses
        for leave in leaves.get(expense.person or "", ())
        if (found := breach(expense, leave)) is not None
    ]


def _disqualified(study: Study, related_percent: Fraction) -> tuple[str, str] | None:
    if study.standing == "dropped_out":
        return "퇴학·자퇴", "left the programme"
    if not study.on_topic:
        return "지원분야 이외 학위논문", "thesis off topic"
    if (
        study.standing == "graduated"
        and study.related_credits * 100 < study.total_credits * related_percent
    ):
        return "전공 관련 이수학점 미달", "too few related credits"
    return None
