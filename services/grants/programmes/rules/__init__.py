"""A call's rule set: read from data, checked, frozen.

The code knows kinds of rule (a share of some funds, an amount per head, a band of scores, a piece
of evidence); every number, name, item, document and citation is data, so another call is another
file. `parse` is the way in.
"""

from services.grants.programmes.rules.budgeting import (
    AssetCap,
    Budget,
    Fee,
    FeeUnit,
    HeadCap,
    Item,
    Qualification,
    ShareCap,
    SpendingKind,
    TravelRate,
)
from services.grants.programmes.rules.calling import Call, Duty, RequiredDocument, TextLength
from services.grants.programmes.rules.ruleset import RuleSet, parse
from services.grants.programmes.rules.scoring import (
    Area,
    Band,
    Evaluation,
    Measure,
    Panel,
    ScoreItem,
    Section,
)
from services.grants.programmes.rules.spending import (
    Condition,
    Exclusion,
    ExpenseRule,
    Ground,
    Need,
    Spending,
)
from services.grants.programmes.rules.terms import (
    FUND_NAMES,
    FUNDS,
    Fund,
    Funds,
    Period,
    Selector,
    Text,
    add_months,
    cited,
    decimal_text,
    listed,
    month_of,
    month_text,
    months_between,
    months_of,
    share_text,
)

__all__ = [
    "FUNDS",
    "FUND_NAMES",
    "Area",
    "AssetCap",
    "Band",
    "Budget",
    "Call",
    "Condition",
    "Duty",
    "Evaluation",
    "Exclusion",
    "ExpenseRule",
    "Fee",
    "FeeUnit",
    "Fund",
    "Funds",
    "Ground",
    "HeadCap",
    "Item",
    "Measure",
    "Need",
    "Panel",
    "Period",
    "Qualification",
    "RequiredDocument",
    "RuleSet",
    "ScoreItem",
    "Section",
    "Selector",
    "ShareCap",
    "Spending",
    "SpendingKind",
    "Text",
    "TextLength",
    "TravelRate",
    "add_months",
    "cited",
    "decimal_text",
    "listed",
    "month_of",
    "month_text",
    "months_between",
    "months_of",
    "parse",
    "share_text",
]
