"""A person's time over all projects, month by month (G-013).

Rates may differ by month, so months are added up one by one; what one person gives to everything
together stays within the call's limit (100.0 %).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from services.grants.errors import (
    RATE_OVER_100,
)
from services.grants.programmes.rules import RuleSet, cited, decimal_text, month_text, months_of
from services.grants.proposals.errors import (
    RATE_OVER_100_PENDING,
)
from services.grants.proposals.rules.budget import Budget, Person, monthly_rates
from shared.problems import Finding

Source = Literal["declared", "agreed", "own", "pending"]
"""Where we know of time from: the document itself, an agreement, another proposal of the same
applicant, or one of somebody else that is still being judged."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a person (by researcher number) gives to another project here, by running month."""

    researcher_no: str
    project: str
    name: str
    source: Source
    rates: Mapping[int, Fraction]


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one person: what this plan takes, and what everything else does."""

    month: int
    here: Fraction
    others: tuple[tuple[str, Source, Fraction], ...] = field(default=())

    @property
    def total(self) -> Fraction:
        return sum((rate for _, _, rate in self.others), self.here)

    @property
    def certain(self) -> Fraction:
        """Without what somebody else may or may not be given."""
        return self.total - sum(rate for _, source, rate in self.others if source == "pending")


def participation(
    budget: Budget, commitments: Sequence[Commitment] = ()
) -> Iterator[tuple[Person, tuple[Month, ...]]]:
    """Every participant's months of the year in which this plan takes their time."""
    here = monthly_rates(budget)
    for person in budget.people:
        elsewhere = [c for c in commitments if c.researcher_no == person.researcher_no]
        months = sorted(here.get(person.ref, {}).items())
        yield (
            person,
            tuple(
                Month(month, rate, tuple(_others(person, month, elsewhere)))
                for month, rate in months
            ),
        )


def sum_findings(
    rules: RuleSet, budget: Budget, commitments: Sequence[Commitment] = ()
) -> Iterator[Finding]:
    """Who gives more than there is, in which months; the worst month stands for the rest."""
    limit = rules.budget.pay.participation.at_most
    for person, months in participation(budget, commitments):
        certain = [month for month in months if month.certain > limit]
        if certain:
            worst = max(certain, key=lambda month: (month.certain, -month.month))
            yield _finding(rules, person, worst, certain, pending=False)
        elif over := [month for month in months if month.total > limit]:
            worst = max(over, key=lambda month: (month.total, -month.month))
            yield _finding(rules, person, worst, over, pending=True)


def _others(
    person: Person, month: int, elsewhere: Iterable[Commitment]
) -> Iterator[tuple[str, Source, Fraction]]:
    """Other projects that take time in a month. One of ours that the document declares too is
    counted as we know it."""
    known = set()
    for commitment in elsewhere:
        known.add(commitment.project)
        if rate := commitment.rates.get(month):
            yield commitment.name, commitment.source, rate
    for project in person.other_projects:
        if project.proposal not in known and month in months_of(project.start, project.months):
            yield project.name, "declared", project.rate


def _finding(
    rules: RuleSet, person: Person, worst: Month, over: Sequence[Month], *, pending: bool
) -> Finding:
    rule = rules.budget.pay.participation
    kind = RATE_OVER_100_PENDING if pending else RATE_OVER_100
    return cited(kind, rule.rule, rule.citation).at(
        f"/people/{person.ref}",
        name=person.name,
        month=month_text(worst.month),
        months=[month_text(month.month) for month in over],
        rate=decimal_text(worst.total if pending else worst.certain, 6),
        limit=decimal_text(rule.at_most),
        projects=", ".join(
            f"{name} {decimal_text(rate, 6)}%"
            for name, source, rate in worst.others
            if pending or source != "pending"
        ),
    )
