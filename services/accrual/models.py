"""All tables of the accrual service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.accrual.base import Base

__all__ = ["Base"]
