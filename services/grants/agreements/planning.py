"""From what is on record to the plan that expenses are held against."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import orjson

from services.grants.agreements.rules import ChangeStep, PlanStep, plan_after
from services.grants.expenses.rules import CHANGES, Plan, plan_of
from services.grants.programmes.reading import read
from services.grants.programmes.service import parsed
from services.grants.proposals.document import Document
from services.grants.proposals.rules import Budget, totals


def budget_of(document: Mapping[str, Any]) -> Budget:
    """The budget of a document that was checked."""
    budget = read(Document, document).budget
    assert budget is not None
    return budget


@lru_cache(maxsize=64)
def planned(rules: str, versions: bytes, agreed_on: date, changes: bytes) -> Plan:
    """Kept by content, since a plan changes seldom and is asked for with every expense."""
    steps = []
    for document, day, after_seq in orjson.loads(versions):
        budget = budget_of(document)
        plan = plan_of(totals(parsed(rules), budget), budget, agreed_on)
        steps.append(PlanStep(plan, date.fromisoformat(day) if day else None, after_seq))
    made: list[ChangeStep] = [
        ChangeStep(seq, kind, read(CHANGES[kind][0], body))
        for seq, kind, body in orjson.loads(changes)
    ]
    return plan_after(steps, made)
