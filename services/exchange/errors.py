"""Everything the exchange can refuse: findings about the input, and problems of state."""

from collections.abc import Mapping
from typing import Any

from shared.problems import FindingKind, Invalid, Lang, Problem, StateConflict

DISCOUNT_CAP = FindingKind(
    "DISCOUNT_CAP",
    ko="최대 {maximum}점(사용료의 30%)까지 사용할 수 있습니다.",
    en="At most {maximum} points (30 % of the fee) can be used.",
    rule="M-041",
    citation="S1:598",
)
INSUFFICIENT = FindingKind(
    "INSUFFICIENT",
    ko="가용 마일리지 {available}점을 초과했습니다. 최대 {maximum}점까지 사용할 수 있습니다.",
    en="More than the {available} points available; at most {maximum} can be used.",
    rule="M-041",
    citation="S1:598",
)
SELF_TRADE = FindingKind(
    "SELF_TRADE",
    ko="자기 기관의 상품은 신청할 수 없습니다.",
    en="An institution cannot order from itself.",
    rule="M-042",
)
ACCESS_REQUIRED = FindingKind(
    "ACCESS_REQUIRED",
    ko="사용 교육을 마친 기관만 신청할 수 있습니다. 먼저 사용 자격을 신청하세요.",
    en="Only trained institutions may order this. Ask the seller for access first.",
    rule="M-042",
)

QUANTITY_REQUIRED = FindingKind(
    "QUANTITY_REQUIRED", ko="수량을 입력하세요.", en="Enter a quantity.", rule="M-042"
)
QUANTITY_RANGE = FindingKind(
    "QUANTITY_RANGE",
    ko="수량은 {minimum}~{maximum} 사이여야 합니다.",
    en="The quantity must lie between {minimum} and {maximum}.",
    rule="M-042",
)
QUANTITY_MISMATCH = FindingKind(
    "QUANTITY_MISMATCH",
    ko="이용 시간으로 계산한 수량은 {quantity}입니다.",
    en="The time asked for makes a quantity of {quantity}.",
    rule="M-042",
)
SLOT_REQUIRED = FindingKind(
    "SLOT_REQUIRED",
    ko="이용 시작과 종료 시각을 입력하세요.",
    en="Enter when the use starts and ends.",
    rule="M-042",
)
SLOT_NOT_USED = FindingKind(
    "SLOT_NOT_USED",
    ko="의뢰 상품은 이용 시각을 정하지 않습니다.",
    en="Commissioned work takes no time slot.",
    rule="M-042",
)
SLOT_ORDER = FindingKind(
    "SLOT_ORDER",
    ko="종료 시각은 시작 시각보다 늦어야 합니다.",
    en="The end must be later than the start.",
    rule="M-042",
)
SLOT_GRID = FindingKind(
    "SLOT_GRID",
    ko="이용 시각은 {minutes}분 단위로 정합니다.",
    en="Times lie on a grid of {minutes} minutes.",
    rule="M-042",
)
SLOT_WHOLE_HOURS = FindingKind(
    "SLOT_WHOLE_HOURS",
    ko="시간 단위 상품은 1시간 단위로 신청합니다.",
    en="Priced by the hour: ask for whole hours.",
    rule="M-042",
)
SLOT_WHOLE_DAYS = FindingKind(
    "SLOT_WHOLE_DAYS",
    ko="일 단위 상품은 0시부터 0시까지(한국 시각) 신청합니다.",
    en="Priced by the day: ask from midnight to midnight, Korean time.",
    rule="M-042",
)
SLOT_CLOSED = FindingKind(
    "SLOT_CLOSED",
    ko="운영하지 않는 시간이 포함되어 있습니다.",
    en="The time asked for lies outside the opening hours.",
    rule="M-042",
)
SLOT_TOO_SOON = FindingKind(
    "SLOT_TOO_SOON",
    ko="{earliest} 이후부터 신청할 수 있습니다.",
    en="The earliest possible start is {earliest}.",
    rule="M-042",
)
SLOT_TOO_FAR = FindingKind(
    "SLOT_TOO_FAR",
    ko="{latest} 이전까지만 신청할 수 있습니다.",
    en="The latest possible end is {latest}.",
    rule="M-042",
)

WINDOW_RANGE = FindingKind(
    "WINDOW_RANGE",
    ko="오늘부터 앞뒤 2년 안의 기간만 볼 수 있습니다.",
    en="Only the two years before and after today can be shown.",
)

