"""The ledger's tables. What the functions of the migrations write, nothing else does."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM
from sqlalchemy.orm import Mapped, mapped_column

from services.accrual.base import Base
from services.accrual.ledger.rules import State
from shared.db import HasId

_state = ENUM(*State, name="transfer_state", create_type=False)
_points = DOMAIN("points", BigInteger, create_type=False)  # never negative
_positive_points = DOMAIN("positive_points", BigInteger, create_type=False)


class Account(Base):
    """An institution's account; `id` is the institution's, balance = available + held - debt.

    `debt` is what a revocation took though it was spent or held: new points repay it (M-051).
    `head` is the hash of the newest entry, `version` its number.
    """

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    available: Mapped[int] = mapped_column(_points, server_default=text("0"))
    held: Mapped[int] = mapped_column(_points, server_default=text("0"))
    debt: Mapped[int] = mapped_column(_points, server_default=text("0"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    head: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''::bytea"))
    moved_at: Mapped[datetime] = mapped_column(server_default=func.now())
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Transfer(Base):
    """What moved, or was held, voided or expired. Append-only."""

    __tablename__ = "transfer"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(_state)
    kind: Mapped[str] = mapped_column(Text)
    debit_account: Mapped[UUID | None]
    credit_account: Mapped[UUID | None]
    amount: Mapped[int | None] = mapped_column(_positive_points)
    pending_id: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    field: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)
    origin_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    digest: Mapped[bytes] = mapped_column(LargeBinary)


class Entry(Base):
    """What one transfer did to one account, with the balance it left. Append-only, hash-chained.

    A hold and its release are entries of amount 0 that change `held`. Along an account neither
    versions nor `recorded_at` go back, so `version_at` finds an instant by halving.
    """

    __tablename__ = "entry"
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    transfer_id: Mapped[UUID]
    amount: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


# What few transfers have is looked up in tables of its own, so that plain ones do not pay for it.
# Each follows from the transfers or entries, and `verify` compares them. All are append-only.


class HoldEnding(Base):
    """By which transfer a hold ended: the key lets it end once."""

    __tablename__ = "hold_ending"

    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    transfer_id: Mapped[UUID]


class HoldExpiry(Base):
    """When a hold expires, if it does."""

    __tablename__ = "hold_expiry"

    expires_at: Mapped[datetime] = mapped_column(primary_key=True)
    hold_id: Mapped[UUID] = mapped_column(primary_key=True)


class TransferReversal(Base):
    """Which transfers moved points of another one back."""

    __tablename__ = "transfer_reversal"

    reversed_id: Mapped[UUID] = mapped_column(primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(primary_key=True)


class EntryDatedBack(Base):
    """An entry with effect before it was recorded."""

    __tablename__ = "entry_dated_back"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class Adjustment(HasId, Base):
    """A correction of an account that one operator proposed. Append-only; see `adjustments`.

    `amount` is signed: points given to the institution, or taken from it.
    """

    __tablename__ = "ledger_adjustment"

    institution_id: Mapped[UUID]
    amount: Mapped[int] = mapped_column(BigInteger)
    field: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(500))
    proposed_by: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[datetime]
    trace_id: Mapped[str] = mapped_column(String(32))

    __table_args__ = (CheckConstraint("amount <> 0", name="amount"),)


class AdjustmentDecision(Base):
    """What became of it, once and for all. `transfer_id`: what was posted, if it was approved."""

    __tablename__ = "ledger_adjustment_decision"

    adjustment_id: Mapped[UUID] = mapped_column(
        ForeignKey("ledger_adjustment.id"), primary_key=True
    )
    decision: Mapped[str] = mapped_column(String(10))
    decided_by: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(String(500))
    transfer_id: Mapped[UUID | None]
    trace_id: Mapped[str] = mapped_column(String(32))

    __table_args__ = (
        CheckConstraint(
            "decision IN ('approved', 'refused') AND (decision = 'approved')"
            " = (transfer_id IS NOT NULL)",
            name="decision",
        ),
    )


class Checkpoint(Base):
    """The heads of the chains that moved since the one before, signed. Append-only.

    `payload` is the signed text; `public_key` the 32 bytes of the Ed25519 key it was signed with.
    """

    __tablename__ = "ledger_checkpoint"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    payload: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)


class CheckpointHead(Base):
    """An account as a checkpoint has it. Append-only."""

    __tablename__ = "ledger_checkpoint_head"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_ledger_checkpoint_head_number", "number", "account_id"),)
