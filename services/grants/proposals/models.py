"""Tables of the proposals: the draft being written, and every version ever submitted."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Sequence,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base, HasFile
from services.grants.proposals.moves import STATES
from shared.db import HasId, HasTimes

receipt_numbers = Sequence("receipt_number", metadata=Base.metadata)


class Proposal(Base, HasId, HasTimes):
    """One applicant's proposal to one call. `document` is what is being written; what counts is
    the last submitted version."""

    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        # An applicant has one live proposal in a call, for each year of the project; a withdrawn
        # one makes room for another.
        Index(
            "uq_proposal_live_year",
            "programme_id",
            "institution_id",
            "year_no",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index("ix_proposal_institution_id_id", "institution_id", "id"),
    )

    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    institution_id: Mapped[UUID]
    institution_name: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1")
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    submissions: Mapped[int] = mapped_column(server_default="0")
    submitted_at: Mapped[datetime | None]
    year_no: Mapped[int] = mapped_column(server_default="1")
    # The agreement whose project goes on; agreements point here already, two ways make a circle.
    continues_id: Mapped[UUID | None]


class Attachment(Base, HasFile, HasId):
    """A file that goes with a proposal, for one of the documents the call asks for (G-005).

    One that was submitted stays when it is taken back: the agency received it.
    """

    __tablename__ = "proposal_attachment"
    __table_args__ = (Index("ix_proposal_attachment_proposal_id", "proposal_id"),)

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    document: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(String(64))
    taken_back_at: Mapped[datetime | None]


class Submission(Base, HasId):
    """A submitted version, frozen, with its receipt: append-only."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("proposal_id", "seq"),
        UniqueConstraint("receipt_number"),
        # In which proposals a researcher takes part (G-013).
        Index(
            "ix_submission_people",
            text("(document #> '{budget,people}') jsonb_path_ops"),
            postgresql_using="gin",
        ),
    )

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    seq: Mapped[int]
    receipt_number: Mapped[str] = mapped_column(String(40))
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sha256: Mapped[str] = mapped_column(String(64))
    warnings: Mapped[list[Any]] = mapped_column(JSONB)
    attachments: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    submitted_by: Mapped[str] = mapped_column(String(64))
