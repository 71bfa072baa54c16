"""Tables of the agreements: who agreed on what, with which documents, and every version of the
plan."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
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

from services.grants.agreements.moves import AMENDMENT_STATES, RECORD_STATES, STATES
from services.grants.base import Base, HasFile
from shared.db import HasId, HasTimes

project_numbers = Sequence("project_number", metadata=Base.metadata)
certificate_numbers = Sequence("certificate_number", metadata=Base.metadata)


class Agreement(Base, HasId, HasTimes):
    """One year of an agreed project (협약). The plan in force is its newest version.

    It is a draft until the set of documents is complete; `agreed_on` is foreseen until then. The
    years of one project share its number (사업번호), given with the first conclusion.
    """

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("year_start <= year_end", name="year"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("year_no >= 1", name="year_no"),
        CheckConstraint("(stopped_on IS NULL) = (stop_reason IS NULL)", name="stopped_whole"),
        # A cancelled draft makes room for another.
        Index(
            "uq_agreement_live_year",
            "proposal_id",
            "year_start",
            unique=True,
            postgresql_where=text("state <> 'cancelled'"),
        ),
        Index("uq_agreement_project_year", "programme_id", "project_no", "year_no", unique=True),
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
    concluded_at: Mapped[datetime | None]
    year_no: Mapped[int] = mapped_column(server_default="1")
    project_no: Mapped[str | None] = mapped_column(String(40))
    stopped_on: Mapped[date | None]
    stop_reason: Mapped[str | None] = mapped_column(Text)


class StageEvaluation(Base, HasId):
    """Whether a project goes on after its first stage (단계평가): append-only."""

    __tablename__ = "stage_evaluation"
    __table_args__ = (
        CheckConstraint("outcome IN ('passed', 'failed')", name="outcome"),
        UniqueConstraint("agreement_id"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    outcome: Mapped[str] = mapped_column(String(10))
    score: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DutyRecord(Base, HasId, HasTimes):
    """Something done in a year that counts for its duties (G-006), as the call describes it.

    The agency confirms it or sends it back with the reason. One taken back stays with the day it
    was.
    """

    __tablename__ = "duty_record"
    __table_args__ = (
        CheckConstraint(f"state IN {RECORD_STATES}", name="state"),
        CheckConstraint("(state = 'entered') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(state = 'returned') = (return_reason IS NOT NULL)", name="returned"),
        Index("ix_duty_record_agreement_id_id", "agreement_id", "id"),
        # A student is registered once a year under a reference.
        Index(
            "uq_duty_record_student",
            "agreement_id",
            text("(body ->> 'ref')"),
            unique=True,
            postgresql_where=text("kind = 'student' AND removed_at IS NULL"),
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[str] = mapped_column(String(64))
    removed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(10), server_default="entered")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]
    return_reason: Mapped[str | None] = mapped_column(Text)


class DutyEvidence(Base, HasFile, HasId):
    """A file that proves a record of a year."""

    __tablename__ = "duty_evidence"
    __table_args__ = (Index("ix_duty_evidence_record_id", "record_id"),)

    record_id: Mapped[UUID] = mapped_column(ForeignKey("duty_record.id"))
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CompletionCertificate(Base, HasId):
    """A certificate of the programme for a student (수료증, G-007), and what it rests on.

    A student of a project has one that is not revoked.
    """

    __tablename__ = "completion_certificate"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)"
            " AND (revoked_at IS NULL) = (revoke_reason IS NULL)",
            name="revoked_whole",
        ),
        Index("ix_completion_certificate_agreement_id_id", "agreement_id", "id"),
        Index(
            "uq_completion_certificate_valid",
            "programme_id",
            "project_no",
            "student_ref",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    project_no: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(20))
    student_ref: Mapped[str] = mapped_column(String(500))
    student_name: Mapped[str] = mapped_column(String(500))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_by: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(64))
    revoke_reason: Mapped[str | None] = mapped_column(Text)


class AgreementDocument(Base, HasFile, HasId):
    """A file handed in as one of the documents of the agreement (G-056), and what became of it.

    One sent back stays, with its reason, beside what took its place.
    """

    __tablename__ = "agreement_document"
    __table_args__ = (
        CheckConstraint("state IN ('submitted', 'accepted', 'returned')", name="state"),
        CheckConstraint("(state = 'submitted') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("state <> 'returned' OR reason IS NOT NULL", name="returned_with_reason"),
        Index("ix_agreement_document_agreement_id_id", "agreement_id", "id"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    code: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), server_default="submitted")
    submitted_by: Mapped[str] = mapped_column(String(64))
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


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
    """The agreed plan, as amended: append-only.

    `after_seq` is the last change on record when it was approved, `effective_on` the day from
    which it counts (none for the first).
    """

    __tablename__ = "plan_version"
    __table_args__ = (
        UniqueConstraint("agreement_id", "version"),
        # In which plans a researcher takes part (G-013).
        Index(
            "ix_plan_version_people",
            text("(document #> '{budget,people}') jsonb_path_ops"),
            postgresql_using="gin",
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    version: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(String(64))
    approved_at: Mapped[datetime] = mapped_column(server_default=func.now())
    effective_on: Mapped[date | None]
    after_seq: Mapped[int] = mapped_column(server_default="0")
    amendment_id: Mapped[UUID | None] = mapped_column(ForeignKey("amendment.id"))


class Amendment(Base, HasId, HasTimes):
    """A request to amend the plan (협약변경, G-033): a whole new plan with reason and paper.

    `base_version` and `base_seq` are the plan version and the last change it was checked against.
    """

    __tablename__ = "amendment"
    __table_args__ = (
        CheckConstraint(f"state IN {AMENDMENT_STATES}", name="state"),
        CheckConstraint("(state = 'approved') = (plan_version IS NOT NULL)", name="approved"),
        UniqueConstraint("agreement_id", "seq"),
        Index(
            "uq_amendment_open",
            "agreement_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'requested', 'returned')"),
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1")
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    effective_on: Mapped[date]
    base_version: Mapped[int | None]
    base_seq: Mapped[int | None]
    file_key: Mapped[str | None] = mapped_column(String(200))
    file_name: Mapped[str | None] = mapped_column(String(200))
    media_type: Mapped[str | None] = mapped_column(String(100))
    sha256: Mapped[str | None] = mapped_column(String(64))
    created_by: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)
    plan_version: Mapped[int | None]


class AmendmentRequest(Base, HasId):
    """What was sent to the agency, each time it was: append-only. While the institution mends a
    request that came back, the agency goes on reading this."""

    __tablename__ = "amendment_request"
    __table_args__ = (UniqueConstraint("amendment_id", "seq"),)

    amendment_id: Mapped[UUID] = mapped_column(ForeignKey("amendment.id"))
    seq: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    effective_on: Mapped[date]
    file_key: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    requested_by: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[datetime]
