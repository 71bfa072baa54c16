"""The audit trail: one row for everything someone did that another may ask about later."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base
from shared.db import HasId


class AuditEvent(HasId, Base):
    """Append-only, by trigger. Never holds a password, a token or a secret.

    `actor` is the subject of the caller's token (an account's id or a client's name);
    `institution_id` is whose matter this is.
    """

    __tablename__ = "audit_event"

    at: Mapped[datetime] = mapped_column(server_default=func.now())
    action: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str | None] = mapped_column(String(64))
    client_id: Mapped[str | None] = mapped_column(String(64))
    institution_id: Mapped[UUID | None]
    object_type: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(200))
    trace_id: Mapped[str] = mapped_column(String(32))
    purpose: Mapped[str | None] = mapped_column(String(200))
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index(None, "at"),
        Index(None, "institution_id", "at"),
        Index(None, "object_type", "object_id", "at"),
        Index(None, "actor", "at"),
        Index(None, "action", "at"),
    )
