"""Limits over sums: caps of the call, the plan's amounts, pay of a person (G-021 … G-033).

A maker answers only with limits the plain sums exceed, so that a year within its limits costs
nothing more than adding up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.grants.errors import ASSET_CAP_EXCEEDED, CAP_EXCEEDED, HEAD_CAP_EXCEEDED
from services.grants.expenses.rules.model import Expense, Plan
from services.grants.expenses.rules.people import PAY_OVER_STANDARD, term_won
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
    rule_kind,
)
from services.grants.programmes.rules import (
    AssetCap,
    Funds,
    HeadCap,
    RuleSet,
    ShareCap,
    Text,
    cited,
    decimal_text,
)
from services.grants.proposals.rules import percent_limit
from shared.problems import FindingKind

OVER_PLAN = FindingKind(
    "OVER_PLAN",
    "{name_ko} 집행액이 협약한 {limit_won:,}원을 초과했습니다. 초과분은 인정되지 않습니다.",
    "{name_en}: more than the agreed {limit_won:,} won was spent; the excess falls.",
)
OVER_EARLIER_PLAN = FindingKind(
    "OVER_EARLIER_PLAN",
    "{name_ko}: 변경이 적용된 {day} 전에 당시 협약액 {limit_won:,}원을 초과해 집행했습니다.",
    "{name_en}: before the change of {day} more than the {limit_won:,} won of then was spent.",
)
LINE_MISMATCH = FindingKind(
    "LINE_MISMATCH",
    "계획서의 {line}번째 줄은 이 비목과 재원의 줄이 아닙니다. 줄 번호를 확인하세요.",
    "Line {line} of the plan is not one for this use and source; please check the number.",
    level="warning",
)
PLAN_CHANGED = FindingKind(
    "PLAN_CHANGED",
    "{name_ko}: 승인 없이 계획({limit_won:,}원)보다 {percent}% 이상 늘었습니다.",
    "{name_en} grew by {percent}% or more over {limit_won:,} won without approval.",
)
CHANGE_NEEDS_PAPER = FindingKind(
    "CHANGE_NEEDS_PAPER",
    "{name_ko}: 계획({limit_won:,}원)을 초과했습니다. 내부결재 서류를 갖추세요.",
    "{name_en} exceeds the planned {limit_won:,} won; keep the internal approval.",
    level="warning",
)


@dataclass(frozen=True, slots=True)
class OverPlan:
    """Whether the plan binds by budget item (비목) or by the single use of money."""

    by: Literal["item", "kind"]


@rule_kind(NoParams, LINE_MISMATCH)
def planned_line(rule: Bound[NoParams]) -> Check:
    """The line of the plan an expense names is one for its use and source of funds (G-040)."""
    lines, kind = rule.plan.lines, rule.cites(LINE_MISMATCH)

    def fits(group: Group, number: int) -> bool:
        if not 1 <= number <= len(lines):
            return False
        line = lines[number - 1]
        return (line.kind, line.fund) == (group.kind, group.fund)

    return lambda group: [
        rule.remark(kind, expense, line=expense.line)
        for expense in group.expenses
        if expense.line is not None and not fits(group, expense.line)
    ]


@limit_kind(OverPlan, OVER_PLAN, OVER_EARLIER_PLAN)
def over_plan(rule: Bound[OverPlan]) -> Limiter:
    """Spending within what was agreed, in money and in kind apart; the excess falls (G-033).

    What was spent before an amendment took effect is held against the plan of that time too:
    approval comes before spending.
    """
    rules, plan = rule.plan.rules, rule.plan
    kind, too_soon = rule.cites(OVER_PLAN), rule.cites(OVER_EARLIER_PLAN)

    def planned_won(planned: Mapping[str, Funds], code: str, in_kind: bool) -> int:
        return sum(
            funds.in_kind if in_kind else funds.grant + funds.cash
            for use, funds in planned.items()
            if code in (use, rules.item_of[use])
        )

    def limits(groups: Sequence[Group]) -> list[Limit]:
        found = []
        for (code, in_kind), members in _by_part(rules, groups, rule.params.by).items():
            name = _name(rules, code)
            texts = {"name_ko": name.ko, "name_en": name.en}
            limit = planned_won(plan.planned, code, in_kind)
            if sum(group.won for group in members) > limit:
                found.append(Limit(rule.spec, kind, each(members), limit, params=texts))
            for day, planned in plan.earlier:
                before = tuple(e for e in each(members) if e.dated_on < day)
                limit = planned_won(planned, code, in_kind)
                if sum(e.amount_won for e in before) > limit:
                    dated = {**texts, "day": str(day)}
                    found.append(Limit(rule.spec, too_soon, before, limit, params=dated))
        return found

    return limits


@limit_kind(NoParams, PLAN_CHANGED)
def plan_change(rule: Bound[NoParams]) -> Limiter:
    """Personnel grown by the tolerance or more without approval loses all of its growth (G-033)."""
    plan, kind = rule.plan, rule.cites(PLAN_CHANGED)
    percent = plan.rules.budget.changes.tolerance_percent

    def limits(groups: Sequence[Group]) -> list[Limit]:
        return [
            Limit(
                rule.spec,
                kind,
                each(members),
                planned,
                trigger_won=trigger,
                params={
                    "name_ko": name.ko,
                    "name_en": name.en,
                    "percent": decimal_text(percent),
                },
            )
            for name, planned, trigger, spent, members in _grown(plan, groups)
            if spent >= trigger
        ]

    return limits


@joint_kind(NoParams, CHANGE_NEEDS_PAPER)
def plan_change_paper(rule: Bound[NoParams]) -> JointCheck:
    """Personnel grown by less than the tolerance needs an internal paper (G-033)."""
    plan, kind = rule.plan, rule.cites(CHANGE_NEEDS_PAPER)

    def check(groups: Sequence[Group]) -> list[Breach]:
        return [
            rule.remark(
                kind,
                max(each(members), key=lambda e: (e.dated_on, e.id)),
                name_ko=name.ko,
                name_en=name.en,
                limit_won=planned,
            )
            for name, planned, trigger, spent, members in _grown(plan, groups)
            if spent < trigger and plan.rules.item_of[members[0].kind] not in plan.internal_changes
        ]

    return check


@limit_kind(NoParams, PAY_OVER_STANDARD)
def pay_total(rule: Bound[NoParams]) -> Limiter:
    """All pay of a person within the months and rates of the plan: none is paid twice (G-030)."""
    plan, kind = rule.plan, rule.cites(PAY_OVER_STANDARD)
    allowed: dict[tuple[str, str], int] = {}
    for person in plan.people.values():
        for use in {term.kind for term in person.terms}:
            allowed[person.ref, use] = term_won(plan, person, use)

    def limits(groups: Sequence[Group]) -> list[Limit]:
        sums: dict[str, dict[str | None, int]] = {}
        for group in groups:
            paid = sums.setdefault(group.kind, {})
            for expense in group.expenses:
                paid[expense.person] = paid.get(expense.person, 0) + expense.amount_won
        return [
            Limit(rule.spec, kind, _of_person(groups, person, use), allowed[person, use])
            for use, paid in sums.items()
            for person, won in paid.items()
            if person is not None and won > allowed.get((person, use), won)
        ]

    return limits


def share_limits(cap: ShareCap, plan: Plan) -> Limiter:
    """A percentage of the agreed funds (G-021 … G-026): money over it falls."""
    base = plan.funds.of(cap.base)
    limit = percent_limit(cap.percent, base)
    kind = cited(CAP_EXCEEDED, cap.rule, cap.citation)

    def limits(groups: Sequence[Group]) -> list[Limit]:
        spent = sum(group.won for group in groups)
        if spent <= limit:
            return []
        texts = {
            "base_won": base,
            "percent": decimal_text(cap.percent),
            "name_ko": cap.name.ko,
            "name_en": cap.name.en,
            "base_ko": cap.base_name.ko,
            "base_en": cap.base_name.en,
            **_sums(spent, limit),
        }
        return [Limit(cap, kind, each(groups), limit, params=texts)]

    return limits


def head_limits(cap: HeadCap, _plan: Plan) -> Limiter:
    """An amount for each beneficiary (G-028), over all expenses that name the person."""
    kind = cited(HEAD_CAP_EXCEEDED, cap.rule, cap.citation)

    def limits(groups: Sequence[Group]) -> list[Limit]:
        people: dict[str, list[Expense]] = {}
        nameless: list[list[Expense]] = []
        for group in groups:
            for expense in group.expenses:
                if expense.person is not None:
                    people.setdefault(expense.person, []).append(expense)
                elif expense.amount_won > expense.heads * cap.limit_won:
                    nameless.append([expense])
        found = []
        for members in (*people.values(), *nameless):
            count = 1 if members[0].person is not None else members[0].heads
            spent, limit = sum(e.amount_won for e in members), count * cap.limit_won
            if spent > limit:
                texts = {
                    "head_won": cap.limit_won,
                    "heads": count,
                    "head_ko": cap.head.ko,
                    "head_en": cap.head.en,
                    "name_ko": cap.name.ko,
                    "name_en": cap.name.en,
                    **_sums(spent, limit),
                }
                found.append(Limit(cap, kind, tuple(members), limit, params=texts))
        return found

    return limits


def asset_limits(cap: AssetCap, plan: Plan) -> Limiter:
    """A percentage of each asset's price (G-027, G-029), over all expenses on the asset."""
    kind = cited(ASSET_CAP_EXCEEDED, cap.rule, cap.citation)

    def limits(groups: Sequence[Group]) -> list[Limit]:
        things: dict[str, list[Expense]] = {}
        for expense in each(groups):
            ref = expense.goods.asset if expense.goods else None
            things.setdefault(ref or f"/{expense.id}", []).append(expense)
        found = []
        for ref, members in things.items():
            price, elsewhere = _price(plan, ref, members)
            limit = max(0, percent_limit(cap.percent, price) - elsewhere)
            spent = sum(e.amount_won for e in members)
            if spent > limit:
                texts = {
                    "base_won": price,
                    "percent": decimal_text(cap.percent),
                    "price_ko": cap.price_name.ko,
                    "price_en": cap.price_name.en,
                    "name_ko": cap.name.ko,
                    "name_en": cap.name.en,
                    **_sums(spent, limit),
                }
                found.append(Limit(cap, kind, tuple(members), limit, params=texts))
        return found

    return limits


