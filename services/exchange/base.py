"""Base of the exchange service's models."""

import shared.db
from shared.idempotency import idempotency_table
from shared.webhooks.models import webhook_tables


class Base(shared.db.Base):
    __abstract__ = True
    metadata = shared.db.service_metadata()


idempotency_keys = idempotency_table(Base.metadata)
webhook_tables(Base.metadata)
