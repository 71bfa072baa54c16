"""Writing, checking and submitting proposals; what an applicant and the agency may see."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.errors import ProposalExists
from services.grants.programmes.models import Event, Programme
from services.grants.programmes.service import note, published_programme, rules_of
from services.grants.proposals.document import Check, check, late_or_early
from services.grants.proposals.elsewhere import commitments
from services.grants.proposals.models import Attachment, Proposal, Submission, receipt_numbers
from services.grants.proposals.moves import NAMES, WRITABLE, move
from shared.clock import seoul_day
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, NotFound, Stale, StateConflict
from shared.tokens import Claims


async def create_proposal(
    session: AsyncSession,
    programme_id: UUID,
    *,
    title: str,
    institution_id: UUID,
    institution_name: str,
    caller: Claims,
    kind: str = "hosted",
) -> Proposal:
    """Begin a draft. Raises `NotFound` (no such call of this kind) or `ProposalExists`."""
    programme = await published_programme(session, programme_id)
    if programme.kind != kind:
        raise NotFound
    proposal = Proposal(
        programme_id=programme.id,
        institution_id=institution_id,
        institution_name=institution_name,
        title=title,
        document={},
    )
    return await add_draft(session, proposal, "create", caller)


async def add_draft(
    session: AsyncSession, proposal: Proposal, action: str, caller: Claims
) -> Proposal:
    """Put a new draft on record. Raises `ProposalExists` where the applicant has a live one."""
    session.add(proposal)
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_proposal_live" in str(error.orig):
            raise ProposalExists from error
        raise
    await session.refresh(proposal)
    note(session, "proposal", proposal.id, action, caller, moved=(None, "draft"))
    return proposal


async def save_document(
    session: AsyncSession,
    proposal_id: UUID,
    institution_id: UUID,
    *,
    seen_version: int,
    title: str,
    document: Mapping[str, Any],
) -> Proposal:
    """Keep what is written so far, right or wrong. A submitted proposal stays editable until the
    deadline, and while the agency waits for a completion; what counts is the last version
    submitted."""
    proposal = await writable_proposal(session, proposal_id, institution_id)
    if proposal.version != seen_version:
        raise Stale
    if proposal.state not in WRITABLE:
        raise StateConflict(state=NAMES[proposal.state])
    proposal.title, proposal.document = title, dict(document)
    proposal.version += 1
    await session.flush()
    return proposal


async def check_proposal(session: AsyncSession, proposal_id: UUID, institution_id: UUID) -> Check:
    """The live check of a draft, with what its people give to other projects here (G-013)."""
    proposal = await own_proposal(session, proposal_id, institution_id)
    elsewhere = await commitments(session, proposal)
    return check(await _rules(session, proposal), proposal.document, elsewhere)


async def check_document(
    session: AsyncSession, programme_id: UUID, document: Mapping[str, Any]
) -> Check:
    """The same check for a document that is not saved. Other projects of its people are left out:
    whoever may read a call could ask about anybody's time."""
    programme = await published_programme(session, programme_id)
    if programme.kind != "hosted":
        raise NotFound
    return check(await rules_of(session, programme), document)


async def submit_proposal(
    session: AsyncSession,
    proposal_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    arrived_at: datetime,
) -> tuple[Proposal, Submission]:
    """Freeze a version and give a receipt (G-004). Raises `Invalid` with every finding."""
    proposal = await writable_proposal(session, proposal_id, institution_id)
    target = move(proposal.state, "submit")
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await rules_of(session, programme)
    checked = check(rules, proposal.document, await commitments(session, proposal))
    timing = None  # the call's deadline is for new projects
    if proposal.continues_id is None:
        timing = late_or_early(rules, programme.opens_at, programme.closes_at, arrived_at)
    errors = (*((timing,) if timing else ()), *checked.errors)
    if errors:
        raise Invalid(errors=errors)
    submission = await freeze(session, proposal, caller, checked.findings, arrived_at)
    note(session, "proposal", proposal.id, "submit", caller, moved=(proposal.state, target))
    proposal.state = target
    await session.flush()
    return proposal, submission


async def freeze(
    session: AsyncSession,
    proposal: Proposal,
    caller: Claims,
    findings: Sequence[Finding],
    arrived_at: datetime,
) -> Submission:
    """Keep what is written and attached as the version that counts, with its receipt. The caller
    checked it."""
    number = await session.scalar(select(receipt_numbers.next_value()))
    submission = Submission(
        proposal_id=proposal.id,
        seq=proposal.submissions + 1,
        receipt_number=f"{seoul_day(arrived_at):%y}-{number:06}",
        document=proposal.document,
        sha256=hashlib.sha256(
            orjson.dumps(proposal.document, option=orjson.OPT_SORT_KEYS)
        ).hexdigest(),
        warnings=[finding.to_dict() for finding in findings],
        attachments=await _attached(session, proposal),
        submitted_at=arrived_at,
        submitted_by=caller.sub,
    )
    session.add(submission)
    proposal.submitted_at = arrived_at
    proposal.submissions += 1
    proposal.version += 1
    return submission


