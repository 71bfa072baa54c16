"""From sheets to a ranking: conflicts, quorum, exact means, ties, panels (G-055).

Quantitative items are scored once, qualitative ones are the mean over reviewers as an exact
fraction. Totals are shown cut to two decimals, and ranked by what they exactly are.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from typing import Final

from services.grants.errors import (
    BELOW_PASSING,
    COI_RECUSED,
    PANEL_TOO_LARGE,
    PANEL_UNKNOWN,
    QUORUM_SHORT,
    RANK_TIED,
    SCORE_MISSING,
)
from services.grants.evaluation.rules.sheet import sheet_findings
from services.grants.programmes.rules import Judged, Panel, cited, decimal_text
from shared.problems import Finding, Invalid

_LEGAL_FORMS: Final = re.compile(r"주식회사|유한회사|\(주\)|\(유\)")
"""NFKC has made ㈜ and （주） into (주) by then."""


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's sheet for one proposal; institutions are those the reviewer belongs to."""

    reviewer: str
    scores: Mapping[str, int]
    institutions: frozenset[str] = frozenset()
    declared_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal to be ranked: its institutions, its scores by item, its bonus, its sheets."""

    proposal: str
    institutions: frozenset[str]
    quantitative: Mapping[str, int]
    reviews: tuple[Review, ...]
    bonus: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a proposal scored. `total` is exact; `shown` is what people read.

    `means` are the qualitative items, `counted` the reviewers in them, `recused` those with a
    conflict, `trimmed` the highest and lowest left out. `passes` is false without a quorum or
    below the passing score.
    """

    proposal: str
    quantitative: int
    qualitative: Fraction
    bonus: int
    total: Fraction
    shown: str
    sections: Mapping[str, Fraction]
    means: Mapping[str, Fraction]
    counted: tuple[str, ...]
    recused: tuple[str, ...]
    trimmed: tuple[str, ...]
    passes: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place in the ranking; `tied` where nothing but the committee can decide."""

    rank: int
    outcome: Outcome
    tied: bool
    findings: tuple[Finding, ...] = ()


def conflict(candidate: Candidate, review: Review) -> bool:
    """Whether a reviewer may not judge: declared, or of an institution of the consortium."""
    return review.declared_conflict or bool(shared_bodies(candidate, review.institutions))


def shared_bodies(candidate: Candidate, institutions: Iterable[str]) -> frozenset[str]:
    """The institutions of a reviewer that stand behind the proposal too: 같은 대학, 참여기업."""
    own = {body_of(name) for name in candidate.institutions} - {""}
    return frozenset(name for name in institutions if body_of(name) in own)


def body_of(name: str) -> str:
    """The institution behind a name as people write it: a university without its foundation,
    college or campus, a company without its legal form; no spaces, one case, one Unicode form."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()
    plain = _LEGAL_FORMS.sub("", plain)
    university, found, _rest = plain.partition("대학교")
    return university + found if found else plain.removesuffix("산학협력단")


def evaluate(rules: Judged, candidate: Candidate) -> Outcome:
    """A proposal's outcome from its sheets; `Invalid` where a score is missing or not legal."""
    _refuse_incomplete(rules, candidate)
    sheet = rules.evaluation
    panel = panel_of(rules, sheet.panel)
    recused = [review for review in candidate.reviews if conflict(candidate, review)]
    sitting = [review for review in candidate.reviews if review not in recused]
    counted, trimmed = _trim(rules, sitting)
    means = {
        item.code: Fraction(sum(r.scores[item.code] for r in counted), max(1, len(counted)))
        for item in sheet.items()
        if not item.quantitative
    }
    sections = {
        section.code: sum(
            (
                Fraction(candidate.quantitative[item.code])
                if item.quantitative
                else means[item.code]
                for item in section.items
            ),
            Fraction(0),
        )
        for section in sheet.sections
    }
    total = sum(sections.values(), Fraction(candidate.bonus))
    shown = decimal_text(total, sheet.shown_decimals)
    coi = cited(COI_RECUSED, sheet.rule, panel.citation)
    findings = [coi.at(f"/reviews/{r.reviewer}", reviewer=r.reviewer) for r in recused]
    if len(sitting) < panel.quorum:
        kind = cited(QUORUM_SHORT, panel.rule, panel.citation)
        findings.append(kind.at("/reviews", required=panel.quorum, given=len(sitting)))
    if sheet.passing_score is not None and total < sheet.passing_score:
        kind = cited(BELOW_PASSING, sheet.rule, sheet.citation)
        limit = decimal_text(sheet.passing_score)
        findings.append(kind.at("/total", score=shown, limit=limit))
    return Outcome(
        candidate.proposal,
        sum(candidate.quantitative.values()),
        sum(means.values(), Fraction(0)),
        candidate.bonus,
        total,
        shown,
        sections,
        means,
        tuple(review.reviewer for review in counted),
        tuple(review.reviewer for review in recused),
        tuple(review.reviewer for review in trimmed),
        not any(finding.is_error for finding in findings),
        tuple(findings),
    )


