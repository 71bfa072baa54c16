"""Clients that log in with a secret of their own: our services, and partner systems."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base
from services.auth.clients.rules import ClientKind
from shared.db import HasId, HasTimes, one_of


class Client(HasTimes, Base):
    """`id` is the OAuth client_id: a service's name, or `p_…` for a partner. `scopes` and
    `addresses` (allowed source networks; empty: any) are a partner's; what a service may ask for
    stands in code (`clients.rules`)."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(100))
    institution_id: Mapped[UUID | None] = mapped_column(ForeignKey("institution.id"), index=True)
    scopes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    addresses: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    test_mode: Mapped[bool] = mapped_column(server_default=text("false"))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    pv: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        one_of("kind", ClientKind),
        CheckConstraint(
            "kind = 'service' OR institution_id IS NOT NULL", name="partner_has_institution"
        ),
    )


class ClientSecret(HasId, Base):
    """A secret by its SHA-256: with 256 random bits there is nothing to slow down. Several may be
    valid at once, so that a secret is changed without a moment of silence."""

    __tablename__ = "client_secret"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    hint: Mapped[str] = mapped_column(String(8))  # a few characters, to tell them apart
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("client_id", "digest"),)
