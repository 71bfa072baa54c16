"""The trace of an application: one append-only row for every move and every look at names."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.models import Application, ApplicationEvent
from services.accrual.applications.moves import move
from services.accrual.events import EVENTS_BY_ACTION
from shared.logs import trace_id
from shared.tokens import Claims
from shared.webhooks import sending

SYSTEM = Claims(
    sub="system", client_id="accrual", scope=frozenset(), role="system", exp=0, iat=0, jti=""
)
"""Whoever acts when a schedule does."""


def record(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    action: str,
    *,
    from_state: str | None = None,
    to_state: str | None = None,
    **details: Any,
) -> None:
    """Add a row to the trace; it exists if, and only if, the transaction commits."""
    session.add(
        ApplicationEvent(
            application_id=application_id,
            by=claims.sub,
            role=claims.role,
            client_id=claims.client_id,
            acting_for=claims.act,
            trace_id=trace_id.get(),
            action=action,
            from_state=from_state,
            to_state=to_state,
            details=details,
        )
    )


async def apply_move(
    session: AsyncSession, claims: Claims, application: Application, action: str, **details: Any
) -> None:
    """Change the state of a locked application, leave the trace, and tell the institution's
    systems. Raises `StateConflict`."""
    before = application.state
    application.state = move(before, action)
    application.version += 1
    record(
        session,
        claims,
        application.id,
        action,
        from_state=before,
        to_state=application.state,
        **details,
    )
    await sending.emit(
        session,
        institution_id=application.institution_id,
        event=EVENTS_BY_ACTION[action],
        data=summary(application),
        test_mode=application.test_mode,
    )


def summary(application: Application) -> dict[str, Any]:
    """What a webhook says of an application: where it stands, and nothing personal."""
    return {
        "application_id": str(application.id),
        "number": application.number,
        "state": application.state,
        "field": application.field,
        "row_count": application.row_count,
        "company_count": application.company_count,
        "mileage": application.mileage,
    }
