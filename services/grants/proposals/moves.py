"""The life of a proposal, from draft to agreement (G-04C): one table of moves."""

from collections.abc import Mapping
from typing import Final

from services.grants.moves import Moves, next_state

MOVES: Final[Moves] = {
    ("draft", "submit"): "submitted",
    ("submitted", "submit"): "submitted",  # again, until the deadline: the last version counts
    ("draft", "withdraw"): "withdrawn",
    ("submitted", "withdraw"): "withdrawn",
    ("submitted", "begin_pre_review"): "pre_review",
    ("pre_review", "find_eligible"): "eligible",
    ("pre_review", "find_ineligible"): "ineligible",
    ("eligible", "score"): "scored",
    ("scored", "prefer"): "preferred",
    ("scored", "reserve"): "reserve",
    ("scored", "reject"): "rejected",
    ("reserve", "prefer"): "preferred",
    ("preferred", "negotiate"): "negotiation",
    ("negotiation", "designate"): "designated",
    ("designated", "agree"): "agreed",
}

NAMES: Final[Mapping[str, str]] = {
    "draft": "작성중",
    "submitted": "제출",
    "withdrawn": "철회",
    "pre_review": "사전검토",
    "eligible": "적격",
    "ineligible": "부적격",
    "scored": "평가완료",
    "preferred": "우선협상",
    "reserve": "예비",
    "rejected": "탈락",
    "negotiation": "보완",
    "designated": "지정",
    "agreed": "협약",
}

STATES: Final = tuple(NAMES)


def move(state: str, action: str) -> str:
    """The state an action leads to. Raises `StateConflict`."""
    return next_state(MOVES, NAMES, state, action)
