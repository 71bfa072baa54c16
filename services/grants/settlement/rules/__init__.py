"""The rules of settlement: `settle` decides which won fall, `statement` what is returned."""

from services.grants.settlement.rules.allocation import (
    REVIEW_INVALID,
    Disallowance,
    ItemLine,
    Review,
    Settlement,
    Waiver,
    settle,
)
from services.grants.settlement.rules.comparison import Comparison, compare
from services.grants.settlement.rules.statement import (
    Statement,
    account_findings,
    budget_findings,
    claims_unchecked,
    not_stated,
    statement,
)

__all__ = [
    "REVIEW_INVALID",
    "Comparison",
    "Disallowance",
    "ItemLine",
    "Review",
    "Settlement",
    "Statement",
    "Waiver",
    "account_findings",
    "budget_findings",
    "claims_unchecked",
    "compare",
    "not_stated",
    "settle",
    "statement",
]
