"""Login sessions (families of refresh tokens) and the feed of what was revoked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base
from shared.db import HasId


class LoginSession(HasId, Base):
    """One login on one device; its id is the `sid` of the access tokens made from it.

    `secret` goes into the refresh tokens' MAC: forging one takes this row and the server's key.
    """

    __tablename__ = "login_session"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    methods: Mapped[str] = mapped_column(String(40), server_default="pwd")  # RFC 8176
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))
    generation: Mapped[int] = mapped_column(server_default=text("1"))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    rotated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(30))
    address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        Index("ix_login_session_live", "account_id", postgresql_where=text("ended_at IS NULL")),
        Index(None, "expires_at"),
    )


class Revocation(Base):
    """Tokens of `subject` with a permission version below `min_pv` are refused everywhere.

    Numbers are given in the order of commits (see `sessions.service.revoke`), so that a reader
    who has seen number n has seen everything before it.
    """

    __tablename__ = "revocation"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    min_pv: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
