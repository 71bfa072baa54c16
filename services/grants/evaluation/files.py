"""Files of the procedure: of a completion's answer, and of a visit's record."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.evaluation.errors import FILES_FULL
from services.grants.evaluation.models import ReviewFile
from services.grants.files import keep
from services.grants.programmes.models import Programme
from services.grants.programmes.service import note
from services.grants.proposals.models import Proposal
from shared.files import Files
from shared.problems import Invalid, NotFound
from shared.tokens import Claims

MOST = 50


async def attach(
    session: AsyncSession,
    files: Files,
    proposal_id: UUID,
    caller: Claims,
    *,
    kind: str,
    name: str,
    chunks: AsyncIterator[bytes],
    completion_id: UUID | None = None,
    visit_id: UUID | None = None,
) -> ReviewFile:
    """Add a file. Raises `Invalid` for one that may not be attached, or one too many: the
    proposal's row is the turnstile."""
    turnstile = select(Proposal.id).where(Proposal.id == proposal_id)
    await session.execute(turnstile.with_for_update(key_share=True))
    have = await session.scalar(
        select(func.count()).select_from(ReviewFile).where(ReviewFile.proposal_id == proposal_id)
    )
    if (have or 0) >= MOST:
        raise Invalid(errors=[FILES_FULL.at("/file", field="file", most=MOST)])
    stored = await files.put(f"reviews/{proposal_id}/{uuid4()}", name, chunks)
    made = ReviewFile(
        proposal_id=proposal_id,
        completion_id=completion_id,
        visit_id=visit_id,
        kind=kind,
        created_by=caller.sub,
    )
    await keep(session, files, made, stored)
    note(session, "proposal", proposal_id, "attach", caller, reason=f"{kind} {stored.sha256}")
    return made


async def files_of(
    session: AsyncSession, proposal_id: UUID, *, applicant: bool
) -> Sequence[ReviewFile]:
    """What is attached; the record of a visit is the agency's and not told to the applicant."""
    query = select(ReviewFile).where(ReviewFile.proposal_id == proposal_id)
    if applicant:
        query = query.where(ReviewFile.visit_id.is_(None))
    return (await session.scalars(query.order_by(ReviewFile.id))).all()


async def readable_file(session: AsyncSession, file_id: UUID, caller: Claims) -> ReviewFile:
    """A file for either side; that it was taken is recorded. Another's is not found."""
    query = (
        select(ReviewFile, Proposal.institution_id, Programme.agency_id)
        .join(Proposal, Proposal.id == ReviewFile.proposal_id)
        .join(Programme, Programme.id == Proposal.programme_id)
        .where(ReviewFile.id == file_id)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    file, owner, agency = row
    applicant = caller.institution_id == str(owner) and file.visit_id is None
    if not applicant and caller.institution_id != str(agency):
        raise NotFound
    note(session, "proposal", file.proposal_id, "read_file", caller, reason=str(file.id))
    return file
