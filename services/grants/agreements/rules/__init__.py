"""The rules of agreements: the set of documents, versions of the plan and what differs in them."""

from services.grants.agreements.rules.differences import (
    Difference,
    FieldDifference,
    ItemDifference,
    LineDifference,
    PersonDifference,
    Version,
    difference,
)
from services.grants.agreements.rules.papers import (
    ChecklistLine,
    Paper,
    checklist,
    conclusion_findings,
    unknown_finding,
)

__all__ = [
    "ChecklistLine",
    "Difference",
    "FieldDifference",
    "ItemDifference",
    "LineDifference",
    "Paper",
    "PersonDifference",
    "Version",
    "checklist",
    "conclusion_findings",
    "difference",
    "unknown_finding",
]
