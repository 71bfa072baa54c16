"""The rules of spending: the same functions before spending, at entry and at the settlement.

`check_expense` judges one expense, `Checker` any number; `plan_of` makes the plan they need from
an agreed budget; `rule_book` prints the rules of a call. The modules are imported here so that
every kind of rule is registered.
"""

from services.grants.expenses.rules import (
    evidence,
    exclusions,
    fees,
    goods,
    limits,
    people,
    students,
    timing,
)
from services.grants.expenses.rules.amendments import CHANGES, Party, amended, change_findings
from services.grants.expenses.rules.book import Entry, markdown, page, rule_book
from services.grants.expenses.rules.engine import (
    Checker,
    ExpenseCheck,
    Verdict,
    check_expense,
    recognised,
)
from services.grants.expenses.rules.goods import claim_marks
from services.grants.expenses.rules.meters import spending_meters
from services.grants.expenses.rules.model import (
    MAX_WON,
    Evidence,
    Expense,
    Goods,
    Leave,
    Participant,
    Plan,
    PlannedAsset,
    Stage,
    Study,
    Term,
    Trip,
    Work,
    plan_of,
)
from services.grants.expenses.rules.registry import (
    KINDS,
    Breach,
    Group,
    Limit,
    RuleKind,
    Source,
    rule_findings,
)

__all__ = [
    "CHANGES",
    "KINDS",
    "MAX_WON",
    "Breach",
    "Checker",
    "Entry",
    "Evidence",
    "Expense",
    "ExpenseCheck",
    "Goods",
    "Group",
    "Leave",
    "Limit",
    "Participant",
    "Party",
    "Plan",
    "PlannedAsset",
    "RuleKind",
    "Source",
    "Stage",
    "Study",
    "Term",
    "Trip",
    "Verdict",
    "Work",
    "amended",
    "change_findings",
    "check_expense",
    "claim_marks",
    "evidence",
    "exclusions",
    "fees",
    "goods",
    "limits",
    "markdown",
    "page",
    "people",
    "plan_of",
    "recognised",
    "rule_book",
    "rule_findings",
    "spending_meters",
    "students",
    "timing",
]
