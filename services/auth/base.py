"""Base of the auth service's models."""

import shared.db
from shared.idempotency import idempotency_table


class Base(shared.db.Base):
    __abstract__ = True
    metadata = shared.db.service_metadata()


idempotency_table(Base.metadata)
