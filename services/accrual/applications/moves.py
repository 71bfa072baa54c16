"""The states of an application and the moves between them (M-018). Pure.

draft → submitted (접수중) → in_review (검토중) → approved (승인) → posted (적립완료) → revoked
                 ↑ ↓ cancelled    ↓ returned (보완요청) | rejected (반려)
"""

from shared.problems import StateConflict

NAMES = {
    "draft": "임시저장",
    "submitted": "접수중",
    "in_review": "검토중",
    "returned": "보완요청",
    "approved": "승인",
    "posted": "적립완료",
    "rejected": "반려",
    "cancelled": "신청취소",
    "revoked": "적립취소",
}
STATES = tuple(NAMES)
EDITABLE = frozenset({"draft", "returned"})
LIVE = frozenset({"submitted", "in_review", "returned", "approved", "posted"})
"""States whose claims nobody else can make (M-020)."""

MOVES = {
    ("draft", "submit"): "submitted",
    ("returned", "submit"): "submitted",
    ("submitted", "cancel"): "cancelled",
    ("returned", "cancel"): "cancelled",  # it is in the applicant's hands again
    ("submitted", "claim"): "in_review",
    ("in_review", "release"): "submitted",
    ("in_review", "return"): "returned",
    ("in_review", "reject"): "rejected",
    ("in_review", "approve"): "approved",
    ("approved", "return"): "returned",  # the second approver's say, above the threshold
    ("approved", "reject"): "rejected",
    ("approved", "post"): "posted",
    ("posted", "revoke"): "revoked",
}


def move(state: str, action: str) -> str:
    """The state an action leads to. Raises `StateConflict` (409)."""
    if (state, action) not in MOVES:
        raise conflict(state)
    return MOVES[state, action]


def conflict(state: str) -> StateConflict:
    return StateConflict(state=NAMES[state])
