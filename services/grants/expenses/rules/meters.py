"""How far a year's spending has used its caps and its items, while it is still being spent."""

from collections.abc import Iterable, Mapping

from services.grants.expenses.rules.model import Expense, Plan
from services.grants.programmes.rules import Funds, decimal_text, share_text
from services.grants.proposals.rules import Meter, percent_limit


def spending_meters(plan: Plan, expenses: Iterable[Expense]) -> tuple[Meter, ...]:
    """A meter for every cap that has a base, and one for every item with money in the plan."""
    spent: dict[str, Funds] = {}
    for expense in expenses:
        funds = Funds.single(expense.fund, expense.amount_won)
        spent[expense.kind] = spent.get(expense.kind, Funds()) + funds
    return (*_caps(plan, spent), *_items(plan, spent))


def _caps(plan: Plan, spent: Mapping[str, Funds]) -> Iterable[Meter]:
    for cap in plan.rules.budget.share_caps:
        base = plan.funds.of(cap.base)
        won = sum(
            funds.of([fund])
            for kind, funds in spent.items()
            for fund in ("grant", "cash", "in_kind")
            if cap.part.takes(plan.rules.item_of[kind], kind, fund)
        )
        yield Meter(
            cap.rule,
            cap.citation,
            cap.name,
            f"/caps/{cap.rule}",
            numerator_won=won,
            denominator_won=base,
            limit_won=percent_limit(cap.percent, base),
            percent=decimal_text(cap.percent),
            used_percent=share_text(won, base),
        )


def _items(plan: Plan, spent: Mapping[str, Funds]) -> Iterable[Meter]:
    """Spent against agreed, the money and the in-kind part of an item together."""
    changes = plan.rules.budget.changes
    for code, item in plan.rules.leaves.items():
        kinds = {kind.code for kind in item.kinds}
        planned = sum(funds.total for kind, funds in plan.planned.items() if kind in kinds)
        won = sum(funds.total for kind, funds in spent.items() if kind in kinds)
        if planned or won:
            yield Meter(
                changes.rule,
                changes.citation,
                item.name,
                f"/items/{code}",
                numerator_won=won,
                denominator_won=planned,
                limit_won=planned,
                percent="100",
                used_percent=share_text(won, planned),
            )
