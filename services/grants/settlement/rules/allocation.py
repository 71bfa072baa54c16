"""Which won of a year fall, and on which one ground (G-048).

Breaches of one expense overlap: each voids the top of the amount, so a won is lost once, to the
gravest ground that reaches it. Limits over sums then take their excess from what is left, narrow
limits before wide ones and the latest expense first.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.grants.expenses.rules import Breach, Checker, Expense, Limit, Plan, Source, Verdict
from services.grants.programmes.rules import Funds, RuleSet, Text, cited
from services.grants.settlement.rules.statement import NEGATIVE_LINE
from shared.problems import Finding, FindingKind, Invalid

REVIEW_INVALID = FindingKind(
    "REVIEW_INVALID",
    "검토 의견의 집행 건, 환수 사유 또는 금액이 올바르지 않습니다.",
    "The review names no such expense, ground or amount.",
)
REVIEWER_FINDING = FindingKind(
    "REVIEWER_FINDING",
    "정산 검토에서 불인정했습니다: {note}",
    "Disallowed in the review: {note}",
)


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's own finding: some won of an expense fall on a ground, for a stated reason."""

    expense: str
    ground: int
    won: int
    note: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """A reviewer accepts what a rule would void; the reason is kept by the caller."""

    expense: str
    rule: str
    code: str


@dataclass(frozen=True, slots=True)
class Disallowance:
    """Won of an expense that fall, with the one breach (and ground) that takes them."""

    expense: Expense
    won: int
    breach: Breach

    @property
    def ground(self) -> int:
        return self.breach.ground


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A row of the settlement sheet (비목별): won by source of funds."""

    item: str
    name: Text
    planned: Funds
    spent: Funds
    disallowed: Funds

    @property
    def recognised(self) -> Funds:
        return self.spent - self.disallowed


@dataclass(frozen=True)
class Settlement:
    """The outcome: every breach found, and the won that fall, none of them twice."""

    plan: Plan
    verdict: Verdict
    breaches: tuple[Breach, ...]
    disallowances: tuple[Disallowance, ...]

    @cached_property
    def spent(self) -> Funds:
        return sum((Funds.single(g.fund, g.won) for g in self.verdict.groups), Funds())

    @cached_property
    def disallowed(self) -> Funds:
        return _sum(self.disallowances)

    @cached_property
    def by_expense(self) -> Mapping[str, tuple[Disallowance, ...]]:
        found: dict[str, list[Disallowance]] = defaultdict(list)
        for disallowance in self.disallowances:
            found[disallowance.expense.id].append(disallowance)
        return {expense: tuple(parts) for expense, parts in found.items()}

    @cached_property
    def by_ground(self) -> Mapping[int, int]:
        """Won by recovery ground, gravest first; grounds without won are left out."""
        won: dict[int, int] = defaultdict(int)
        for disallowance in self.disallowances:
            won[disallowance.ground] += disallowance.won
        order = self.plan.rules.spending.recovery.order
        return {ground: won[ground] for ground in order if won[ground]}

    @cached_property
    def items(self) -> tuple[ItemLine, ...]:
        """The sheet by item, items without plan and spending left out."""
        rules, item_of = self.plan.rules, self.plan.rules.item_of
        planned: dict[str, Funds] = defaultdict(Funds)
        spent: dict[str, Funds] = defaultdict(Funds)
        fallen: dict[str, Funds] = defaultdict(Funds)
        for kind, funds in self.plan.planned.items():
            planned[item_of[kind]] += funds
        for group in self.verdict.groups:
            spent[item_of[group.kind]] += Funds.single(group.fund, group.won)
        for part in self.disallowances:
            fallen[item_of[part.expense.kind]] += Funds.single(part.expense.fund, part.won)
        return tuple(
            ItemLine(code, item.name, planned[code], spent[code], fallen[code])
            for code, item in rules.leaves.items()
            if planned[code].total or spent[code].total
        )


def settle(
    plan: Plan,
    expenses: Iterable[Expense],
    reviews: Sequence[Review] = (),
    waivers: Iterable[Waiver] = (),
) -> Settlement:
    """A year's expenses against the rules of the call, and reviewers' decisions.

    `Invalid` when an amount is negative or of an unknown kind, or a review names no expense.
    """
    rows = list(expenses)
    negative = [row for row in rows if row.amount_won < 0]
    if negative:
        raise Invalid(errors=[_negative(plan.rules, expense) for expense in negative])
    verdict = Checker(plan, "settlement").check(rows)
    waived = {(waiver.expense, waiver.rule, waiver.code) for waiver in waivers}
    breaches = [
        *(b for b in verdict.breaches if not waived or _key(b) not in waived),
        *_reviewed(plan, rows, reviews),
    ]
    rank = {ground: place for place, ground in enumerate(plan.rules.spending.recovery.order)}
    alone = [part for group in _voiding(breaches) for part in _layers(group, rank)]
    together = _Excess(verdict.limits, alone, waived, rank).disallowances()
    found = (*breaches, *(part.breach for part in together))
    return Settlement(plan, verdict, found, (*alone, *together))


def _layers(breaches: Sequence[Breach], rank: Mapping[int, int]) -> Iterator[Disallowance]:
    """The breaches of one expense as layers: the gravest ground first, each adding its rest."""
    taken = 0
    for breach in sorted(
        breaches, key=lambda b: (rank.get(b.ground, len(rank)), -b.disallowed_won)
    ):
        reach = min(breach.disallowed_won, breach.expense.amount_won)
        if reach > taken:
            yield Disallowance(breach.expense, reach - taken, breach)
            taken = reach


def _voiding(breaches: Iterable[Breach]) -> Iterable[list[Breach]]:
    by_expense: dict[str, list[Breach]] = defaultdict(list)
    for breach in breaches:
        if breach.disallowed_won > 0:
            by_expense[breach.expense.id].append(breach)
    return by_expense.values()


class _Excess:
    """Takes the excess of limits over sums, after what single expenses already lost.

    Amounts are settled narrow limit before wide, so that won over a cap per head are not asked
    for again by the cap of the item. Only then is the ground of each won decided: a graver limit
    that those won exceeded too becomes their primary ground.
    """

    def __init__(
        self,
        limits: Sequence[Limit],
        alone: Sequence[Disallowance],
        waived: set[tuple[str, str, str]],
        rank: Mapping[int, int],
    ) -> None:
        self._limits = limits
        self._waived = waived
        self._rank = rank
        self._lost: dict[str, int] = defaultdict(int)
        for part in alone:
            self._lost[part.expense.id] += part.won
        self._cuts: list[tuple[Limit, Expense, int]] = []

    def disallowances(self) -> list[Disallowance]:
        first = [self._excess(limit) for limit in self._limits]
        for limit in self._limits:
            self._cut(limit, self._excess(limit))
        if len({limit.source.ground for limit in self._limits}) > 1:
            for limit, excess in sorted(
                zip(self._limits, first, strict=True), key=lambda pair: self._place(pair[0])
            ):
                self._claim(limit, excess)
        return [
            Disallowance(expense, won, limit.breach(expense, won))
            for limit, expense, won in self._cuts
        ]

    def _excess(self, limit: Limit) -> int:
        lost = self._lost
        return limit.excess_won(sum(e.amount_won - lost.get(e.id, 0) for e in limit.members))

    def _cut(self, limit: Limit, excess: int) -> None:
        for expense in sorted(limit.members, key=_latest, reverse=True) if excess else ():
            left = expense.amount_won - self._lost.get(expense.id, 0)
            won = min(left, excess)
            if won and (expense.id, limit.source.rule, limit.kind.code) not in self._waived:
                self._cuts.append((limit, expense, won))
                self._lost[expense.id] += won
                excess -= won
            if not excess:
                break

    def _claim(self, limit: Limit, excess: int) -> None:
        """Gives a limit the won it reaches and a lesser ground holds, up to its own excess."""
        open_won = excess - sum(won for by, _, won in self._cuts if by is limit)
        members = {expense.id for expense in limit.members}
        kept: list[tuple[Limit, Expense, int]] = []
        for by, expense, won in sorted(self._cuts, key=lambda c: _latest(c[1]), reverse=True):
            moved = 0
            if expense.id in members and self._place(by) > self._place(limit):
                moved = max(0, min(won, open_won))
                open_won -= moved
            kept += [(limit, expense, moved)] if moved else []
            kept += [(by, expense, won - moved)] if won > moved else []
        self._cuts = kept

    def _place(self, limit: Limit) -> int:
        return self._rank.get(limit.source.ground, len(self._rank))


@dataclass(frozen=True, slots=True)
class _ReviewSource:
    """A reviewer's finding goes back to the recovery ground it names."""

    rule: str
    name: Text
    citation: str
    ground: int


