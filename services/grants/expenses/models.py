"""Tables of the expenses: what was spent, and the documents that prove it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base, HasFile
from services.grants.expenses.moves import STATES
from shared.db import HasId, HasTimes


class ExpenseRow(Base, HasId, HasTimes):
    """One spending of an agreement's year (G-040). `details` is what the rules read of it beside
    the columns: work, trip, goods, facts, event, deposit."""

    __tablename__ = "expense"
    __table_args__ = (
        CheckConstraint("amount_won > 0", name="amount_positive"),
        CheckConstraint("vat_won BETWEEN 0 AND amount_won", name="vat_within_amount"),
        CheckConstraint("fund IN ('grant', 'cash', 'in_kind')", name="fund"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        UniqueConstraint("agreement_id", "number"),
        Index("ix_expense_agreement_id_kind", "agreement_id", "kind"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), server_default="registered")
    version: Mapped[int] = mapped_column(server_default="1")
    kind: Mapped[str] = mapped_column(String(40))
    fund: Mapped[str] = mapped_column(String(10))
    amount_won: Mapped[int] = mapped_column(BigInteger)
    vat_won: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str] = mapped_column(String(500))
    payee_name: Mapped[str] = mapped_column(String(200))
    payee_brn: Mapped[str | None] = mapped_column(String(10))
    payee_account: Mapped[str | None] = mapped_column(String(60))
    obligated_on: Mapped[date | None]
    paid_on: Mapped[date | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_by: Mapped[str] = mapped_column(String(64))


class ExpenseVersion(Base, HasId):
    """What an expense said before and after each edit: append-only."""

    __tablename__ = "expense_version"
    __table_args__ = (UniqueConstraint("expense_id", "version"),)

    expense_id: Mapped[UUID] = mapped_column(ForeignKey("expense.id"))
    version: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EvidenceRow(Base, HasFile, HasId):
    """A document of an expense. The file's hash and the document's number show what was used
    before, in this project or another."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint("amount_won >= 0", name="amount_not_negative"),
        Index("ix_evidence_expense_id", "expense_id"),
        Index("ix_evidence_sha256", "sha256"),
        Index("ix_evidence_number", "number"),
    )

    expense_id: Mapped[UUID] = mapped_column(ForeignKey("expense.id"))
    kind: Mapped[str] = mapped_column(String(40))
    amount_won: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[str | None] = mapped_column(String(100))
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(String(64))
