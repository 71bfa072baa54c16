"""The evaluation part of a rule set: the sheet, its bands, the bonus, and the panels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, Protocol

from services.grants.errors import RULE_SET_REFERENCE, RULE_SET_SHAPE
from services.grants.programmes.rules.terms import Text
from shared.problems import Finding

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
    `within_years` before the deadline. `number`: the facts `numerator` summed, in `unit`.
    """

    kind: Literal["percent", "count", "number"]
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    standard: Mapping[str, int] = field(default_factory=dict)
    within_years: int = 0
    unit: Text | None = None


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
class ReviewPoint:
    """Something the secretary looks at before anybody judges (사전검토)."""

    code: str
    name: Text
    citation: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The sheet and how scores become a ranking (G-050 … G-055).

    `panel` is the one that scores, `visit_panel` the one that visits sites. `trim` drops one
    highest and one lowest reviewer; `passing_score` and the quorum are options the agency sets.
    `tie_break` lists the sections that decide between equal totals. `pre_review` is what is looked
    at before, `shows_rank` and `shows_comments` what a notice of result tells an applicant.
    """

    rule: str
    citation: str
    grades: tuple[Text, ...]
    sections: tuple[Section, ...]
    panels: tuple[Panel, ...]
    panel: str
    tie_break: tuple[str, ...]
    bonus: Bonus | None = None
    visit_panel: str | None = None
    pre_review: tuple[ReviewPoint, ...] = ()
    shows_rank: bool = False
    shows_comments: bool = True
    trim: Literal["none", "one_each"] = "none"
    passing_score: Fraction | None = None
    shown_decimals: int = 2

    def items(self) -> tuple[ScoreItem, ...]:
        return tuple(item for section in self.sections for item in section.items)


class Judged(Protocol):
    """Whatever has a sheet: the rules of a grant call, or of a certification."""

    @property
    def evaluation(self) -> Evaluation: ...

    @property
    def duty_names(self) -> Mapping[str, Text]: ...


def sheet_findings(sheet: Evaluation) -> Iterator[Finding]:
    """What contradicts itself in a rule set's sheet."""
    sections = {section.code for section in sheet.sections}
    panels = {panel.code for panel in sheet.panels}
    for code in sheet.tie_break:
        if code not in sections:
            yield RULE_SET_REFERENCE.at("/evaluation/tie_break", what="section", code=code)
    for name, panel in (("panel", sheet.panel), ("visit_panel", sheet.visit_panel)):
        if panel is not None and panel not in panels:
            yield RULE_SET_REFERENCE.at(f"/evaluation/{name}", what="panel", code=panel)
    codes = [item.code for item in sheet.items()]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield RULE_SET_SHAPE.at("/evaluation/items", problem=f"{code} given twice")
    for item in sheet.items():
        for problem in _item_problems(item, len(sheet.grades)):
            yield RULE_SET_SHAPE.at(f"/evaluation/{item.code}", problem=problem)
    if sheet.bonus is not None:
        situations = {(row.lead, row.partner) for row in sheet.bonus.rows}
        areas: tuple[Area, ...] = ("capital", "non_capital")
        for situation in ((lead, partner) for lead in areas for partner in (None, *areas)):
            if situation not in situations:
                yield RULE_SET_SHAPE.at("/evaluation/bonus/rows", problem=f"lacks {situation}")


def _item_problems(item: ScoreItem, grades: int) -> Iterator[str]:
    if len(item.scores) != grades or list(item.scores) != sorted(set(item.scores), reverse=True):
        yield "scores: one for each grade, best first"
    if not item.quantitative:
        return
    bounds = [band.at_least if band.at_least is not None else band.over for band in item.bands]
    lower = [bound for bound in bounds[:-1] if bound is not None]
    if not bounds or bounds[-1] is not None or len(lower) != len(bounds) - 1:
        yield "bands: each but the last has a bound"
    if lower != sorted(lower, reverse=True):
        yield "bands: highest first"
    if any(band.score not in item.scores for band in item.bands):
        yield "bands: only scores of the sheet"
