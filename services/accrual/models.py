"""All tables of the accrual service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.accrual.applications import models as applications
from services.accrual.base import Base
from services.accrual.certificates import models as certificates
from services.accrual.intake import models as intake
from services.accrual.ledger import models as ledger
from services.accrual.statistics import models as statistics
from services.accrual.utilisations import models as utilisations

__all__ = [
    "Base",
    "applications",
    "certificates",
    "intake",
    "ledger",
    "statistics",
    "utilisations",
]
