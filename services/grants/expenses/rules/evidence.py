"""Evidence: what must be there, what it must prove, that it serves once (G-040 … G-045)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import chain
from operator import attrgetter
from typing import Final

from services.grants.expenses.rules.model import Expense, is_digest, short_mark
from services.grants.expenses.rules.registry import (
    Bound,
    Breach,
    Check,
    Group,
    JointCheck,
    NoParams,
    each,
    joint_kind,
    names,
    refers,
    rule_kind,
)
from services.grants.programmes.rules import Condition, Need, listed
from shared.problems import FindingKind

_MARKS: Final = attrgetter("evidence_marks")
_KST: Final = timezone(timedelta(hours=9))  # rules know no clock, not even the shared one
_SATURDAY: Final = 5

AMOUNT_MISMATCH = FindingKind(
    "AMOUNT_MISMATCH",
    "집행액 {amount_won:,}원 중 증빙으로 확인되는 금액은 {limit_won:,}원입니다.",
    "Of {amount_won:,} won spent, the evidence shows {limit_won:,} won.",
)
EVIDENCE_EXCEEDS = FindingKind(
    "EVIDENCE_EXCEEDS",
    "증빙 금액 {proven_won:,}원이 집행액 {amount_won:,}원보다 많습니다. 금액을 확인하세요.",
    "The evidence of {proven_won:,} won exceeds the {amount_won:,} won spent; please check.",
    level="warning",
)
NO_QUALIFIED_RECEIPT = FindingKind(
    "NO_QUALIFIED_RECEIPT",
    "{from_won:,}원 이상 집행에는 적격증빙({accepted_ko})이 있어야 합니다.",
    "From {from_won:,} won on, a qualified receipt is needed ({accepted_en}).",
)
RECEIPT_TO_PROVIDE = FindingKind(
    "RECEIPT_TO_PROVIDE",
    "{from_won:,}원 이상이므로 적격증빙({accepted_ko})을 받아 두세요.",
    "This is {from_won:,} won or more: obtain a qualified receipt ({accepted_en}).",
    level="warning",
)
SIMPLE_TAX_INVOICE = FindingKind(
    "SIMPLE_TAX_INVOICE",
    "간이세금계산서는 인정되지 않습니다.",
    "A simplified tax invoice is not accepted.",
)
EVIDENCE_MISSING = FindingKind(
    "EVIDENCE_MISSING",
    "필수 증빙이 없습니다: {missing_ko}",
    "Required evidence is missing: {missing_en}",
)
EVIDENCE_SUPPLEMENT = FindingKind(
    "EVIDENCE_SUPPLEMENT",
    "증빙을 보완하세요: {missing_ko}",
    "Please supplement the evidence: {missing_en}",
    level="warning",
)
EVIDENCE_TO_PROVIDE = FindingKind(
    "EVIDENCE_TO_PROVIDE",
    "집행 후 제출할 증빙입니다: {missing_ko}",
    "Evidence to be provided after spending: {missing_en}",
    level="warning",
)
DUPLICATE_EVIDENCE = FindingKind(
    "DUPLICATE_EVIDENCE",
    "다른 집행 건({other})에 이미 쓰인 증빙입니다: {number}",
    "This evidence already serves another expense ({other}): {number}",
)
USED_ELSEWHERE = FindingKind(
    "DUPLICATE_EVIDENCE",
    "다른 과제의 집행에 먼저 쓰인 증빙입니다: {number}",
    "Another project used this evidence first: {number}",
)
CARD_AFTER_HOURS = FindingKind(
    "CARD_AFTER_HOURS",
    "심야 또는 휴일에 사용한 카드입니다({used_at}). 사업 관련성을 확인하세요.",
    "A card was used at night or on a free day ({used_at}); please check the purpose.",
    level="warning",
)
MINUTES_UNSIGNED = FindingKind(
    "MINUTES_UNSIGNED",
    "회의비 {event_won:,}원이 {over_won:,}원을 초과하여 다음 증빙이 필요합니다: {evidence_ko}",
    "A meeting of {event_won:,} won is over {over_won:,} won and needs {evidence_en}.",
)
MINUTES_TO_PROVIDE = FindingKind(
    "MINUTES_TO_PROVIDE",
    "회의비가 {over_won:,}원을 초과하므로 다음 증빙을 갖추세요: {evidence_ko}",
    "The meeting costs more than {over_won:,} won: keep {evidence_en}.",
    level="warning",
)


@rule_kind(NoParams, AMOUNT_MISMATCH, EVIDENCE_EXCEEDS)
def amount_match(rule: Bound[NoParams]) -> Check:
    """Spending equals evidence: what payment and receipt do not both prove falls (G-041)."""
    sorts = rule.plan.rules.spending.evidence_kinds
    payments = {sort.code for sort in sorts if "payment" in sort.proves}
    receipts = {sort.code for sort in sorts if "receipt" in sort.proves}
    mismatch, exceeds = rule.cites(AMOUNT_MISMATCH), rule.cites(EVIDENCE_EXCEEDS)

    def breach(expense: Expense) -> Breach | None:
        proven = [
            sum(shown)
            for role in (payments, receipts)
            if (
                shown := [
                    document.amount_won
                    for document in expense.evidence
                    if document.amount_won is not None and document.kind in role
                ]
            )
        ]
        if proven and min(proven) < expense.amount_won:
            return rule.excess(mismatch, expense, min(proven))
        if proven and max(proven) > expense.amount_won:
            return rule.remark(exceeds, expense, proven_won=max(proven))
        return None

    return lambda group: [
        found
        for expense in group.expenses
        if not expense.evidence_agrees and (found := breach(expense)) is not None
    ]


@dataclass(frozen=True, slots=True)
class QualifiedReceipt:
    from_won: int
    accepted: frozenset[str] = refers("evidence")
    refused: frozenset[str] = refers("evidence", frozenset())


@rule_kind(QualifiedReceipt, NO_QUALIFIED_RECEIPT, SIMPLE_TAX_INVOICE, RECEIPT_TO_PROVIDE)
def qualified_receipt(rule: Bound[QualifiedReceipt]) -> Check:
    """From an amount on, only receipts bearing a business number prove anything (G-042)."""
    from_won, accepted = rule.params.from_won, rule.params.accepted
    text = names(rule.plan.rules, sorted(accepted))
    params = {"from_won": from_won, "accepted_ko": text.ko, "accepted_en": text.en}
    missing, simple = rule.cites(NO_QUALIFIED_RECEIPT), rule.cites(SIMPLE_TAX_INVOICE)
    to_provide = rule.cites(RECEIPT_TO_PROVIDE)

    def breach(expense: Expense) -> Breach:
        if not rule.params.refused.isdisjoint(expense.evidence_kinds):
            return rule.whole(simple, expense, **params)
        if rule.stage == "plan":
            return rule.remark(to_provide, expense, **params)
        return rule.whole(missing, expense, **params)

    def check(group: Group) -> list[Breach]:
        if not any(accepted.isdisjoint(papers) for papers in group.papers):
            return []
        return [
            breach(expense)
            for expense in group.expenses
            if expense.amount_won >= from_won and accepted.isdisjoint(expense.evidence_kinds)
        ]

    return check


@dataclass(frozen=True, slots=True)
class RequiredEvidence:
    needs: tuple[Need, ...] = ()
    sets: tuple[str, ...] = refers("set", ())


@rule_kind(RequiredEvidence, EVIDENCE_MISSING, EVIDENCE_SUPPLEMENT, EVIDENCE_TO_PROVIDE)
def required_evidence(rule: Bound[RequiredEvidence]) -> Check:
    """The documents an expense needs, some only under a condition (G-040, G-045).

    A missing one voids the money, or asks for a supplement where the call leaves that to the
    reviewer. Before spending, all of them are "to be provided".
    """
    sets = rule.plan.rules.spending.evidence_sets
    needs = [need for code in rule.params.sets for need in sets[code]]
    needs += rule.params.needs
    always = [need for need in needs if need.when is None]
    sometimes = [
        (need.when, frozenset(need.any_of), (need,)) for need in needs if need.when is not None
    ]
    kinds = {
        "void": rule.cites(EVIDENCE_MISSING),
        "supplement": rule.cites(EVIDENCE_SUPPLEMENT),
        "plan": rule.cites(EVIDENCE_TO_PROVIDE),
    }

    def breaches(expense: Expense, missing: tuple[Need, ...]) -> list[Breach]:
        found = []
        for effect in ("void", "supplement"):
            these = [need.any_of for need in missing if need.missing == effect]
            if these:
                text = listed(names(rule.plan.rules, codes) for codes in these)
                params = {"missing": these, "missing_ko": text.ko, "missing_en": text.en}
                if rule.stage == "plan":
                    found.append(rule.remark(kinds["plan"], expense, **params))
                elif effect == "void":
                    found.append(rule.whole(kinds["void"], expense, **params))
                else:
                    found.append(rule.remark(kinds["supplement"], expense, **params))
        return found

    def check(group: Group) -> list[Breach]:
        # Whole groups have the same few combinations of documents: those are judged, not rows.
        lacking = {
            papers: missing
            for papers in group.papers
            if (missing := tuple(need for need in always if papers.isdisjoint(need.any_of)))
        }
        found = [
            breach
            for expense in (group.expenses if lacking else ())
            if expense.evidence_kinds in lacking
            for breach in breaches(expense, lacking[expense.evidence_kinds])
        ]
        for condition, any_of, need in sometimes:
            if not any(any_of.isdisjoint(papers) for papers in group.papers):
                continue
            found += [
                breach
                for expense in (group.expenses if condition.fact is None else group.stated)
                if any_of.isdisjoint(expense.evidence_kinds) and holds(condition, expense)
                for breach in breaches(expense, need)
            ]
        return found

    return check


def holds(condition: Condition, expense: Expense) -> bool:
    """Whether every part of a condition holds for an expense."""
    won = expense.amount_won
    price = (expense.goods.unit_price_won or 0) if expense.goods else 0
    return (
        (condition.amount_from_won is None or won >= condition.amount_from_won)
        and (condition.amount_over_won is None or won > condition.amount_over_won)
        and (condition.amount_below_won is None or won < condition.amount_below_won)
        and (condition.amount_up_to_won is None or won <= condition.amount_up_to_won)
        and (condition.unit_price_from_won is None or price >= condition.unit_price_from_won)
        and (condition.fact is None or condition.fact in expense.facts)
        and (condition.funds is None or expense.fund in condition.funds)
    )


@joint_kind(NoParams, DUPLICATE_EVIDENCE)
def duplicate_evidence(rule: Bound[NoParams]) -> JointCheck:
    """A document proves its amount once; expenses beyond it, the latest first, are unproven.

    It is known again by its number and by its file. One slip may be split over several expenses
    as long as they do not exceed what it states; what proves no amount (a contract, a travel rule)
    serves any number of them.
    """
    kind, proving = rule.cites(DUPLICATE_EVIDENCE), _proving(rule)

    def check(groups: Sequence[Group]) -> list[Breach]:
        parts = chain.from_iterable(map(_MARKS, group.expenses) for group in groups)
        marks = list(chain.from_iterable(parts))
        if len(set(marks)) == len(marks):
            return []
        repeated = {mark for mark, uses in Counter(marks).items() if uses > 1}
        users: dict[str, list[Expense]] = {}
        for expense in each(groups):
            if not repeated.isdisjoint(expense.evidence_marks):
                for mark in repeated.intersection(_proofs(expense, proving)):
                    users.setdefault(mark, []).append(expense)
        # A document known by its number and by its file is named once, by its number.
        found: dict[tuple[str, str], Breach] = {}
        for mark in sorted(users, key=lambda mark: (is_digest(mark), mark)):
            for breach in _unproven(rule, kind, mark, users[mark], proving):
                found.setdefault((breach.expense.id, breach.params["other"]), breach)
        return list(found.values())

    return check


def _proving(rule: Bound[NoParams]) -> frozenset[str]:
    """The kinds of document that prove an amount."""
    return frozenset(sort.code for sort in rule.plan.rules.spending.evidence_kinds if sort.proves)


def _proofs(expense: Expense, proving: frozenset[str]) -> tuple[str, ...]:
    """The marks of the documents that prove the amount of an expense, in their order."""
    return tuple(
        mark for document in expense.evidence if document.kind in proving for mark in document.marks
    )


def _unproven(
    rule: Bound[NoParams],
    kind: FindingKind,
    mark: str,
    sharing: list[Expense],
    proving: frozenset[str],
) -> list[Breach]:
    ordered = sorted(sharing, key=lambda expense: (expense.dated_on, expense.id))
    amounts = [
        document.amount_won
        for expense in ordered
        for document in expense.evidence
        if mark in document.marks and document.kind in proving and document.amount_won is not None
    ]
    stated = max(amounts, default=ordered[0].amount_won)  # unstated, it proves the first
    found, used = [], 0
    for expense in ordered:
        used += min(expense.amount_won, stated)  # a bundle has other documents for the rest
        if used > stated:
            others = ", ".join(other.id for other in ordered if other is not expense)
            found.append(rule.whole(kind, expense, other=others, number=short_mark(mark)))
    return found


@rule_kind(NoParams, USED_ELSEWHERE)
def used_elsewhere(rule: Bound[NoParams]) -> Check | None:
    """A document another project entered first proves nothing again here (G-040)."""
    earlier, kind, proving = rule.plan.used_earlier, rule.cites(USED_ELSEWHERE), _proving(rule)
    if not earlier:
        return None
    return lambda group: [
        rule.whole(kind, expense, number=short_mark(again[0]))
        for expense in group.expenses
        if not earlier.isdisjoint(expense.evidence_marks)
        and (again := [mark for mark in _proofs(expense, proving) if mark in earlier])
    ]


@dataclass(frozen=True, slots=True)
class CardHours:
    """`holidays` are those of the call's years; Saturdays and Sundays need not be named."""

    from_hour: int
    until_hour: int
    holidays: frozenset[date] = frozenset()


