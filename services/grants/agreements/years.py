"""The years of a project: stage evaluation, the next year's plan, and the stop of a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement, StageEvaluation
from services.grants.agreements.rules import (
    continuation_findings,
    stage_finding,
    stop_finding,
)
from services.grants.agreements.service import (
    agency_agreement,
    own_agreement,
    plan_version,
    project_number,
    readable_agreement,
    rules_of_agreement,
    year_of,
)
from services.grants.errors import StageEvaluated
from services.grants.programmes.rules import Period
from services.grants.programmes.service import note
from services.grants.proposals.carry_over import CarryOver, carry_over
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import move as move_proposal
from services.grants.proposals.service import add_draft, received_version
from shared.problems import Finding, Invalid, NotFound
from shared.tokens import Claims


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the project, with its stage evaluation, and what stands against the next one."""

    agreement: Agreement
    stage: StageEvaluation | None
    next_findings: tuple[Finding, ...]


async def years(session: AsyncSession, agreement_id: UUID, caller: Claims) -> list[Year]:
    """All years of the project an agreement belongs to, in order."""
    agreement = await readable_agreement(session, agreement_id, caller)
    rules = await rules_of_agreement(session, agreement)
    found = []
    for one in await years_of_project(session, agreement):
        stage = await _stage(session, one)
        about = tuple(continuation_findings(rules, await year_of(session, one)))
        found.append(Year(one, stage, about))
    return found


async def years_of_project(session: AsyncSession, agreement: Agreement) -> Sequence[Agreement]:
    """The agreements of one project; a draft without a number stands alone."""
    if agreement.project_no is None:
        return [agreement]
    query = select(Agreement).where(
        Agreement.programme_id == agreement.programme_id,
        Agreement.project_no == agreement.project_no,
    )
    return (await session.scalars(query.order_by(Agreement.year_no).limit(100))).all()


async def evaluate_stage(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    outcome: str,
    score: str | None,
    reason: str,
) -> StageEvaluation:
    """The stage evaluation, once and for all: whether the project goes on (G-001)."""
    agreement = await agency_agreement(session, agreement_id, caller)
    rules = await rules_of_agreement(session, agreement)
    if agreement.state in moves.NOT_CONCLUDED:
        moves.move(agreement.state, "close")  # refused: nothing was done yet
    wrong = stage_finding(rules, agreement.year_no)
    if wrong is not None:
        raise Invalid(errors=[wrong])
    if await _stage(session, agreement) is not None:
        raise StageEvaluated
    made = StageEvaluation(
        agreement_id=agreement.id,
        outcome=outcome,
        score=score,
        reason=reason,
        decided_by=caller.sub,
    )
    session.add(made)
    note(session, "agreement", agreement.id, f"stage_{outcome}", caller, reason=reason)
    await session.flush()
    await session.refresh(made)
    return made


async def stop(
    session: AsyncSession, agreement_id: UUID, caller: Claims, *, stopped_on: date, reason: str
) -> Agreement:
    """End a year before its time. What was obligated later does not count; it is settled as any
    other year, and no further year begins."""
    agreement = await agency_agreement(session, agreement_id, caller)
    target = moves.move(agreement.state, "stop")
    wrong = stop_finding(Period(agreement.year_start, agreement.year_end), stopped_on)
    if wrong is not None:
        raise Invalid(errors=[wrong])
    moved = (agreement.state, target)
    note(session, "agreement", agreement.id, "stop", caller, moved=moved, reason=reason)
    agreement.state, agreement.stopped_on, agreement.stop_reason = target, stopped_on, reason
    await session.flush()
    await session.refresh(agreement)
    return agreement


async def preview_next_year(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID
) -> CarryOver:
    """What beginning the next year's plan would carry over. Changes nothing."""
    agreement = await own_agreement(session, agreement_id, institution_id)
    return await _carried(session, agreement, agreement.project_no or "")


async def begin_next_year(
    session: AsyncSession, agreement_id: UUID, institution_id: UUID, caller: Claims
) -> tuple[Proposal, CarryOver]:
    """Begin the plan of the next year from this one's plan in force, under the same number.

    Raises `Invalid` with whatever stands against it, or `ProposalExists`.
    """
    await own_agreement(session, agreement_id, institution_id)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update=True)
    if agreement.project_no is None:  # agreed on before projects had numbers
        agreement.project_no = await project_number(session, agreement)
    made = await _carried(session, agreement, agreement.project_no)
    proposal = Proposal(
        programme_id=agreement.programme_id,
        institution_id=agreement.institution_id,
        institution_name=agreement.institution_name,
        title=agreement.title,
        document=made.document,
        year_no=agreement.year_no + 1,
        continues_id=agreement.id,
    )
    return await add_draft(session, proposal, "carry_over", caller), made


async def designate_next_year(
    session: AsyncSession, proposal_id: UUID, agency_id: UUID, caller: Claims, reason: str
) -> Proposal:
    """The agency takes a continuing plan on after its review: no selection is made again."""
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    await session.refresh(proposal, with_for_update=True)
    if proposal.continues_id is None:
        raise NotFound
    target = move_proposal(proposal.state, "continue")
    agreement = await session.get_one(Agreement, proposal.continues_id)
    await refuse_unless_next(session, agreement)
    moved = (proposal.state, target)
    note(session, "proposal", proposal.id, "continue", caller, moved=moved, reason=reason)
    proposal.state = target
    proposal.version += 1
    await session.flush()
    await session.refresh(proposal)
    return proposal


async def refuse_unless_next(session: AsyncSession, agreement: Agreement) -> None:
    """Raises `Invalid` with whatever stands against the year after this one."""
    rules = await rules_of_agreement(session, agreement)
    found = list(continuation_findings(rules, await year_of(session, agreement)))
    if found:
        raise Invalid(errors=found)


async def _carried(session: AsyncSession, agreement: Agreement, project_no: str) -> CarryOver:
    await refuse_unless_next(session, agreement)
    rules = await rules_of_agreement(session, agreement)
    current = await plan_version(session, agreement, agreement.plan_version)
    year = rules.call.years[agreement.year_no]
    return carry_over(current.document, year, project_no)


async def _stage(session: AsyncSession, agreement: Agreement) -> StageEvaluation | None:
    query = select(StageEvaluation).where(StageEvaluation.agreement_id == agreement.id)
    found: Any = (await session.scalars(query)).one_or_none()
    return found  # type: ignore[no-any-return]
