"""Tables of the agreements: who agreed on what, and every version of the plan."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.agreements.moves import STATES
from services.grants.base import Base
from shared.db import HasId, HasTimes


class Agreement(Base, HasId, HasTimes):
    """One year of an agreed project (협약). The plan in force is its newest version."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("year_start <= year_end", name="year"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        UniqueConstraint("proposal_id", "year_start"),
        Index("ix_agreement_institution_id_id", "institution_id", "id"),
        Index("ix_agreement_agency_id_id", "agency_id", "id"),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    agency_id: Mapped[UUID]
    institution_id: Mapped[UUID]
    institution_name: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), server_default="active")
    agreed_on: Mapped[date]
    year_start: Mapped[date]
    year_end: Mapped[date]
    plan_version: Mapped[int] = mapped_column(server_default="1")


class AgreementChange(Base, HasId):
    """A change of the plan during the year, numbered without a gap: append-only."""

    __tablename__ = "agreement_change"
    __table_args__ = (
        UniqueConstraint("agreement_id", "seq"),
        CheckConstraint("party IN ('institution', 'agency')", name="party"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    party: Mapped[str] = mapped_column(String(12))
    recorded_by: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PlanVersion(Base, HasId):
    """The agreed plan, as amended: append-only."""

    __tablename__ = "plan_version"
    __table_args__ = (UniqueConstraint("agreement_id", "version"),)

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    version: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(String(64))
    approved_at: Mapped[datetime] = mapped_column(server_default=func.now())
