"""Runs the rules of a call over expenses: bound once, then dispatched by kind and fund."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Final

from services.grants.errors import ITEM_UNKNOWN
from services.grants.expenses.rules.exclusions import exclusion_check
from services.grants.expenses.rules.limits import asset_limits, head_limits, share_limits
from services.grants.expenses.rules.model import Expense, Plan, Stage
from services.grants.expenses.rules.registry import (
    Bound,
    Breach,
    Check,
    Group,
    JointCheck,
    Limit,
    Limiter,
    typed_rules,
)
from services.grants.programmes.rules import Fund, Selector
from shared.problems import Finding, Invalid

_KEY: Final = attrgetter("kind", "fund")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of some expenses: breaches of single ones, limits exceeded together."""

    groups: tuple[Group, ...]
    breaches: tuple[Breach, ...]
    limits: tuple[Limit, ...]


class Checker:
    """The rules of a call bound to a plan and a stage; one instance serves any number of checks."""

    def __init__(self, plan: Plan, stage: Stage) -> None:
        self.plan = plan
        self._alone: list[tuple[Selector, Check]] = []
        self._together: list[tuple[Selector, JointCheck]] = []
        self._limiters: list[tuple[Selector, Limiter]] = []
        for spec, kind, params in typed_rules(plan.rules):
            made: Any = kind.make(Bound(spec, params, plan, stage))
            if made is None:  # this plan gives the rule nothing to look for
                continue
            match kind.reach:
                case "row":
                    self._alone.append((spec.part, made))
                case "joint":
                    self._together.append((spec.part, made))
                case "limit":
                    self._limiters.append((spec.part, made))
        budget = plan.rules.budget
        self._limiters += [
            *((c.part, share_limits(c, plan)) for c in budget.share_caps if c.level == "error"),
            *((cap.part, head_limits(cap, plan)) for cap in budget.head_caps),
            *((cap.part, asset_limits(cap, plan)) for cap in budget.asset_caps),
        ]
        self._rows: Callable[[str, Fund], tuple[Check, ...]] = cache(self._dispatch)

    def check(self, expenses: Iterable[Expense]) -> Verdict:
        """Breaches and limits of expenses; `Invalid` names expenses of a kind the call lacks."""
        groups = _grouped(expenses)
        self._refuse_unknown(groups)
        breaches = [
            breach
            for group in groups
            for check in self._rows(group.kind, group.fund)
            for breach in check(group)
        ]
        for part, joint in self._together:
            if taken := self._taken(part, groups):
                breaches += joint(taken)
        limits = [
            limit
            for part, limiter in self._limiters
            if (taken := self._taken(part, groups))
            for limit in limiter(taken)
        ]
        # A narrow limit takes its excess before a wide one, or the wide one would be paid twice.
        limits.sort(key=lambda limit: len(limit.members))
        return Verdict(groups, tuple(breaches), tuple(limits))

    def rules_for(self, kind: str, fund: Fund) -> int:
        """How many rules look at every single expense of a kind and fund."""
        return len(self._rows(kind, fund))

    def _dispatch(self, kind: str, fund: Fund) -> tuple[Check, ...]:
        item = self.plan.rules.item_of[kind]
        exclusions = [
            rule
            for rule in self.plan.rules.spending.exclusions
            if rule.part.takes(item, kind, fund)
        ]
        checks = [check for part, check in self._alone if part.takes(item, kind, fund)]
        return (exclusion_check(self.plan, exclusions), *checks)

    def _taken(self, part: Selector, groups: Sequence[Group]) -> list[Group]:
        item_of = self.plan.rules.item_of
        return [g for g in groups if part.takes(item_of[g.kind], g.kind, g.fund)]

    def _refuse_unknown(self, groups: Sequence[Group]) -> None:
        unknown = [
            ITEM_UNKNOWN.at(f"/expenses/{expense.id}/kind", item="-", kind=group.kind)
            for group in groups
            if group.kind not in self.plan.rules.item_of
            for expense in group.expenses
        ]
        if unknown:
            raise Invalid(errors=unknown)


@dataclass(frozen=True, slots=True)
class ExpenseCheck:
    """What the rules say of one expense among the others of its year."""

    expense: Expense
    breaches: tuple[Breach, ...]
    recognisable_won: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(breach.finding() for breach in self.breaches)

    @property
    def ok(self) -> bool:
        return self.recognisable_won == self.expense.amount_won


def check_expense(
    plan: Plan, expense: Expense, others: Sequence[Expense] = (), stage: Stage = "plan"
) -> ExpenseCheck:
    """One expense before it is spent ("plan") or when it is entered, beside those already there.

    Limits over sums count what the others leave: the expense being checked bears the excess,
    under the gravest ground first.
    """
    verdict = Checker(plan, stage).check([*others, expense])
    kept = recognised(verdict)
    breaches = [breach for breach in verdict.breaches if breach.expense.id == expense.id]
    rank = {ground: place for place, ground in enumerate(plan.rules.spending.recovery.order)}
    for limit in sorted(verdict.limits, key=lambda x: rank.get(x.source.ground, len(rank))):
        if any(member.id == expense.id for member in limit.members):
            excess = limit.excess_won(sum(kept[member.id] for member in limit.members))
            won = min(excess, kept[expense.id])
            if won:
                kept[expense.id] -= won
                breaches.append(limit.breach(expense, won))
    return ExpenseCheck(expense, tuple(breaches), kept[expense.id])


def recognised(verdict: Verdict) -> dict[str, int]:
    """Won of each expense its own breaches leave; breaches of one expense overlap, never add."""
    kept = {e.id: e.amount_won for group in verdict.groups for e in group.expenses}
    for breach in verdict.breaches:
        left = max(0, breach.expense.amount_won - breach.disallowed_won)
        kept[breach.expense.id] = min(kept[breach.expense.id], left)
    return kept


def _grouped(expenses: Iterable[Expense]) -> tuple[Group, ...]:
    lists: Mapping[tuple[str, Fund], list[Expense]] = defaultdict(list)
    rows = list(expenses)
    for key, expense in zip(map(_KEY, rows), rows, strict=True):
        lists[key].append(expense)
    return tuple(Group(kind, fund, members) for (kind, fund), members in lists.items())
