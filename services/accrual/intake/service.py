"""Taking batches in, and telling how far they are.

A push is stored whole and answered at once; the worker does the rest (`landing.py`). The same
push again, by its `external_id`, is answered with what became of the first.
"""

import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access, audit
from services.accrual.applications.errors import EVIDENCE_KIND, InstitutionUnfit
from services.accrual.applications.models import Application
from services.accrual.applications.service import APPLYING_KINDS
from services.accrual.criteria.service import versions
from services.accrual.intake.errors import EVIDENCE_UNKNOWN, BatchConflict, SandboxOnly
from services.accrual.intake.models import (
    IntakeApplication,
    IntakeBatch,
    IntakeChunk,
    IntakeFile,
    IntakeRow,
)
from shared.caller import institution_of
from shared.files import Files
from shared.jobs import enqueue
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, NotFound
from shared.tokens import Claims

CHUNK_BYTES = 256 * 2**10
OVERDUE_MINUTES = 30
FILES_AT_ONCE = 100


async def store_file(
    session: AsyncSession,
    claims: Claims,
    files: Files,
    *,
    kind: str,
    name: str,
    chunks: AsyncIterator[bytes],
) -> IntakeFile:
    """Evidence for batches to come. Raises `Invalid` (EVIDENCE_KIND, FILE_*)."""
    if kind not in versions()[-1].evidence_types:
        raise Invalid(errors=[EVIDENCE_KIND.at("/kind", field="kind", kind=kind)])
    institution_id = institution_of(claims)
    stored = await files.put(f"intake/{institution_id}/{uuid4()}", name, chunks)
    file = IntakeFile(
        institution_id=institution_id,
        test_mode=claims.test_mode,
        kind=kind,
        name=stored.name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        key=stored.key,
        uploaded_by=claims.sub,
    )
    session.add(file)
    try:
        await session.flush()
        await session.refresh(file)
    except Exception:
        await files.delete(stored.key)
        raise
    return file


async def receive(
    session: AsyncSession,
    claims: Claims,
    *,
    external_id: str,
    field: str,
    submit: bool,
    evidence: Sequence[UUID],
    body: IO[bytes],
    digest: bytes,
    total: int,
) -> tuple[IntakeBatch, bool]:
    """Keep a push and queue its work; and whether it is new.

    Raises `Invalid` (EVIDENCE_UNKNOWN), `BatchConflict`, `FieldNotPermitted`, `InstitutionUnfit`.
    """
    institution_id = institution_of(claims)
    if claims.institution_kind not in APPLYING_KINDS:
        raise InstitutionUnfit
    access.check_field(claims, field)
    batch_id = await session.scalar(
        upsert(IntakeBatch)
        .values(
            institution_id=institution_id,
            institution_kind=claims.institution_kind,
            test_mode=claims.test_mode,
            client_id=claims.sub,
            external_id=external_id,
            digest=digest,
            field=field,
            submit=submit,
            evidence=[str(one) for one in evidence],
            total=total,
        )
        .on_conflict_do_nothing()
        .returning(IntakeBatch.id)
    )
    if batch_id is None:
        return await _same_batch(session, claims, external_id, digest), False
    await _check_evidence(session, claims, evidence)
    body.seek(0)
    seq = 0
    while chunk := body.read(CHUNK_BYTES):
        await session.execute(
            insert(IntakeChunk), {"batch_id": batch_id, "seq": seq, "body": zlib.compress(chunk, 1)}
        )
        seq += 1
    batch = await session.get_one(IntakeBatch, batch_id)
    await _enqueue(session, batch)
    return batch, True


async def _enqueue(session: AsyncSession, batch: IntakeBatch) -> None:
    await enqueue(
        session,
        "intake.process",
        lock=f"intake:{batch.institution_id}",  # an institution's batches in their order
        once=f"intake:{batch.id}",
        batch_id=str(batch.id),
    )


async def _check_evidence(session: AsyncSession, claims: Claims, evidence: Sequence[UUID]) -> None:
    known = set(
        await session.scalars(
            select(IntakeFile.id).where(
                IntakeFile.id.in_(evidence),
                IntakeFile.institution_id == institution_of(claims),
                IntakeFile.test_mode == claims.test_mode,
            )
        )
    )
    unknown = [one for one in evidence if one not in known]
    if unknown:
        raise Invalid(errors=[EVIDENCE_UNKNOWN.at("?evidence", id=str(one)) for one in unknown])


async def _same_batch(
    session: AsyncSession, claims: Claims, external_id: str, digest: bytes
) -> IntakeBatch:
    batch = await session.scalar(
        select(IntakeBatch).where(_of(claims), IntakeBatch.external_id == external_id)
    )
    if batch is None:
        raise NotFound
    if batch.digest != digest:
        raise BatchConflict(batch_id=str(batch.id))
    return batch


