"""Letters that were taken on, so that none is sent twice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, String, func
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base


class Letter(Base):
    """A letter another service asked for, under the id it gave. What it says is with the messages,
    sealed, until they are sent; here is only the SHA-256 of what was asked, and to how many it
    went."""

    __tablename__ = "letter"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    recipients: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
