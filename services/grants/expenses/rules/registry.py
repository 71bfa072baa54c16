"""The kinds of expense rule the code knows, and how one becomes a check of a plan.

A rule of a call names a kind, what it applies to, and parameters. A kind is one small function:
it takes the rule bound to a plan and returns a *check* (expenses in, breaches out), or the
*limits* some expenses together exceed. Everything that does not depend on the row is worked out
while binding, so a check is mostly one comprehension that finds nothing and builds nothing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from fractions import Fraction
from functools import cached_property, lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

from services.grants.errors import RULE_SET_REFERENCE, RuleSetInvalid
from services.grants.expenses.rules.model import Expense, Plan, Stage
from services.grants.programmes.reading import read
from services.grants.programmes.rules import ExpenseRule, Fund, RuleSet, Text, cited
from shared.problems import Finding, FindingKind

P = TypeVar("P")
M = TypeVar("M", bound=Callable[..., Any])


class Source(Protocol):
    """What a breach goes back to: a rule, an exclusion or a cap of the call."""

    @property
    def rule(self) -> str: ...
    @property
    def name(self) -> Text: ...
    @property
    def citation(self) -> str: ...
    @property
    def ground(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule an expense breaks: the won it voids (0 for a remark) and the recovery ground."""

    expense: Expense
    source: Source
    kind: FindingKind
    disallowed_won: int
    ground: int
    limit_won: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def finding(self, pointer: str | None = None) -> Finding:
        """The breach as the wire shows it, with won, ground and the name of the rule."""
        extra: dict[str, Any] = {
            "amount_won": self.expense.amount_won,
            "disallowed_won": self.disallowed_won,
            "rule_ko": self.source.name.ko,
            "rule_en": self.source.name.en,
        }
        if self.disallowed_won:
            extra["ground"] = self.ground
        if self.limit_won is not None:
            extra["limit_won"] = self.limit_won
        at = f"/expenses/{self.expense.id}" if pointer is None else pointer
        return self.kind.at(at, **{**extra, **self.params})


@dataclass(frozen=True, slots=True)
class Limit:
    """Expenses that together exceed a limit; only the excess falls, the latest first.

    `trigger_won` is the sum from which the limit bites at all, where that is not the limit.
    """

    source: Source
    kind: FindingKind
    members: tuple[Expense, ...]
    limit_won: int
    trigger_won: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def excess_won(self, sum_won: int) -> int:
        if self.trigger_won is not None and sum_won < self.trigger_won:
            return 0
        return max(0, sum_won - self.limit_won)

    def breach(self, expense: Expense, won: int) -> Breach:
        ground = self.source.ground
        return Breach(expense, self.source, self.kind, won, ground, self.limit_won, self.params)


@dataclass(frozen=True, eq=False)
class Group:
    """The expenses of one kind from one source of funds, and what several rules ask of them.

    Not slotted: what was asked once is kept for the next rule.
    """

    kind: str
    fund: Fund
    expenses: Sequence[Expense]

    @cached_property
    def won(self) -> int:
        return sum(map(_AMOUNT, self.expenses))

    @cached_property
    def papers(self) -> frozenset[frozenset[str]]:
        """The combinations of documents that occur: a handful, however many the expenses."""
        return frozenset(map(_PAPERS, self.expenses))

    @cached_property
    def stated(self) -> Sequence[Expense]:
        """The expenses of which anything is stated as a fact: few."""
        return [expense for expense in self.expenses if expense.facts]


_AMOUNT: Final = attrgetter("amount_won")
_PAPERS: Final = attrgetter("evidence_kinds")

Check = Callable[[Group], list[Breach]]
"""Judges expenses one by one, given those of one kind and source of funds."""

JointCheck = Callable[[Sequence[Group]], list[Breach]]
"""Judges expenses by one another, given all the rule applies to."""

Limiter = Callable[[Sequence[Group]], list[Limit]]
"""Finds the sums that exceed a limit."""


def each(groups: Sequence[Group]) -> tuple[Expense, ...]:
    """The expenses of several groups in one row."""
    return tuple(expense for group in groups for expense in group.expenses)


@dataclass(frozen=True, slots=True)
class Bound(Generic[P]):
    """A rule of the call bound to a plan and a stage, its parameters read and typed."""

    spec: ExpenseRule
    params: P
    plan: Plan
    stage: Stage

    def cites(self, kind: FindingKind) -> FindingKind:
        return cited(kind, self.spec.rule, self.spec.citation)

    def whole(self, kind: FindingKind, expense: Expense, /, **params: Any) -> Breach:
        """The whole amount falls."""
        won = expense.amount_won
        return Breach(expense, self.spec, kind, won, self.spec.ground, params=params)

    def excess(self, kind: FindingKind, expense: Expense, limit: int, /, **params: Any) -> Breach:
        """What lies over a limit falls."""
        won = expense.amount_won - limit
        return Breach(expense, self.spec, kind, won, self.spec.ground, limit, params)

    def part(
        self, kind: FindingKind, expense: Expense, kept: int, of: int, /, **params: Any
    ) -> Breach:
        """Days, months or points not covered fall; what is kept is cut to whole won."""
        keeps = expense.amount_won * kept // of
        return self.excess(kind, expense, keeps, **params)

    def remark(self, kind: FindingKind, expense: Expense, /, **params: Any) -> Breach:
        """Nothing falls; somebody should look."""
        return Breach(expense, self.spec, kind, 0, 0, params=params)


