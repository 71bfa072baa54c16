"""The criteria as shipped, and the calculator over them.

A version is a data file beside this module, read once per process: criteria change with an
announcement of the operator, which is a release, and a line keeps the version that decided it.
"""

from datetime import date
from functools import cache
from importlib import resources

import orjson

from services.accrual.criteria import rules
from services.accrual.criteria.rules import Criteria, Explanation, FieldRule
from shared.problems import FindingKind, Invalid, NotFound

QUANTITY_REQUIRED = FindingKind(
    "QUANTITY_REQUIRED",
    ko="이 분야는 '{name}'(으)로 계산합니다.",
    en="This field is calculated from '{name}'.",
    rule="M-030",
)


@cache
def versions() -> tuple[Criteria, ...]:
    """All versions of the criteria, oldest first."""
    files = resources.files("services.accrual.criteria") / "data"
    found = [
        rules.parse_criteria(orjson.loads(file.read_bytes()))
        for file in files.iterdir()
        if file.name.endswith(".json")
    ]
    return tuple(sorted(found, key=lambda criteria: criteria.valid_from))


def criteria_on(day: date) -> Criteria:
    return rules.criteria_on(versions(), day)


def version(name: str) -> Criteria:
    """The version a line was decided by. Raises `NotFound` for one we never had."""
    found = next((one for one in versions() if one.version == name), None)
    if found is None:
        raise NotFound
    return found


def field_rule(code: str, day: date) -> FieldRule:
    """The rule of a field on a day. Raises `NotFound` for an unknown field."""
    rule = criteria_on(day).fields.get(code)
    if rule is None:
        raise NotFound
    return rule


def calculate(code: str, day: date, *, amount_won: int | None, people: int | None) -> Explanation:
    """What eligible won (or people hired) earn, with the calculation (M-030 to M-032).

    Raises `NotFound` (unknown field) or `Invalid` (QUANTITY_REQUIRED).
    """
    rule = field_rule(code, day)
    wanted = "people" if rule.amount is None else "amount_won"
    given, other = (people, amount_won) if rule.amount is None else (amount_won, people)
    if given is None or other is not None:
        raise Invalid(errors=[QUANTITY_REQUIRED.at(f"/{wanted}", field=wanted, name=wanted)])
    return rules.explain(rule, given)
