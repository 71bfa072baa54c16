"""The planted year against the rules alone: every expense says what its line says, and no more."""

from collections import Counter
from datetime import date
from functools import cache

from services.grants.expenses.rules import CHANGES, Plan, amended, plan_of, rule_book
from services.grants.programmes.reading import read
from services.grants.proposals.document import Document, check
from services.grants.proposals.rules import totals
from services.grants.settlement.rules import settle
from tests.grants import planted_plan
from tests.grants.calls import keco
from tests.grants.planted import Planted, filled, planted


@cache
def year() -> tuple[Plan, tuple[Planted, ...]]:
    budget = read(Document, planted_plan.document()).budget
    assert budget is not None
    agreed = plan_of(totals(keco(), budget), budget, date(2020, 3, 15))
    forms = [(kind, read(CHANGES[kind][0], body)) for _, kind, body in planted_plan.CHANGES]
    return amended(agreed, forms), tuple(filled(planted(), dict(keco().item_of)))


def test_the_plan_of_the_planted_year_is_one_the_call_accepts() -> None:
    assert [found.code for found in check(keco(), planted_plan.document()).errors] == []


def test_at_least_120_expenses_break_one_rule_and_many_break_none() -> None:
    _, rows = year()
    breaking = [row for row in rows if row.code]
    assert len(breaking) >= 120
    assert len(rows) - len(breaking) >= 60


def test_every_planted_expense_breaks_its_one_rule_and_no_other() -> None:
    plan, rows = year()
    result = settle(plan, [row.expense for row in rows])
    said: dict[str, list[tuple[str, str, int, int]]] = {row.expense.id: [] for row in rows}
    for breach in result.breaches:
        won = sum(d.won for d in result.disallowances if d.breach is breach)
        finding = breach.finding()
        said[breach.expense.id].append(
            (finding.kind.rule or "", finding.code, won, breach.ground if won else 0)
        )
    expected = {
        row.expense.id: [(row.rule, row.code, row.won, row.ground)] if row.code else []
        for row in rows
    }
    wrong = {
        f"{row.expense.id} {row.what}": (said[row.expense.id], expected[row.expense.id])
        for row in rows
        if said[row.expense.id] != expected[row.expense.id]
    }
    assert not wrong, "\n".join(map(str, wrong.items()))


def test_the_planted_year_settles_to_the_planted_sums() -> None:
    plan, rows = year()
    result = settle(plan, [row.expense for row in rows])
    by_ground = Counter[int]()
    for row in rows:
        by_ground[row.ground] += row.won
    del by_ground[0]
    assert result.by_ground == by_ground
    assert result.disallowed.total == sum(row.won for row in rows)
    assert result.spent.total == sum(row.expense.amount_won for row in rows)


def test_whatever_the_rules_can_say_is_planted() -> None:
    """But for what only comes before spending, or from another project or service."""
    _, rows = year()
    sayable = {code for entry in rule_book(keco()) for code in entry.says}
    before = {code for code in sayable if code.endswith("_TO_PROVIDE") or code == "ARRIVE_BY"}
    # Growth of personnel by 15 % would break the cap of external pay as well: test_limits has it.
    # The planted plan was never amended: test_amending has what binds before an amendment.
    apart = {"CROSS_CLAIM", "PLAN_CHANGED", "OVER_EARLIER_PLAN"}
    assert sayable - {row.code for row in rows} == before | apart
