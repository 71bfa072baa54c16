"""The rules of settlement: `settle` decides which won fall, `statement` what is returned."""

from services.grants.settlement.rules.allocation import (
    Disallowance,
    ItemLine,
    Review,
    Settlement,
    Waiver,
    settle,
)
from services.grants.settlement.rules.statement import (
    Statement,
    account_findings,
    budget_findings,
    statement,
)

__all__ = [
    "Disallowance",
    "ItemLine",
    "Review",
    "Settlement",
    "Statement",
    "Waiver",
    "account_findings",
    "budget_findings",
    "settle",
    "statement",
]
