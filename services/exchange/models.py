"""All tables of the exchange service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.exchange.base import Base
from services.exchange.listings import models as listings
from services.exchange.notifications import models as notifications
from services.exchange.orders import models as orders

__all__ = ["Base", "listings", "notifications", "orders"]
