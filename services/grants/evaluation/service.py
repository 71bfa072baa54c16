"""Evaluation of a call: reviewers and their sheets, verified facts, the ranking (G-050 … G-055)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.errors import FACTS_MISSING, SHEETS_OPEN
from services.grants.evaluation.models import Result, Sheet, VerifiedFacts
from services.grants.evaluation.rules import (
    BonusPoints,
    Candidate,
    Dated,
    Facts,
    Ranked,
    Review,
    Scored,
    bonus_points,
    conflict,
    panel_findings,
    quantitative_scores,
    rank,
    sheet_findings,
)
from services.grants.programmes.models import Programme
from services.grants.programmes.reading import read
from services.grants.programmes.rules import RuleSet
from services.grants.programmes.service import managed_programme, note, rules_of
from services.grants.proposals.document import Document
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.moves import move
from services.grants.proposals.rules import totals
from services.grants.proposals.service import received_version
from shared.clock import seoul_day
from shared.problems import Finding, Invalid, NotFound, Stale, StateConflict
from shared.tokens import Claims


async def assign(
    session: AsyncSession,
    programme_id: UUID,
    agency_id: UUID,
    caller: Claims,
    reviewers: Sequence[Mapping[str, Any]],
) -> Sequence[Sheet]:
    """Give every eligible proposal of a call to these reviewers; repeating adds who is missing.

    Raises `Invalid` where the panel would be larger than the call allows.
    """
    programme = await managed_programme(session, programme_id, agency_id)
    rules = await rules_of(session, programme)
    proposals = await _in_evaluation(session, programme_id)
    rows = [
        {
            "proposal_id": proposal.id,
            "reviewer_id": reviewer["reviewer_id"],
            "reviewer_name": reviewer["name"],
            "institutions": reviewer["institutions"],
            "scores": {},
            "comment": "",
        }
        for proposal, _submission in proposals
        for reviewer in reviewers
    ]
    if rows:
        await session.execute(insert(Sheet).values(rows).on_conflict_do_nothing())
    sheets = await _sheets(session, [proposal.id for proposal, _submission in proposals])
    members = len({sheet.reviewer_id for sheet in sheets})
    if errors := list(panel_findings(rules, rules.evaluation.panel, members)):
        raise Invalid(errors=errors)
    note(session, "programme", programme_id, "assign_reviewers", caller)
    return sheets


async def save_facts(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    values: Mapping[str, Any],
) -> VerifiedFacts:
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    if proposal.state not in ("pre_review", "eligible"):
        raise StateConflict(state=proposal.state)
    stored = {**values, "verified_by": caller.sub}
    await session.execute(
        insert(VerifiedFacts)
        .values(proposal_id=proposal.id, **stored)
        .on_conflict_do_update(index_elements=[VerifiedFacts.proposal_id], set_=stored)
    )
    note(session, "proposal", proposal.id, "verify_facts", caller)
    return await session.get_one(VerifiedFacts, proposal.id, populate_existing=True)


async def assignments(session: AsyncSession, reviewer_id: UUID) -> Sequence[tuple[Sheet, Proposal]]:
    """What a reviewer was given, the newest call first."""
    query = (
        select(Sheet, Proposal)
        .join(Proposal, Proposal.id == Sheet.proposal_id)
        .where(Sheet.reviewer_id == reviewer_id)
        .order_by(Proposal.id.desc())
        .limit(500)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def assignment(
    session: AsyncSession, proposal_id: UUID, reviewer_id: UUID
) -> tuple[Sheet, Proposal, Mapping[str, Any] | None, RuleSet]:
    """One assignment with the document as submitted; a recused reviewer no longer sees it."""
    sheet = await session.get(Sheet, (proposal_id, reviewer_id))
    if sheet is None:
        raise NotFound
    proposal = await session.get_one(Proposal, proposal_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await rules_of(session, programme)
    document = (await _submission(session, proposal)).document
    barred = sheet.state == "recused" or conflict(_candidate_of(proposal, document), _review(sheet))
    return sheet, proposal, None if barred else document, rules


async def declare_conflict(
    session: AsyncSession, proposal_id: UUID, reviewer_id: UUID, caller: Claims, reason: str
) -> Sheet:
    """제척·회피: the reviewer no longer judges, nor sees, this proposal."""
    sheet = await _own_sheet(session, proposal_id, reviewer_id)
    sheet.state, sheet.conflict_reason, sheet.scores = "recused", reason, {}
    sheet.version += 1
    note(session, "proposal", proposal_id, "declare_conflict", caller, reason=reason)
    await session.flush()
    return sheet


async def save_scores(
    session: AsyncSession,
    proposal_id: UUID,
    reviewer_id: UUID,
    *,
    seen_version: int,
    scores: Mapping[str, int],
    comment: str,
) -> Sheet:
    """Keep a half-filled sheet; legality is judged when it is submitted."""
    sheet = await _own_sheet(session, proposal_id, reviewer_id)
    if sheet.version != seen_version:
        raise Stale
    sheet.scores, sheet.comment = dict(scores), comment
    sheet.version += 1
    await session.flush()
    return sheet


async def submit_sheet(
    session: AsyncSession, proposal_id: UUID, reviewer_id: UUID, caller: Claims, now: datetime
) -> Sheet:
    """Lock the sheet. Raises `Invalid` with every missing or illegal score (G-050)."""
    sheet = await _own_sheet(session, proposal_id, reviewer_id)
    proposal = await session.get_one(Proposal, proposal_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await rules_of(session, programme)
    if errors := tuple(sheet_findings(rules, sheet.scores)):
        raise Invalid(errors=errors)
    sheet.state, sheet.submitted_at = "submitted", now
    sheet.version += 1
    note(session, "proposal", proposal_id, "submit_sheet", caller)
    await session.flush()
    return sheet


Line = tuple[Ranked, Proposal, tuple[Scored, ...], BonusPoints]


async def ranking(session: AsyncSession, programme_id: UUID, agency_id: UUID) -> Sequence[Line]:
    """The ranking as it stands. Raises `Invalid` naming open sheets and missing facts."""
    programme = await managed_programme(session, programme_id, agency_id)
    rules = await rules_of(session, programme)
    proposals = await _in_evaluation(session, programme_id)
    sheets = await _sheets(session, [proposal.id for proposal, _submission in proposals])
    facts = {
        row.proposal_id: row
        for row in await session.scalars(
            select(VerifiedFacts).where(
                VerifiedFacts.proposal_id.in_([proposal.id for proposal, _ in proposals])
            )
        )
    }
    _refuse_unfinished(proposals, sheets, facts)
    closes_on = seoul_day(programme.closes_at)
    scored = {
        proposal.id: _scored(rules, submission.document, facts[proposal.id], closes_on)
        for proposal, submission in proposals
    }
    candidates = [
        _candidate(proposal, submission.document, sheets, *scored[proposal.id])
        for proposal, submission in proposals
    ]
    by_id = {str(proposal.id): proposal for proposal, _submission in proposals}
    return [
        (ranked, found := by_id[ranked.outcome.proposal], *scored[found.id])
        for ranked in rank(rules, candidates)
    ]


async def finalise(
    session: AsyncSession,
    programme_id: UUID,
    agency_id: UUID,
    caller: Claims,
    outcomes: Sequence[tuple[Line, Mapping[str, Any]]],
) -> None:
    """Keep the ranking as decided, with what was shown of it; every proposal becomes scored."""
    for (ranked, proposal, _scored_items, _bonus), shown in outcomes:
        target = move(proposal.state, "score")
        session.add(
            Result(
                proposal_id=proposal.id,
                programme_id=programme_id,
                rank=ranked.rank,
                outcome=dict(shown),
                decided_by=caller.sub,
            )
        )
        note(session, "proposal", proposal.id, "score", caller, moved=(proposal.state, target))
        proposal.state = target
        proposal.version += 1
    await session.flush()


async def _in_evaluation(
    session: AsyncSession, programme_id: UUID
) -> list[tuple[Proposal, Submission]]:
    query = (
        select(Proposal, Submission)
        .join(
            Submission,
            (Submission.proposal_id == Proposal.id) & (Submission.seq == Proposal.submissions),
        )
        .where(Proposal.programme_id == programme_id, Proposal.state == "eligible")
        .order_by(Proposal.id)
        .with_for_update(of=Proposal)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def _sheets(session: AsyncSession, proposal_ids: Sequence[UUID]) -> Sequence[Sheet]:
    query = select(Sheet).where(Sheet.proposal_id.in_(proposal_ids))
    return (await session.scalars(query.order_by(Sheet.proposal_id, Sheet.reviewer_id))).all()


async def _submission(session: AsyncSession, proposal: Proposal) -> Submission:
    query = select(Submission).where(
        Submission.proposal_id == proposal.id, Submission.seq == proposal.submissions
    )
    return (await session.scalars(query)).one()


async def _own_sheet(session: AsyncSession, proposal_id: UUID, reviewer_id: UUID) -> Sheet:
    """The reviewer's open sheet, locked for the change; a submitted or recused one is closed."""
    sheet = await session.get(Sheet, (proposal_id, reviewer_id), with_for_update=True)
    if sheet is None:
        raise NotFound
    if sheet.state != "assigned":
        raise StateConflict(state="제출" if sheet.state == "submitted" else "제척·회피")
    return sheet


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
    rules: RuleSet, raw: Mapping[str, Any], facts: VerifiedFacts, closes_on: date
) -> tuple[tuple[Scored, ...], BonusPoints]:
    document = read(Document, raw)
    assert document.budget is not None  # a submission was checked
    whole = totals(rules, document.budget).whole
    numbers = {
        **document.targets,
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
        bonus_points(rules, facts.lead_region, facts.partner_regions),
    )


def _candidate_of(proposal: Proposal, raw: Mapping[str, Any]) -> Candidate:
    """Whose proposal it is, as far as conflicts go."""
    applicant = read(Document, raw).applicant
    schools = applicant.schools if applicant else ()
    institutions = frozenset({proposal.institution_name, *(s.university for s in schools)})
    return Candidate(str(proposal.id), institutions, {}, ())


def _candidate(
    proposal: Proposal,
    raw: Mapping[str, Any],
    sheets: Sequence[Sheet],
    scored: Sequence[Scored],
    bonus: BonusPoints,
) -> Candidate:
    return Candidate(
        str(proposal.id),
        _candidate_of(proposal, raw).institutions,
        {item.item: item.score for item in scored if item.score is not None},
        tuple(_review(sheet) for sheet in sheets if sheet.proposal_id == proposal.id),
        bonus.points,
    )


def _review(sheet: Sheet) -> Review:
    return Review(
        str(sheet.reviewer_id),
        sheet.scores,
        frozenset(sheet.institutions),
        sheet.state == "recused",
    )
