"""Endpoints of receivers, messages to them, and the log of every attempt.

The classes are mapped once, here, by the names of their tables; a service has the tables among its
own by `webhook_tables`, as with the keys of `shared.idempotency`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import shared.db
from shared.db import HasId, HasTimes


class Base(shared.db.Base):
    __abstract__ = True
    metadata = shared.db.service_metadata()


def webhook_tables(metadata: MetaData) -> None:
    """Add the tables of webhooks to those of a service."""
    for table in Base.metadata.sorted_tables:
        table.to_metadata(metadata)


class WebhookEndpoint(HasId, HasTimes, Base):
    """Where an institution wants to hear of its things; an empty `events` means all."""

    __tablename__ = "webhook_endpoint"

    institution_id: Mapped[UUID]
    url: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(200))
    events: Mapped[list[Any]]
    test_mode: Mapped[bool]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    generation: Mapped[int] = mapped_column(server_default="1")
    previous_until: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index("ix_webhook_endpoint_institution_id", "institution_id"),)


class WebhookMessage(HasId, Base):
    """Something that happened; its id is the `webhook-id`, the same in every attempt."""

    __tablename__ = "webhook_message"

    institution_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_webhook_message_created_at", "created_at"),)


class WebhookDelivery(HasId, Base):
    """A message on its way to one endpoint."""

    __tablename__ = "webhook_delivery"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_message.id", ondelete="CASCADE"))
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(10), server_default="pending")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_attempt_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None] = mapped_column(String(300))

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        UniqueConstraint("message_id", "endpoint_id"),
        Index("ix_webhook_delivery_endpoint_id_id", "endpoint_id", "id"),
        Index(
            "ix_webhook_delivery_pending",
            "next_attempt_at",
            postgresql_where=text("state = 'pending'"),
        ),
    )


class WebhookAttempt(HasId, Base):
    """One attempt: when, how long, what came back."""

    __tablename__ = "webhook_attempt"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    ms: Mapped[int]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(String(300))
    answer: Mapped[str | None] = mapped_column(String(1000))

    __table_args__ = (Index("ix_webhook_attempt_delivery_id", "delivery_id"),)
