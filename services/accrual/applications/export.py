"""An application as a workbook: its totals, and its rows with what became of them.

Written row by row to disk: memory does not grow with the rows. Every cell is text that no
spreadsheet takes for a formula.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import xlsxwriter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.columns import COLUMNS, Column
from services.accrual.applications.models import (
    Application,
    ApplicationCompany,
    ApplicationRow,
    Claim,
)
from services.accrual.applications.moves import NAMES
from services.accrual.applications.privacy import masked
from services.accrual.criteria.service import versions
from shared.sheets.cells import plain
from shared.sheets.delimited import safe_field

_AT_ONCE = 1_000


async def write_workbook(
    session: AsyncSession, application: Application, *, full: bool
) -> IO[bytes]:
    """A temporary file, at its start; names are masked unless `full`. The caller closes it."""
    file = tempfile.SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115  # outlives this function
    try:
        await _write_book(session, application, file, full=full)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _write_book(
    session: AsyncSession, application: Application, file: IO[bytes], *, full: bool
) -> None:
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    bold = book.add_format({"bold": True, "bottom": 1})
    _write_all(book.add_worksheet("신청"), _summary(application), bold)
    companies = await session.scalars(
        select(ApplicationCompany)
        .where(ApplicationCompany.application_id == application.id)
        .order_by(ApplicationCompany.position)
    )
    _write_all(book.add_worksheet("기업별"), _company_lines(companies), bold)
    page = book.add_worksheet("명단")
    columns = COLUMNS[application.field]
    _write(page, 0, ["행", *(column.ko for column in columns), "결과", "불인정 사유"], bold)
    line = 1
    async for batch in _rows(session, application):
        shown = [_row_line(columns, *row, full=full) for row in batch]
        await asyncio.to_thread(_write_lines, page, line, shown)
        line += len(shown)
    await asyncio.to_thread(book.close)


async def _rows(session: AsyncSession, application: Application) -> AsyncIterator[Sequence[Any]]:
    """Batches of (number, cells, number of the claim if there is one, reason of a rejection)."""
    query = (
        select(ApplicationRow.number, ApplicationRow.cells, Claim.number, Claim.rejected_reason)
        .outerjoin(
            Claim,
            (Claim.application_id == ApplicationRow.application_id)
            & (Claim.number == ApplicationRow.number),
        )
        .where(ApplicationRow.application_id == application.id)
        .order_by(ApplicationRow.number)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for batch in (await session.stream(query)).partitions():
        yield batch


def _summary(application: Application) -> Iterator[Sequence[str]]:
    rule = versions()[-1].fields[application.field]
    yield "항목", "내용"
    yield "번호", application.number or "-"
    yield "신청일", str(application.applied_on or "-")
    yield "적립기관", application.institution_name or "-"
    yield "사업명", rule.ko
    yield "진행상태", NAMES[application.state]
    yield "기업수", str(application.company_count)
    yield "행수", str(application.row_count)
    yield "마일리지(점)", str(application.mileage)
    yield "적립기준", application.criteria_version or rule.version


def _company_lines(companies: Iterable[ApplicationCompany]) -> Iterator[Sequence[str]]:
    yield "번호", "사업자번호", "입력기업명", "상세기업명", "행수", "적립대상", "마일리지(점)"
    for company in companies:
        yield (
            str(company.position),
            company.brn,
            company.name,
            company.registered_name or "",
            str(company.row_count),
            str(company.quantity),
            str(company.mileage),
        )


def _row_line(
    columns: Sequence[Column],
    number: int,
    cells: Mapping[str, Any],
    claimed: int | None,
    rejected: str | None,
    *,
    full: bool,
) -> list[str]:
    cells = cells if full else masked(cells)
    result = "" if claimed is None else "불인정" if rejected else "인정"
    shown = [plain(cells.get(column.key, "")) for column in columns]
    return [str(number), *shown, result, rejected or ""]


def _write_all(page: Any, lines: Iterable[Sequence[str]], heading: Any) -> None:
    page.set_column(0, 6, 18)
    for number, line in enumerate(lines):
        _write(page, number, line, heading if number == 0 else None)


def _write_lines(page: Any, start: int, lines: Iterable[Sequence[str]]) -> None:
    for number, line in enumerate(lines, start):
        _write(page, number, line, None)


def _write(page: Any, number: int, line: Sequence[str], form: Any) -> None:
    for position, text in enumerate(line):
        page.write_string(number, position, safe_field(text), form)
