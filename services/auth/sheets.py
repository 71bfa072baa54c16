"""Uploaded sheets as rows, and comma-separated text that no spreadsheet will execute."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from shared.sheets.cells import Cell, are_blank
from shared.sheets.delimited import decode, records
from shared.sheets.workbooks import Grid, is_workbook, open_workbook
from shared.sheets.writing import Line, shown

NumberedRow = tuple[int, Sequence[Cell]]


def read(data: bytes, *, most: int) -> list[list[NumberedRow]]:
    """The filled rows of every visible sheet of a workbook, or of comma-separated text, with their
    line numbers; of each at most `most` + 1. Raises `FileUnusable` problems and nothing else."""
    grids = open_workbook(data) if is_workbook(data) else [Grid("", records(decode(data), ","))]
    return [list(islice(_filled(grid), most + 1)) for grid in grids]


def _filled(grid: Grid) -> Iterator[NumberedRow]:
    return ((number, row) for number, row in enumerate(grid.rows, 1) if not are_blank(row))


def csv_text(header: Sequence[str], rows: Iterable[Line]) -> bytes:
    """CSV as Korean Excel opens it: UTF-8 with a byte order mark, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([shown(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")
