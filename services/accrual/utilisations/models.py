"""Requests to use mileage, and what happened to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.accrual.base import Base
from shared.db import HasId

NUMBERS = Sequence("utilisation_number", metadata=Base.metadata)


class Utilisation(HasId, Base):
    """`rule` is the programme's as it stood at the request. `mileage` is what was asked with,
    `held` what of it is reserved, `deducted` what was taken in the end; whole points. `agency_id`:
    whose officers decide beside the operator; null for requests from before that was kept."""

    __tablename__ = "utilisation"

    number: Mapped[str] = mapped_column(String(20), unique=True)
    institution_id: Mapped[UUID]
    institution_name: Mapped[str] = mapped_column(String(200))
    programme_id: Mapped[UUID]
    programme_name: Mapped[str] = mapped_column(String(200))
    agency_id: Mapped[UUID | None]
    rule: Mapped[dict[str, Any]]
    mileage: Mapped[int] = mapped_column(BigInteger)
    steps: Mapped[int]
    held: Mapped[int] = mapped_column(BigInteger)
    certificate_number: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), server_default="requested")
    steps_scored: Mapped[int | None]
    deducted: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(String(500))
    requested_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'confirmed', 'rejected', 'withdrawn')", name="state"
        ),
        CheckConstraint(
            "(state = 'confirmed') = (steps_scored IS NOT NULL AND deducted IS NOT NULL)"
            " AND steps_scored BETWEEN 0 AND steps AND deducted BETWEEN 0 AND held",
            name="outcome",
        ),
        Index(
            "uq_utilisation_live",
            "institution_id",
            "programme_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'confirmed')"),
        ),
        Index("ix_utilisation_programme_id_id", "programme_id", "id"),
        Index("ix_utilisation_institution_id_id", "institution_id", "id"),
        Index("ix_utilisation_agency_id_id", "agency_id", "id"),
    )


class UtilisationEvent(HasId, Base):
    """Who did what with a request, and when. Append-only."""

    __tablename__ = "utilisation_event"

    utilisation_id: Mapped[UUID] = mapped_column(ForeignKey("utilisation.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    by: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(String(500))
    trace_id: Mapped[str] = mapped_column(String(32))

    __table_args__ = (Index("ix_utilisation_event_utilisation_id_id", "utilisation_id", "id"),)
