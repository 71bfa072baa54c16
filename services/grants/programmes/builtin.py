"""The rule sets that ship with the product, read from `data/` once."""

from functools import cache
from importlib.resources import files

from services.grants.errors import RuleSetUnknown
from services.grants.programmes.rules import RuleSet, parse

_DATA = files("services.grants.programmes") / "data"


@cache
def codes() -> tuple[str, ...]:
    """The codes of the shipped rule sets, in order."""
    return tuple(sorted(f.name.removesuffix(".json") for f in _DATA.iterdir()))


def text(code: str) -> str:
    """The JSON of a shipped rule set; `RuleSetUnknown` for a code that does not ship."""
    if code not in codes():
        raise RuleSetUnknown(code=code)
    return (_DATA / f"{code}.json").read_text(encoding="utf-8")


@cache
def rule_set(code: str) -> RuleSet:
    """A shipped rule set, parsed and checked; `RuleSetUnknown` for a code that does not ship."""
    return parse(text(code))