def _reviewed(
    plan: Plan, expenses: Sequence[Expense], reviews: Sequence[Review]
) -> Iterator[Breach]:
    recovery = plan.rules.spending.recovery
    grounds = {ground.number: ground for ground in recovery.grounds}
    rows = {expense.id: expense for expense in expenses} if reviews else {}
    for index, review in enumerate(reviews):
        ground, expense = grounds.get(review.ground), rows.get(review.expense)
        if ground is None or expense is None or not 0 < review.won <= expense.amount_won:
            kind = cited(REVIEW_INVALID, recovery.rule, recovery.citation)
            raise Invalid(errors=[kind.at(f"/reviews/{index}")])
        source: Source = _ReviewSource(recovery.rule, ground.name, ground.citation, ground.number)
        kind = cited(REVIEWER_FINDING, recovery.rule, ground.citation)
        params = {"note": review.note}
        yield Breach(expense, source, kind, review.won, ground.number, params=params)


def _negative(rules: RuleSet, expense: Expense) -> Finding:
    rule = rules.spending.statement
    return cited(NEGATIVE_LINE, rule.rule, rule.citation).at(
        f"/expenses/{expense.id}/amount_won",
        name_ko="집행액",
        name_en="The amount",
        given=expense.amount_won,
    )


def _key(breach: Breach) -> tuple[str, str, str]:
    return breach.expense.id, breach.source.rule, breach.kind.code


def _latest(expense: Expense) -> tuple[object, str]:
    return expense.dated_on, expense.id


def _sum(parts: Iterable[Disallowance]) -> Funds:
    return sum((Funds.single(part.expense.fund, part.won) for part in parts), Funds())
