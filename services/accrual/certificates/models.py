"""Certificates as issued, what was revoked, and who did what with them. All append-only."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, String, func
from sqlalchemy.orm import Mapped, mapped_column

from services.accrual.base import Base
from shared.db import HasId

NUMBERS = Sequence("certificate_number", metadata=Base.metadata)
"""Issue numbers: a number given out is never given again; a failed issuance leaves a gap.
A gapless counter would keep a row locked while the page is drawn."""


class Certificate(HasId, Base):
    """One issued document. `document` is what the file carries as `certificate.json`.

    `key` is the second key of verification; `brn` is null for an institution without one, whose
    key is a code of our own. `valid_until` is the last day it may be relied on.
    """

    __tablename__ = "certificate"

    number: Mapped[str] = mapped_column(String(20), unique=True)
    verification_number: Mapped[str] = mapped_column(String(17), unique=True)
    key: Mapped[str] = mapped_column(String(20))
    institution_id: Mapped[UUID]
    institution_name: Mapped[str] = mapped_column(String(200))
    brn: Mapped[str | None] = mapped_column(String(10))
    as_of: Mapped[date]
    balance: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(64))
    valid_until: Mapped[date]
    reissue_of: Mapped[UUID | None] = mapped_column(ForeignKey("certificate.id"))
    file_key: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_size: Mapped[int]

    __table_args__ = (
        Index("ix_certificate_institution_id_id", "institution_id", "id"),
        Index("ix_certificate_reissue_of", "reissue_of"),
        CheckConstraint("reissue_of <> id", name="reissue"),
    )


class CertificateRevocation(Base):
    """The operator's withdrawal of a certificate; there is at most one, and it stays."""

    __tablename__ = "certificate_revocation"

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(500))


class CertificateEvent(HasId, Base):
    """Who issued, reissued, revoked or took home a certificate, and when (A7)."""

    __tablename__ = "certificate_event"

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificate.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    by: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(40))
    client_id: Mapped[str] = mapped_column(String(64))
    acting_for: Mapped[str | None] = mapped_column(String(64))
    trace_id: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(20))

    __table_args__ = (Index("ix_certificate_event_certificate_id_id", "certificate_id", "id"),)
