"""Evaluation of a call: reviewers and their sheets, verified facts, the ranking (G-050 … G-055)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.evaluation.errors import (
    ConflictUndeclared,
)
from services.grants.evaluation.models import Sheet, VerifiedFacts
from services.grants.evaluation.rules import (
    Candidate,
    bonus_points,
    panel_findings,
    shared_bodies,
    sheet_findings,
)
from services.grants.programmes.models import Programme
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Judged, RuleSet
from services.grants.programmes.service import judging_rules, managed_programme, note
from services.grants.proposals.document import Document
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.moves import NAMES
from services.grants.proposals.service import received_version
from shared.problems import Invalid, NotFound, Stale, StateConflict
from shared.tokens import Claims

SHEET_NAMES: Final = {"assigned": "배정", "submitted": "제출", "recused": "제척·회피"}


async def assign(
    session: AsyncSession,
    programme_id: UUID,
    agency_id: UUID,
    caller: Claims,
    reviewers: Sequence[Mapping[str, Any]],
) -> Sequence[Sheet]:
    """Give every eligible proposal of a call to these reviewers; repeating adds who is missing.

    Whoever is of an institution of the consortium is excluded from that proposal at once. Raises
    `Invalid` where the panel would be larger than the call allows.
    """
    rules = await managed_rules(session, programme_id, agency_id)
    proposals = await in_evaluation(session, programme_id)
    rows = [
        _new_sheet(candidate_of(rules, proposal, submission.document), proposal, reviewer)
        for proposal, submission in proposals
        for reviewer in reviewers
    ]
    if rows:
        await session.execute(insert(Sheet).values(rows).on_conflict_do_nothing())
    sheets = await sheets_of(session, [proposal.id for proposal, _submission in proposals])
    members = len({sheet.reviewer_id for sheet in sheets})
    if errors := list(panel_findings(rules, rules.evaluation.panel, members)):
        raise Invalid(errors=errors)
    note(session, "programme", programme_id, "assign_reviewers", caller)
    return sheets


def _new_sheet(
    candidate: Candidate, proposal: Proposal, reviewer: Mapping[str, Any]
) -> dict[str, Any]:
    shared = shared_bodies(candidate, reviewer["institutions"])
    return {
        "proposal_id": proposal.id,
        "reviewer_id": reviewer["reviewer_id"],
        "reviewer_name": reviewer["name"],
        "institutions": reviewer["institutions"],
        "state": "recused" if shared else "assigned",
        "conflict_reason": f"제척: {', '.join(sorted(shared))}" if shared else None,
        "scores": {},
        "comment": "",
    }


async def reviewing(session: AsyncSession, programme_id: UUID, agency_id: UUID) -> Sequence[Sheet]:
    """Every sheet of the agency's own call: who judges what, and how far they are."""
    await managed_programme(session, programme_id, agency_id)
    of_call = select(Proposal.id).where(Proposal.programme_id == programme_id)
    query = select(Sheet).where(Sheet.proposal_id.in_(of_call))
    order = (Sheet.proposal_id, Sheet.reviewer_id)
    return (await session.scalars(query.order_by(*order).limit(5_000))).all()


async def verified_facts(
    session: AsyncSession, proposal_id: UUID, agency_id: UUID
) -> VerifiedFacts | None:
    """What the agency verified of a received proposal, if it did."""
    await received_version(session, proposal_id, agency_id)
    return await session.get(VerifiedFacts, proposal_id)


async def exclude(
    session: AsyncSession,
    proposal_id: UUID,
    reviewer_id: UUID,
    agency_id: UUID,
    caller: Claims,
    reason: str,
) -> Sheet:
    """제척·기피 by the agency, of one proposal: also after the sheet was submitted, until the
    ranking is final. What was written stays on record and counts no more."""
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    await session.refresh(proposal, with_for_update={"read": True})  # the ranking waits, or we do
    if proposal.state != "eligible":
        raise StateConflict(state=NAMES[proposal.state])
    sheet = await session.get(Sheet, (proposal_id, reviewer_id), with_for_update=True)
    if sheet is None:
        raise NotFound
    if sheet.state == "recused":
        raise StateConflict(state=SHEET_NAMES[sheet.state])
    sheet.state, sheet.conflict_reason, sheet.submitted_at = "recused", reason, None
    sheet.version += 1
    note(session, "proposal", proposal_id, "exclude_reviewer", caller, reason=reason)
    await session.flush()
    return sheet


