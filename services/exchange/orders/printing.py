"""The receipt as a page to print and to file."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.exchange.labels import METHODS, UNITS
from services.exchange.orders.documents import Receipt
from services.exchange.orders.models import Payment
from shared.clock import SEOUL
from shared.typeset import Template, legible_json

TEMPLATE: Final = Template(Path(__file__).parent / "receipt.typ")
NOTICE = "이 영수증은 거래 내역의 확인용이며 세금계산서를 대신하지 않습니다."


def receipt_pdf(receipt: Receipt) -> bytes:
    """A receipt as PDF; the same receipt gives the same bytes. Call it in a thread."""
    return TEMPLATE.pdf({"receipt": legible_json(_page(receipt))}, timestamp=receipt.as_of)


def _page(receipt: Receipt) -> dict[str, Any]:
    unit = UNITS[receipt.unit]
    return {
        "title": f"거래 영수증 {receipt.number}",
        "description": f"{receipt.seller_name}이(가) {receipt.buyer_name}에 발급한 영수증",
        "notice": NOTICE,
        "number": receipt.number,
        "settled_at": _moment(receipt.settled_at),
        "seller_name": receipt.seller_name,
        "buyer_name": receipt.buyer_name,
        "buyer_brn": _brn(receipt.buyer_brn),
        "listing_title": receipt.listing_title,
        "wording": receipt.wording,
        "used_at": _span(receipt.starts_at, receipt.ends_at),
        "agreed": f"{receipt.unit_price_won:,}원 × {receipt.quantity:,}{unit}",
        "fee": f"{receipt.fee_won:,}",
        "mileage": f"{receipt.mileage:,}",
        "discount": f"{-receipt.discount_won:,}",
        "cash": f"{receipt.cash_won:,}",
        "supply": f"{receipt.supply_won:,}",
        "vat": f"{receipt.vat_won:,}",
        "payments": [_payment(payment) for payment in receipt.payments],
        "refund": _refund(receipt),
    }


def _payment(payment: Payment) -> dict[str, str]:
    received = payment.direction == "received"
    return {
        "day": payment.paid_on.isoformat(),
        "direction": "입금" if received else "반환",
        "method": METHODS[payment.method],
        "reference": payment.reference,
        "amount": f"{payment.amount_won if received else -payment.amount_won:,}",
    }


def _refund(receipt: Receipt) -> dict[str, str] | None:
    if not receipt.mileage_refunded and not receipt.cash_refunded_won:
        return None
    return {
        "mileage": f"{receipt.mileage_refunded:,}점",
        "cash": f"{receipt.cash_refunded_won:,}원",
    }


def _moment(instant: datetime) -> str:
    return instant.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M")


def _span(start: datetime | None, end: datetime | None) -> str | None:
    return None if start is None or end is None else f"{_moment(start)} ~ {_moment(end)}"


def _brn(brn: str | None) -> str | None:
    return None if brn is None else f"{brn[:3]}-{brn[3:5]}-{brn[5:]}"
