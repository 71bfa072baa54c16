"""Amending the agreed plan (G-033): what may never grow, what the agency approves first, and what
an internal paper decides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from services.grants.expenses.rules import Plan
from services.grants.programmes.rules import FUNDS, Funds, RuleSet, Text, cited
from services.grants.proposals.rules import (
    Budget,
    Line,
    Totals,
    change_findings,
    totals,
)
from shared.problems import Finding, FindingKind

Decision = Literal["never", "approval", "internal"]

AMENDMENT_DAY = FindingKind(
    "AMENDMENT_DAY",
    "변경 적용일은 {first}부터 {last} 사이여야 합니다(입력 {given}).",
    "The amendment takes effect between {first} and {last} ({given} given).",
)
YEAR_FIXED = FindingKind(
    "YEAR_FIXED",
    "협약한 사업기간({start}~{end})은 계획 변경으로 바꿀 수 없습니다.",
    "An amendment does not change the agreed year ({start} to {end}).",
)
NOTHING_AMENDED = FindingKind(
    "NOTHING_AMENDED", "바뀐 내용이 없습니다.", "Nothing differs from the plan in force."
)
SPENT_ALREADY = FindingKind(
    "SPENT_ALREADY",
    "{name_ko}: 이미 {spent_won:,}원을 집행하여 {after_won:,}원으로 줄일 수 없습니다.",
    "{name_en}: {spent_won:,} won were spent already; it cannot be cut to {after_won:,} won.",
)
ITEM_NEEDS_APPROVAL = FindingKind(
    "ITEM_NEEDS_APPROVAL",
    "{name_ko}: 비목 금액이 바뀌므로 사전 승인을 받아 집행합니다"
    "({before_won:,}원 → {after_won:,}원).",
    "{name_en} changes from {before_won:,} to {after_won:,} won: approval comes before spending.",
    level="warning",
)
INTERNAL_IS_ENOUGH = FindingKind(
    "INTERNAL_IS_ENOUGH",
    "비목별 금액이 그대로이므로 기관의 내부결재로 변경할 수 있습니다.",
    "No item's amount changes: a decision of the institution itself is enough.",
    level="warning",
)
DECISION_PAPER_MISSING = FindingKind(
    "DECISION_PAPER_MISSING",
    "변경을 결정한 기관의 결재 서류를 첨부하세요.",
    "Attach the paper by which the institution decided the change.",
)


@dataclass(frozen=True, slots=True)
class ItemDecision:
    """A budget item the amendment touches, and whose decision that takes."""

    item: str
    name: Text
    before: Funds
    after: Funds
    decision: Decision


def money_of(plan: Plan) -> Totals:
    """What the plan in force adds up to, moves of money included, as a budget of the form would."""
    lines = tuple(
        Line(plan.rules.item_of[kind], kind, fund, won)
        for kind, funds in plan.planned.items()
        for fund in FUNDS
        if (won := funds.of([fund]))
    )
    return totals(plan.rules, Budget(plan.year, lines))


def decisions(before: Totals, after: Totals) -> tuple[ItemDecision, ...]:
    """The items whose money changes, with what each takes (G-033).

    An item whose sum stays while money moves inside of it is the institution's own decision.
    """
    rules = after.rules
    frozen = {
        finding.pointer.rpartition("/")[2]
        for finding in change_findings(rules, before, after)
        if finding.is_error
    }
    found = []
    for code, item in rules.leaves.items():
        kinds = {kind.code for kind in item.kinds}
        old, new = before.items[code], after.items[code]
        if old == new and _by_kind(before, kinds) == _by_kind(after, kinds):
            continue
        decision: Decision = "internal" if old == new else "approval"
        if frozen & {code, *kinds}:
            decision = "never"
        found.append(ItemDecision(code, item.name, old, new, decision))
    return tuple(found)


def amendment_findings(
    plan: Plan,
    budget: Budget,
    after: Totals,
    *,
    effective_on: date,
    not_before: date,
    spent: Mapping[str, int],
    differs: bool,
) -> Iterator[Finding]:
    """What is to be said of replacing the plan in force, beside the check of the new one (G-033).

    `not_before` is the first day open to an amendment, `spent` the won entered by use of money,
    `differs` whether anything of the document does.
    """
    rules, before = plan.rules, money_of(plan)
    if not (not_before <= effective_on <= plan.year.end):
        yield _of_changes(rules, AMENDMENT_DAY).at(
            "/effective_on",
            field="effective_on",
            first=str(not_before),
            last=str(plan.year.end),
            given=str(effective_on),
        )
    if budget.year != plan.year:
        yield YEAR_FIXED.at(
            "/document/budget/year", start=str(plan.year.start), end=str(plan.year.end)
        )
    if not differs:
        yield NOTHING_AMENDED.at("/document")
        return
    for finding in change_findings(rules, before, after):
        yield replace(finding, pointer=f"/document/budget{finding.pointer}")
    yield from _overspent(rules, after, spent)
    found = decisions(before, after)
    for line in found:
        if line.decision == "approval":
            yield _of_changes(rules, ITEM_NEEDS_APPROVAL).at(
                f"/document/budget/items/{line.item}",
                name_ko=line.name.ko,
                name_en=line.name.en,
                before_won=line.before.total,
                after_won=line.after.total,
            )
    if found and all(line.decision == "internal" for line in found):
        yield _of_changes(rules, INTERNAL_IS_ENOUGH).at("/document/budget")


def _overspent(rules: RuleSet, after: Totals, spent: Mapping[str, int]) -> Iterator[Finding]:
    """Items the amendment would cut below what was spent of them."""
    sums: dict[str, int] = {}
    for kind, won in spent.items():
        item = rules.item_of[kind]
        sums[item] = sums.get(item, 0) + won
    for code, won in sums.items():
        if won > after.items[code].total:
            name = rules.items[code].name
            yield _of_changes(rules, SPENT_ALREADY).at(
                f"/document/budget/items/{code}",
                name_ko=name.ko,
                name_en=name.en,
                spent_won=won,
                after_won=after.items[code].total,
            )


def _by_kind(sums: Totals, kinds: set[str]) -> dict[tuple[str, str], int]:
    won: dict[tuple[str, str], int] = {}
    for line, amount in sums.lines:
        if line.kind in kinds and amount:
            key = (line.kind, line.fund)
            won[key] = won.get(key, 0) + amount
    return won


def _of_changes(rules: RuleSet, kind: FindingKind) -> FindingKind:
    return cited(kind, rules.budget.changes.rule, rules.budget.changes.citation)
