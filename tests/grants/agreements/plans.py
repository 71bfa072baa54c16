"""Small budgets of the 2020 call for the tests of agreements."""

from typing import Any

from services.grants.programmes.rules import Fund, Period
from services.grants.proposals.rules import Budget, Line
from tests.grants.calls import keco

YEAR = Period(keco().call.years[0].start, keco().call.years[0].end)


def line(kind: str, won: int = 0, fund: Fund = "grant", **more: Any) -> Line:
    return Line(keco().item_of[kind], kind, fund, won, **more)


def budget(*lines: Line) -> Budget:
    return Budget(YEAR, lines)
