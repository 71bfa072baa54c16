"""Why the ledger refuses. The codes of the first group are raised by the database functions."""

from typing import Final

from shared.problems import FindingKind, NotFound, Problem


class Insufficient(Problem):
    """`available` is how many points the debited institution could spend (M-041)."""

    status, code = 422, "INSUFFICIENT"
    ko = "가용 마일리지 {available}점을 초과했습니다."
    en = "More than the available {available} points."


class TransferConflict(Problem):
    status, code = 409, "TRANSFER_CONFLICT"
    ko = "같은 거래 번호가 다른 내용으로 이미 기록되어 있습니다."
    en = "A transfer with this id and other content exists."


class HoldVoided(Problem):
    """The hold was voided before it arrived: it may never take effect."""

    status, code = 409, "HOLD_VOIDED"
    ko = "이미 취소된 보류입니다."
    en = "This hold was voided before it arrived."


class HoldEnded(Problem):
    status, code = 409, "HOLD_ENDED"
    ko = "이미 끝난 보류입니다(상태: {state})."
    en = "This hold has ended already (state: {state})."


class HoldExpired(Problem):
    status, code = 409, "HOLD_EXPIRED"
    ko = "보류 기한이 지났습니다."
    en = "This hold has expired."


class ExceedsHold(Problem):
    status, code = 422, "EXCEEDS_HOLD"
    ko = "보류한 {held}점보다 많이 확정할 수 없습니다."
    en = "No more than the {held} points held can be posted."


class ReversedAlready(Problem):
    status, code = 422, "REVERSED_ALREADY"
    ko = "원래 거래의 {amount}점을 넘어 되돌릴 수 없습니다."
    en = "No more than the original {amount} points can be reversed."


class NotReversible(Problem):
    """Only posted transfers can be reversed, and a reversal cannot."""

    status, code = 409, "NOT_REVERSIBLE"
    ko = "되돌릴 수 없는 거래입니다."
    en = "This transfer cannot be reversed."


class TransferNotFound(NotFound):
    code = "TRANSFER_NOT_FOUND"
    ko, en = "해당 거래가 없습니다.", "There is no such transfer."


class FourEyes(Problem):
    status, code = 409, "FOUR_EYES"
    ko = "본인이 올린 조정은 본인이 승인할 수 없습니다. 다른 담당자가 승인해야 합니다."
    en = "Whoever proposed an adjustment cannot approve it. Another operator must."


class AdjustmentNotFound(NotFound):
    code = "ADJUSTMENT_NOT_FOUND"
    ko, en = "해당 조정 건이 없습니다.", "There is no such adjustment."


BY_CODE: Final[dict[str, type[Problem]]] = {
    problem.code: problem
    for problem in (
        Insufficient,
        TransferConflict,
        HoldVoided,
        HoldEnded,
        HoldExpired,
        ExceedsHold,
        ReversedAlready,
    )
}

AMOUNT_NOT_POSITIVE = FindingKind(
    "AMOUNT_NOT_POSITIVE",
    ko="1점 이상의 정수여야 합니다.",
    en="Must be a whole number of at least one point.",
    rule="M-041",
)
SAME_ACCOUNT = FindingKind(
    "SAME_ACCOUNT",
    ko="같은 기관 사이에는 옮길 수 없습니다.",
    en="Points cannot be moved from an institution to itself.",
)
EFFECTIVE_IN_FUTURE = FindingKind(
    "EFFECTIVE_IN_FUTURE",
    ko="효력일시는 미래일 수 없습니다.",
    en="The instant of effect may not lie in the future.",
)
SYSTEM_ACCOUNT = FindingKind(
    "SYSTEM_ACCOUNT",
    ko="기관 계정이 아닙니다.",
    en="This is no institution's account.",
)
KIND_RESERVED = FindingKind(
    "KIND_RESERVED",
    ko="원장 내부에서만 쓰는 거래 종류입니다.",
    en="The ledger keeps this kind of transfer to itself.",
)
INSTITUTION_REQUIRED = FindingKind(
    "INSTITUTION_REQUIRED",
    ko="조회할 기관을 지정하세요.",
    en="Name the institution whose ledger you want to see.",
)
LEGACY_ROW = FindingKind(
    "LEGACY_ROW",
    ko="{row}행: 기관 id와 0 이상의 점수가 기관마다 한 번씩 있어야 합니다.",
    en="Row {row}: an institution's id and points of zero or more, once for each institution.",
    rule="M-021",
)