@rule_kind(CardHours, CARD_AFTER_HOURS)
def card_hours(rule: Bound[CardHours]) -> Check:
    """A card used at night or on a free day is shown to the reviewer (G-042)."""
    params, kind = rule.params, rule.cites(CARD_AFTER_HOURS)

    def odd(instant: datetime) -> bool:
        day = instant.date()
        night = instant.hour >= params.from_hour or instant.hour < params.until_hour
        return night or day.weekday() >= _SATURDAY or day in params.holidays

    return lambda group: [
        rule.remark(kind, expense, used_at=f"{local:%Y-%m-%d %H:%M}")
        for expense in group.expenses
        for instant in expense.card_times
        if odd(local := instant.astimezone(_KST))
    ]


@dataclass(frozen=True, slots=True)
class EventMinutes:
    over_won: int
    evidence: frozenset[str] = refers("evidence")


@joint_kind(EventMinutes, MINUTES_UNSIGNED, MINUTES_TO_PROVIDE)
def event_minutes(rule: Bound[EventMinutes]) -> JointCheck:
    """A meeting over an amount needs signed minutes or its whole sum falls (G-045).

    The amount is that of the event, so splitting one meeting over several payments does not
    avoid the minutes; exactly the amount passes without.
    """
    over_won, evidence = rule.params.over_won, rule.params.evidence
    text = names(rule.plan.rules, sorted(evidence))
    params = {"over_won": over_won, "evidence_ko": text.ko, "evidence_en": text.en}
    unsigned, to_provide = rule.cites(MINUTES_UNSIGNED), rule.cites(MINUTES_TO_PROVIDE)

    def breach(expense: Expense, event_won: int) -> Breach:
        if rule.stage == "plan":
            return rule.remark(to_provide, expense, **params)
        return rule.whole(unsigned, expense, event_won=event_won, **params)

    def check(groups: Sequence[Group]) -> list[Breach]:
        expenses = each(groups)
        found = [
            breach(expense, expense.amount_won)
            for expense in expenses
            if expense.event is None
            and expense.amount_won > over_won
            and evidence.isdisjoint(expense.evidence_kinds)
        ]
        events: dict[str, list[Expense]] = {}
        for expense in expenses:
            if expense.event is not None:
                events.setdefault(expense.event, []).append(expense)
        for members in events.values():
            event_won = sum(expense.amount_won for expense in members)
            if event_won > over_won and all(
                evidence.isdisjoint(expense.evidence_kinds) for expense in members
            ):
                found += [breach(expense, event_won) for expense in members]
        return found

    return check
