"""What the expense rules look at: an expense with its evidence, and the plan it belongs to.

Everything is frozen and holds plain values; whoever calls the rules fills these from the
database. Amounts are won, VAT included. What is asked of every row is worked out once, when the
expense is made, so that checking a hundred thousand of them stays a matter of comparisons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Final, Literal

from services.grants.programmes.rules import (
    Fund,
    Funds,
    Period,
    RuleSet,
    add_months,
)
from services.grants.proposals.rules import Role, Totals, grade_of
from services.grants.proposals.rules.budget import Budget

MAX_WON: Final = 10**13
"""No amount of a programme is larger; one that is, is refused where it is entered."""

Stage = Literal["plan", "entry", "settlement"]
"""When a check runs: before spending, when an expense is entered, when the year is settled."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document of an expense. `amount_won` is what it states, if it states an amount;
    `number` is its approval or invoice number, `sha256` the file's digest, `used_at` the instant
    a card was used."""

    kind: str
    amount_won: int | None = None
    number: str | None = None
    sha256: str | None = None
    used_at: datetime | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """By what it is known again: its number, and its file whatever number it is given."""
        return tuple(mark for mark in (self.number, self.sha256) if mark)


def is_digest(mark: str) -> bool:
    return len(mark) == 64


def short_mark(mark: str) -> str:
    """A mark as a person compares it: a digest is cut."""
    return f"{mark[:12]}…" if is_digest(mark) else mark


@dataclass(frozen=True, slots=True)
class Work:
    """What a person was paid for.

    Pay covers the days `start` to `end` at `rate` percent, while other projects pay
    `other_rates`. Fees count `units` (hour, day, a4_page, …); `grade` is that of someone who is
    not on the plan. `full_months` is 0 where the days are no whole calendar months.
    `rate_ratio` and `sum_ratio` are the own rate and all rates as numerator and denominator:
    integers compare ten times faster than fractions, and as exactly.
    """

    start: date | None = None
    end: date | None = None
    rate: Fraction = Fraction(0)
    other_rates: Fraction = Fraction(0)
    grade: str | None = None
    units: Mapping[str, Fraction] = field(default_factory=dict)
    full_months: int = field(init=False, compare=False)
    rate_ratio: tuple[int, int] = field(init=False, compare=False)
    sum_ratio: tuple[int, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        whole = Period(self.start, self.end).whole_months if self.start and self.end else 0
        units = {
            unit: count.numerator if count.denominator == 1 else count
            for unit, count in self.units.items()
        }
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "full_months", whole)
        object.__setattr__(self, "rate_ratio", self.rate.as_integer_ratio())
        object.__setattr__(self, "sum_ratio", (self.rate + self.other_rates).as_integer_ratio())


@dataclass(frozen=True, slots=True)
class Trip:
    """A journey: nights default to one less than its days. `planned` is its place in the plan,
    `registration_won` what the traveller was given for a conference fee."""

    start: date
    end: date
    nights: int | None = None
    fare_won: int = 0
    rail: Literal["first", "standard"] | None = None
    planned: str | None = None
    approved_on: date | None = None
    registration_won: int = 0
    days: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", (self.end - self.start).days + 1)


@dataclass(frozen=True, slots=True)
class Goods:
    """A thing bought, rented, lent or repaired."""

    asset: str | None = None
    unit_price_won: int | None = None
    arrived_on: date | None = None
    used_on: date | None = None
    usable_months: int | None = None
    reported_on: date | None = None


@dataclass(frozen=True, slots=True)
class Expense:
    """One spending. `person` is who was paid, travelled or studied; `heads` how many, where one
    payment serves several; `event` ties expenses of one meeting or conference together; `line`
    is the number of the plan's line it is spent from, counted from 1."""

    id: str
    kind: str
    fund: Fund
    amount_won: int
    obligated_on: date | None = None
    paid_on: date | None = None
    evidence: tuple[Evidence, ...] = ()
    facts: frozenset[str] = frozenset()
    person: str | None = None
    payee: Literal["person", "organisation"] | None = None
    heads: int = 1
    line: int | None = None
    event: str | None = None
    deposit: str | None = None
    work: Work | None = None
    trip: Trip | None = None
    goods: Goods | None = None
    evidence_kinds: frozenset[str] = field(init=False, compare=False)
    evidence_agrees: bool = field(init=False, compare=False)
    evidence_marks: tuple[str, ...] = field(init=False, compare=False)
    card_times: tuple[datetime, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        kinds = tuple(document.kind for document in self.evidence)
        agrees = len(set(kinds)) == len(kinds) and all(
            document.amount_won is None or document.amount_won == self.amount_won
            for document in self.evidence
        )
        # In the order of the documents, so that a run says the same whenever it is repeated.
        marks = dict.fromkeys(mark for document in self.evidence for mark in document.marks)
        object.__setattr__(self, "evidence_kinds", _kind_set(kinds))
        object.__setattr__(self, "evidence_agrees", agrees)
        times = tuple(paper.used_at for paper in self.evidence if paper.used_at is not None)
        object.__setattr__(self, "evidence_marks", tuple(marks))
        object.__setattr__(self, "card_times", times)

    @property
    def dated_on(self) -> date:
        """The day that orders expenses; one without any date comes last."""
        return self.paid_on or self.obligated_on or date.max

    @property
    def days(self) -> Period | None:
        """The days an expense is for: of the work paid, or of the journey."""
        source = self.work or self.trip
        if source is None or source.start is None or source.end is None:
            return None
        return Period(source.start, source.end) if source.start <= source.end else None


@dataclass(frozen=True, slots=True)
class Term:
    """A line of pay in the plan: exact won a month, at a rate, over days."""

    kind: str
    period: Period
    monthly_won: Fraction
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Leave:
    """휴학; without an end it still lasts."""

    kind: str
    start: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """How a thesis student stands. Credits are judged once `graduated`."""

    standing: Literal["enrolled", "graduated", "dropped_out"] = "enrolled"
    on_topic: bool = True
    related_credits: int = 0
    total_credits: int = 0
    leaves: tuple[Leave, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """A person of the agreed plan as amended.

    A replacement may be paid from `approved_on`, the day of the internal approval.
    """

    ref: str
    name: str
    role: Role
    period: Period
    grade: str | None = None
    terms: tuple[Term, ...] = ()
    replacement: bool = False
    approved_on: date | None = None
    employed_elsewhere: bool = False
    study: Study | None = None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A line of the agreed budget: what it is for, and from which source of funds."""

    kind: str
    fund: Fund


@dataclass(frozen=True, slots=True)
class PlannedAsset:
    """Equipment or a facility of the plan; `pledged_elsewhere_won` reduces what may be counted."""

    ref: str
    price_won: int
    quantity: int = 1
    pledged_elsewhere_won: int = 0


@dataclass(frozen=True)
class Plan:
    """A year of an agreement: what was agreed, by kind of spending, and who and what is in it.

    `own_rules` are the institution's accepted rules, `traits` facts of the institution
    (nonprofit), `approved_changes` and `internal_changes` the items whose change the agency
    approved or an internal paper decided, `carried_over_won` grant the agency leaves for the next
    year. `earlier` holds what was planned until each day on which an approved amendment, or a move
    of money, took effect. `claimed` says of a deposit, a number or a file which claim for mileage
    uses it too; `used_earlier` are the documents another project had entered before this one, by
    number or file. A year stopped before its time ends on `stopped_on`, as far as obligations go.
    """

    rules: RuleSet
    year: Period
    agreed_on: date
    planned: Mapping[str, Funds]
    people: Mapping[str, Participant] = field(default_factory=dict)
    assets: Mapping[str, PlannedAsset] = field(default_factory=dict)
    lines: tuple[PlanLine, ...] = ()
    trips: frozenset[str] = frozenset()
    own_rules: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    approved_changes: frozenset[str] = frozenset()
    internal_changes: frozenset[str] = frozenset()
    carried_over_won: int = 0
    earlier: tuple[tuple[date, Mapping[str, Funds]], ...] = ()
    claimed: Mapping[str, str] = field(default_factory=dict)
    used_earlier: frozenset[str] = frozenset()
    stopped_on: date | None = None

    @cached_property
    def funds(self) -> Funds:
        """G, C and K as agreed: the bases of every cap."""
        return sum(self.planned.values(), Funds())


def plan_of(totals: Totals, budget: Budget, agreed_on: date) -> Plan:
    """The plan an agreed budget makes: the amounts of its lines, its people and its assets."""
    rules = totals.rules
    planned: dict[str, Funds] = {}
    lines = tuple(PlanLine(line.kind, line.fund) for line, _ in totals.lines)
    terms: dict[str, list[Term]] = {}
    assets: dict[str, PlannedAsset] = {}
    for line, won in totals.lines:
        planned[line.kind] = planned.get(line.kind, Funds()) + Funds.single(line.fund, won)
        if line.pay:
            first = line.pay.start.replace(day=1)
            period = Period(first, add_months(first, line.pay.months) - timedelta(days=1))
            term = Term(line.kind, period, line.pay.monthly_won, line.pay.rate)
            terms.setdefault(line.pay.person, []).append(term)
        if line.asset and line.asset.price_won is not None:
            assets[line.asset.ref] = PlannedAsset(
                line.asset.ref,
                line.asset.price_won,
                line.asset.quantity,
                line.asset.pledged_elsewhere_won,
            )
    people = {}
    for person in budget.people:
        mine = tuple(terms.get(person.ref, ()))
        people[person.ref] = Participant(
            person.ref,
            person.name,
            person.role,
            _span(mine) or budget.year,
            grade_of(rules, person),
            mine,
            employed_elsewhere=person.employed_elsewhere,
        )
    return Plan(
        rules,
        budget.year,
        agreed_on,
        planned,
        people,
        assets,
        lines,
        trips=frozenset(line.trip for line in budget.lines if line.trip),
        own_rules=budget.own_rules,
    )


def _span(terms: tuple[Term, ...]) -> Period | None:
    if not terms:
        return None
    return Period(min(term.period.start for term in terms), max(term.period.end for term in terms))


# Rows share few combinations of documents; the same object for the same combination keeps the
# look-ups of the evidence rules at the price of an identity test.
_kind_set = lru_cache(maxsize=4096)(frozenset[str])
