"""What settling a year costs: 100,000 expenses against bare look-ups in the same run.

    python -m benchmarks.settlement [--rounds 3]

Two peers, both a plain Python loop over the same rows: one dictionary look-up per row for every
rule of the call (`whole_book`), and one for each rule that applies to the row's kind
(`applying`). The first is the fair peer: only a look-up tells whether a rule applies, and the
second knows it for nothing. Processor time, medians of interleaved rounds. Memory is what the
settlement keeps while it runs, by tracemalloc, in a run of its own.
"""

import argparse
import json
import statistics
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from time import process_time

from services.grants.expenses.rules import Checker, Evidence, Expense, Plan, rule_book
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


def timed(run: Callable[[], object]) -> float:
    started = process_time()
    run()
    return process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    year, rows = _year()
    book = [str(number) for number, _ in enumerate(rule_book(keco()))]
    table = dict.fromkeys(book, 0)
    checker = Checker(year, "settlement")
    applying = {
        (kind, fund): book[: checker.rules_for(kind, fund)]
        for kind, fund in {(row.kind, row.fund) for row in rows}
    }

    def whole_book() -> None:
        for _ in rows:
            for rule in book:
                table[rule]

    def only_applying() -> None:
        for row in rows:
            for rule in applying[row.kind, row.fund]:
                table[rule]

    assert settle(year, rows).breaches == ()
    times: dict[str, list[float]] = {"settle": [], "whole_book": [], "applying": []}
    for _ in range(rounds):
        times["settle"].append(timed(lambda: settle(year, rows)))
        times["whole_book"].append(timed(whole_book))
        times["applying"].append(timed(only_applying))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    tracemalloc.start()
    settle(year, rows)
    _, peak = tracemalloc.get_traced_memory()
    result = {
        "benchmark": "settlement",
        "expenses": COUNT,
        "expenses_per_cpu_second": round(COUNT / medians["settle"]),
        "speed_vs_lookups_of_whole_book": round(medians["whole_book"] / medians["settle"], 2),
        "speed_vs_lookups_of_applying_rules": round(medians["applying"] / medians["settle"], 2),
        "peak_memory_mib": round(peak / 2**20, 1),
    }
    for name, seconds in medians.items():
        print(f"{name:12} {seconds * 1000:8.1f} ms")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
