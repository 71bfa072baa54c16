"""The settlement of a hundred thousand expenses costs no more than two bare look-ups per rule."""

from collections.abc import Callable
from dataclasses import replace
from time import process_time

from services.grants.expenses.rules import Evidence, Expense, Plan, rule_book
from services.grants.programmes.rules import Funds
from services.grants.settlement.rules import settle
from tests.grants.calls import keco
from tests.grants.year import PLAN, expense, plan

COUNT = 100_000
KINDS = [
    "operator_pay",
    "internal_pay",
    "reagents",
    "meeting",
    "expert_fee",
    "lecture_fee",
    "books",
    "research_student",
    "undergraduate",
    "internship",
    "printing",
    "office_supplies",
    "utilities",
    "domestic_trip",
    "common_support",
    "software",
    "conference_domestic",
    "local_transport",
]
PAID = {"operator_pay": 1_000, "internal_pay": 500, "research_student": 500, "undergraduate": 100}


def _year() -> tuple[Plan, list[Expense]]:
    """A faultless year without end: every amount fits the plan, every document has its number."""
    rows, people = [], dict(PLAN.people)
    bases = {kind: expense(kind) for kind in KINDS}
    for index in range(COUNT):
        base = bases[KINDS[index % len(KINDS)]]
        won = PAID.get(base.kind, base.amount_won)
        person = base.person
        if base.kind in PAID and person is not None:
            ref = f"{person}-{index // len(KINDS) % 40}"
            people.setdefault(ref, replace(PLAN.people[person], ref=ref))
            person = ref
        elif base.kind == "expert_fee":
            person = f"expert-{index}"
        papers = tuple(
            Evidence(paper.kind, paper.amount_won and won, f"{index}-{place}")
            for place, paper in enumerate(base.evidence)
        )
        rows.append(replace(base, id=str(index), amount_won=won, person=person, evidence=papers))
    plenty = {kind: Funds(10**12, 10**12, 10**12) for kind in keco().kinds}
    return plan(planned=plenty, people=people), rows


def _best(run: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        started = process_time()
        run()
        times.append(process_time() - started)
    return min(times)


def test_a_hundred_thousand_expenses_are_settled_at_half_the_speed_of_bare_lookups() -> None:
    year, rows = _year()
    rules = [str(number) for number, _ in enumerate(rule_book(keco()))]
    table = dict.fromkeys(rules, 0)

    def bare() -> None:
        for _ in rows:
            for rule in rules:
                table[rule]

    result = settle(year, rows)
    assert result.breaches == ()
    assert result.spent.total == sum(row.amount_won for row in rows)
    ours, theirs = _best(lambda: settle(year, rows)), _best(bare)
    assert ours <= 2 * theirs, f"{ours:.2f} s of CPU against {theirs:.2f} s"
