"""Tables of the evaluation: the secretary's facts, reviewers' sheets, and the outcome."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Sequence,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base, HasFile
from shared.db import HasId

notice_numbers = Sequence("notice_number", metadata=Base.metadata)


class VerifiedFacts(Base):
    """What the secretary verified for the quantitative items and the bonus (G-053, G-054):
    completed jobs of the lead with their proof, and the regions of the graduate schools.

    `numbers` are facts that other services told (mileage as of the closing day), `bonus_decided`
    what the committee decided where the call's matrix says nothing."""

    __tablename__ = "verified_facts"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    lead_region: Mapped[str | None] = mapped_column(String(20))
    partner_regions: Mapped[list[Any]] = mapped_column(JSONB)
    records: Mapped[dict[str, Any]] = mapped_column(JSONB)
    numbers: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    bonus_decided: Mapped[int | None]
    bonus_reason: Mapped[str | None] = mapped_column(Text)
    verified_by: Mapped[str] = mapped_column(String(64))
    verified_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Sheet(Base):
    """A reviewer's sheet for a proposal. Once submitted it is locked (the database refuses).

    `cleared_at` is when the reviewer declared to have no conflict; only then the proposal is shown.
    """

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
    cleared_at: Mapped[datetime | None]
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


class PreReview(Base):
    """The secretary's finding (사전검토), point by point: append-only."""

    __tablename__ = "pre_review"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    eligible: Mapped[bool]
    checks: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Completion(Base, HasId):
    """What the agency asks an applicant to complete in the pre-review (보완), and the answer.

    `submission_seq` is the version that came with the answer, if the document was corrected.
    """

    __tablename__ = "completion"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'answered', 'closed')", name="state"),
        CheckConstraint("(state = 'answered') = (answered_at IS NOT NULL)", name="answered_whole"),
        CheckConstraint("(state = 'closed') = (close_reason IS NOT NULL)", name="closed_whole"),
        UniqueConstraint("proposal_id", "seq"),
        Index(
            "uq_completion_open",
            "proposal_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), server_default="open")
    items: Mapped[list[Any]] = mapped_column(JSONB)
    due_at: Mapped[datetime]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    asked_by: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str | None] = mapped_column(Text)
    submission_seq: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(64))
    close_reason: Mapped[str | None] = mapped_column(Text)


class SiteVisit(Base, HasId):
    """A visit to an applicant (현장조사): planned, then held with its record, or called off."""

    __tablename__ = "site_visit"
    __table_args__ = (
        CheckConstraint("state IN ('planned', 'held', 'cancelled')", name="state"),
        CheckConstraint("(state = 'held') = (findings IS NOT NULL)", name="held_whole"),
        CheckConstraint("(state = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancelled"),
        Index("ix_site_visit_proposal_id", "proposal_id"),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    state: Mapped[str] = mapped_column(String(10), server_default="planned")
    on_day: Mapped[date]
    place: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(Text)
    members: Mapped[list[Any]] = mapped_column(JSONB)
    findings: Mapped[str | None] = mapped_column(Text)
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    planned_by: Mapped[str] = mapped_column(String(64))
    closed_by: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]


class ReviewFile(Base, HasFile, HasId):
    """A file of a completion, of a visit's record, or of an application for certification."""

    __tablename__ = "review_file"
    __table_args__ = (
        CheckConstraint("num_nonnulls(completion_id, visit_id) <= 1", name="one_subject"),
        Index("ix_review_file_proposal_id", "proposal_id"),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    completion_id: Mapped[UUID | None] = mapped_column(ForeignKey("completion.id"))
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("site_visit.id"))
    kind: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(String(64))


class ResultNotice(Base, HasId):
    """What an applicant was told of its proposal, word for word: append-only."""

    __tablename__ = "result_notice"
    __table_args__ = (UniqueConstraint("proposal_id", "seq"), UniqueConstraint("number"))

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    seq: Mapped[int]
    number: Mapped[str] = mapped_column(String(20))
    decision: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(64))
