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
    ("pre_review", "ask_completion"): "completion",
    ("completion", "answer_completion"): "pre_review",
    ("completion", "close_completion"): "pre_review",
    ("pre_review", "find_eligible"): "eligible",
    ("pre_review", "find_ineligible"): "ineligible",
    ("pre_review", "continue"): "designated",  # a continuing year is not selected again
    ("eligible", "score"): "scored",
    ("scored", "prefer"): "preferred",
    ("scored", "reserve"): "reserve",
    ("scored", "reject"): "rejected",
    ("reserve", "prefer"): "preferred",
    ("preferred", "reject"): "rejected",
    ("preferred", "negotiate"): "negotiation",
    ("negotiation", "reject"): "rejected",  # broken off: a reserve may follow
    ("negotiation", "designate"): "designated",
    ("designated", "agree"): "agreed",
    ("designated", "revoke"): "rejected",  # with its draft agreement: a reserve may follow
    # Certification of excellent institutions (M-061): the council recommends, then it is approved.
    ("scored", "recommend"): "recommended",
    ("recommended", "certify"): "certified",
    ("recommended", "reject"): "rejected",
}

NAMES: Final[Mapping[str, str]] = {
    "draft": "작성중",
    "submitted": "제출",
    "withdrawn": "철회",
    "pre_review": "사전검토",
    "completion": "보완요청",
    "eligible": "적격",
    "ineligible": "부적격",
    "scored": "평가완료",
    "preferred": "우선협상",
    "reserve": "예비",
    "rejected": "탈락",
    "negotiation": "보완",
    "designated": "지정",
    "agreed": "협약",
    "recommended": "인증추천",
    "certified": "인증",
}

STATES: Final = tuple(NAMES)
WRITABLE: Final = frozenset({"draft", "submitted", "completion"})


def move(state: str, action: str) -> str:
    """The state an action leads to. Raises `StateConflict`."""
    return next_state(MOVES, NAMES, state, action)
