"""Sheets in and out: small workbooks read with care, exports that no spreadsheet will execute."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
import xlsxwriter

from services.auth.errors import SheetUnreadable
from shared.clock import SEOUL

MAX_BYTES = 10 * 2**20
MAX_PARTS = 500
MAX_UNPACKED_BYTES = 64 * 2**20
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Row = Sequence[Any]


def read_rows(data: bytes, *, most: int) -> list[tuple[int, list[str]]]:
    """The filled rows of the first sheet as (row number, cells as text), at most `most` + 1.

    Raises `SheetUnreadable` for anything that is no ordinary workbook. The archive is weighed
    before it is opened: a few kilobytes may unpack to gigabytes.
    """
    _weigh(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a stated extent may be a lie
        rows: list[tuple[int, list[str]]] = []
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=50), 1):
            texts = [_text(cell) for cell in cells]
            if any(texts):
                rows.append((number, texts))
            if len(rows) > most + 1 or number > most * 3:  # the header; and no endless blanks
                break
    except Exception as error:
        # openpyxl raises whatever its parsers raise; nothing of it is worth a crash.
        raise SheetUnreadable from error
    return rows


def _weigh(data: bytes) -> None:
    if len(data) > MAX_BYTES or not data.startswith(b"PK\x03\x04"):
        raise SheetUnreadable
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if len(entries) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES:
                raise SheetUnreadable
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    with archive.open(entry) as part:
                        if b"<!DOCTYPE" in part.read(2_000):
                            raise SheetUnreadable
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise SheetUnreadable from error


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def neutral(value: Any) -> Any:
    """A cell no spreadsheet takes for a formula: what starts like one gets an apostrophe."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


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
                page.write(number, column, _shown(neutral(value)))
    return out.getvalue()


def csv_text(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """CSV as Korean Excel opens it: UTF-8 with a byte order mark, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_shown(neutral(value)) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value