UNIT_NEEDS_SLOT = FindingKind(
    "UNIT_NEEDS_SLOT",
    ko="의뢰 상품의 단위는 시료 또는 회여야 합니다.",
    en="Commissioned work is priced by the sample or by the use.",
    rule="M-042",
)
KIND_USE_MODE = FindingKind(
    "KIND_USE_MODE",
    ko="시험분석은 의뢰 방식만, 시설은 직접 사용 방식만 등록할 수 있습니다.",
    en="Analyses are commissioned, facilities are used directly.",
    rule="M-042",
)
HOURS_OVERLAP = FindingKind(
    "HOURS_OVERLAP",
    ko="운영 시간이 서로 겹칩니다.",
    en="Opening hours overlap.",
)
HOURS_ORDER = FindingKind(
    "HOURS_ORDER",
    ko="종료 시각은 시작 시각보다 늦어야 합니다.",
    en="The closing time must be later than the opening time.",
)
DAY_TWICE = FindingKind(
    "DAY_TWICE", ko="같은 날짜가 두 번 있습니다.", en="The same day is there twice."
)
NEVER_OPEN = FindingKind(
    "NEVER_OPEN",
    ko="직접 사용 상품은 운영 시간이 있어야 공개할 수 있습니다.",
    en="What is used directly needs opening hours before it can be published.",
    rule="M-042",
)
NOT_AN_IMAGE = FindingKind(
    "NOT_AN_IMAGE",
    ko="사진은 JPEG 또는 PNG 파일만 등록할 수 있습니다.",
    en="Photos are JPEG or PNG files.",
)

ACTUAL_ABOVE_CONSENT = FindingKind(
    "ACTUAL_ABOVE_CONSENT",
    ko="구매 기관이 동의한 수량 {maximum}을(를) 넘을 수 없습니다. 변경 동의를 먼저 요청하세요.",
    en="The buyer consented to {maximum}; ask for consent to more first.",
    rule="M-042",
)
ADJUSTMENT_NOT_HIGHER = FindingKind(
    "ADJUSTMENT_NOT_HIGHER",
    ko="변경 수량은 현재 수량 {minimum}보다 커야 합니다.",
    en="The new quantity must be above the present {minimum}.",
)
PAYMENT_TOO_HIGH = FindingKind(
    "PAYMENT_TOO_HIGH",
    ko="남은 현금 {maximum}원을 넘을 수 없습니다.",
    en="No more than the {maximum} won still due can be recorded.",
)
RETURN_TOO_HIGH = FindingKind(
    "RETURN_TOO_HIGH",
    ko="더 받은 현금 {maximum}원을 넘을 수 없습니다.",
    en="No more than the {maximum} won received too much can be returned.",
)
PAID_IN_FUTURE = FindingKind(
    "PAID_IN_FUTURE", ko="입금일이 오늘 이후입니다.", en="The day of payment lies in the future."
)
CHARGE_TOO_HIGH = FindingKind(
    "CHARGE_TOO_HIGH",
    ko="최대 {maximum}원까지 정할 수 있습니다.",
    en="At most {maximum} won can be charged.",
)
REFUND_TOO_HIGH = FindingKind(
    "REFUND_TOO_HIGH",
    ko="최대 {maximum}까지 환불할 수 있습니다.",
    en="At most {maximum} can be refunded.",
)
REFUND_EMPTY = FindingKind(
    "REFUND_EMPTY", ko="환불할 금액을 입력하세요.", en="Enter what is to be refunded."
)


class MileageRefused(Invalid):
    """The ledger would not hold the mileage; `errors` say why and how much it would."""


class SlotTaken(Problem):
    """Somebody else has the time; give `alternatives=[{starts_at, ends_at}]`."""

    status, code = 409, "SLOT_TAKEN"
    ko = "방금 예약된 시간입니다. 다른 시간을 선택하세요."
    en = "This time has just been taken. Please choose another."


class PriceChanged(Problem):
    """The buyer agreed to another fee than the present one; give both."""

    status, code = 409, "PRICE_CHANGED"
    ko = "사용료가 {expected_won}원에서 {fee_won}원으로 바뀌었습니다. 다시 확인하세요."
    en = "The fee has changed from {expected_won} to {fee_won} won. Please look again."


class ListingClosed(Problem):
    status, code = 409, "LISTING_CLOSED"
    ko = "지금은 신청할 수 없는 상품입니다."
    en = "This listing takes no orders at present."


class SlotsBooked(Problem):
    """The calendar would close over orders that are still to come; give their `orders`."""

    status, code = 409, "SLOTS_BOOKED"
    ko = "예약된 시간은 닫을 수 없습니다. 해당 예약을 먼저 처리하세요."
    en = "Booked times cannot be closed. Deal with those orders first."


