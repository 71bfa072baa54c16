"""Rows and files to check: a right row of every field, changed where a test wants it."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl
from xlsxwriter import Workbook

from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.rows import raw_rows
from services.accrual.applications.rules import Checked, check_rows
from services.accrual.criteria.rules import FieldRule
from services.accrual.criteria.service import field_rule

TODAY = date(2024, 9, 2)
KCCI, HANBIT, NURI = "1048203590", "2158600120", "3058300776"


def rule_of(field: str) -> FieldRule:
    return field_rule(field, TODAY)


def right_row(field: str, **changes: Any) -> dict[str, Any]:
    """The template's example row with changes; `None` leaves a cell blank."""
    return {column.key: column.example for column in COLUMNS[field]} | changes


def check(field: str, *rows: Mapping[str, Any], **options: Any) -> Checked:
    """Check right rows with the given changes, numbered from 2 as in a sheet."""
    items = [(number, right_row(field, **row)) for number, row in enumerate(rows, 2)]
    options.setdefault("today", TODAY)
    return check_rows(rule_of(field), raw_rows(COLUMNS[field], items), **options)


def found(checked: Any) -> list[tuple[int | None, str | None, str]]:
    return [(finding.row, finding.field, finding.code) for finding in checked.findings]


def codes(checked: Any) -> list[str]:
    return [finding.code for finding in checked.findings]


def xlsx(lines: Sequence[Sequence[Any]], edit: Callable[[Any, Any], None] | None = None) -> bytes:
    """A workbook with one sheet of these lines, as Excel would write it."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as workbook:
        page = workbook.add_worksheet("명단")
        for number, line in enumerate(lines):
            for place, cell in enumerate(line):
                if isinstance(cell, str):
                    page.write_string(number, place, cell)
                elif cell is not None:
                    page.write(number, place, cell)
        if edit:
            edit(workbook, page)
    return file.getvalue()


def lines_of(field: str, *rows: Mapping[str, Any]) -> list[list[Any]]:
    """A header line and one line for each row."""
    columns = COLUMNS[field]
    header: list[Any] = [column.ko for column in columns]
    return [header, *([right_row(field, **row)[c.key] for c in columns] for row in rows)]


def repacked(data: bytes, edit: Callable[[dict[str, bytes]], None]) -> bytes:
    """The same workbook with its parts edited by hand."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    edit(parts)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))
