"""Base of the grants service's models."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

import shared.db
from shared.idempotency import idempotency_table


class Base(shared.db.Base):
    __abstract__ = True
    metadata = shared.db.service_metadata()


idempotency_table(Base.metadata)


class HasFile:
    """The file of a row, as it lies in the store (`services.grants.files`)."""

    file_key: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
