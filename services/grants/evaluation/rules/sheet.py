"""The score sheet: legal scores, quantitative items with their calculation, the bonus.

Rules G-050 to G-054. Values are exact fractions; a boundary is compared as it stands in the call,
so 100 % exactly scores 6 and the smallest bit more scores 8.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from services.grants.errors import (
    BONUS_UNDEFINED,
    BONUS_UNKNOWN,
    MEASURE_MISSING,
    MEASURE_ZERO_BASE,
    REGION_UNKNOWN,
    SCORE_ITEM_UNKNOWN,
    SCORE_MISSING,
    SCORE_NOT_ALLOWED,
    SCORE_QUANTITATIVE,
    STANDARD_SHORT,
)
from services.grants.programmes.rules import (
    Area,
    Band,
    Bonus,
    Judged,
    Measure,
    ScoreItem,
    Text,
    add_months,
    cited,
    decimal_text,
)
from shared.problems import Finding, FindingKind


@dataclass(frozen=True, slots=True)
class Dated:
    """Something done on a day (준공), counted only with its proof."""

    on: date
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What quantitative items are measured by: numbers of the plan, and dated records."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    records: Mapping[str, Sequence[Dated]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scored:
    """A quantitative item's score with its calculation; no score when it cannot be figured.

    `shown` is the whole calculation as text: "(10 + 6) ÷ 15 × 100 = 106.66…% (…) → 8점".
    """

    item: str
    score: int | None
    value: Fraction | None
    shown: Text
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class BonusPoints:
    """Points for where the graduate schools are, with the call's row they come from."""

    points: int
    shown: Text
    citation: str
    findings: tuple[Finding, ...] = ()


def score_range(rules: Judged) -> tuple[int, int]:
    """The least and the most a sheet can total, bonus included: 20 and 105 in the 2020 call."""
    items = rules.evaluation.items()
    bonus = rules.evaluation.bonus
    most = max(row.points for row in bonus.rows) if bonus else 0
    return sum(item.scores[-1] for item in items), sum(item.scores[0] for item in items) + most


def sheet_findings(rules: Judged, scores: Mapping[str, int | None]) -> Iterator[Finding]:
    """A reviewer's sheet (G-050): every qualitative item once, with a score of the sheet."""
    items = {item.code: item for item in rules.evaluation.items()}
    for code in scores:
        if code not in items:
            yield SCORE_ITEM_UNKNOWN.at(f"/scores/{code}", item=code)
    for code, item in items.items():
        given = scores.get(code)
        names: dict[str, Any] = {"name_ko": item.name.ko, "name_en": item.name.en}
        if item.quantitative:
            if given is not None:
                yield cited(SCORE_QUANTITATIVE, item.rule, item.citation).at(
                    f"/scores/{code}", **names
                )
        elif given is None:
            yield cited(SCORE_MISSING, item.rule, item.citation).at(f"/scores/{code}", **names)
        elif given not in item.scores:
            yield cited(SCORE_NOT_ALLOWED, item.rule, item.citation).at(
                f"/scores/{code}",
                given=given,
                allowed=", ".join(map(str, item.scores)),
                **names,
            )


def grade_name(rules: Judged, item: ScoreItem, score: int) -> Text:
    """The grade a legal score stands for: 최우수 for the highest."""
    return rules.evaluation.grades[item.scores.index(score)]


def quantitative_scores(rules: Judged, facts: Facts, closes_on: date) -> tuple[Scored, ...]:
    """All quantitative items, scored once for a proposal from its facts (G-051 … G-053)."""
    return tuple(
        _scored(rules, item, item.measure, facts, closes_on)
        for item in rules.evaluation.items()
        if item.measure is not None
    )


def bonus_points(
    rules: Judged, lead: str | None, partners: Sequence[str] = (), decided: int | None = None
) -> BonusPoints:
    """The regional bonus by the campuses of the lead and partner graduate schools (G-054).

    The call defines one and two schools. With more, any partner in the capital area makes the
    partners count as capital, and the committee is asked; `decided` is what it decided, one of the
    call's own numbers of points.
    """
    bonus = rules.evaluation.bonus
    if bonus is None:
        return BonusPoints(0, Text("해당 없음", "none"), "")
    lead = lead or ""
    findings: tuple[Finding, ...] = ()
    unknown = [region for region in (lead, *partners) if region not in bonus.regions]
    if unknown:
        kind = cited(REGION_UNKNOWN, bonus.rule, bonus.citation)
        findings = tuple(kind.at("/regions", region=region) for region in unknown)
        return BonusPoints(0, Text("-", "-"), bonus.citation, findings)
    lead_area = _area(bonus, [lead])
    partner_area = _area(bonus, partners) if partners else None
    row = next(r for r in bonus.rows if (r.lead, r.partner) == (lead_area, partner_area))
    where = [bonus.regions[region] for region in (lead, *partners)]
    schools = Text(" + ".join(text.ko for text in where), " + ".join(text.en for text in where))
    if len(partners) > 1 and decided is not None:
        findings = ()
        if decided not in {row.points for row in bonus.rows}:
            kind = cited(BONUS_UNKNOWN, bonus.rule, bonus.citation)
            findings = (kind.at("/bonus_decided", field="bonus_decided", given=decided),)
        shown = Text(
            f"{schools.ko} → 위원회 결정 {decided}점",
            f"{schools.en} → {decided} points by the committee",
        )
        return BonusPoints(decided, shown, bonus.citation, findings)
    shown = Text(f"{schools.ko} → {row.points}점", f"{schools.en} → {row.points} points")
    findings = ()
    if len(partners) > 1:
        findings = (cited(BONUS_UNDEFINED, bonus.rule, bonus.citation).at("/regions"),)
    return BonusPoints(row.points, shown, bonus.citation, findings)


