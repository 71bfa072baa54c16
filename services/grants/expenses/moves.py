"""The life of an expense, from its entry to the final settlement (G-040)."""

from collections.abc import Mapping
from typing import Final

from services.grants.moves import Moves, next_state

_JUDGED: Final = ("allowed", "partly_allowed", "disallowed")

MOVES: Final[Moves] = {
    ("registered", "cancel"): "cancelled",
    ("in_review", "return"): "returned",
    **{(state, "return"): "returned" for state in _JUDGED},
    ("returned", "supply"): "in_review",
    **{(state, "object"): "objected" for state in _JUDGED},
    ("objected", "object"): "objected",
}
"""What a person does to one expense. The report, a run and the end of a settlement set the states
of a whole year's expenses at once: `settlement/service.py`."""

NAMES: Final[Mapping[str, str]] = {
    "registered": "등록",
    "in_review": "검토",
    "allowed": "인정",
    "partly_allowed": "일부인정",
    "disallowed": "불인정",
    "returned": "보완",
    "objected": "이의",
    "final": "확정",
    "cancelled": "취소",
}

STATES: Final = tuple(NAMES)

EDITABLE: Final = frozenset({"registered", "returned"})
"""States in which the institution changes what an expense says."""

SUPPLIED: Final = EDITABLE | {"objected"}
"""States in which it adds or takes back documents."""


def move(state: str, action: str) -> str:
    """The state an action leads to. Raises `StateConflict`."""
    return next_state(MOVES, NAMES, state, action)
