"""All tables of the exchange service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.exchange.base import Base

__all__ = ["Base"]
