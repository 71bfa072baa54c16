"""Orders as a sheet."""

from collections.abc import Mapping
from typing import IO, Final

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.errors import OrderState
from services.exchange.labels import UNITS
from services.exchange.mileage import WON_PER_POINT
from services.exchange.orders.models import Order
from shared.sheets.writing import Line, Page, streamed, write_book

COLUMNS: Final[Mapping[str, int]] = {
    "번호": 16,
    "신청일시": 18,
    "상품": 32,
    "판매 기관": 24,
    "구매 기관": 24,
    "이용 시작": 18,
    "이용 종료": 18,
    "단위": 8,
    "단가(원)": 14,
    "수량": 8,
    "사용료(원)": 14,
    "마일리지(점)": 12,
    "할인(원)": 14,
    "현금(원)": 14,
    "기록된 현금(원)": 16,
    "환불 마일리지(점)": 16,
    "환불 현금(원)": 14,
    "이용 상태": 12,
    "정산 상태": 14,
}
MAX_ORDERS: Final = 50_000


async def workbook(session: AsyncSession, query: Select[Order]) -> IO[bytes]:
    """An open temporary file with the sheet, at its start. Raises `ExportTooLarge`."""
    lines = streamed(session, query, _line)
    return await write_book(Page("거래 내역", COLUMNS, lines, most=MAX_ORDERS))


def _line(order: Order) -> Line:
    fee = order.fee_won if order.charged_won is None else order.charged_won
    mileage = order.mileage if order.mileage_charged is None else order.mileage_charged
    return (
        order.public_number,
        order.created_at,
        order.listing_title,
        order.seller_name,
        order.buyer_name,
        order.starts_at,
        order.ends_at,
        UNITS[order.unit],
        order.unit_price_won,
        order.quantity if order.actual_quantity is None else order.actual_quantity,
        fee,
        mileage,
        mileage * WON_PER_POINT,
        order.cash_due_won,
        order.paid_won,
        order.mileage_refunded,
        order.cash_refunded_won,
        OrderState.LABELS[order.use][0],
        OrderState.LABELS[order.settlement][0],
    )
