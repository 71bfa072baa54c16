"""The spending part of a rule set: evidence, expense rules, exclusions and recovery grounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.grants.programmes.rules.terms import Fund, Selector, Text

Proof = Literal["payment", "receipt"]


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """A sort of document; `proves` says whether its amount proves the payment or the purchase."""

    code: str
    name: Text
    proves: frozenset[Proof] = frozenset()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of an expense that a person states: the applicant, or a reviewer.

    `words` is a pattern by which the stated purpose says it (외 3건).
    """

    code: str
    name: Text
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """When a piece of evidence is needed. Every part given must hold; amounts in won."""

    amount_from_won: int | None = None
    amount_over_won: int | None = None
    amount_below_won: int | None = None
    amount_up_to_won: int | None = None
    unit_price_from_won: int | None = None
    fact: str | None = None
    funds: frozenset[Fund] | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """One of `any_of` must be there. Without it the money is void, or a supplement is asked."""

    any_of: tuple[str, ...]
    when: Condition | None = None
    missing: Literal["void", "supplement"] = "void"


@dataclass(frozen=True, slots=True)
class ExpenseRule:
    """A rule of the call: a kind the code knows, what it applies to, and its parameters.

    `ground` is the recovery ground (G-048) of what it disallows.
    """

    rule: str
    kind: str
    name: Text
    ground: int
    citation: str
    part: Selector = field(default_factory=Selector)
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Money never recognised: where one of `facts` holds, or the whole selection without facts.

    `unless` names a trait of the institution that lifts it (비영리기관).
    """

    rule: str
    name: Text
    ground: int
    citation: str
    part: Selector = field(default_factory=Selector)
    facts: frozenset[str] = frozenset()
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason to recover money."""

    number: int
    name: Text
    citation: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """The grounds, and the order in which the first that applies becomes the primary one."""

    rule: str
    grounds: tuple[Ground, ...]
    order: tuple[int, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class Statement:
    """How the money to return is figured (G-049)."""

    rule: str
    interest_shared_by: tuple[Fund, ...]
    truncate_won: int
    citation: str


@dataclass(frozen=True, slots=True)
class Account:
    """The money has its own account, or a single account is confirmed with reasons (G-043)."""

    rule: str
    single_account_documents: tuple[str, ...]
    ground: int
    citation: str


@dataclass(frozen=True, slots=True)
class Spending:
    evidence_kinds: tuple[EvidenceKind, ...]
    facts: tuple[Fact, ...]
    evidence_sets: Mapping[str, tuple[Need, ...]]
    rules: tuple[ExpenseRule, ...]
    exclusions: tuple[Exclusion, ...]
    recovery: Recovery
    statement: Statement
    account: Account