@dataclass(frozen=True, slots=True)
class NoParams:
    """For kinds whose numbers all stand elsewhere in the rule set."""


Reach = Literal["row", "joint", "limit"]


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A kind of rule. `reach` says whether rows are judged alone, by one another, or by sums."""

    name: str
    params: type
    reach: Reach
    says: tuple[FindingKind, ...]
    make: Callable[[Bound[Any]], Check | JointCheck | Limiter | None]
    doc: str


_KINDS: Final[dict[str, RuleKind]] = {}

KINDS: Final[Mapping[str, RuleKind]] = MappingProxyType(_KINDS)
"""Every kind of rule by name; the rule modules fill it when they are imported."""

Row = Callable[[Bound[P]], Check | None]
Joint = Callable[[Bound[P]], JointCheck | None]
Sums = Callable[[Bound[P]], Limiter | None]


def rule_kind(params: type[P], *says: FindingKind) -> Callable[[Row[P]], Row[P]]:
    """Registers a function as the kind of rule of its name, judging expenses one by one."""
    return lambda make: _add(make, params, says, "row")


def joint_kind(params: type[P], *says: FindingKind) -> Callable[[Joint[P]], Joint[P]]:
    """Registers a kind of rule that judges expenses by one another."""
    return lambda make: _add(make, params, says, "joint")


def limit_kind(params: type[P], *says: FindingKind) -> Callable[[Sums[P]], Sums[P]]:
    """Registers a kind of rule that sets limits over sums of expenses."""
    return lambda make: _add(make, params, says, "limit")


def _add(make: M, params: type, says: tuple[FindingKind, ...], reach: Reach) -> M:
    doc = " ".join((make.__doc__ or "").split())
    _KINDS[make.__name__] = RuleKind(make.__name__, params, reach, says, make, doc)
    return make


@lru_cache(maxsize=64)
def typed_rules(rules: RuleSet) -> tuple[tuple[ExpenseRule, RuleKind, Any], ...]:
    """A call's expense rules with their kinds and typed parameters, read once for a rule set.

    `RuleSetInvalid` lists every kind and parameter the code does not know.
    """
    findings = rule_findings(rules)
    if findings:
        raise RuleSetInvalid(errors=findings)
    return tuple(
        (spec, kind := kind_of(spec), read(kind.params, dict(spec.params)))
        for spec in rules.spending.rules
    )


def kind_of(spec: ExpenseRule) -> RuleKind:
    try:
        return KINDS[spec.kind]
    except KeyError:
        finding = RULE_SET_REFERENCE.at(f"/spending/rules/{spec.rule}", what="kind", code=spec.kind)
        raise RuleSetInvalid(errors=[finding]) from None


def refers(to: str, default: Any = MISSING) -> Any:
    """A parameter that names codes of the rule set: evidence, fact, fee, kind, set."""
    if default is MISSING:
        return field(metadata={"refers": to})
    return field(default=default, metadata={"refers": to})


def rule_findings(rules: RuleSet) -> list[Finding]:
    """What is wrong with the expense rules of a call: kinds, parameters, codes they name."""
    findings: list[Finding] = []
    for spec in rules.spending.rules:
        pointer = f"/spending/rules/{spec.rule}/params"
        try:
            params: Any = read(kind_of(spec).params, dict(spec.params), pointer)
        except RuleSetInvalid as problem:
            findings.extend(problem.errors)
        else:
            findings.extend(_unknown_codes(rules, params, pointer))
    return findings


def _unknown_codes(rules: RuleSet, params: Any, pointer: str) -> Iterator[Finding]:
    known: Mapping[str, Collection[str]] = {
        "evidence": rules.evidence_names,
        "fact": rules.fact_names,
        "fee": [fee.code for fee in rules.budget.fees],
        "kind": rules.kinds,
        "set": rules.spending.evidence_sets,
    }
    for part in fields(params):
        what = part.metadata.get("refers")
        value = getattr(params, part.name)
        if what is None or value is None:
            continue
        for code in sorted([value] if isinstance(value, str) else value):
            if code not in known[what]:
                yield RULE_SET_REFERENCE.at(f"{pointer}/{part.name}", what=what, code=code)


def names(rules: RuleSet, codes: Sequence[str]) -> Text:
    """Names of evidence in both languages: "계좌이체영수증 또는 신용카드매출전표"."""
    texts = [rules.evidence_names[code] for code in codes]
    return Text(" 또는 ".join(text.ko for text in texts), " or ".join(text.en for text in texts))


def whole_won(value: Fraction | int) -> int:
    """An exact allowance cut to whole won."""
    return value // 1
