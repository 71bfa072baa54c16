"""The council's resolutions, the certificates, and their revocations. All append-only."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base
from shared.db import HasId

excellence_numbers = Sequence("excellence_number", metadata=Base.metadata)


class CouncilResolution(Base, HasId):
    """A meeting of the steering council (운영협의체) and what it resolved: who is recommended, and
    who is not with the reason."""

    __tablename__ = "council_resolution"
    __table_args__ = (Index("ix_council_resolution_programme_id", "programme_id"),)

    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    held_on: Mapped[date]
    members: Mapped[list[Any]] = mapped_column(JSONB)
    minutes: Mapped[str] = mapped_column(Text)
    decisions: Mapped[list[Any]] = mapped_column(JSONB)
    recorded_by: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExcellenceCertificate(Base, HasId):
    """A certificate as it was given. `approval` is the approving authority's own reference."""

    __tablename__ = "excellence_certificate"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="period"),
        Index(
            "ix_excellence_certificate_institution_id_valid_until",
            "institution_id",
            "valid_until",
        ),
        Index("ix_excellence_certificate_valid_until_id", "valid_until", "id"),
    )

    number: Mapped[str] = mapped_column(String(40), unique=True)
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), unique=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    institution_id: Mapped[UUID]
    institution_name: Mapped[str] = mapped_column(String(200))
    brn: Mapped[str | None] = mapped_column(String(10))
    authority: Mapped[str] = mapped_column(String(200))
    approval: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(64))


class ExcellenceRevocation(Base):
    """The end of a certificate before its time; there is at most one, and it stays."""

    __tablename__ = "excellence_revocation"

    certificate_id: Mapped[UUID] = mapped_column(
        ForeignKey("excellence_certificate.id"), primary_key=True
    )
    revoked_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    revoked_by: Mapped[str] = mapped_column(String(64))
    revoked_at: Mapped[datetime] = mapped_column(server_default=func.now())
