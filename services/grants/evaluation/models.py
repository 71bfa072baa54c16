"""Tables of the evaluation: the secretary's facts, reviewers' sheets, and the outcome."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base


class VerifiedFacts(Base):
    """What the secretary verified for the quantitative items and the bonus (G-053, G-054):
    completed jobs of the lead with their proof, and the regions of the graduate schools."""

    __tablename__ = "verified_facts"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    lead_region: Mapped[str] = mapped_column(String(20))
    partner_regions: Mapped[list[Any]] = mapped_column(JSONB)
    records: Mapped[dict[str, Any]] = mapped_column(JSONB)
    verified_by: Mapped[str] = mapped_column(String(64))
    verified_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Sheet(Base):
    """A reviewer's sheet for a proposal. Once submitted it is locked."""

    __tablename__ = "sheet"
    __table_args__ = (
        CheckConstraint("state IN ('assigned', 'recused', 'submitted')", name="state"),
        CheckConstraint(
            "(state = 'recused') = (conflict_reason IS NOT NULL)", name="recusal_has_reason"
        ),
        CheckConstraint(
            "(state = 'submitted') = (submitted_at IS NOT NULL)", name="submitted_whole"
        ),
        Index("ix_sheet_reviewer_id", "reviewer_id"),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    reviewer_id: Mapped[UUID] = mapped_column(primary_key=True)
    reviewer_name: Mapped[str] = mapped_column(String(100))
    institutions: Mapped[list[Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(10), server_default="assigned")
    version: Mapped[int] = mapped_column(server_default="1")
    scores: Mapped[dict[str, Any]] = mapped_column(JSONB)
    comment: Mapped[str] = mapped_column(Text)
    conflict_reason: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[datetime | None]


class Result(Base):
    """The outcome of a proposal as it was decided: append-only."""

    __tablename__ = "evaluation_result"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), index=True)
    rank: Mapped[int]
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)
    decided_by: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())
