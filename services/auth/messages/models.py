"""Letters and text messages on their way to a person."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, func
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base
from services.auth.messages.rules import Channel
from shared.db import HasId, one_of


class OutgoingMessage(HasId, Base):
    """`content` holds recipient, subject and text, sealed: it may carry a link that opens an
    account. It is wiped once sent."""

    __tablename__ = "outgoing_message"

    channel: Mapped[str] = mapped_column(String(10))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    sent_at: Mapped[datetime | None]

    __table_args__ = (one_of("channel", Channel),)
