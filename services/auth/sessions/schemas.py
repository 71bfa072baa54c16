"""What the session routes give."""

from datetime import datetime
from uuid import UUID

from shared.schemas import Schema


class SessionOut(Schema):
    """One login on one device; `current` is the one that asks."""

    id: UUID
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str | None
    user_agent: str | None
    current: bool


class SessionsOut(Schema):
    items: list[SessionOut]
