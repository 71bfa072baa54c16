"""After the landing: each application submitted in a transaction of its own, and the partner told.

A submission locks the year's counter, and nobody else should wait for a whole batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import submission
from services.accrual.applications.bounds import bounded
from services.accrual.intake.models import IntakeApplication, IntakeBatch
from shared.clock import utc_now
from shared.db import Sessions
from shared.problems import Problem
from shared.tokens import Claims
from shared.webhooks import sending

MAX_KEPT_FINDINGS = 100


async def submit_all(sessions: Sessions, batch_id: UUID, *, max_rows: int) -> None:
    async with sessions() as session:
        batch = await session.get(IntakeBatch, batch_id)
        drafts = await session.scalars(
            select(IntakeApplication.application_id)
            .where(IntakeApplication.batch_id == batch_id, IntakeApplication.outcome == "draft")
            .order_by(IntakeApplication.application_id)
        )
        waiting = drafts.all()
    if batch is None:
        return
    for application_id in waiting if batch.submit else ():
        await _submit(sessions, batch, application_id, max_rows=max_rows)
    async with sessions.begin() as session:
        await session.execute(
            update(IntakeBatch)
            .where(IntakeBatch.id == batch_id)
            .values(state="finished", finished_at=utc_now())
        )
        await sending.emit(
            session,
            institution_id=batch.institution_id,
            event="intake.finished",
            data={
                "batch_id": str(batch.id),
                "external_id": batch.external_id,
                "total": batch.total,
                "accepted": batch.accepted,
                "unchanged": batch.unchanged,
                "rejected": batch.rejected,
            },
            test_mode=batch.test_mode,
        )


async def _submit(
    sessions: Sessions, batch: IntakeBatch, application_id: UUID, *, max_rows: int
) -> None:
    """Submit one application of the batch; why it cannot be is kept for the partner."""
    try:
        async with sessions.begin() as session:
            await submission.submit(
                session, claims_of(batch), application_id, now=utc_now(), max_rows=max_rows
            )
            await _keep_outcome(session, batch.id, application_id, "submitted", [])
        return
    except Problem as problem:
        errors = [finding for finding in problem.errors if finding.is_error]
        told = bounded(errors, MAX_KEPT_FINDINGS, total=problem.params.get("total"))
        findings = [finding.to_dict("ko") for finding in told] or [
            {"pointer": "", "code": problem.code, "message": problem.title(), "level": "error"}
        ]
    async with sessions.begin() as session:
        await _keep_outcome(session, batch.id, application_id, "refused", findings)


async def _keep_outcome(
    session: AsyncSession,
    batch_id: UUID,
    application_id: UUID,
    outcome: str,
    findings: Sequence[Mapping[str, Any]],
) -> None:
    await session.execute(
        update(IntakeApplication)
        .where(
            IntakeApplication.batch_id == batch_id,
            IntakeApplication.application_id == application_id,
        )
        .values(outcome=outcome, findings=list(findings))
    )


def claims_of(batch: IntakeBatch) -> Claims:
    """The partner, as it was let in when it pushed the batch; for the trace and the scoping."""
    return Claims(
        sub=batch.client_id,
        client_id=batch.client_id,
        scope=frozenset({"accrual:push"}),
        role="partner",
        institution_id=str(batch.institution_id),
        institution_kind=batch.institution_kind,
        test_mode=batch.test_mode,
        exp=0,
        iat=0,
        jti="",
    )