class CashOutstanding(Problem):
    status, code = 409, "CASH_OUTSTANDING"
    ko = "현금 {due_won}원 중 {paid_won}원이 기록되었습니다. 나머지를 먼저 기록하세요."
    en = "{paid_won} of {due_won} won are on record. Record the rest first."


class ConsentPending(Problem):
    status, code = 409, "CONSENT_PENDING"
    ko = "구매 기관의 수량 변경 동의를 기다리고 있습니다."
    en = "The buyer has not yet answered the change of quantity."


class NoAdjustment(Problem):
    status, code = 409, "NO_ADJUSTMENT"
    ko = "동의를 기다리는 변경 요청이 없습니다."
    en = "There is no change waiting for consent."


class AnswerTooLate(Problem):
    """The request has lapsed; the sweep gives its slot and mileage back within a minute."""

    status, code = 409, "ANSWER_TOO_LATE"
    ko = "승인 기한이 지난 신청입니다."
    en = "The time to accept this request is over."


class NotYetStarted(Problem):
    status, code = 409, "NOT_YET_STARTED"
    ko = "이용 시작 시각({starts_at}) 이후에 처리할 수 있습니다."
    en = "Only after the use was due to start ({starts_at})."


class DisputeClosed(Problem):
    status, code = 409, "DISPUTE_NOT_YOURS"
    ko = "분쟁을 제기한 기관만 취하할 수 있습니다."
    en = "Only the party that opened the dispute can withdraw it."


class NotAccruable(Problem):
    """No EQUIPMENT accrual comes from this order (M-043)."""

    status, code = 409, "NOT_ACCRUABLE"
    ko = "정산이 끝난 장비 이용만 적립 신청할 수 있습니다(시설 사용료 제외)."
    en = "Only settled use of equipment can be claimed (facility fees cannot)."


class ListingOrdered(Problem):
    status, code = 409, "LISTING_ORDERED"
    ko = "신청을 받은 적이 있는 상품은 지울 수 없습니다. 공개만 거둘 수 있습니다."
    en = "A listing that was ever ordered stays; it can only be withdrawn."


class TooManyPhotos(Problem):
    status, code = 409, "TOO_MANY_PHOTOS"
    ko = "사진은 {maximum}장까지 등록할 수 있습니다."
    en = "At most {maximum} photos can be kept."


class TooManyFiles(Problem):
    status, code = 409, "TOO_MANY_FILES"
    ko = "파일은 {maximum}개까지 첨부할 수 있습니다."
    en = "At most {maximum} files can be attached."


class OrderState(StateConflict):
    """An action the order's two states do not allow; the text names them in words."""

    LABELS: Mapping[str, tuple[str, str]] = {
        "requested": ("신청", "requested"),
        "accepted": ("승인", "accepted"),
        "in_use": ("이용중", "in use"),
        "completed": ("이용완료", "completed"),
        "declined": ("반려", "declined"),
        "cancelled": ("취소", "cancelled"),
        "expired": ("만료", "expired"),
        "no_show": ("미이용", "not used"),
        "refused": ("접수 불가", "refused"),
        "holding": ("보류 처리중", "hold under way"),
        "held": ("보류", "held"),
        "posting": ("정산 처리중", "settlement under way"),
        "settled": ("정산완료", "settled"),
        "voiding": ("반환 처리중", "release under way"),
        "released": ("반환완료", "released"),
        "disputed": ("분쟁", "in dispute"),
        "refunding": ("환불 처리중", "refund under way"),
        "refunded": ("환불완료", "refunded"),
    }

    def __init__(self, *, use: str, settlement: str, action: str) -> None:
        super().__init__(state=f"{use}/{settlement}", action=action)
        self._use, self._settlement = use, settlement

    def title(self, lang: Lang = "ko") -> str:
        column = 0 if lang == "ko" else 1
        words = " · ".join(self.LABELS[key][column] for key in (self._use, self._settlement))
        template = self.ko if lang == "ko" else self.en
        return template.format(state=words)


class ListingState(StateConflict):
    LABELS: Mapping[str, tuple[str, str]] = {
        "draft": ("임시저장", "draft"),
        "listed": ("공개", "listed"),
        "suspended": ("거래 중지", "suspended"),
    }

    def __init__(self, *, state: str, **params: Any) -> None:
        super().__init__(state=state, **params)

    def title(self, lang: Lang = "ko") -> str:
        label = self.LABELS[self.params["state"]][0 if lang == "ko" else 1]
        return (self.ko if lang == "ko" else self.en).format(state=label)
