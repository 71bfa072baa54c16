"""What mileage buys in a programme, and what is deducted for it (M-050). Pure, exact.

A programme gives so many points for every full step of mileage, up to a maximum. A request reserves
the steps that can count; the programme's evaluation tells how many of them scored, and only those
are deducted. Busan: 1,000 points of mileage a step of 0.1 %p, at most 1.0 %p; 10,499 buy 1.0 %p and
cost 10,000.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Any, Final
from uuid import UUID

MAX_MILEAGE: Final = 10**9


class State(StrEnum):
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class BonusRule:
    """A programme's rule as it stood at the request. Rates are decimal strings, as they came.

    `deducts` false: points are given for mileage that is kept. `certified_only`: for institutions
    certified as excellent on the day of the request. `spares_certified`: these keep their mileage
    where others spend it.
    """

    points_per_step: str
    mileage_per_step: int
    max_points: str
    unit: str
    deducts: bool
    certified_only: bool
    spares_certified: bool = False

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "BonusRule":
        """Rules kept before a part of them existed are read without it."""
        return cls(**{name: found[name] for name in cls.__dataclass_fields__ if name in found})

    @property
    def asks_for_certificate(self) -> bool:
        return self.certified_only or self.spares_certified

    def applied_to(self, *, certified: bool) -> "BonusRule":
        """The rule as it holds for whoever asks: with nothing deducted where that spares it."""
        return replace(self, deducts=False) if certified and self.spares_certified else self

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def most_steps(self) -> int:
        """The steps that reach the maximum; the last may count in part."""
        return ceil(Fraction(self.max_points) / Fraction(self.points_per_step))

    def steps(self, mileage: int) -> int:
        """Full steps of this mileage that can count."""
        return min(mileage // self.mileage_per_step, self.most_steps)

    def points(self, steps: int) -> str:
        """What so many steps are worth, as an exact decimal."""
        worth = min(steps * Fraction(self.points_per_step), Fraction(self.max_points))
        return decimal(worth)

    def mileage_for(self, steps: int) -> int:
        return steps * self.mileage_per_step

    def cost(self, steps: int) -> int:
        """The mileage deducted when so many steps scored."""
        return self.mileage_for(steps) if self.deducts else 0


@dataclass(frozen=True, slots=True)
class Certificate:
    """By what an institution is certified as excellent on a day (M-061)."""

    number: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme as the grants service tells of it; `agency_id` is who runs it."""

    name: str
    agency_id: UUID
    opens_at: datetime
    closes_at: datetime
    published: bool
    rule: BonusRule | None

    def takes_requests(self, now: datetime) -> bool:
        return self.published and self.opens_at <= now < self.closes_at


def decimal(number: Fraction) -> str:
    """Without trailing zeros, but with one decimal at least: `1.0`, `0.25`. At most four decimals,
    which is what a programme's rates have."""
    scaled = number * 10_000
    if scaled.denominator != 1:
        raise ValueError(f"{number} has more than four decimals")
    whole, rest = divmod(int(scaled), 10_000)
    return f"{whole}.{f'{rest:04}'.rstrip('0') or '0'}"
