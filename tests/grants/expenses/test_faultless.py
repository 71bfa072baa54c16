"""Expenses with everything in order break no rule at any stage."""

import pytest

from services.grants.expenses.rules import Evidence, Stage
from tests.grants.calls import keco
from tests.grants.year import PLAN, expense, said


@pytest.mark.parametrize("kind", sorted(set(keco().kinds) - {"insurance_employer"}))
@pytest.mark.parametrize("stage", ["entry", "settlement"])
def test_a_faultless_expense_passes(kind: str, stage: Stage) -> None:
    assert said(expense(kind), stage=stage) == {}


@pytest.mark.parametrize("kind", sorted(set(keco().kinds) - {"insurance_employer"}))
def test_before_spending_missing_documents_are_only_announced(kind: str) -> None:
    planned = expense(kind, evidence=(), paid_on=None)
    found = said(planned, stage="plan")
    assert set(found) <= {"EVIDENCE_TO_PROVIDE", "RECEIPT_TO_PROVIDE"}
    assert sum(found.values()) == 0
    assert "EVIDENCE_TO_PROVIDE" in found


def test_the_plan_is_that_of_the_worked_examples() -> None:
    assert (PLAN.funds.grant, PLAN.funds.cash, PLAN.funds.in_kind) == (
        300_000_000,
        60_000_000,
        70_000_000,
    )


def test_an_expense_knows_whether_its_documents_agree() -> None:
    one = expense("printing")
    assert one.evidence_agrees
    assert not expense("printing", evidence=(Evidence("transfer", 1),)).evidence_agrees
