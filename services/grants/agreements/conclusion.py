"""How the preparation of an agreement ends: it is concluded (G-056), or cancelled."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.papers import set_of
from services.grants.agreements.service import (
    agency_agreement,
    project_number,
    take_on_year,
    tell_institution,
)
from services.grants.evaluation import results
from services.grants.programmes.service import note
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import move as move_proposal
from shared.problems import Invalid, StateConflict
from shared.tokens import Claims


async def conclude(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    agreed_on: date | None,
    now: datetime,
) -> Agreement:
    """Conclude the agreement once its set is complete (G-056). From now on the year is spent.

    `agreed_on` is the day it was signed, where it is another than foreseen. Raises `Invalid` with
    one finding for each document that is missing, sent back, or waiting, or where the year before
    was stopped meanwhile.
    """
    agreement = await agency_agreement(session, agreement_id, caller)
    target = moves.move(agreement.state, "conclude")
    proposal = await session.get_one(Proposal, agreement.proposal_id, with_for_update=True)
    if proposal.continues_id is not None:
        await take_on_year(session, agreement, proposal)
    found = (await set_of(session, agreement)).findings
    if found:
        raise Invalid(errors=found)
    agreed = move_proposal(proposal.state, "agree")
    note(session, "proposal", proposal.id, "agree", caller, moved=(proposal.state, agreed))
    note(session, "agreement", agreement.id, "conclude", caller, moved=("draft", target))
    proposal.state, agreement.state = agreed, target
    agreement.concluded_at = now
    agreement.project_no = agreement.project_no or await project_number(session, agreement)
    agreement.agreed_on = agreed_on or agreement.agreed_on
    await tell_institution(
        session,
        agreement,
        "agreement_concluded",
        project_no=agreement.project_no,
        start=str(agreement.year_start),
        end=str(agreement.year_end),
    )
    await session.flush()
    await session.refresh(agreement)
    return agreement


async def cancel(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    reason: str,
    keep_designation: bool,
    now: datetime,
) -> Agreement:
    """End an agreement that was not concluded, by the agency, with the reason.

    With `keep_designation` the proposal stays designated and another agreement can be prepared;
    otherwise it is rejected, its applicant gets a notice, and a reserve may follow. A further year
    was never selected, so its designation stays: a project that is not to go on is stopped.
    """
    agreement = await agency_agreement(session, agreement_id, caller)
    target = moves.move(agreement.state, "cancel")
    proposal = await session.get_one(Proposal, agreement.proposal_id, with_for_update=True)
    moved = (agreement.state, target)
    note(session, "agreement", agreement.id, "cancel", caller, moved=moved, reason=reason)
    agreement.state = target
    agreement.project_no = None  # the year's place in its project is free again
    if not keep_designation:
        if proposal.continues_id is not None:
            raise StateConflict(state="계속 연차")
        moved = (proposal.state, move_proposal(proposal.state, "revoke"))
        note(session, "proposal", proposal.id, "revoke", caller, moved=moved, reason=reason)
        proposal.state = moved[1]
        proposal.version += 1
        await results.issue(session, proposal, proposal.state, reason, caller, now)
    await tell_institution(session, agreement, "agreement_cancelled")
    await session.flush()
    await session.refresh(agreement)
    return agreement
