"""Tables of the settlement: what was reported, every run, decisions of auditors, objections."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.grants.base import Base
from shared.db import HasId


class UsageReport(Base):
    """사용실적보고: what the institution received and earned in interest, reported once a year."""

    __tablename__ = "usage_report"
    __table_args__ = (
        CheckConstraint("received_grant_won >= 0 AND interest_won >= 0", name="not_negative"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    received_grant_won: Mapped[int] = mapped_column(BigInteger)
    interest_won: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    budget: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reported_by: Mapped[str] = mapped_column(String(64))
    reported_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SettlementRun(Base, HasId):
    """One run over a frozen snapshot: `inputs` alone reproduce `result`. Append-only.

    `rule_set_sha256` is the call's data it went by, `rules_sha256` the code of the rules
    (`settlement.release`); older runs do not know theirs.
    """

    __tablename__ = "settlement_run"
    __table_args__ = (UniqueConstraint("agreement_id", "seq"),)

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    seq: Mapped[int]
    plan_version: Mapped[int]
    rule_set_sha256: Mapped[str] = mapped_column(String(64))
    rules_sha256: Mapped[str | None] = mapped_column(String(64))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RefundPayment(Base, HasId):
    """Money that came back after a settlement, as it came: append-only. Their sum is never more
    than what the final run says is due; a year with nothing due is closed by one of 0 won."""

    __tablename__ = "refund_payment"
    __table_args__ = (
        UniqueConstraint("agreement_id", "seq"),
        CheckConstraint("won > 0 OR seq = 1", name="won_positive"),
        CheckConstraint("won >= 0", name="won_not_negative"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    seq: Mapped[int]
    won: Mapped[int] = mapped_column(BigInteger)
    paid_on: Mapped[date]
    reference: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Decision(Base, HasId):
    """An auditor's own judgement beside the rules: won that fall (`disallow`), a finding set
    aside (`waive`), or something to be supplemented (`ask`). Setting a rule aside takes a second
    pair of eyes before it counts."""

    __tablename__ = "settlement_decision"
    __table_args__ = (
        CheckConstraint("kind IN ('disallow', 'waive', 'ask')", name="kind"),
        CheckConstraint(
            "(kind = 'disallow') = (ground IS NOT NULL AND won IS NOT NULL)", name="disallow_whole"
        ),
        CheckConstraint(
            "(kind = 'waive') = (rule IS NOT NULL AND code IS NOT NULL)", name="waive_whole"
        ),
        CheckConstraint("won > 0", name="won_positive"),
        CheckConstraint("confirmed_by <> proposed_by", name="four_eyes"),
        Index("ix_settlement_decision_expense_id", "expense_id"),
    )

    expense_id: Mapped[UUID] = mapped_column(ForeignKey("expense.id"))
    kind: Mapped[str] = mapped_column(String(10))
    ground: Mapped[int | None]
    won: Mapped[int | None] = mapped_column(BigInteger)
    rule: Mapped[str | None] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_by: Mapped[str | None] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class Objection(Base, HasId):
    """이의신청 against what a run disallowed of an expense, and the agency's answer."""

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint("outcome IN ('accepted', 'partly_accepted', 'refused')", name="outcome"),
        CheckConstraint(
            "(outcome IS NULL) = (answer IS NULL) AND (outcome IS NULL) = (answered_by IS NULL)",
            name="answered_whole",
        ),
        Index("ix_objection_expense_id", "expense_id"),
    )

    expense_id: Mapped[UUID] = mapped_column(ForeignKey("expense.id"))
    text: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    outcome: Mapped[str | None] = mapped_column(String(20))
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[datetime | None]
