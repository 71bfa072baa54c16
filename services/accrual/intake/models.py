"""What partners pushed, and what became of every line."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.accrual.base import Base
from shared.db import HasId


class IntakeFile(HasId, Base):
    """Evidence uploaded ahead of a batch; each application of the batch gets it attached."""

    __tablename__ = "intake_file"

    institution_id: Mapped[UUID]
    test_mode: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200))
    uploaded_by: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_intake_file_institution_id", "institution_id"),)


class IntakeBatch(HasId, Base):
    """One push. Its `external_id` is the partner's: the same push again is the same batch."""

    __tablename__ = "intake_batch"

    institution_id: Mapped[UUID]
    institution_kind: Mapped[str] = mapped_column(String(20))
    test_mode: Mapped[bool]
    client_id: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(100))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    field: Mapped[str] = mapped_column(String(20))
    submit: Mapped[bool]
    evidence: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(12), server_default="queued")
    total: Mapped[int]
    done: Mapped[int] = mapped_column(server_default="0")
    accepted: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("institution_id", "test_mode", "external_id"),
        CheckConstraint("state IN ('queued', 'submitting', 'finished')", name="state"),
        Index(
            "ix_intake_batch_unfinished",
            "created_at",
            postgresql_where=text("state <> 'finished'"),
        ),
    )


class IntakeChunk(Base):
    """A piece of a batch's body, compressed, until it is processed."""

    __tablename__ = "intake_chunk"

    batch_id: Mapped[UUID] = mapped_column(
        ForeignKey("intake_batch.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class IntakeApplication(Base):
    """An application made of a batch; `findings` say why it could not be submitted."""

    __tablename__ = "intake_application"

    batch_id: Mapped[UUID] = mapped_column(
        ForeignKey("intake_batch.id", ondelete="CASCADE"), primary_key=True
    )
    application_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(String(10), server_default="draft")
    findings: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))

    __table_args__ = (
        CheckConstraint("outcome IN ('draft', 'submitted', 'refused')", name="outcome"),
    )


class IntakeRow(Base):
    """What became of one line. An accepted row's `external_id` is taken until its application
    ends: the same row again is `unchanged`, another content under its name is refused."""

    __tablename__ = "intake_row"

    # No foreign key: a check for each of a hundred thousand rows of a batch that is there anyway.
    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID]
    test_mode: Mapped[bool]
    external_id: Mapped[str | None] = mapped_column(String(100))
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    status: Mapped[str] = mapped_column(String(10))
    application_id: Mapped[UUID | None]
    number: Mapped[int | None]
    findings: Mapped[list[Any] | None]

    __table_args__ = (
        CheckConstraint(
            "status IN ('accepted', 'unchanged', 'rejected', 'superseded')", name="status"
        ),
        Index(
            "uq_intake_row_accepted",
            "institution_id",
            "test_mode",
            "external_id",
            unique=True,
            postgresql_where=text("status = 'accepted'"),
        ),
    )
