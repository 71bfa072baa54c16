"""Files that go with a proposal: attached while it is written, frozen with each submission."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.files import delete_file, keep
from services.grants.programmes.models import Programme
from services.grants.programmes.service import note, rules_of
from services.grants.proposals.errors import DOCUMENT_UNKNOWN
from services.grants.proposals.models import Attachment, Proposal, Submission
from services.grants.proposals.moves import MOVES, NAMES
from services.grants.proposals.service import received_version, writable_proposal
from shared.files import Files
from shared.problems import Invalid, NotFound, StateConflict
from shared.tokens import Claims


async def attach(
    session: AsyncSession,
    files: Files,
    proposal_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    document: str,
    name: str,
    chunks: AsyncIterator[bytes],
) -> Attachment:
    """Add a file for a document of the call. Raises `Invalid` for a document the call does not
    ask for, or a file that may not be attached."""
    proposal = await writable_proposal(session, proposal_id, institution_id)
    _still_open(proposal)
    programme = await session.get_one(Programme, proposal.programme_id)
    known = {item.code: item for item in (await rules_of(session, programme)).call.documents}
    if document not in known:
        raise Invalid(errors=[DOCUMENT_UNKNOWN.at("/document", known=", ".join(known))])
    stored = await files.put(f"proposals/{proposal.id}/{uuid4()}", name, chunks)
    row = Attachment(
        proposal_id=proposal.id,
        document=document,
        created_by=caller.sub,
    )
    await keep(session, files, row, stored)
    note(session, "proposal", proposal.id, "attach", caller, reason=document)
    return row


async def take_back(
    session: AsyncSession,
    attachment_id: UUID,
    institution_id: UUID,
    caller: Claims,
    now: datetime,
) -> None:
    """Remove a file from the draft; one the agency received already stays with that version."""
    row = await session.get(Attachment, attachment_id)
    if row is None or row.taken_back_at is not None:
        raise NotFound
    proposal = await writable_proposal(session, row.proposal_id, institution_id)
    _still_open(proposal)
    note(session, "proposal", proposal.id, "detach", caller, reason=f"{row.document} {row.sha256}")
    submitted = select(Submission.id).where(
        Submission.proposal_id == proposal.id,
        Submission.attachments.contains([{"id": str(row.id)}]),
    )
    if await session.scalar(submitted.limit(1)):
        row.taken_back_at = now
        return
    await session.delete(row)
    await delete_file(session, row.file_key)


async def attached(session: AsyncSession, proposal: Proposal) -> Sequence[Attachment]:
    """The files of a draft, by document and in the order they came."""
    query = select(Attachment).where(
        Attachment.proposal_id == proposal.id, Attachment.taken_back_at.is_(None)
    )
    return (await session.scalars(query.order_by(Attachment.document, Attachment.id))).all()


async def readable_attachment(
    session: AsyncSession, attachment_id: UUID, caller: Claims
) -> Attachment:
    """A file, for the applicant, and for the agency once it was submitted."""
    row = await session.get(Attachment, attachment_id)
    proposal = await session.get(Proposal, row.proposal_id) if row else None
    if row is None or proposal is None or caller.institution_id is None:
        raise NotFound
    if caller.institution_id != str(proposal.institution_id):
        agency_id = UUID(caller.institution_id)
        _proposal, submission = await received_version(session, proposal.id, agency_id)
        received: list[dict[str, Any]] = submission.attachments
        if str(row.id) not in {item["id"] for item in received}:
            raise NotFound
    return row


def _still_open(proposal: Proposal) -> None:
    if (proposal.state, "submit") not in MOVES:
        raise StateConflict(state=NAMES[proposal.state])
