"""The life of an agreement's year, from its documents to the refund (G-04C): one table of moves."""

from collections.abc import Mapping
from typing import Final

from services.grants.moves import Moves, next_state

MOVES: Final[Moves] = {
    ("draft", "conclude"): "active",
    ("draft", "cancel"): "cancelled",  # prepared in error, or the applicant withdrew
    ("active", "close"): "closed",
    ("active", "stop"): "closed",  # before its time; settled as any other year
    ("closed", "report"): "reported",
    ("reported", "settle"): "under_settlement",
    ("under_settlement", "settle"): "under_settlement",  # again, after decisions and supplements
    ("under_settlement", "open_objections"): "objection",
    ("objection", "settle"): "objection",  # again, after objections were answered
    ("objection", "finalise"): "final",
    ("final", "refund"): "refunded",
}

NAMES: Final[Mapping[str, str]] = {
    "draft": "협약준비",
    "cancelled": "협약취소",
    "active": "수행중",
    "closed": "종료",
    "reported": "실적보고",
    "under_settlement": "정산중",
    "objection": "이의신청",
    "final": "정산확정",
    "refunded": "반납완료",
}

STATES: Final = tuple(NAMES)

NOT_CONCLUDED: Final = ("draft", "cancelled")
"""States in which nothing was agreed on: no year is spent, counted or gone on from."""

AMENDMENT_MOVES: Final[Moves] = {
    ("draft", "request"): "requested",
    ("returned", "request"): "requested",
    ("requested", "return"): "returned",
    ("requested", "approve"): "approved",
    ("requested", "reject"): "rejected",
    ("draft", "withdraw"): "withdrawn",
    ("returned", "withdraw"): "withdrawn",
    ("requested", "withdraw"): "withdrawn",
}

AMENDMENT_NAMES: Final[Mapping[str, str]] = {
    "draft": "작성중",
    "requested": "승인요청",
    "returned": "보완",
    "approved": "승인",
    "rejected": "불승인",
    "withdrawn": "철회",
}

AMENDMENT_STATES: Final = tuple(AMENDMENT_NAMES)

RECORD_MOVES: Final[Moves] = {
    ("entered", "change"): "entered",
    ("entered", "confirm"): "confirmed",
    ("entered", "return"): "returned",
    ("returned", "change"): "entered",  # mended: the agency looks again
    ("confirmed", "return"): "returned",  # found wrong later
}
"""A record of a year's duties; what is confirmed does not change under the agency's eyes."""

RECORD_NAMES: Final[Mapping[str, str]] = {
    "entered": "등록",
    "confirmed": "확인",
    "returned": "보완",
}

RECORD_STATES: Final = tuple(RECORD_NAMES)


def move(state: str, action: str) -> str:
    """The state an action leads to. Raises `StateConflict`."""
    return next_state(MOVES, NAMES, state, action)


def move_record(state: str, action: str) -> str:
    """The state a record of the duties comes to. Raises `StateConflict`."""
    return next_state(RECORD_MOVES, RECORD_NAMES, state, action)


def move_amendment(state: str, action: str) -> str:
    """The state an amendment comes to. Raises `StateConflict`."""
    return next_state(AMENDMENT_MOVES, AMENDMENT_NAMES, state, action)
