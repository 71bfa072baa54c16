"""Bodies and answers of the notifications."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.exchange.orders.rules import Settlement, Use
from services.exchange.parties import Party
from shared.schemas import Body, Schema


class NotificationOut(Schema):
    """`use`, `settlement`: where the order stood then. What an institution did itself is read."""

    id: UUID
    event: str
    text: str
    order_id: UUID
    number: str
    listing_title: str
    use: Use
    settlement: Settlement
    by: Party
    at: datetime
    read_at: datetime | None


class UnreadOut(Schema):
    """How many are unread, counted to a thousand."""

    unread: int


class ReadIn(Body):
    """`up_to`: this one and all before it; without it: every one there is."""

    up_to: UUID | None = Field(default=None, description="이 알림까지 읽음으로 표시")
