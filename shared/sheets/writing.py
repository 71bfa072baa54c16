"""Workbooks out: written line by line to disk, so that memory does not grow with them.

No cell is ever taken for a formula: text stays text, whatever it looks like.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Any, Final

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from xlsxwriter import Workbook

from shared.clock import SEOUL
from shared.sheets.delimited import safe_field
from shared.sheets.errors import ExportTooLarge

MAX_LINES: Final = 1_048_575  # what a sheet holds, less the heading
_AT_ONCE: Final = 1_000

Value = str | int | datetime | date | None
Line = Sequence[Value]
Batches = AsyncIterator[Iterable[Line]]


@dataclass(frozen=True, slots=True)
class Page:
    """A sheet of a workbook: its titles with their widths in characters, and the lines below."""

    name: str
    columns: Mapping[str, int]
    batches: Batches
    most: int = MAX_LINES


async def write_book(*pages: Page) -> IO[bytes]:
    """A temporary file, at its start; the caller closes it. Cells are written on a thread, since
    thousands of them would keep every other request waiting. Raises `ExportTooLarge`."""
    file = SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115  # outlives this function
    try:
        with TemporaryDirectory() as scratch:
            book = Workbook(file, {"constant_memory": True, "tmpdir": scratch})
            try:
                for page in pages:
                    sheet = _Sheet(book, page)
                    async for lines in page.batches:
                        await asyncio.to_thread(sheet.write, lines)
                    sheet.end()
            finally:
                await asyncio.to_thread(book.close)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def at_once(lines: Iterable[Line]) -> Batches:
    """Lines that are all there already."""
    yield lines


async def streamed(
    session: AsyncSession, query: Select[*tuple[Any, ...]], line_of: Callable[..., Line]
) -> Batches:
    """The rows of a query as they come from the database, each made a line of."""
    result = await session.stream(query.execution_options(yield_per=_AT_ONCE))
    async for rows in result.partitions():
        yield [line_of(*row) for row in rows]


def shown(value: Value) -> str | int:
    """What a cell says: instants on the clocks of Korea, and nothing a spreadsheet would run."""
    if isinstance(value, str):
        return safe_field(value)
    if isinstance(value, datetime):
        return value.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


class _Sheet:
    def __init__(self, book: Workbook, page: Page) -> None:
        self._sheet = book.add_worksheet(page.name)
        self._number = book.add_format({"num_format": "#,##0"})
        self._columns = len(page.columns)
        self._most = page.most
        self._line = 0
        bold = book.add_format({"bold": True, "bg_color": "#EEF2F7", "border": 1})
        self._sheet.freeze_panes(1, 0)
        for column, (title, width) in enumerate(page.columns.items()):
            self._sheet.set_column(column, column, width)
            self._sheet.write_string(0, column, safe_field(title), bold)

    def write(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._line += 1
            if self._line > self._most:
                raise ExportTooLarge(most=self._most)
            for column, value in enumerate(map(shown, line)):
                if isinstance(value, int):
                    self._sheet.write_number(self._line, column, value, self._number)
                elif value:
                    self._sheet.write_string(self._line, column, value)

    def end(self) -> None:
        self._sheet.autofilter(0, 0, max(self._line, 1), self._columns - 1)
