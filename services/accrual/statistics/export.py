"""The survey as a workbook: figures by institution, and what is at risk.

Written row by row to disk: memory does not grow with the rows. Text is neutralised, so that no
spreadsheet takes it for a formula; counts and points are numbers.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import IO, Any
from uuid import UUID

import xlsxwriter
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.models import Application
from services.accrual.applications.moves import NAMES
from services.accrual.statistics import service
from services.accrual.statistics.rules import Window
from shared.sheets.delimited import safe_field
from shared.tokens import Claims

_AT_ONCE = 1_000
Line = Sequence[str | int]


async def write_workbook(
    session: AsyncSession, wanted: Window, claims: Claims, institution_id: UUID | None = None
) -> IO[bytes]:
    """A temporary file, at its start; the caller closes it. Raises `NotFound` for an institution
    that is not the caller's."""
    # First who may see what: a refusal must not leave a half-written workbook behind.
    figures = service.by_institution(wanted, claims, institution_id)
    columns = figures.selected_columns
    figures = figures.order_by(columns.institution_name, columns.institution_id, columns.field)
    risky = service.at_risk(wanted, claims, institution_id).order_by(
        Application.applied_on, Application.id
    )
    file = tempfile.SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115  # outlives this function
    try:
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        bold = book.add_format({"bold": True, "bottom": 1})
        names = service.field_names()
        page = book.add_worksheet("집계")
        _write(page, 0, ("기관명", "적립분야", "신청건수", "실적건수", "마일리지(점)"), bold)
        await _fill(session, page, figures, lambda row: _figure(row, names))
        page = book.add_worksheet("미적립")
        heading = ("번호", "기관명", "적립분야", "진행상태", "신청일", "마일리지(점)")
        _write(page, 0, heading, bold)
        await _fill(session, page, risky, lambda row: _at_risk(row[0], names))
        await asyncio.to_thread(book.close)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _fill(
    session: AsyncSession,
    page: Any,
    query: Select[*tuple[Any, ...]],
    line_of: Callable[[Any], Line],
) -> None:
    page.set_column(0, 5, 18)
    number = 1
    async for batch in _batches(session, query):
        lines = [line_of(row) for row in batch]
        await asyncio.to_thread(_write_all, page, number, lines)
        number += len(lines)


async def _batches(
    session: AsyncSession, query: Select[*tuple[Any, ...]]
) -> AsyncIterator[Sequence[Any]]:
    result = await session.stream(query.execution_options(yield_per=_AT_ONCE))
    async for batch in result.partitions():
        yield batch


def _figure(row: Any, names: dict[str, str]) -> Line:
    _, institution, field, applications, records, points = row
    return (
        institution or "",
        names.get(field, field),
        int(applications),
        int(records),
        int(points),
    )


def _at_risk(application: Any, names: dict[str, str]) -> Line:
    return (
        application.number,
        application.institution_name or "",
        names.get(application.field, application.field),
        NAMES[application.state],
        str(application.applied_on),
        application.mileage,
    )


def _write_all(page: Any, start: int, lines: Iterable[Line]) -> None:
    for number, line in enumerate(lines, start):
        _write(page, number, line, None)


def _write(page: Any, number: int, line: Line, form: Any) -> None:
    for position, value in enumerate(line):
        if isinstance(value, int):
            page.write_number(number, position, value, form)
        else:
            page.write_string(number, position, safe_field(value), form)
