"""Writing the audit trail, in the transaction of what it tells about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.models import AuditEvent
from shared.logs import trace_id


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where."""

    sub: str | None = None
    client_id: str | None = None
    institution_id: UUID | None = None
    address: str | None = None
    user_agent: str | None = None

    def known_as(self, sub: UUID | str, institution_id: UUID | None = None) -> "Actor":
        """The same caller, now that we know who it is."""
        return replace(self, sub=str(sub), institution_id=institution_id)


SYSTEM = Actor(sub="system", client_id="auth")


def record(
    session: AsyncSession,
    actor: Actor,
    action: str,
    *,
    object_type: str,
    object_id: UUID | str,
    institution_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    purpose: str | None = None,
) -> None:
    """Add one event. `action` is a constant in the past tense, such as `account.disabled`."""
    session.add(
        AuditEvent(
            action=action,
            actor=actor.sub,
            client_id=actor.client_id,
            institution_id=institution_id or actor.institution_id,
            object_type=object_type,
            object_id=str(object_id),
            address=actor.address,
            user_agent=actor.user_agent,
            trace_id=trace_id.get(),
            purpose=purpose,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )
