"""Orders as a sheet. Text stays text: no cell of ours is ever taken for a formula."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any

import xlsxwriter

from services.exchange.errors import OrderState
from services.exchange.labels import UNITS
from services.exchange.mileage import WON_PER_POINT
from services.exchange.orders.models import Order
from shared.clock import SEOUL
from shared.sheets.delimited import safe_field

COLUMNS: tuple[tuple[str, int], ...] = (
    ("번호", 16),
    ("신청일시", 18),
    ("상품", 32),
    ("판매 기관", 24),
    ("구매 기관", 24),
    ("이용 시작", 18),
    ("이용 종료", 18),
    ("단위", 8),
    ("단가(원)", 14),
    ("수량", 8),
    ("사용료(원)", 14),
    ("마일리지(점)", 12),
    ("할인(원)", 14),
    ("현금(원)", 14),
    ("기록된 현금(원)", 16),
    ("환불 마일리지(점)", 16),
    ("환불 현금(원)", 14),
    ("이용 상태", 12),
    ("정산 상태", 14),
)
SPOOL_BYTES = 2**20


async def workbook(batches: AsyncIterator[Sequence[Order]]) -> Any:
    """An open temporary file with the sheet, at its start. Rows are written as they come, on a
    thread, since thousands of cells would keep every other request waiting."""
    target = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # the answer closes it
    sheet = _Sheet(target)
    async for orders in batches:
        await asyncio.to_thread(sheet.write, orders)
    await asyncio.to_thread(sheet.close)
    target.seek(0)
    return target


class _Sheet:
    def __init__(self, target: Any) -> None:
        self._book = xlsxwriter.Workbook(
            target,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        self._sheet = self._book.add_worksheet("거래 내역")
        self._number = self._book.add_format({"num_format": "#,##0"})
        self._row = 0
        bold = self._book.add_format({"bold": True, "bg_color": "#EEF2F7", "border": 1})
        self._sheet.freeze_panes(1, 0)
        for column, (title, width) in enumerate(COLUMNS):
            self._sheet.set_column(column, column, width)
            self._sheet.write_string(0, column, title, bold)

    def write(self, orders: Sequence[Order]) -> None:
        for order in orders:
            self._row += 1
            for column, value in enumerate(_cells(order)):
                if isinstance(value, int):
                    self._sheet.write_number(self._row, column, value, self._number)
                else:
                    self._sheet.write_string(self._row, column, safe_field(value))

    def close(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row, 1), len(COLUMNS) - 1)
        self._book.close()


def _cells(order: Order) -> list[str | int]:
    fee = order.fee_won if order.charged_won is None else order.charged_won
    mileage = order.mileage if order.mileage_charged is None else order.mileage_charged
    return [
        order.public_number,
        _moment(order.created_at),
        order.listing_title,
        order.seller_name,
        order.buyer_name,
        _moment(order.starts_at),
        _moment(order.ends_at),
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
    ]


def _moment(instant: datetime | None) -> str:
    return "" if instant is None else instant.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M")
