"""Applications and what hangs on them.

`application_row` holds what the applicant entered, valid or not; `claim` holds what was found
eligible when it was submitted. A claim's key is unique among live claims (M-020): the database,
not a query before the insert, decides which of two applicants at once was first.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.accrual.applications.moves import STATES
from services.accrual.base import Base
from shared.db import HasId, HasTimes

_STATES = ", ".join(f"'{state}'" for state in STATES)


class Application(HasId, HasTimes, Base):
    """One application of one institution in one field.

    `mileage`, `company_count` and `row_count` are the totals of the last check. `version` is the
    ETag. `applied_on` is the day of the first submission: the window of M-022 is measured from it,
    so that a correction asked for by the reviewer does not cost the applicant the deadline.
    """

    __tablename__ = "application"

    institution_id: Mapped[UUID]
    institution_name: Mapped[str | None] = mapped_column(String(200))
    field: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12), server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1")
    memo: Mapped[str] = mapped_column(String(2000), server_default="")
    source: Mapped[str] = mapped_column(String(8), server_default="portal")
    test_mode: Mapped[bool] = mapped_column(server_default=text("false"))
    on_behalf: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64))

    number: Mapped[str | None] = mapped_column(String(20), unique=True)
    applied_on: Mapped[date | None]
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[str | None] = mapped_column(String(64))
    criteria_version: Mapped[str | None] = mapped_column(String(40))

    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(64))
    approved_at: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(2000))

    row_count: Mapped[int] = mapped_column(server_default="0")
    company_count: Mapped[int] = mapped_column(server_default="0")
    mileage: Mapped[int] = mapped_column(BigInteger, server_default="0")

    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("source IN ('portal', 'partner')", name="source"),
        CheckConstraint("mileage >= 0", name="mileage"),
        # Whatever has left the applicant's hands once has a number and a day.
        CheckConstraint(
            "state = 'draft' OR (number IS NOT NULL AND applied_on IS NOT NULL"
            " AND submitted_by IS NOT NULL)",
            name="numbered",
        ),
        CheckConstraint("state <> 'in_review' OR claimed_by IS NOT NULL", name="claimed"),
        Index("ix_application_institution_id_id", "institution_id", "id"),
        Index(
            "ix_application_queue",
            "submitted_at",
            "id",
            postgresql_where=text("state IN ('submitted', 'in_review', 'approved')"),
        ),
        Index("ix_application_applied_on_id", "applied_on", "id"),
    )
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012  # a later read must not query


class ApplicationRow(Base):
    """What was entered, by column name; `number` is the line of the applicant's grid or sheet."""

    __tablename__ = "application_row"

    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(100))
    cells: Mapped[dict[str, Any]]


class Claim(Base):
    """One eligible row of a submitted application, in the terms of the formulas.

    `live` claims are those of applications under way or posted, less rejected rows. They are as
    of the last submission: while an application is returned, its rows may already differ.
    """

    __tablename__ = "claim"

    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    brn: Mapped[str] = mapped_column(String(10))
    contract: Mapped[str | None] = mapped_column(String(200))
    quantity: Mapped[int] = mapped_column(BigInteger)
    deposited_won: Mapped[int] = mapped_column(BigInteger)
    reference_on: Mapped[date]
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    live: Mapped[bool]
    rejected_reason: Mapped[str | None] = mapped_column(String(2000))
    rejected_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("NOT (live AND rejected_reason IS NOT NULL)", name="rejected"),
        Index("uq_claim_live_key", "key", unique=True, postgresql_where=text("live")),
    )


class ApplicationCompany(Base):
    """One line of the summary (M-016), as of the last check, and what the registry says of it."""

    __tablename__ = "application_company"

    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    brn: Mapped[str] = mapped_column(String(10), primary_key=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    registered_name: Mapped[str | None] = mapped_column(String(200))
    registered_status: Mapped[str | None] = mapped_column(String(20))
    closed_on: Mapped[date | None]
    institution_id: Mapped[UUID | None]
    row_count: Mapped[int]
    quantity: Mapped[int] = mapped_column(BigInteger)
    mileage: Mapped[int] = mapped_column(BigInteger)
    contracts: Mapped[list[Any]]

    __table_args__ = (Index("ix_application_company_brn", "brn"),)


class ContractCredit(Base):
    """All deposits of a contract posted so far, and the points they earned (M-031)."""

    __tablename__ = "contract_credit"

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(String(20), primary_key=True)
    brn: Mapped[str] = mapped_column(String(10), primary_key=True)
    contract: Mapped[str] = mapped_column(String(200), primary_key=True)
    deposited_won: Mapped[int] = mapped_column(BigInteger)
    eligible_won: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("deposited_won >= 0 AND eligible_won >= 0 AND points >= 0", name="whole"),
    )


class ApplicationFile(HasId, Base):
    """The official letter or a piece of evidence (M-010); `kind` is an evidence type's code."""

    __tablename__ = "application_file"

    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200))
    uploaded_by: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_application_file_application_id", "application_id"),
        Index("ix_application_file_sha256", "sha256"),
    )


class ApplicationComment(HasId, Base):
    """What the reviewer asks to be corrected: bound to a cell, a row, or the whole application."""

    __tablename__ = "application_comment"

    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id", ondelete="CASCADE"))
    row: Mapped[int | None]
    field: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(1000))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("field IS NULL OR row IS NOT NULL", name="place"),
        Index("ix_application_comment_application_id", "application_id"),
    )


class ApplicationEvent(HasId, Base):
    """One move, or one view of personal data: who, when, from where, what. Append-only.

    No foreign key: the trace of a discarded draft outlives it.
    """

    __tablename__ = "application_event"

    application_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    by: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(40))
    client_id: Mapped[str] = mapped_column(String(64))
    acting_for: Mapped[str | None] = mapped_column(String(64))
    trace_id: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(20))
    from_state: Mapped[str | None] = mapped_column(String(12))
    to_state: Mapped[str | None] = mapped_column(String(12))
    details: Mapped[dict[str, Any]]

    __table_args__ = (Index("ix_application_event_application_id_id", "application_id", "id"),)


class NumberCounter(Base):
    """The last number given out in a year. One row a year, locked until the submission commits:
    that is what makes the sequence gapless. The sandbox counts in a series of its own."""

    __tablename__ = "number_counter"

    series: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    last: Mapped[int]
