"""The ranking of a call: as it stands, and kept for good with how it came about (G-055)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.evaluation.errors import (
    FACTS_MISSING,
    NOTHING_TO_RANK,
    PRE_REVIEW_OPEN,
    SHEETS_OPEN,
)
from services.grants.evaluation.models import Result, Sheet, VerifiedFacts
from services.grants.evaluation.outcome import Line, outcome_of
from services.grants.evaluation.rules import (
    BonusPoints,
    Candidate,
    Dated,
    Facts,
    Review,
    Scored,
    bonus_points,
    quantitative_scores,
    rank,
)
from services.grants.evaluation.service import candidate_of, in_evaluation, sheets_of
from services.grants.programmes.models import Programme
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Judged, RuleSet
from services.grants.programmes.service import judging_rules, managed_programme, note
from services.grants.proposals.document import Document
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.moves import move
from services.grants.proposals.rules import totals
from shared.clock import seoul_day
from shared.problems import Finding, Invalid
from shared.tokens import Claims


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranking as it stands; `blocking` is what keeps it from being made final."""

    rules: Judged
    lines: Sequence[Line]
    blocking: Sequence[Finding]


async def ranking(
    session: AsyncSession, programme_id: UUID, agency_id: UUID, decided: Sequence[UUID] = ()
) -> Ranking:
    """The ranking as it stands; `decided` is the committee's order of what nothing else tells
    apart. Raises `Invalid` naming open sheets and missing facts."""
    programme = await managed_programme(session, programme_id, agency_id)
    rules = await judging_rules(session, programme)
    proposals = await in_evaluation(session, programme_id)
    sheets = await sheets_of(session, [proposal.id for proposal, _submission in proposals])
    query = select(VerifiedFacts).where(
        VerifiedFacts.proposal_id.in_([proposal.id for proposal, _submission in proposals])
    )
    facts = {row.proposal_id: row for row in await session.scalars(query)}
    _refuse_unfinished(proposals, sheets, facts)
    closes_on = seoul_day(programme.closes_at)
    scored = {
        proposal.id: _scored(rules, submission.document, facts[proposal.id], closes_on)
        for proposal, submission in proposals
    }
    candidates = [
        _candidate(rules, proposal, submission.document, sheets, *scored[proposal.id])
        for proposal, submission in proposals
    ]
    by_id = {str(proposal.id): proposal for proposal, _submission in proposals}
    lines: list[Line] = [
        (ranked, found := by_id[ranked.outcome.proposal], *scored[found.id])
        for ranked in rank(rules, candidates, [str(one) for one in decided])
    ]
    return Ranking(rules, lines, await _blocking(session, programme_id, lines))


async def calculated(
    session: AsyncSession, rules: Judged, proposal: Proposal, document: Mapping[str, Any]
) -> Mapping[str, Scored]:
    """The items of a sheet nobody judges, by code; none before the facts were verified."""
    facts = await session.get(VerifiedFacts, proposal.id)
    if facts is None:
        return {}
    programme = await session.get_one(Programme, proposal.programme_id)
    scored, _bonus = _scored(rules, document, facts, seoul_day(programme.closes_at))
    return {item.item: item for item in scored}


async def finalise(
    session: AsyncSession,
    programme_id: UUID,
    caller: Claims,
    found: Ranking,
    reason: str | None,
) -> None:
    """Keep the ranking as decided, with how it came about; every proposal becomes scored.

    Raises `Invalid` while something still has to be decided: a proposal in the pre-review, a panel
    without quorum, a tie, a bonus the call does not define.
    """
    if found.blocking:
        raise Invalid(errors=found.blocking)
    for line in found.lines:
        ranked, proposal, _items, _bonus = line
        target = move(proposal.state, "score")
        session.add(
            Result(
                proposal_id=proposal.id,
                programme_id=programme_id,
                rank=ranked.rank,
                outcome=outcome_of(found.rules, line, "ko"),
                decided_by=caller.sub,
            )
        )
        moved = (proposal.state, target)
        note(session, "proposal", proposal.id, "score", caller, moved=moved)
        if reason is not None:  # it may speak of others: no move, so no applicant reads it
            note(session, "proposal", proposal.id, "order_by_committee", caller, reason=reason)
        proposal.state = target
        proposal.version += 1
    await session.flush()


