"""The budget of a proposal: lines, people and what they add up to.

Amounts are exact won until a line's total, which is cut to the form's unit (천원); every subtotal
is the sum of cut lines, so the printed form adds up (G-04B).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Literal

from services.grants.programmes.rules import (
    Fund,
    Funds,
    Period,
    RuleSet,
    Selector,
    months_between,
    months_of,
    share_text,
)

Role = Literal[
    "principal",
    "internal",
    "operator",
    "research_student",
    "thesis_student",
    "undergraduate",
    "company_researcher",
]


@dataclass(frozen=True, slots=True)
class OtherProject:
    """Time a person already gives to another government project; `rate` in percent.

    `proposal` names one of ours by its id, so that it is not counted twice.
    """

    name: str
    start: date
    months: int
    rate: Fraction
    proposal: str | None = None


@dataclass(frozen=True, slots=True)
class Career:
    """What a grade is judged by: a rank in a sector, or a degree with years of experience."""

    sector: str
    rank: str | None = None
    degree: str | None = None
    years: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """A participant. The grade is given, or follows from the post (계약교수) or course (박사과정).

    `equivalent_note` holds the reviewer-readable reason where a career is "동등 이상".
    `researcher_no` (과학기술인번호) is how a person is known across projects; `rank` is a student's
    year too.
    """

    ref: str
    name: str
    role: Role
    grade: str | None = None
    post: str | None = None
    course: str | None = None
    career: Career | None = None
    equivalent_note: str | None = None
    employed_elsewhere: bool = False
    other_projects: tuple[OtherProject, ...] = ()
    researcher_no: str | None = None
    affiliation: str = ""
    rank: str = ""


@dataclass(frozen=True, slots=True)
class Pay:
    """Pay of one person on one line: monthly won (exact), calendar months, rate in percent."""

    person: str
    monthly_won: Fraction
    start: date
    months: int
    rate: Fraction

    @staticmethod
    def monthly(annual_won: int) -> Fraction:
        """The monthly rate of an annual salary, never rounded (월 단가 = 총액 ÷ 12, G-013)."""
        return Fraction(annual_won, 12)

    @property
    def total_won(self) -> Fraction:
        return self.monthly_won * self.months * self.rate / 100


@dataclass(frozen=True, slots=True)
class Asset:
    """Equipment or a facility; `price_won` is one unit's purchase price or official land price.

    `pledged_elsewhere_won` is what other projects or overlapping years already count of it.
    """

    ref: str
    price_won: int | None = None
    quantity: int = 1
    pledged_elsewhere_won: int = 0


@dataclass(frozen=True, slots=True)
class Goods:
    """What a line buys or rents: the columns of the form's list of equipment and materials."""

    use: str = ""
    spec: str = ""
    unit: str = ""
    quantity: int | None = None
    unit_price_won: int | None = None
    deal: Literal["purchase", "rental"] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A leaf of the budget, from one source of funds.

    The amount follows from `pay` where there is one. `declared_won` is the total a form states,
    compared with ours; `heads` counts the beneficiaries of a line without names; `trip` names a
    journey abroad, which only the plan can allow (G-047). `basis` is how the amount was figured
    (계산근거).
    """

    item: str
    kind: str
    fund: Fund
    amount_won: int = 0
    name: str = ""
    pay: Pay | None = None
    asset: Asset | None = None
    heads: int = 0
    trip: str | None = None
    declared_won: int | None = None
    goods: Goods | None = None
    basis: str = ""
    note: str = ""

    @property
    def exact_won(self) -> Fraction:
        return self.pay.total_won if self.pay else Fraction(self.amount_won)


@dataclass(frozen=True, slots=True)
class Budget:
    """A year's plan. `declared` are subtotals a form states by item code ("total" for all).

    `own_rules` names the institution's own rules (pay, travel, …) the agency has accepted.
    """

    year: Period
    lines: tuple[Line, ...]
    people: tuple[Person, ...] = ()
    declared: Mapping[str, Funds] = field(default_factory=dict)
    own_rules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Totals:
    """What a budget adds up to: won by line, and by item of the tree up to the whole."""

    rules: RuleSet
    lines: tuple[tuple[Line, int], ...]
    items: Mapping[str, Funds]
    whole: Funds

    def part(self, selector: Selector) -> int:
        """The sum of the lines a cap is about."""
        return sum(
            won for line, won in self.lines if selector.takes(line.item, line.kind, line.fund)
        )

    @cached_property
    def shares(self) -> Mapping[str, str]:
        """비율(%): each item's share of the whole, as text; a dash while the whole is zero."""
        return {
            code: share_text(funds.total, self.whole.total) for code, funds in self.items.items()
        }


def line_won(line: Line, unit_won: int) -> int:
    """A line's total cut to whole units."""
    return line.exact_won // unit_won * unit_won


def totals(rules: RuleSet, budget: Budget) -> Totals:
    """Sums over the item tree; lines of unknown items count in the whole only."""
    lines = tuple((line, line_won(line, rules.budget.unit_won)) for line in budget.lines)
    items = dict.fromkeys(rules.items, Funds())
    whole = Funds()
    for line, won in lines:
        funds = Funds.single(line.fund, won)
        whole += funds
        for code in _upward(rules, line.item):
            items[code] += funds
    return Totals(rules, lines, items, whole)


def monthly_rates(
    budget: Budget, items: frozenset[str] = frozenset()
) -> dict[str, dict[int, Fraction]]:
    """Each person's summed rate by running month of the year, on all items or on some."""
    rates: dict[str, dict[int, Fraction]] = {}
    year = months_of(budget.year.start, months_between(budget.year.start, budget.year.end))
    for line in budget.lines:
        if line.pay and (not items or line.item in items):
            mine = rates.setdefault(line.pay.person, {})
            paid = months_of(line.pay.start, line.pay.months)
            for month in year:
                if month in paid:
                    mine[month] = mine.get(month, Fraction(0)) + line.pay.rate
    return rates


def _upward(rules: RuleSet, code: str) -> Iterator[str]:
    """An item and the branches it hangs on, as far as they are known."""
    at: str | None = code if code in rules.items else None
    while at is not None:
        yield at
        at = rules.parents.get(at)
