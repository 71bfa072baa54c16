"""Things bought, and money claimed elsewhere: G-034, G-045, and the border to mileage."""

from dataclasses import dataclass

from services.grants.expenses.rules.model import Expense, short_mark
from services.grants.expenses.rules.registry import (
    Bound,
    Breach,
    Check,
    NoParams,
    refers,
    rule_kind,
)
from services.grants.programmes.rules import add_months
from shared.problems import FindingKind

TOO_SHORT_USE = FindingKind(
    "TOO_SHORT_USE",
    "{at_least}개월 이상 사용할 수 있는 기기·장비여야 합니다(현재 {given}개월).",
    "Equipment is usable for {at_least} month(s) or more ({given} given).",
)
ASSET_NOT_IN_PLAN = FindingKind(
    "NOT_IN_PLAN",
    "사업계획서에 없는 {from_won:,}원 이상 장비·시설입니다. 협약변경 승인이 필요합니다.",
    "This is not in the plan and costs {from_won:,} won or more: an amendment is needed.",
)
ASSET_NEEDS_PAPER = FindingKind(
    "CHANGE_NEEDS_PAPER",
    "사업계획서에 없는 장비·시설입니다. 내부결재에 의한 변경 서류를 갖추세요.",
    "This is not in the plan: keep the internal approval of the change.",
    level="warning",
)
PURCHASE_UNREPORTED = FindingKind(
    "PURCHASE_UNREPORTED",
    "{from_won:,}원 이상 장비는 {due}까지 전문기관에 보고해야 합니다(보고일: {reported}).",
    "Equipment of {from_won:,} won or more is reported by {due} (reported: {reported}).",
    level="warning",
)
CROSS_CLAIM = FindingKind(
    "CROSS_CLAIM",
    "마일리지에도 쓰인 입금 또는 증빙입니다. 중복 여부를 확인하세요: {claimed} ({where})",
    "This deposit or document also serves mileage; please check: {claimed} ({where})",
    level="warning",
)


@dataclass(frozen=True, slots=True)
class UsableMonths:
    at_least: int


@rule_kind(UsableMonths, TOO_SHORT_USE)
def usable_months(rule: Bound[UsableMonths]) -> Check:
    """Equipment is what the project can use for a month or more (G-045)."""
    at_least, kind = rule.params.at_least, rule.cites(TOO_SHORT_USE)
    return lambda group: [
        rule.whole(kind, expense, at_least=at_least, given=goods.usable_months)
        for expense in group.expenses
        if (goods := expense.goods) is not None
        and goods.usable_months is not None
        and goods.usable_months < at_least
    ]


@dataclass(frozen=True, slots=True)
class PlannedAsset:
    """`approval` is the fact of an approved amendment, `paper` the internal paper for less."""

    unit_price_from_won: int
    approval: str = refers("fact")
    paper: str = refers("evidence")


@rule_kind(PlannedAsset, ASSET_NOT_IN_PLAN, ASSET_NEEDS_PAPER)
def planned_asset(rule: Bound[PlannedAsset]) -> Check:
    """Big equipment outside the plan needs an amendment, small an internal paper (G-034)."""
    assets, params = rule.plan.assets, rule.params
    from_won = params.unit_price_from_won
    big, small = rule.cites(ASSET_NOT_IN_PLAN), rule.cites(ASSET_NEEDS_PAPER)

    def breach(expense: Expense) -> Breach | None:
        if params.approval in expense.facts:
            return None
        if _unit_price(expense) >= from_won:
            return rule.whole(big, expense, from_won=from_won)
        if params.paper not in expense.evidence_kinds:
            return rule.remark(small, expense)
        return None

    return lambda group: [
        found
        for expense in group.expenses
        if ((goods := expense.goods) is None or goods.asset not in assets)
        and (found := breach(expense)) is not None
    ]


@rule_kind(NoParams, PURCHASE_UNREPORTED)
def big_purchase_report(rule: Bound[NoParams]) -> Check:
    """Big equipment is reported within months of the agreement (G-034)."""
    big = rule.plan.rules.budget.big_purchase
    from_won, kind = big.unit_price_from_won, rule.cites(PURCHASE_UNREPORTED)
    due = add_months(rule.plan.agreed_on, big.report_within_months)

    def breach(expense: Expense) -> Breach | None:
        reported = expense.goods.reported_on if expense.goods else None
        if reported is not None and reported <= due:
            return None
        return rule.remark(
            kind, expense, from_won=from_won, due=str(due), reported=str(reported or "-")
        )

    return lambda group: [
        found
        for expense in group.expenses
        if _unit_price(expense) >= from_won and (found := breach(expense)) is not None
    ]


@rule_kind(NoParams, CROSS_CLAIM)
def cross_claim(rule: Bound[NoParams]) -> Check | None:
    """A deposit or document that serves mileage too is shown to the reviewer, who decides (C-4)."""
    claimed, kind = rule.plan.claimed, rule.cites(CROSS_CLAIM)
    if not claimed:
        return None

    return lambda group: [
        rule.remark(kind, expense, claimed=short_mark(mark), where=claimed[mark])
        for expense in group.expenses
        for mark in claim_marks(expense)
        if mark in claimed
    ]


def claim_marks(expense: Expense) -> tuple[str, ...]:
    """By what an expense can be found among claims for mileage: deposit, numbers, files."""
    return tuple(dict.fromkeys(m for m in (expense.deposit, *expense.evidence_marks) if m))


def _unit_price(expense: Expense) -> int:
    """The unit price, or the amount where none is given (facilities go by their total)."""
    goods = expense.goods
    if goods is None or goods.unit_price_won is None:
        return expense.amount_won
    return goods.unit_price_won