async def save_facts(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    values: Mapping[str, Any],
) -> VerifiedFacts:
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    await session.refresh(proposal, with_for_update={"read": True})
    if proposal.state not in ("pre_review", "eligible"):
        raise StateConflict(state=NAMES[proposal.state])
    rules = await managed_rules(session, proposal.programme_id, agency_id)
    bonus = bonus_points(
        rules, values["lead_region"], values["partner_regions"], values["bonus_decided"]
    )
    if errors := [finding for finding in bonus.findings if finding.is_error]:
        raise Invalid(errors=errors)
    stored = {**values, "verified_by": caller.sub, "verified_at": func.now()}
    await session.execute(
        insert(VerifiedFacts)
        .values(proposal_id=proposal.id, **stored)
        .on_conflict_do_update(index_elements=[VerifiedFacts.proposal_id], set_=stored)
    )
    said = orjson.dumps(values).decode()
    note(session, "proposal", proposal.id, "verify_facts", caller, reason=said)
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


@dataclass(frozen=True, slots=True)
class Assignment:
    """A reviewer's sheet, the proposal, and how it is judged. The document is only shown to whoever
    declared to have no conflict, and has none."""

    sheet: Sheet
    proposal: Proposal
    rules: Judged
    document: Mapping[str, Any] | None


async def assignment(
    session: AsyncSession, proposal_id: UUID, reviewer_id: UUID, caller: Claims
) -> Assignment:
    """One assignment with the document as submitted; that it was read is recorded."""
    sheet = await session.get(Sheet, (proposal_id, reviewer_id))
    if sheet is None:
        raise NotFound
    proposal = await session.get_one(Proposal, proposal_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await judging_rules(session, programme)
    if sheet.state == "recused" or sheet.cleared_at is None:
        return Assignment(sheet, proposal, rules, None)
    note(session, "proposal", proposal.id, "read_document", caller)
    return Assignment(sheet, proposal, rules, (await _submission(session, proposal)).document)


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


async def declare_none(
    session: AsyncSession, proposal_id: UUID, reviewer_id: UUID, caller: Claims, now: datetime
) -> Sheet:
    """The reviewer declares to have no conflict with anyone behind this proposal, and may read it.

    Whose own account belongs to the applicant is excluded whatever is declared.
    """
    sheet = await _own_sheet(session, proposal_id, reviewer_id)
    proposal = await session.get_one(Proposal, proposal_id)
    if caller.institution_id == str(proposal.institution_id):
        sheet.state, sheet.conflict_reason = "recused", f"제척: {proposal.institution_name}"
        sheet.version += 1
        note(session, "proposal", proposal_id, "exclude_reviewer", None, reason="제척")
    elif sheet.cleared_at is None:
        sheet.cleared_at = now
        sheet.version += 1
        note(session, "proposal", proposal_id, "declare_no_conflict", caller)
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
    sheet = await _cleared_sheet(session, proposal_id, reviewer_id)
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
    sheet = await _cleared_sheet(session, proposal_id, reviewer_id)
    proposal = await session.get_one(Proposal, proposal_id)
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await judging_rules(session, programme)
    if errors := tuple(sheet_findings(rules, sheet.scores)):
        raise Invalid(errors=errors)
    sheet.state, sheet.submitted_at = "submitted", now
    sheet.version += 1
    note(session, "proposal", proposal_id, "submit_sheet", caller)
    await session.flush()
    return sheet


async def in_evaluation(
    session: AsyncSession, programme_id: UUID
) -> list[tuple[Proposal, Submission]]:
    """The eligible proposals of a call with the version that counts, locked for the change."""
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


async def sheets_of(session: AsyncSession, proposal_ids: Sequence[UUID]) -> Sequence[Sheet]:
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
        raise StateConflict(state=SHEET_NAMES[sheet.state])
    return sheet


async def _cleared_sheet(session: AsyncSession, proposal_id: UUID, reviewer_id: UUID) -> Sheet:
    """The reviewer's open sheet, once a conflict was ruled out. Raises `ConflictUndeclared`."""
    sheet = await _own_sheet(session, proposal_id, reviewer_id)
    if sheet.cleared_at is None:
        raise ConflictUndeclared
    return sheet


async def managed_rules(session: AsyncSession, programme_id: UUID, agency_id: UUID) -> Judged:
    """By which the proposals of the agency's own call are judged."""
    return await judging_rules(session, await managed_programme(session, programme_id, agency_id))


def candidate_of(rules: Judged, proposal: Proposal, raw: Mapping[str, Any]) -> Candidate:
    """Whose proposal it is, as far as conflicts go: the applicant and its consortium."""
    names = {proposal.institution_name}
    if isinstance(rules, RuleSet):
        applicant = read(Document, raw).applicant
        if applicant is not None:
            names |= {school.university for school in applicant.schools}
            names |= {partner.name for partner in applicant.partners}
    return Candidate(str(proposal.id), frozenset(names), {}, ())