async def _attached(session: AsyncSession, proposal: Proposal) -> list[dict[str, Any]]:
    query = select(Attachment).where(
        Attachment.proposal_id == proposal.id, Attachment.taken_back_at.is_(None)
    )
    rows = await session.scalars(query.order_by(Attachment.document, Attachment.id))
    return [
        {
            "id": str(row.id),
            "document": row.document,
            "file_name": row.file_name,
            "size": row.size,
            "sha256": row.sha256,
        }
        for row in rows
    ]


async def withdraw_proposal(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID, caller: Claims
) -> Proposal:
    proposal = await writable_proposal(session, proposal_id, institution_id)
    target = move(proposal.state, "withdraw")
    note(session, "proposal", proposal.id, "withdraw", caller, moved=(proposal.state, target))
    proposal.state = target
    proposal.version += 1
    await session.flush()
    return proposal


async def own_proposal(session: AsyncSession, proposal_id: UUID, institution_id: UUID) -> Proposal:
    """An applicant's own proposal; another's is not found."""
    proposal = await session.get(Proposal, proposal_id)
    if proposal is None or proposal.institution_id != institution_id:
        raise NotFound
    return proposal


async def receipts(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID
) -> Sequence[Submission]:
    proposal = await own_proposal(session, proposal_id, institution_id)
    query = select(Submission).where(Submission.proposal_id == proposal.id)
    return (await session.scalars(query.order_by(Submission.seq))).all()


async def list_own_proposals(
    session: AsyncSession, institution_id: UUID, page: PageRequest
) -> tuple[Sequence[Proposal], str | None, int]:
    query = select(Proposal).where(Proposal.institution_id == institution_id)
    return await paginate(session, query, keys=[Proposal.id], page=page)


async def list_received(
    session: AsyncSession,
    programme_id: UUID,
    agency_id: UUID,
    page: PageRequest,
    state: str | None = None,
) -> tuple[Sequence[Proposal], str | None, int]:
    """What an agency's call received; drafts stay the applicant's."""
    programme = await session.get(Programme, programme_id)
    if programme is None or programme.agency_id != agency_id:
        raise NotFound
    query = select(Proposal).where(Proposal.programme_id == programme_id, Proposal.submissions > 0)
    if state is not None:
        query = query.where(Proposal.state == state)
    return await paginate(session, query, keys=[Proposal.id], page=page)


async def received_version(
    session: AsyncSession, proposal_id: UUID, agency_id: UUID
) -> tuple[Proposal, Submission]:
    """A proposal as the agency received it: the last submitted version, never the draft."""
    query = (
        select(Proposal, Submission)
        .join(Programme, Programme.id == Proposal.programme_id)
        .join(
            Submission,
            (Submission.proposal_id == Proposal.id) & (Submission.seq == Proposal.submissions),
        )
        .where(Proposal.id == proposal_id, Programme.agency_id == agency_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound
    return found[0], found[1]


async def submitter(session: AsyncSession, proposal: Proposal) -> str | None:
    """Who submitted the version that counts."""
    query = select(Submission.submitted_by).where(
        Submission.proposal_id == proposal.id, Submission.seq == proposal.submissions
    )
    return await session.scalar(query)


async def writable_proposal(
    session: AsyncSession, proposal_id: UUID, institution_id: UUID
) -> Proposal:
    """The applicant's proposal, locked for the change."""
    proposal = await session.get(Proposal, proposal_id, with_for_update=True)
    if proposal is None or proposal.institution_id != institution_id:
        raise NotFound
    return proposal


async def _rules(session: AsyncSession, proposal: Proposal) -> Any:
    return await rules_of(session, await session.get_one(Programme, proposal.programme_id))


async def history(session: AsyncSession, proposal_id: UUID, caller: Claims) -> Sequence[Event]:
    """What happened to a proposal, for the applicant and for the agency. Who judged it, and which
    reviewer had a conflict, is not the applicant's to read: it sees moves and its own acts."""
    owner, agency = (
        await session.execute(
            select(Proposal.institution_id, Programme.agency_id)
            .join(Programme, Programme.id == Proposal.programme_id)
            .where(Proposal.id == proposal_id)
        )
    ).one_or_none() or (None, None)
    if caller.institution_id not in (str(owner), str(agency)):
        raise NotFound
    query = select(Event).where(Event.subject_id == proposal_id).order_by(Event.id).limit(1000)
    if caller.institution_id == str(owner):
        query = query.where(Event.to_state.is_not(None) | (Event.actor_institution_id == owner))
    return (await session.scalars(query)).all()