async def batches(
    session: AsyncSession, claims: Claims, page: PageRequest
) -> tuple[Sequence[IntakeBatch], str | None, int]:
    query = select(IntakeBatch).where(_of(claims))
    return await paginate(session, query, keys=[IntakeBatch.id], page=page)


async def find(
    session: AsyncSession, claims: Claims, batch_id: UUID
) -> tuple[IntakeBatch, Sequence[tuple[IntakeApplication, Application | None]]]:
    """A batch with the applications made of it. Raises `NotFound`."""
    batch = await session.scalar(select(IntakeBatch).where(_of(claims), IntakeBatch.id == batch_id))
    if batch is None:
        raise NotFound
    made = await session.execute(
        select(IntakeApplication, Application)
        .outerjoin(Application, Application.id == IntakeApplication.application_id)
        .where(IntakeApplication.batch_id == batch_id)
        .order_by(IntakeApplication.application_id)
    )
    return batch, [(one, application) for one, application in made]


async def rows(
    session: AsyncSession,
    claims: Claims,
    batch_id: UUID,
    page: PageRequest,
    *,
    status: str | None,
) -> tuple[Sequence[IntakeRow], str | None, int]:
    """What became of the lines, in their order."""
    await find(session, claims, batch_id)
    query = select(IntakeRow).where(IntakeRow.batch_id == batch_id)
    if status is not None:
        query = query.where(IntakeRow.status == status)
    return await paginate(session, query, keys=[IntakeRow.line], page=page, descending=False)


async def simulate(
    session: AsyncSession, claims: Claims, application_id: UUID, outcome: str
) -> Application:
    """In the sandbox: the review of a submitted application, without points and reviewers.

    Raises `SandboxOnly`, `StateConflict`, `NotFound`.
    """
    if not claims.test_mode:
        raise SandboxOnly
    application = await access.find(session, claims, application_id, lock=True)
    actions = {"approve": ("approve", "post"), "return": ("return",), "reject": ("reject",)}
    if application.state == "submitted":
        application.claimed_by = audit.SYSTEM.sub
        await audit.apply_move(session, audit.SYSTEM, application, "claim")
    for action in actions[outcome]:
        await audit.apply_move(session, audit.SYSTEM, application, action, reason="sandbox")
    return application


async def purge_batch(session: AsyncSession, *, before: datetime) -> bool:
    """Forget the oldest batch finished before then, with its results; whether there was one.

    The applications made of it stay, and so do their claims: pushed again, a row is no longer
    `unchanged` but a duplicate (M-020).
    """
    batch_id = await session.scalar(
        select(IntakeBatch.id)
        .where(IntakeBatch.state == "finished", IntakeBatch.finished_at < before)
        .order_by(IntakeBatch.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if batch_id is None:
        return False
    await session.execute(delete(IntakeRow).where(IntakeRow.batch_id == batch_id))
    await session.execute(delete(IntakeBatch).where(IntakeBatch.id == batch_id))
    return True


async def purge_files(session: AsyncSession, *, before: datetime) -> bool:
    """Forget some evidence uploaded before then; whether there was any. No batch can name it any
    more; its bytes stay as long as an application shows them."""
    due = select(IntakeFile.id).where(IntakeFile.uploaded_at < before)
    due = due.order_by(IntakeFile.id).limit(FILES_AT_ONCE).with_for_update(skip_locked=True)
    keys = await session.scalars(
        delete(IntakeFile).where(IntakeFile.id.in_(due)).returning(IntakeFile.key)
    )
    found = keys.all()
    for key in found:
        await enqueue(session, "files.delete", key=key)
    return bool(found)


async def is_kept(session: AsyncSession, key: str) -> bool:
    """Whether a batch to come may still name the evidence with these bytes."""
    found = await session.scalar(select(IntakeFile.id).where(IntakeFile.key == key).limit(1))
    return found is not None


async def resume_overdue(session: AsyncSession, *, now: datetime) -> int:
    """Queue again what a dead process left unfinished; how many."""
    overdue = await session.scalars(
        select(IntakeBatch)
        .where(
            IntakeBatch.state != "finished",
            IntakeBatch.created_at < now - timedelta(minutes=OVERDUE_MINUTES),
        )
        .order_by(IntakeBatch.id)
        .limit(100)
    )
    found = overdue.all()
    for batch in found:
        await _enqueue(session, batch)
    return len(found)


def _of(claims: Claims) -> Any:
    return (IntakeBatch.institution_id == institution_of(claims)) & (
        IntakeBatch.test_mode == claims.test_mode
    )
