"""A statement as a workbook, the oldest line first (M-040).

Written row by row to disk: memory does not grow with the lines. Text is neutralised, so that no
spreadsheet takes it for a formula; points are numbers.
"""

import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from typing import IO, Any, Final
from uuid import UUID

import xlsxwriter
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger import statements
from services.accrual.ledger.models import Entry, Transfer
from services.accrual.ledger.rules import Kind
from services.accrual.ledger.statements import Filter
from shared.clock import SEOUL
from shared.sheets.delimited import safe_field

Line = Sequence[str | int | None]

HEADING: Final = (
    "번호", "처리일자", "구분", "사업명", "적립분야", "적립", "인출", "잔여", "적립기관", "사유",
)  # fmt: skip
KINDS: Final[dict[str, str]] = {
    Kind.ACCRUAL: "적립",
    Kind.EXCHANGE: "거래",
    Kind.UTILISATION: "활용",
    Kind.ADJUSTMENT: "조정",
    Kind.EXPIRY: "소멸",
    Kind.MIGRATION: "이관",
    Kind.REVERSAL: "취소",
    Kind.REVOCATION: "회수",
}
MAX_LINES: Final = 1_000_000  # what a sheet holds, less the heading
_AT_ONCE: Final = 1_000


async def write_workbook(session: AsyncSession, institution_id: UUID, wanted: Filter) -> IO[bytes]:
    """A temporary file, at its start; the caller closes it. At most `MAX_LINES`, the oldest."""
    query = statements.lines(institution_id, wanted).order_by(Entry.version).limit(MAX_LINES)
    limited = wanted.fields is not None
    file = tempfile.SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115  # outlives this function
    try:
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        page = book.add_worksheet("마일리지 내역")
        page.set_column(0, len(HEADING) - 1, 16)
        _write(page, 0, HEADING, book.add_format({"bold": True, "bottom": 1}))
        number = 1
        result = await session.stream(query.execution_options(yield_per=_AT_ONCE))
        async for batch in result.partitions():
            lines = [_line(entry, transfer, limited=limited) for entry, transfer in batch]
            await asyncio.to_thread(_write_all, page, number, lines)
            number += len(lines)
        await asyncio.to_thread(book.close)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _line(entry: Entry, transfer: Transfer, *, limited: bool) -> Line:
    """Who sees some fields only does not see the balance, which tells of the others."""
    return (
        entry.version,
        f"{entry.recorded_at.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}",
        KINDS.get(transfer.kind, transfer.kind),
        transfer.title,
        transfer.field,
        entry.amount if entry.amount > 0 else None,
        -entry.amount if entry.amount < 0 else None,
        None if limited else entry.balance,
        None if transfer.origin_id is None else str(transfer.origin_id),
        (transfer.details or {}).get("reason"),
    )


def _write_all(page: Any, start: int, lines: Iterable[Line]) -> None:
    for number, line in enumerate(lines, start):
        _write(page, number, line, None)


def _write(page: Any, number: int, line: Line, form: Any) -> None:
    for position, value in enumerate(line):
        if isinstance(value, int):
            page.write_number(number, position, value, form)
        elif value is not None:
            page.write_string(number, position, safe_field(value), form)
