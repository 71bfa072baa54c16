"""The keys that access tokens are signed with."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String, func
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base


class SigningKey(Base):
    """An ES256 key pair. Its public part is published from the start, signing begins at
    `active_from`; the private part is sealed with a key that is not in this database."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    public: Mapped[dict[str, Any]]
    private: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    active_from: Mapped[datetime]
