"""Base of the auth service's models."""

from enum import StrEnum

from sqlalchemy import CheckConstraint

import shared.db
from shared.idempotency import idempotency_table


class Base(shared.db.Base):
    __abstract__ = True
    metadata = shared.db.service_metadata()


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The condition that a column holds one of these words."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


idempotency_table(Base.metadata)
