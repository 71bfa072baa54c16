"""The budget part of a rule set: the tree of items, caps with their bases, pay, fees, travel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from services.grants.programmes.rules.terms import FUNDS, Fund, Selector, Text


@dataclass(frozen=True, slots=True)
class SpendingKind:
    """One use of money inside an item (비목 세세목); its code is unique in the rule set.

    `pay` says what bounds a person's monthly pay: the grade table or the salary really paid.
    """

    code: str
    name: Text
    pay: Literal["grade", "actual"] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A node of the budget tree (비목); leaves carry kinds, branches carry children."""

    code: str
    name: Text
    kinds: tuple[SpendingKind, ...] = ()
    children: tuple["Item", ...] = ()
    funds: frozenset[Fund] = frozenset(FUNDS)
    role: Literal["internal_pay", "external_pay"] | None = None
    citation: str = ""

    def walk(self) -> Iterator["Item"]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Funding:
    """G of a year: its ceiling, and its largest share of the total project cost (G-020)."""

    rule: str
    name: Text
    grant_percent: Fraction
    citation: str
    limit_rule: str
    grant_limit_won: int
    limit_citation: str


@dataclass(frozen=True, slots=True)
class ShareCap:
    """The lines a selector takes may sum to at most a percentage of some funds.

    Money spent beyond it is disallowed under `ground`; a warning cap only informs.
    """

    rule: str
    name: Text
    part: Selector
    percent: Fraction
    base: frozenset[Fund]
    base_name: Text
    citation: str
    level: Literal["error", "warning"] = "error"
    ground: int = 2


@dataclass(frozen=True, slots=True)
class HeadCap:
    """At most so many won for each beneficiary."""

    rule: str
    name: Text
    part: Selector
    limit_won: int
    head: Text
    citation: str
    ground: int = 2


@dataclass(frozen=True, slots=True)
class AssetCap:
    """At most a percentage of an asset's price (its purchase price, or the official land price)."""

    rule: str
    name: Text
    part: Selector
    percent: Fraction
    price_name: Text
    citation: str
    ground: int = 2


@dataclass(frozen=True, slots=True)
class Grade:
    code: str
    name: Text
    monthly_won: int


@dataclass(frozen=True, slots=True)
class Qualification:
    """One way to deserve a grade: a rank in a sector, or a degree with years of experience."""

    grade: str
    sector: str
    rank: str | None = None
    degree: str | None = None
    years: int = 0


@dataclass(frozen=True, slots=True)
class PayBasis:
    """How an employer's pay becomes a budget figure (G-013); informs the form, checks nothing."""

    employer: str
    name: Text
    formula: Text
    citation: str


@dataclass(frozen=True, slots=True)
class Operators:
    """운영인력: how many, how much of their time, and that nobody else employs them."""

    rule: str
    at_least: int
    at_most: int
    rate_at_least: Fraction
    citation: str


@dataclass(frozen=True, slots=True)
class Participation:
    rule: str
    decimals: int
    at_most: Fraction
    citation: str
    decimals_citation: str


@dataclass(frozen=True, slots=True)
class Pay:
    """Grades from the highest down, who holds which, and the rules on time."""

    rule: str
    citation: str
    grades: tuple[Grade, ...]
    posts: Mapping[str, str]
    courses: Mapping[str, str]
    qualifications: tuple[Qualification, ...]
    bases: tuple[PayBasis, ...]
    operators: Operators
    participation: Participation
    own_rule: str | None = None


@dataclass(frozen=True, slots=True)
class FeeUnit:
    """Won for one unit (hour, day, page), the same for all or by the payee's grade."""

    unit: str
    won: int = 0
    by_grade: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fee:
    """A standard fee: the sum over `per`, never more than `at_most` where that is given.

    `own_rule` names the institution's own accepted rule that replaces the standard.
    """

    code: str
    name: Text
    per: tuple[FeeUnit, ...]
    citation: str
    at_most: FeeUnit | None = None
    own_rule: str | None = None


@dataclass(frozen=True, slots=True)
class TravelRate:
    """Domestic travel for one grade, in won; the fare itself is paid as it was."""

    grade: str
    daily_won: int
    lodging_won: int
    meals_won: int
    rail: Literal["first", "standard"]


@dataclass(frozen=True, slots=True)
class Travel:
    rule: str
    citation: str
    rates: tuple[TravelRate, ...]
    own_rule: str | None = None


@dataclass(frozen=True, slots=True)
class BigPurchase:
    """A purchase this large is reported to the agency within months of the agreement (G-034)."""

    rule: str
    part: Selector
    unit_price_from_won: int
    report_within_months: int
    citation: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What an amendment of the budget may do (G-033)."""

    rule: str
    frozen_items: frozenset[str]
    frozen_kinds: frozenset[str]
    citation: str
    tolerance_items: frozenset[str]
    tolerance_percent: Fraction
    tolerance_citation: str


@dataclass(frozen=True, slots=True)
class Budget:
    """Everything that bounds a year's money. Amounts on forms are whole `unit_won`, cut."""

    unit_won: int
    unit_rule: str
    unit_citation: str
    funds_rule: str
    items: tuple[Item, ...]
    funding: Funding
    share_caps: tuple[ShareCap, ...]
    head_caps: tuple[HeadCap, ...]
    asset_caps: tuple[AssetCap, ...]
    pay: Pay
    fees: tuple[Fee, ...]
    travel: Travel
    big_purchase: BigPurchase
    changes: Changes
