"""Sheets in and out: uploaded ones as rows, and exports that no spreadsheet will execute."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import xlsxwriter

from shared.clock import SEOUL
from shared.sheets.cells import Cell, are_blank
from shared.sheets.delimited import decode, records, safe_field
from shared.sheets.workbooks import Grid, is_workbook, open_workbook

Row = Sequence[Any]
NumberedRow = tuple[int, Sequence[Cell]]


def read(data: bytes, *, most: int) -> list[list[NumberedRow]]:
    """The filled rows of every visible sheet of a workbook, or of comma-separated text, with their
    line numbers; of each at most `most` + 1. Raises `FileUnusable` problems and nothing else."""
    grids = open_workbook(data) if is_workbook(data) else [Grid("", records(decode(data), ","))]
    return [list(islice(_filled(grid), most + 1)) for grid in grids]


def _filled(grid: Grid) -> Iterator[NumberedRow]:
    return ((number, row) for number, row in enumerate(grid.rows, 1) if not are_blank(row))


def workbook(sheet: str, header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """An xlsx of one sheet. Strings are written as strings, whatever they look like."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        page = book.add_worksheet(sheet)
        bold = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1})
        page.freeze_panes(1, 0)
        for column, title in enumerate(header):
            page.write_string(0, column, title, bold)
            page.set_column(column, column, max(12, len(title) * 2))
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                page.write(number, column, _shown(value))
    return out.getvalue()


def csv_text(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """CSV as Korean Excel opens it: UTF-8 with a byte order mark, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_shown(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _shown(value: Any) -> Any:
    """A cell no spreadsheet takes for a formula: what starts like one gets an apostrophe."""
    if isinstance(value, str):
        return safe_field(value)
    if isinstance(value, datetime):
        return value.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value
