"""What a notification says, by the name of its event. Pure."""

NOTICES: dict[str, tuple[str, str]] = {
    "order.requested": ("이용 신청이 접수되었습니다.", "The request was received."),
    "order.held": (
        "마일리지를 보류했습니다. 판매 기관의 승인을 기다립니다.",
        "The mileage is held. The seller's answer is awaited.",
    ),
    "order.refused": (
        "마일리지가 부족하여 신청이 성립하지 않았습니다.",
        "There was not enough mileage: the request came to nothing.",
    ),
    "order.accepted": ("판매 기관이 신청을 승인했습니다.", "The seller accepted the request."),
    "order.declined": ("판매 기관이 신청을 반려했습니다.", "The seller declined the request."),
    "order.cancelled": ("신청이 취소되었습니다.", "The order was cancelled."),
    "order.expired": (
        "기한이 지나 신청이 만료되었습니다.",
        "The order expired: its time ran out.",
    ),
    "order.started": ("이용이 시작되었습니다.", "The use has begun."),
    "order.not_used": ("미이용으로 처리되었습니다.", "The order was marked as not used."),
    "order.adjustment_proposed": (
        "판매 기관이 수량 변경에 동의를 요청했습니다.",
        "The seller asks for consent to a larger quantity.",
    ),
    "order.adjustment_accepted": (
        "구매 기관이 수량 변경에 동의했습니다.",
        "The buyer consented to the larger quantity.",
    ),
    "order.adjustment_rejected": (
        "구매 기관이 수량 변경에 동의하지 않았습니다.",
        "The buyer did not consent to the larger quantity.",
    ),
    "order.completed": (
        "이용이 완료되어 사용료가 확정되었습니다.",
        "The use is complete and the fee is final.",
    ),
    "order.payment_recorded": ("현금 입출금이 기록되었습니다.", "A payment was recorded."),
    "order.settled": (
        "정산이 끝나 마일리지가 판매 기관으로 옮겨졌습니다.",
        "The order is settled: the mileage went to the seller.",
    ),
    "order.released": (
        "보류한 마일리지를 구매 기관에 돌려주었습니다.",
        "The held mileage was released to the buyer.",
    ),
    "order.disputed": (
        "분쟁이 제기되어 정산이 중지되었습니다.",
        "A dispute was opened: the settlement is suspended.",
    ),
    "order.dispute_withdrawn": ("분쟁 제기가 철회되었습니다.", "The dispute was withdrawn."),
    "order.dispute_resolved": (
        "운영기관이 분쟁에 대한 사용료를 확정했습니다.",
        "The operator decided the dispute.",
    ),
    "order.refunded": ("환불이 처리되었습니다.", "The refund is done."),
    "order.refund_refused": (
        "판매 기관의 마일리지가 부족하여 환불하지 못했습니다.",
        "The refund failed: the seller's mileage does not cover it.",
    ),
    "order.message": ("새 글이 도착했습니다.", "There is a new message."),
}
EVENTS = frozenset(NOTICES)


def notice(event: str, language: str) -> str:
    """One sentence about an event, in Korean unless `language` is `en`."""
    korean, english = NOTICES[event]
    return english if language == "en" else korean
