"""All tables of the auth service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.auth.base import Base

__all__ = ["Base"]
