"""Money never recognised: stated facts, uses the call excludes, and funds an item cannot use."""

from collections.abc import Iterable

from services.grants.errors import EXTERNAL_PAY_INKIND, FUND_NOT_ALLOWED, INTERNAL_PAY_CASH
from services.grants.expenses.rules.model import Expense, Plan
from services.grants.expenses.rules.registry import (
    Bound,
    Breach,
    Check,
    Group,
    NoParams,
    rule_kind,
)
from services.grants.programmes.rules import FUND_NAMES, Exclusion, cited, listed
from shared.problems import FindingKind

EXCLUDED = FindingKind(
    "EXCLUDED",
    "인정되지 않는 집행입니다: {name_ko}",
    "This spending is not recognised: {name_en}",
)


def exclusion_check(plan: Plan, exclusions: Iterable[Exclusion]) -> Check:
    """The exclusions of one kind of spending as one check: most rows state no facts at all."""
    lifted = [rule for rule in exclusions if rule.unless is None or rule.unless not in plan.traits]
    always = [rule for rule in lifted if not rule.facts]
    by_fact = [rule for rule in lifted if rule.facts]

    def breach(expense: Expense, rule: Exclusion) -> Breach:
        facts = sorted(rule.facts & expense.facts)
        fact = listed(plan.rules.fact_names[code] for code in facts)
        params = {
            "facts": facts,
            "fact_ko": fact.ko,
            "fact_en": fact.en,
            "name_ko": rule.name.ko,
            "name_en": rule.name.en,
        }
        kind = cited(EXCLUDED, rule.rule, rule.citation)
        return Breach(expense, rule, kind, expense.amount_won, rule.ground, params=params)

    def check(group: Group) -> list[Breach]:
        found = [breach(expense, rule) for rule in always for expense in group.expenses]
        found += [
            breach(expense, rule)
            for expense in group.stated
            for rule in by_fact
            if not rule.facts.isdisjoint(expense.facts)
        ]
        return found

    return check


@rule_kind(NoParams, FUND_NOT_ALLOWED, EXTERNAL_PAY_INKIND, INTERNAL_PAY_CASH)
def item_funds(rule: Bound[NoParams]) -> Check:
    """An item is paid only from the funds the call gives it: pay of operators never in kind."""
    rules = rule.plan.rules
    kinds = {"external_pay": EXTERNAL_PAY_INKIND, "internal_pay": INTERNAL_PAY_CASH}

    def check(group: Group) -> list[Breach]:
        item, fund = rules.items[rules.item_of[group.kind]], group.fund
        if fund in item.funds:
            return []
        kind = rule.cites(kinds.get(item.role or "", FUND_NOT_ALLOWED))
        texts = {
            "name_ko": item.name.ko,
            "name_en": item.name.en,
            "fund_ko": FUND_NAMES[fund].ko,
            "fund_en": FUND_NAMES[fund].en,
        }
        return [rule.whole(kind, expense, **texts) for expense in group.expenses]

    return check