async def _blocking(
    session: AsyncSession, programme_id: UUID, lines: Sequence[Line]
) -> list[Finding]:
    """What has to be decided before the ranking is: by the secretary, the agency, the committee."""
    query = select(Proposal).where(
        Proposal.programme_id == programme_id,
        Proposal.state.in_(("submitted", "pre_review", "completion")),
        Proposal.continues_id.is_(None),
    )
    found = [
        PRE_REVIEW_OPEN.at(f"/{proposal.id}", institution=proposal.institution_name)
        for proposal in await session.scalars(query.order_by(Proposal.id).limit(100))
    ]
    if not lines and not found:
        found.append(NOTHING_TO_RANK.at(""))
    for ranked, _proposal, _items, bonus in lines:
        open_ones = (*ranked.outcome.findings, *ranked.findings, *bonus.findings)
        found += [
            replace(finding, kind=replace(finding.kind, level="error"))
            for finding in open_ones
            if finding.code in ("QUORUM_SHORT", "RANK_TIED", "BONUS_UNDEFINED")
        ]
    return found


def _refuse_unfinished(
    proposals: Sequence[tuple[Proposal, Submission]],
    sheets: Sequence[Sheet],
    facts: Mapping[UUID, VerifiedFacts],
) -> None:
    names = {proposal.id: proposal.institution_name for proposal, _submission in proposals}
    found: list[Finding] = [
        SHEETS_OPEN.at(
            f"/{sheet.proposal_id}/{sheet.reviewer_id}",
            reviewer=sheet.reviewer_name,
            institution=names[sheet.proposal_id],
        )
        for sheet in sheets
        if sheet.state == "assigned"
    ]
    found += [
        FACTS_MISSING.at(f"/{proposal.id}/facts", institution=proposal.institution_name)
        for proposal, _submission in proposals
        if proposal.id not in facts
    ]
    if found:
        raise Invalid(errors=found)


def _scored(
    rules: Judged, raw: Mapping[str, Any], facts: VerifiedFacts, closes_on: date
) -> tuple[tuple[Scored, ...], BonusPoints]:
    numbers: dict[str, int] = dict(facts.numbers)
    if isinstance(rules, RuleSet):
        document = read(Document, raw)
        assert document.budget is not None  # a submission was checked
        whole = totals(rules, document.budget).whole
        numbers |= document.targets
        numbers |= {
            "grant_won": whole.grant,
            "cash_won": whole.cash,
            "in_kind_won": whole.in_kind,
        }
    records = {
        name: [Dated(date.fromisoformat(item["on"]), item["proven"]) for item in items]
        for name, items in facts.records.items()
    }
    return (
        quantitative_scores(rules, Facts(numbers, records), closes_on),
        bonus_points(rules, facts.lead_region, facts.partner_regions, facts.bonus_decided),
    )


def _candidate(
    rules: Judged,
    proposal: Proposal,
    raw: Mapping[str, Any],
    sheets: Sequence[Sheet],
    scored: Sequence[Scored],
    bonus: BonusPoints,
) -> Candidate:
    return replace(
        candidate_of(rules, proposal, raw),
        quantitative={item.item: item.score for item in scored if item.score is not None},
        reviews=tuple(_review(sheet) for sheet in sheets if sheet.proposal_id == proposal.id),
        bonus=bonus.points,
    )


def _review(sheet: Sheet) -> Review:
    return Review(
        str(sheet.reviewer_id),
        sheet.scores,
        frozenset(sheet.institutions),
        sheet.state == "recused",
    )