def years_before(day: date, years: int) -> date:
    """The same day years earlier; the first day that still counts (2017-02-07 for 2020-02-07)."""
    return add_months(day, -12 * years)


def _area(bonus: Bonus, regions: Sequence[str]) -> Area:
    capital = bonus.capital_regions
    return "capital" if any(region in capital for region in regions) else "non_capital"


def _scored(
    rules: Judged, item: ScoreItem, measure: Measure, facts: Facts, closes_on: date
) -> Scored:
    if measure.kind == "count":
        first = years_before(closes_on, measure.within_years)
        records = [dated for name in measure.numerator for dated in facts.records.get(name, ())]
        count = sum(dated.proven and first <= dated.on <= closes_on for dated in records)
        return _banded(item, Fraction(count), Text(f"{count}건", f"{count}"), "")
    needed = (*measure.numerator, *measure.denominator)
    missing = [name for name in needed if facts.numbers.get(name, -1) < 0]
    if missing:
        return _unscored(item, MEASURE_MISSING, facts=", ".join(missing))
    parts = [facts.numbers[name] for name in measure.numerator]
    if measure.kind == "number":
        return _counted(item, measure, sum(parts))
    base = sum(facts.numbers[name] for name in measure.denominator) + sum(measure.standard.values())
    if not base:
        return _unscored(item, MEASURE_ZERO_BASE)
    value = Fraction(sum(parts) * 100, base)
    summed = " + ".join(f"{part:,}" for part in parts)
    numerator = f"({summed})" if len(parts) > 1 else summed
    cut = decimal_text(value)
    exact = "" if Fraction(cut) == value else "…"
    shown = f"{numerator} ÷ {base:,} × 100 = {cut}{exact}%"
    short = tuple(_short(rules, item, measure, facts))
    return _banded(item, value, Text(shown, shown), "%", short)


def _counted(item: ScoreItem, measure: Measure, number: int) -> Scored:
    unit = measure.unit or Text("", "")
    shown = Text(f"{number:,}{unit.ko}", f"{number:,} {unit.en}".rstrip())
    return _banded(item, Fraction(number), shown, "")


def _short(rules: Judged, item: ScoreItem, measure: Measure, facts: Facts) -> Iterator[Finding]:
    """Parts of a sum below their own standard, which a good total would hide."""
    kind, names = cited(STANDARD_SHORT, item.rule, item.citation), rules.duty_names
    for code, required in measure.standard.items():
        given, name = facts.numbers[code], names.get(code, Text(code, code))
        if given < required:
            yield kind.at(
                f"/facts/{code}",
                name_ko=name.ko,
                name_en=name.en,
                given=given,
                required=required,
            )


def _banded(
    item: ScoreItem,
    value: Fraction,
    shown: Text,
    unit: str,
    findings: tuple[Finding, ...] = (),
) -> Scored:
    place, band = next((i, band) for i, band in enumerate(item.bands) if _holds(band, value))
    ko, en = _band_text(item.bands, place, unit)
    text = Text(f"{shown.ko} ({ko}) → {band.score}점", f"{shown.en} ({en}) → {band.score} points")
    return Scored(item.code, band.score, value, text, findings)


def _unscored(item: ScoreItem, kind: FindingKind, **params: Any) -> Scored:
    finding = cited(kind, item.rule, item.citation).at(
        f"/facts/{item.code}", name_ko=item.name.ko, name_en=item.name.en, **params
    )
    return Scored(item.code, None, None, Text("-", "-"), (finding,))


def _holds(band: Band, value: Fraction) -> bool:
    return (band.at_least is None or value >= band.at_least) and (
        band.over is None or value > band.over
    )


def _band_text(bands: Sequence[Band], place: int, unit: str) -> tuple[str, str]:
    """A band in words, with the band above as its upper end: "100% 초과 120% 미만"."""
    ko, en = [], []
    band = bands[place]
    if place and band.at_least is not None and band.at_least == bands[place - 1].over:
        exactly = f"{decimal_text(band.at_least)}{unit}"
        return exactly, f"exactly {exactly}"
    if band.at_least is not None:
        ko.append(f"{decimal_text(band.at_least)}{unit} 이상")
        en.append(f"{decimal_text(band.at_least)}{unit} or more")
    if band.over is not None:
        ko.append(f"{decimal_text(band.over)}{unit} 초과")
        en.append(f"over {decimal_text(band.over)}{unit}")
    if place:
        above = bands[place - 1]
        if above.at_least is not None:
            ko.append(f"{decimal_text(above.at_least)}{unit} 미만")
            en.append(f"under {decimal_text(above.at_least)}{unit}")
        elif above.over is not None:
            ko.append(f"{decimal_text(above.over)}{unit} 이하")
            en.append(f"up to {decimal_text(above.over)}{unit}")
    return " ".join(ko), ", ".join(en)
