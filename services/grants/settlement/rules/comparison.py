"""Two runs side by side: what came, what went, what changed between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """Won of an expense that a rule took, before and after; 0 where it took nothing."""

    expense_id: str
    rule: str
    code: str
    ground: int
    before_won: int
    after_won: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`came` and `went` are disallowances one run has and the other has not."""

    came: tuple[Change, ...]
    went: tuple[Change, ...]
    changed: tuple[Change, ...]
    disallowed_before_won: int
    disallowed_after_won: int
    return_before_won: int
    return_after_won: int


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """The difference of two results of runs. What is the same in both is left out."""
    old, new = _won(before["disallowances"]), _won(after["disallowances"])
    changes = [
        Change(*key, before_won=old.get(key, 0), after_won=new.get(key, 0))
        for key in sorted(old.keys() | new.keys())
    ]
    return Comparison(
        tuple(change for change in changes if not change.before_won),
        tuple(change for change in changes if not change.after_won),
        tuple(c for c in changes if c.before_won and c.after_won and c.before_won != c.after_won),
        sum(before["disallowed"].values()),
        sum(after["disallowed"].values()),
        before["statement"]["return_won"],
        after["statement"]["return_won"],
    )


def _won(parts: Iterable[Mapping[str, Any]]) -> dict[Key, int]:
    """Won by expense, rule, code and ground."""
    won: dict[Key, int] = {}
    for part in parts:
        key = part["expense_id"], part["rule"], part["code"], part["ground"]
        won[key] = won.get(key, 0) + part["won"]
    return won
