"""The evaluation part of a rule set: the sheet, its bands, the bonus, and the panels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from services.grants.programmes.rules.terms import Text

Area = Literal["capital", "non_capital"]


@dataclass(frozen=True, slots=True)
class Band:
    """The first band whose bound holds gives the score; one without bounds takes the rest."""

    score: int
    at_least: Fraction | None = None
    over: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What a quantitative item measures.

    `percent`: the facts `numerator` summed over the facts `denominator`, or over the sum of
    `standard`. `count`: how many dated, proven facts named by `numerator` lie within
    `within_years` before the deadline.
    """

    kind: Literal["percent", "count"]
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    standard: Mapping[str, int] = field(default_factory=dict)
    within_years: int = 0


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """A line of the sheet; `scores` are the only legal ones, best first (최우수 … 불량)."""

    code: str
    name: Text
    scores: tuple[int, ...]
    rule: str
    citation: str
    measure: Measure | None = None
    bands: tuple[Band, ...] = ()

    @property
    def quantitative(self) -> bool:
        return self.measure is not None


@dataclass(frozen=True, slots=True)
class Section:
    code: str
    name: Text
    items: tuple[ScoreItem, ...]


@dataclass(frozen=True, slots=True)
class BonusRow:
    lead: Area
    partner: Area | None
    points: int


@dataclass(frozen=True, slots=True)
class Bonus:
    """Points by where the graduate schools are; regions not in `capital_regions` are outside."""

    rule: str
    citation: str
    regions: Mapping[str, Text]
    capital_regions: frozenset[str]
    rows: tuple[BonusRow, ...]


@dataclass(frozen=True, slots=True)
class PanelPay:
    """What a member is paid a day, by the number of projects judged that day."""

    projects_from: int
    won: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A group of reviewers: its largest size, its smallest quorum, and their pay a day."""

    code: str
    name: Text
    rule: str
    citation: str
    pay: tuple[PanelPay, ...]
    pay_citation: str
    at_most: int | None = None
    quorum: int = 1
    chair_won: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The sheet and how scores become a ranking (G-050 … G-055).

    `panel` is the one that scores. `trim` drops one highest and one lowest reviewer;
    `passing_score` and the quorum are options the agency sets. `tie_break` lists the sections
    that decide between equal totals.
    """

    rule: str
    citation: str
    grades: tuple[Text, ...]
    sections: tuple[Section, ...]
    bonus: Bonus
    panels: tuple[Panel, ...]
    panel: str
    tie_break: tuple[str, ...]
    trim: Literal["none", "one_each"] = "none"
    passing_score: Fraction | None = None
    shown_decimals: int = 2

    def items(self) -> tuple[ScoreItem, ...]:
        return tuple(item for section in self.sections for item in section.items)
