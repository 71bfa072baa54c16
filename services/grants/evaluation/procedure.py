"""The agency's procedure from receipt to designation, one step at a time (G-055)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.programmes.service import note
from services.grants.proposals.models import Proposal
from services.grants.proposals.moves import move
from services.grants.proposals.service import received_version
from shared.tokens import Claims


async def take_step(
    session: AsyncSession,
    proposal_id: UUID,
    agency_id: UUID,
    caller: Claims,
    action: str,
    reason: str | None,
) -> Proposal:
    """A step of the agency's procedure, with the reason the applicant reads (G-055)."""
    proposal, _submission = await received_version(session, proposal_id, agency_id)
    await session.refresh(proposal, with_for_update=True)
    target = move(proposal.state, action)
    note(
        session,
        "proposal",
        proposal.id,
        action,
        caller,
        moved=(proposal.state, target),
        reason=reason,
    )
    proposal.state = target
    proposal.version += 1
    await session.flush()
    return proposal
