"""The exact edges of the settlement, most of them written against mutants nothing else noticed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.grants.expenses.rules import Evidence
from services.grants.programmes.rules import Funds
from services.grants.settlement.rules import Review, Waiver, compare, settle
from shared.problems import Invalid
from tests.grants.year import DAY, PLAN, expense, plan


def test_a_waiver_sets_aside_its_own_finding_and_no_other() -> None:
    rows = [expense("printing", id=i, without=("trade_statement",)) for i in "ab"]
    waivers = [Waiver("a", "G-045", "EVIDENCE_MISSING"), Waiver("b", "G-045", "NO_SUCH_CODE")]
    result = settle(PLAN, rows, waivers=waivers)
    assert [(d.expense.id, d.won) for d in result.disallowances] == [("b", 500_000)]
    assert {breach.expense.id for breach in result.breaches} == {"b"}


def test_of_two_breaches_on_one_ground_the_one_that_reaches_further_takes_all() -> None:
    papers = (Evidence("expenditure_resolution"), Evidence("transfer", 400_000))
    row = expense("printing", evidence=(*papers, Evidence("tax_invoice", 500_000)))
    result = settle(PLAN, [row])
    assert {(b.kind.code, b.disallowed_won, b.ground) for b in result.breaches} == {
        ("AMOUNT_MISMATCH", 100_000, 1),
        ("EVIDENCE_MISSING", 500_000, 1),
    }
    (part,) = result.disallowances
    assert (part.won, part.breach.kind.code) == (500_000, "EVIDENCE_MISSING")


def test_a_graver_limit_claims_up_to_its_own_excess_and_the_latest_won_first() -> None:
    others = ("research_student", "thesis_student", "internship", "training_abroad")
    planned = {**PLAN.planned, **dict.fromkeys(others, Funds()), "undergraduate": Funds(2_400_000)}
    people = {**PLAN.people, "u2": replace(PLAN.people["u1"], ref="u2")}
    rows = [
        expense(
            "undergraduate",
            id=person,
            person=person,
            amount_won=1_500_000,
            paid_on=DAY + timedelta(days=number),
        )
        for number, person in enumerate(("u1", "u2"))
    ]
    result = settle(plan(planned=planned, people=people), rows)
    # 3.0 of 2.4 million is spent, 600,000 over the plan (ground 3); each head is 500,000 over its
    # cap (ground 2). All of the later head's excess was over the plan, and 100,000 of the other's.
    found = {(d.expense.id, d.ground): d.won for d in result.disallowances}
    assert found == {("u2", 3): 500_000, ("u1", 3): 100_000, ("u1", 2): 400_000}
    assert result.by_ground == {3: 600_000, 2: 400_000}


@pytest.mark.parametrize(("won", "good"), [(-1, False), (0, False), (1, True), (500_000, True)])
def test_a_review_takes_from_one_won_to_the_whole_amount(won: int, good: bool) -> None:
    row = expense("printing")
    if good:
        assert settle(PLAN, [row], [Review(row.id, 5, won, "-")]).by_ground == {5: won}
    else:
        with pytest.raises(Invalid):
            settle(PLAN, [row], [Review(row.id, 5, won, "-")])


def _result(**won: int) -> dict[str, Any]:
    return {
        "disallowances": [
            {"expense_id": expense_id, "rule": "G-045", "code": "X", "ground": 1, "won": amount}
            for expense_id, amount in won.items()
        ],
        "disallowed": {"grant": sum(won.values()), "cash": 0, "in_kind": 0},
        "statement": {"return_won": sum(won.values())},
    }


def test_runs_are_compared_in_both_directions() -> None:
    seen = compare(_result(a=10, b=20, c=5), _result(a=20, b=10, c=5))
    assert [(c.expense_id, c.before_won, c.after_won) for c in seen.changed] == [
        ("a", 10, 20),
        ("b", 20, 10),
    ]
    assert (seen.came, seen.went) == ((), ())