def rank(
    rules: Judged, candidates: Sequence[Candidate], decided: Sequence[str] = ()
) -> tuple[Ranked, ...]:
    """Proposals by exact total, equal ones by the tie-break sections, the rest share a rank.

    `decided` is the order in which the committee put proposals nothing else tells apart. Those that
    do not pass come after all that do.
    """
    sheet = rules.evaluation
    order = {proposal: place for place, proposal in enumerate(decided)}

    def merit(outcome: Outcome) -> tuple[object, ...]:
        ties = (-outcome.sections[code] for code in sheet.tie_break)
        return (not outcome.passes, -outcome.total, *ties)

    outcomes = sorted((evaluate(rules, candidate) for candidate in candidates), key=merit)
    tie = cited(RANK_TIED, sheet.rule, sheet.citation)
    ranked: list[Ranked] = []
    for _, group in groupby(outcomes, key=merit):
        equals = sorted(group, key=lambda o: (order.get(o.proposal, len(order)), o.proposal))
        tied = len(equals) > 1 and any(outcome.proposal not in order for outcome in equals)
        first = len(ranked) + 1
        ranked += [
            Ranked(
                first if tied else first + place,
                outcome,
                tied,
                (tie.at(f"/{outcome.proposal}"),) if tied else (),
            )
            for place, outcome in enumerate(equals)
        ]
    return tuple(ranked)


def panel_of(rules: Judged, code: str) -> Panel:
    """A panel of the call; `Invalid` for a code it does not have."""
    for panel in rules.evaluation.panels:
        if panel.code == code:
            return panel
    raise Invalid(errors=[PANEL_UNKNOWN.at("/panel", panel=code)])


def panel_findings(rules: Judged, code: str, members: int) -> Iterator[Finding]:
    """A panel's size against what the call allows and needs."""
    panel = panel_of(rules, code)
    if panel.at_most is not None and members > panel.at_most:
        yield cited(PANEL_TOO_LARGE, panel.rule, panel.citation).at(
            "/members",
            name_ko=panel.name.ko,
            name_en=panel.name.en,
            limit=panel.at_most,
            given=members,
        )
    if members < panel.quorum:
        kind = cited(QUORUM_SHORT, panel.rule, panel.citation)
        yield kind.at("/members", required=panel.quorum, given=members)


def panel_pay(
    rules: Judged, code: str, *, projects_a_day: int, days: int = 1, chair: bool = False
) -> int:
    """What a member is paid in won: by the projects judged a day, the chair a little more."""
    panel = panel_of(rules, code)
    daily = next((row.won for row in panel.pay if projects_a_day >= row.projects_from), 0)
    return days * (daily + (panel.chair_won if chair and daily else 0))


def _refuse_incomplete(rules: Judged, candidate: Candidate) -> None:
    at = f"/{candidate.proposal}"
    findings = [
        replace(finding, pointer=f"{at}/reviews/{review.reviewer}{finding.pointer}")
        for review in candidate.reviews
        if not conflict(candidate, review)
        for finding in sheet_findings(rules, review.scores)
    ]
    findings += [
        cited(SCORE_MISSING, item.rule, item.citation).at(
            f"{at}/quantitative/{item.code}", name_ko=item.name.ko, name_en=item.name.en
        )
        for item in rules.evaluation.items()
        if item.quantitative and candidate.quantitative.get(item.code) not in item.scores
    ]
    if findings:
        raise Invalid(errors=findings)


def _trim(rules: Judged, reviews: Sequence[Review]) -> tuple[Sequence[Review], Sequence[Review]]:
    """The reviewers that count, and those left out: one highest and one lowest, if so set.

    With fewer than three reviewers nothing would be left to average, so all count.
    """
    if rules.evaluation.trim == "none" or len(reviews) < 3:
        return reviews, ()
    ordered = sorted(reviews, key=lambda r: (sum(r.scores.values()), r.reviewer))
    return ordered[1:-1], (ordered[0], ordered[-1])
