"""Tables of the orders: the order, what was promised to the ledger, and everything that happened.

`movement` rows are the promises: their ids are made and stored before the ledger hears of them,
so that asking twice is asking once. `order_event`, `payment` and `message` are append-only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.exchange.base import Base
from services.exchange.mileage import cash_won
from services.exchange.orders.rules import Settlement, Use
from services.exchange.parties import Party
from shared.clock import seoul_day
from shared.db import HasId, HasTimes, one_of


class Order(Base, HasTimes):
    """One order, with the price and the terms frozen as they were when it was made."""

    __tablename__ = "exchange_order"
    __table_args__ = (
        one_of("use", Use),
        one_of("settlement", Settlement),
        CheckConstraint("buyer_id <> seller_id", name="no_self_trade"),
        CheckConstraint("quantity > 0 AND unit_price_won > 0", name="positive"),
        CheckConstraint("fee_won = unit_price_won * quantity", name="fee"),
        # M-041 in the database: 30 % of the fee, a point standing for 1,000 won.
        CheckConstraint("0 <= mileage AND mileage <= fee_won * 3 / 10000", name="mileage_cap"),
        CheckConstraint("0 <= charged_won AND charged_won <= fee_won", name="charge"),
        CheckConstraint(
            "0 <= mileage_charged AND mileage_charged <= mileage"
            " AND mileage_charged <= charged_won * 3 / 10000",
            name="mileage_charge",
        ),
        CheckConstraint("(charged_won IS NULL) = (mileage_charged IS NULL)", name="charged"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="slot"),
        CheckConstraint(
            "0 <= paid_won AND 0 <= cash_refunded_won AND cash_refunded_won <= paid_won",
            name="cash",
        ),
        CheckConstraint(
            "mileage_refunded BETWEEN 0 AND COALESCE(mileage_charged, 0)", name="mileage_refund"
        ),
        Index("ix_order_buyer", "buyer_id", "id"),
        Index("ix_order_seller", "seller_id", "id"),
        Index("ix_order_listing", "listing_id", "id"),
        Index(
            "ix_order_lapse",
            "lapse_at",
            postgresql_where=text("use IN ('requested', 'accepted')"),
        ),
        Index(
            "ix_order_to_settle",
            "settle_after",
            postgresql_where=text("settlement = 'held' AND settle_after IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id"))
    listing_title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    use_mode: Mapped[str] = mapped_column(String(20))
    seller_id: Mapped[UUID]
    seller_name: Mapped[str] = mapped_column(String(200))
    buyer_id: Mapped[UUID]
    buyer_name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20))
    unit_price_won: Mapped[int] = mapped_column(BigInteger)
    rate_card_version: Mapped[int]
    quantity: Mapped[int]
    fee_won: Mapped[int] = mapped_column(BigInteger)
    mileage: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    free_cancel_until: Mapped[datetime | None]
    late_fee_percent: Mapped[int]
    no_show_fee_percent: Mapped[int]
    terms: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    use: Mapped[str] = mapped_column(String(20))
    settlement: Mapped[str] = mapped_column(String(20))
    lapse_at: Mapped[datetime | None]
    settle_after: Mapped[datetime | None]
    proposed_quantity: Mapped[int | None]
    actual_quantity: Mapped[int | None]
    charged_won: Mapped[int | None] = mapped_column(BigInteger)
    mileage_charged: Mapped[int | None] = mapped_column(BigInteger)
    paid_won: Mapped[int] = mapped_column(BigInteger, server_default="0")
    mileage_refunded: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cash_refunded_won: Mapped[int] = mapped_column(BigInteger, server_default="0")
    disputed_by: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")

    @property
    def public_number(self) -> str:
        """How people name an order: the Korean year it was made in, and its number."""
        return f"EX-{seoul_day(self.created_at).year % 100}-{self.number:06}"

    @property
    def cash_due_won(self) -> int:
        """What the buyer pays in cash as things stand: of the final charge once there is one."""
        if self.charged_won is None or self.mileage_charged is None:
            return cash_won(self.fee_won, self.mileage)
        return cash_won(self.charged_won, self.mileage_charged)


class Movement(Base):
    """One thing asked of the ledger: its id there, what, and what came of it.

    `target_id` is the movement it is about: the hold of a post or void, the post of a reversal.
    `cash_won` is the cash that a refund returns beside its points; `actor` the account it is done
    for, which the ledger sees in our token; `try_after` when the sweep takes it up.
    """

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("kind IN ('hold', 'post', 'void', 'reversal')", name="kind"),
        CheckConstraint("state IN ('intended', 'done', 'refused', 'given_up')", name="state"),
        CheckConstraint("amount > 0", name="amount"),
        # Only one promise at a time is open, so two can never overtake each other.
        Index(
            "uq_movement_open", "order_id", unique=True, postgresql_where=text("state = 'intended'")
        ),
        Index("ix_movement_order", "order_id"),
        Index("ix_movement_waiting", "try_after", postgresql_where=text("state = 'intended'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_order.id"))
    kind: Mapped[str] = mapped_column(String(10))
    amount: Mapped[int] = mapped_column(BigInteger)
    cash_won: Mapped[int] = mapped_column(BigInteger, server_default="0")
    target_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), server_default="intended")
    answer: Mapped[str | None] = mapped_column(String(100))
    actor: Mapped[str | None] = mapped_column(String(100))
    try_after: Mapped[datetime] = mapped_column(
        server_default=text("now() + interval '30 seconds'")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]


class OrderEvent(Base, HasId):
    """The history of an order: who did what, why, and where it left the order. Append-only."""

    __tablename__ = "order_event"
    __table_args__ = (
        one_of("party", Party),
        Index("ix_order_event_order", "order_id", "id"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_order.id"))
    action: Mapped[str] = mapped_column(String(30))
    party: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    use: Mapped[str] = mapped_column(String(20))
    settlement: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class OutboxEvent(Base, HasId):
    """What others are told: one row a state change, delivered after it is committed.

    The audience is the buyer, then the seller (`notifications/service.py`).
    """

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index("ix_outbox_event_waiting", "id", postgresql_where=text("delivered_at IS NULL")),
    )

    name: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[UUID]
    audience: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]


class Payment(Base, HasId):
    """Cash that changed hands outside the platform, as the seller recorded it. Append-only."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_won > 0", name="amount"),
        CheckConstraint("direction IN ('received', 'returned')", name="direction"),
        CheckConstraint("method IN ('transfer', 'card', 'other')", name="method"),
        Index("ix_payment_order", "order_id", "id"),
        Index(None, "reference"),  # whether it serves an expense elsewhere, too
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_order.id"))
    direction: Mapped[str] = mapped_column(String(10))
    amount_won: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(10))
    paid_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(100))
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_file.id"))
    recorded_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OrderFile(Base, HasId):
    """Evidence attached to an order: a transfer slip, a tax invoice, a result report."""

    __tablename__ = "order_file"
    __table_args__ = (
        Index("ix_order_file_order", "order_id", "id"),
        Index(None, "sha256"),  # whether it serves an expense elsewhere, too
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_order.id"))
    key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    party: Mapped[str] = mapped_column(String(10))
    uploaded_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Message(Base, HasId):
    """What buyer and seller wrote to each other about an order. Append-only."""

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_order", "order_id", "id"),)

    order_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_order.id"))
    party: Mapped[str] = mapped_column(String(10))
    author: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Reconciliation(Base, HasId):
    """One comparison of our books with the ledger's (`reconciliation.py`)."""

    __tablename__ = "reconciliation"

    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    checked: Mapped[int]
    differences: Mapped[list[Any]] = mapped_column(JSONB)
