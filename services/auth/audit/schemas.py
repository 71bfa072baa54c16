"""What the audit routes give."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.schemas import Schema


class EventOut(Schema):
    """One event; `login_id` is what the actor's account is called, where it is an account."""

    id: UUID
    at: datetime
    action: str
    actor: str | None
    login_id: str | None
    client_id: str | None
    institution_id: UUID | None
    object_type: str
    object_id: str
    address: str | None
    user_agent: str | None
    trace_id: str
    purpose: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
