"""Base of the exchange service's models."""

from enum import StrEnum

import shared.db
from shared.idempotency import idempotency_table
from shared.webhooks.models import webhook_tables


class Base(shared.db.Base):
    __abstract__ = True
    metadata = shared.db.service_metadata()


idempotency_keys = idempotency_table(Base.metadata)
webhook_tables(Base.metadata)


def one_of(column: str, values: type[StrEnum]) -> str:
    """The condition of a CHECK constraint that keeps a text column to the values of an enum."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"
