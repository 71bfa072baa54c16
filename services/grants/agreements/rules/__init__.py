"""The rules of agreements: the set of documents, versions of the plan and what differs in them."""

from services.grants.agreements.rules.amending import (
    DECISION_PAPER_MISSING,
    ItemDecision,
    amendment_findings,
    decisions,
    money_of,
)
from services.grants.agreements.rules.differences import (
    Difference,
    FieldDifference,
    ItemDifference,
    LineDifference,
    PersonDifference,
    Version,
    difference,
)
from services.grants.agreements.rules.duties import (
    STUDENT,
    DutyCount,
    Record,
    Standing,
    duty_counts,
    masked,
    record_findings,
    standing,
    unmet_findings,
)
from services.grants.agreements.rules.history import ChangeStep, PlanStep, plan_after
from services.grants.agreements.rules.papers import (
    PAPERS_FULL,
    ChecklistLine,
    Paper,
    checklist,
    conclusion_findings,
    unknown_finding,
)
from services.grants.agreements.rules.years import (
    ProjectYear,
    continuation_findings,
    stage_finding,
    stop_finding,
    year_finding,
)

__all__ = [
    "DECISION_PAPER_MISSING",
    "PAPERS_FULL",
    "STUDENT",
    "ChangeStep",
    "ChecklistLine",
    "Difference",
    "DutyCount",
    "FieldDifference",
    "ItemDecision",
    "ItemDifference",
    "LineDifference",
    "Paper",
    "PersonDifference",
    "PlanStep",
    "ProjectYear",
    "Record",
    "Standing",
    "Version",
    "amendment_findings",
    "checklist",
    "conclusion_findings",
    "continuation_findings",
    "decisions",
    "difference",
    "duty_counts",
    "masked",
    "money_of",
    "plan_after",
    "record_findings",
    "stage_finding",
    "standing",
    "stop_finding",
    "unknown_finding",
    "unmet_findings",
    "year_finding",
]
