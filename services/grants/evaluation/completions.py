"""Requests for completion (보완): asked, answered by a day, back to the pre-review."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants import letters
from services.grants.evaluation import procedure
from services.grants.evaluation.errors import COMPLETION_DUE, COMPLETION_LATE
from services.grants.evaluation.models import Completion
from services.grants.programmes.models import Programme
from services.grants.programmes.service import note
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import move
from services.grants.proposals.service import freeze, submitter, writable_proposal
from shared.clock import SEOUL
from shared.problems import Finding, Invalid, StateConflict
from shared.tokens import Claims

Checker = Callable[[Programme, Mapping[str, Any]], Sequence[Finding]]
"""What there is to say about a document of a call; errors among it refuse a new version."""


async def ask(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    *,
    items: Sequence[str],
    due_at: datetime,
    now: datetime,
) -> Completion:
    """Ask the applicant for what is missing. Raises `Invalid` (COMPLETION_DUE), `StateConflict`."""
    if due_at <= now:
        raise Invalid(errors=[COMPLETION_DUE.at("/due_at", field="due_at")])
    reason = " / ".join(items)
    proposal = await procedure.take_step(
        session, proposal_id, agency_id, caller, "ask_completion", reason
    )
    earlier = await session.scalar(
        select(func.count()).select_from(Completion).where(Completion.proposal_id == proposal.id)
    )
    made = Completion(
        proposal_id=proposal.id,
        seq=(earlier or 0) + 1,
        items=list(items),
        due_at=due_at,
        asked_by=caller.sub,
        asked_at=now,
    )
    session.add(made)
    await session.flush()
    await letters.tell(
        session,
        "completion",
        proposal.institution_id,
        people=[await submitter(session, proposal)],
        title=proposal.title,
        due=f"{due_at.astimezone(SEOUL):%Y-%m-%d %H:%M}",
    )
    return made


async def answer(
    session: AsyncSession,
    proposal_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    text: str,
    corrected: bool,
    checker: Checker,
    now: datetime,
) -> Completion:
    """Answer the open request; with `corrected`, what is written is frozen as the version that
    counts. Raises `Invalid` with every finding, the passed day among them (COMPLETION_LATE)."""
    proposal = await writable_proposal(session, proposal_id, institution_id)
    target = move(proposal.state, "answer_completion")
    one = await open_request(session, proposal.id)
    programme = await session.get_one(Programme, proposal.programme_id)
    findings = checker(programme, proposal.document) if corrected else ()
    errors = [finding for finding in findings if finding.is_error]
    if now > one.due_at:
        errors.insert(0, COMPLETION_LATE.at("", due_at=one.due_at.isoformat()))
    if errors:
        raise Invalid(errors=errors)
    if corrected:
        version = await freeze(session, proposal, caller, findings, now)
        one.submission_seq = version.seq
    one.state, one.answer = "answered", text
    one.answered_at, one.answered_by = now, caller.sub
    note(
        session,
        "proposal",
        proposal.id,
        "answer_completion",
        caller,
        moved=(proposal.state, target),
        reason=text,
    )
    proposal.state = target
    proposal.version += 1
    await session.flush()
    return one


async def close(
    session: AsyncSession, proposal_id: UUID, agency_id: UUID, caller: Claims, reason: str
) -> Completion:
    """End a request without an answer: asked by mistake, or the day has passed."""
    proposal = await procedure.take_step(
        session, proposal_id, agency_id, caller, "close_completion", reason
    )
    one = await open_request(session, proposal.id)
    one.state, one.close_reason = "closed", reason
    await session.flush()
    return one


async def completions(session: AsyncSession, proposal: Proposal) -> Sequence[Completion]:
    query = select(Completion).where(Completion.proposal_id == proposal.id)
    return (await session.scalars(query.order_by(Completion.seq))).all()


async def open_request(session: AsyncSession, proposal_id: UUID) -> Completion:
    query = select(Completion).where(
        Completion.proposal_id == proposal_id, Completion.state == "open"
    )
    found = (await session.scalars(query.with_for_update())).one_or_none()
    if found is None:
        raise StateConflict(state="보완 완료")
    return found
