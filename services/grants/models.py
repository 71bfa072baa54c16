"""All tables of the grants service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.grants.agreements import models as agreements
from services.grants.base import Base
from services.grants.certification import models as certification
from services.grants.evaluation import models as evaluation
from services.grants.expenses import models as expenses
from services.grants.programmes import models as programmes
from services.grants.proposals import models as proposals
from services.grants.settlement import models as settlement

__all__ = [
    "Base",
    "agreements",
    "certification",
    "evaluation",
    "expenses",
    "programmes",
    "proposals",
    "settlement",
]
