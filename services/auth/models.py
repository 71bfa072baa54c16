"""All tables of the auth service: the base, and the models of its capabilities.

Alembic compares this module's metadata with the migrated database.
"""

from services.auth.accounts import models as accounts
from services.auth.audit import models as audit
from services.auth.base import Base
from services.auth.clients import models as clients
from services.auth.institutions import models as institutions
from services.auth.letters import models as letters
from services.auth.messages import models as messages
from services.auth.notices import models as notices
from services.auth.sessions import models as sessions
from services.auth.tokens import models as tokens

__all__ = [
    "Base",
    "accounts",
    "audit",
    "clients",
    "institutions",
    "letters",
    "messages",
    "notices",
    "sessions",
    "tokens",
]
