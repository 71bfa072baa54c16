"""The official letter and the evidence of an application (M-010): attach, fetch, remove.

The bytes go to the file store first and the row after; a row that fails takes its bytes back.
Bytes of a removed file are deleted by a job, so that a rolled back removal loses nothing.
"""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access, audit
from services.accrual.applications.errors import EVIDENCE_KIND, TOO_MANY_FILES
from services.accrual.applications.models import Application, ApplicationFile
from services.accrual.applications.moves import EDITABLE, conflict
from services.accrual.criteria.service import versions
from shared.files import Files
from shared.jobs import enqueue
from shared.problems import Invalid, NotFound
from shared.tokens import Claims


async def attach(
    session: AsyncSession,
    claims: Claims,
    files: Files,
    application_id: UUID,
    *,
    kind: str,
    name: str,
    chunks: AsyncIterator[bytes],
    max_files: int,
) -> ApplicationFile:
    """Store a file under one of the evidence types.

    Raises `Invalid` (EVIDENCE_KIND, TOO_MANY_FILES, FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE),
    `StateConflict`, `NotFound`, `FieldNotPermitted`.
    """
    if kind not in versions()[-1].evidence_types:
        raise Invalid(errors=[EVIDENCE_KIND.at("/kind", field="kind", kind=kind)])
    application = await access.find(session, claims, application_id)
    _editable(application)
    count = await session.scalar(
        select(func.count()).where(ApplicationFile.application_id == application_id)
    )
    if (count or 0) >= max_files:
        raise Invalid(errors=[TOO_MANY_FILES.at("/file", field="file", limit=max_files)])
    stored = await files.put(f"applications/{application_id}/{uuid4()}", name, chunks)
    try:
        # Only now: an upload takes its time, and nobody should wait for it.
        _editable(await access.find(session, claims, application_id, lock=True))
        file = ApplicationFile(
            application_id=application_id,
            kind=kind,
            name=stored.name,
            media_type=stored.media_type,
            size=stored.size,
            sha256=stored.sha256,
            key=stored.key,
            uploaded_by=claims.sub,
        )
        session.add(file)
        await session.flush()
        await session.refresh(file)
    except Exception:
        await files.delete(stored.key)
        raise
    audit.record(session, claims, application_id, "attach", file=str(file.id), kind=kind)
    return file


async def remove(
    session: AsyncSession, claims: Claims, application_id: UUID, file_id: UUID
) -> None:
    """Raises `NotFound`, `StateConflict`, `FieldNotPermitted`."""
    _editable(await access.find(session, claims, application_id, lock=True))
    file = await find(session, application_id, file_id)
    await session.delete(file)
    await enqueue(session, "files.delete", key=file.key)
    audit.record(session, claims, application_id, "detach", file=str(file_id), sha256=file.sha256)


async def download(
    session: AsyncSession, claims: Claims, application_id: UUID, file_id: UUID
) -> ApplicationFile:
    """The file to send; evidence names people, so the download leaves a trace."""
    await access.find(session, claims, application_id)
    file = await find(session, application_id, file_id)
    audit.record(session, claims, application_id, "download", file=str(file_id))
    return file


async def find(session: AsyncSession, application_id: UUID, file_id: UUID) -> ApplicationFile:
    file = await session.scalar(
        select(ApplicationFile).where(
            ApplicationFile.id == file_id, ApplicationFile.application_id == application_id
        )
    )
    if file is None:
        raise NotFound
    return file


async def kinds_attached(session: AsyncSession, application_id: UUID) -> frozenset[str]:
    found = await session.scalars(
        select(ApplicationFile.kind)
        .where(ApplicationFile.application_id == application_id)
        .distinct()
    )
    return frozenset(found)


async def is_used(session: AsyncSession, key: str) -> bool:
    """Whether any application still shows these bytes."""
    found = await session.scalar(
        select(ApplicationFile.id).where(ApplicationFile.key == key).limit(1)
    )
    return found is not None


def _editable(application: Application) -> None:
    if application.state not in EDITABLE:
        raise conflict(application.state)