def _price(plan: Plan, ref: str, members: Sequence[Expense]) -> tuple[int, int]:
    """An asset's price, from the plan or the expense, and what is pledged of it elsewhere."""
    if (asset := plan.assets.get(ref)) is not None:
        return asset.price_won * asset.quantity, asset.pledged_elsewhere_won
    prices = [e.goods.unit_price_won for e in members if e.goods and e.goods.unit_price_won]
    return max(prices, default=0), 0


def _grown(
    plan: Plan, groups: Sequence[Group]
) -> Iterable[tuple[Text, int, int, int, list[Group]]]:
    """Items spent above plan without approval: name, planned, trigger and spent won, groups."""
    rules = plan.rules
    percent = rules.budget.changes.tolerance_percent
    for (code, _), members in _by_part(rules, groups, "item").items():
        planned = sum(
            funds.total for use, funds in plan.planned.items() if rules.item_of[use] == code
        )
        spent = sum(group.won for group in members)
        trigger = -(planned * (100 + percent) // -100)
        if spent > planned and code not in plan.approved_changes:
            yield rules.items[code].name, planned, trigger, spent, members


def _by_part(
    rules: RuleSet, groups: Sequence[Group], by: Literal["item", "kind"]
) -> dict[tuple[str, bool], list[Group]]:
    """Groups by item or kind, money apart from what is in kind."""
    parts: dict[tuple[str, bool], list[Group]] = {}
    for group in groups:
        code = rules.item_of[group.kind] if by == "item" else group.kind
        parts.setdefault((code, group.fund == "in_kind"), []).append(group)
    return parts


def _name(rules: RuleSet, code: str) -> Text:
    return rules.items[code].name if code in rules.items else rules.kinds[code].name


def _of_person(groups: Sequence[Group], person: str, use: str) -> tuple[Expense, ...]:
    return tuple(
        expense
        for group in groups
        if group.kind == use
        for expense in group.expenses
        if expense.person == person
    )


def _sums(spent: int, limit: int) -> dict[str, int]:
    """What the members spent together; forms speak of thousands (천원)."""
    return {
        "amount_won": spent,
        "amount_thousand": spent // 1000,
        "limit_thousand": limit // 1000,
    }
