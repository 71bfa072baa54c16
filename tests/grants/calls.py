"""The two calls the rule tests use: the real one of 2020, and a small one that shares nothing."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from services.grants.programmes import builtin
from services.grants.programmes.rules import RuleSet, parse

_HARBOUR = Path(__file__).parent / "data" / "harbour-2031.json"


def keco() -> RuleSet:
    return builtin.rule_set("keco-2020")


@cache
def harbour() -> RuleSet:
    return parse(_HARBOUR.read_text(encoding="utf-8"))


def harbour_data() -> dict[str, Any]:
    """The second call as plain values, to break in tests of the reader."""
    data: dict[str, Any] = json.loads(_HARBOUR.read_text(encoding="utf-8"))
    return data
