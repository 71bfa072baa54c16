"""The table of the notifications: one row for each event and each institution that hears of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.exchange.base import Base
from shared.db import HasId


class Notification(Base, HasId):
    """What an institution was told of an order, as it stood then; `read_at` is for all of it."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_institution", "institution_id", "id"),
        Index(
            "ix_notification_unread",
            "institution_id",
            "id",
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    institution_id: Mapped[UUID]
    event: Mapped[str] = mapped_column(String(60))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_order.id"))
    number: Mapped[str] = mapped_column(String(20))
    listing_title: Mapped[str] = mapped_column(String(200))
    use: Mapped[str] = mapped_column(String(20))
    settlement: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
