"""Sheets in: finding the header row, mapping columns, and taking the rows under it.

What a sheet may look like without anybody being told off: lines above the header, columns in any
order and under any accepted name, blank lines anywhere, hidden and further sheets, identifying
cells merged over several rows. What is answered with a finding: missing, doubled and unknown
columns, hidden rows, merged amounts, and everything `cells` says of a single cell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from operator import itemgetter

from services.accrual import errors
from services.accrual.applications import cells
from services.accrual.applications.columns import Column, header_key
from services.accrual.applications.rows import RawRow
from services.accrual.applications.rules import MAX_ROWS
from shared.problems import Finding
from shared.sheets.cells import Cell, Fault, are_blank, is_blank, letters, plain
from shared.sheets.delimited import decode, records
from shared.sheets.errors import HeaderMissing
from shared.sheets.workbooks import RESULT_SHEET, Grid, is_workbook, open_workbook

HEADER_WITHIN = 30  # lines
HEADER_MATCHES = 3  # columns a line must name to be the header
EXAMPLE_SHEET, GUIDE_SHEET = "작성 예시", "작성 안내"

_DELIMITERS = ("\t", ",", ";")
_SNIFFED = 64 * 2**10  # characters
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet, and what was found while reading it.

    `header_row` is the line of the header (0 where there is none), `places` the number of each
    column in the sheet (1 is A), `absent` the keys of required columns the sheet does not have.
    """

    name: str
    header_row: int
    places: dict[str, int]
    absent: frozenset[str]
    rows: list[RawRow]
    findings: tuple[Finding, ...]


def read_sheet(data: bytes, columns: Sequence[Column], *, max_rows: int = MAX_ROWS) -> Sheet:
    """The rows of an uploaded workbook or delimited text, as its content says.

    Of a workbook, the first visible sheet with a header row. At most `max_rows` + 1 filled rows
    are taken, so that the check can say that there are too many. Raises `FileUnusable` problems
    and nothing else, whatever the bytes.
    """
    names = _names(columns)
    chosen: Sheet | None = None
    ignored = []
    for grid in open_grids(data, columns):
        if grid.name in (EXAMPLE_SHEET, GUIDE_SHEET, RESULT_SHEET):
            continue
        sheet = _sheet(grid, columns, names, max_rows if chosen is None else 0)
        if chosen is None:
            chosen = sheet
        elif sheet is not None and sheet.rows:
            ignored.append(grid.name)
    if chosen is None:
        raise HeaderMissing(columns=", ".join(c.ko for c in columns if c.required))
    if ignored:
        finding = errors.SHEETS_IGNORED.at("", read=chosen.name, ignored=", ".join(ignored))
        return replace(chosen, findings=(*chosen.findings, finding))
    return chosen


def read_pasted(text: str, columns: Sequence[Column], *, max_rows: int = MAX_ROWS) -> Sheet:
    """The rows of cells copied out of a spreadsheet, with their header row or without.

    Without one, the columns are those of the template, in its order. Raises `FileOversized`.
    """
    sheet = _sheet(_text_grid(text, columns), columns, _names(columns), max_rows)
    if sheet is not None:
        return sheet
    places = {column.key: number for number, column in enumerate(columns, 1)}
    grid = Grid("", records(text, "\t"))
    rows = list(_rows(grid, grid.rows, columns, places, 0, max_rows))
    return Sheet("", 0, places, frozenset(), rows, ())


def open_grids(data: bytes, columns: Sequence[Column]) -> Iterator[Grid]:
    """The visible sheets of a workbook, or the one grid that delimited text is."""
    if is_workbook(data):
        yield from open_workbook(data)
    else:
        yield _text_grid(decode(data), columns)


def _text_grid(text: str, columns: Sequence[Column]) -> Grid:
    """Text split at tabs, commas or semicolons, whichever shows most of a header row."""
    names = _names(columns)

    def matches(delimiter: str) -> int:
        head = islice(records(text[:_SNIFFED], delimiter), HEADER_WITHIN)
        return max((len(_places(line, names)) for line in head), default=0)

    return Grid("", records(text, max(_DELIMITERS, key=matches)))


def _names(columns: Sequence[Column]) -> dict[str, Column]:
    return {name: column for column in columns for name in column.headers}


def _sheet(
    grid: Grid, columns: Sequence[Column], names: Mapping[str, Column], max_rows: int
) -> Sheet | None:
    """A grid read under its header row, or None where it has none."""
    lines: list[Sequence[Cell]] = []
    header_row, places = 0, dict[str, int]()
    required = {column.key for column in columns if column.required}
    for line in islice(grid.rows, HEADER_WITHIN):
        lines.append(line)
        found = _places(line, names)
        if len(found) > len(places):
            header_row, places = len(lines), found
        if required <= found.keys():
            break
    if len(places) < HEADER_MATCHES:
        return None
    places = {key: position + grid.first_column + 1 for key, position in places.items()}
    body = chain(lines[header_row:], grid.rows)
    rows = list(_rows(grid, body, columns, places, header_row, max_rows))
    hidden = [
        errors.ROW_HIDDEN.at(f"/rows/{row.number}", row=row.number)
        for row in rows
        if row.number in grid.hidden
    ]
    header = _header_findings(lines[header_row - 1], grid.first_column, columns, names, header_row)
    absent = frozenset(required - places.keys())
    return Sheet(grid.name, header_row, places, absent, rows, (*header, *hidden))


def _places(line: Sequence[Cell], names: Mapping[str, Column]) -> dict[str, int]:
    """The position of each column a line names; the first one where a column is named twice."""
    places: dict[str, int] = {}
    for position, cell in enumerate(line):
        column = names.get(header_key(cell)) if isinstance(cell, str) and cell else None
        if column:
            places.setdefault(column.key, position)
    return places


def _header_findings(
    header: Sequence[Cell],
    first_column: int,
    columns: Sequence[Column],
    names: Mapping[str, Column],
    row: int,
) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for number, cell in enumerate(header, first_column + 1):
        name = cells.text(plain(cell)[:_SHOWN], _SHOWN)
        if not name or isinstance(name, Fault):
            continue
        pointer = f"/columns/{letters(number)}"
        column = names.get(header_key(plain(cell)))
        if column is None:
            yield errors.COLUMN_UNKNOWN.at(pointer, row=row, header=name)
        elif column.key not in seen:
            seen[column.key] = number
        else:
            yield errors.COLUMN_TWICE.at(
                pointer,
                row=row,
                field=column.key,
                column=column.ko,
                column_en=column.en,
                first=letters(seen[column.key]),
                second=letters(number),
            )
    for column in columns:
        if column.required and column.key not in seen:
            yield errors.COLUMN_MISSING.at(
                "/columns", row=row, field=column.key, column=column.ko, column_en=column.en
            )


def _rows(
    grid: Grid,
    body: Iterable[Sequence[Cell]],
    columns: Sequence[Column],
    places: Mapping[str, int],
    header_row: int,
    max_rows: int,
) -> Iterator[RawRow]:
    """The filled rows, their cells in the order of `columns`; absent columns are blank."""
    positions = [places[c.key] - grid.first_column - 1 if c.key in places else -1 for c in columns]
    width = max(positions) + 1
    complete = min(positions) >= 0
    pick = itemgetter(*(position if position >= 0 else width for position in positions))
    starts = _merged_from(grid, columns, positions)
    merged: dict[int, tuple[int, Cell]] = {}
    taken = 0
    for number, line in enumerate(body, header_row + 1):
        if complete and len(line) >= width:
            picked = pick(line)
        else:  # blanks to the last column, and one more for the absent ones
            picked = pick((*line[:width], *("",) * (width + 1 - min(len(line), width))))
        if are_blank(picked):
            continue
        if starts:
            picked = _unmerged(number, picked, columns, merged)
            for index, bottom in starts.get(number, ()):
                merged[index] = (bottom, picked[index])
        yield RawRow(number, picked)
        taken += 1
        if taken > max_rows:
            return


def _merged_from(
    grid: Grid, columns: Sequence[Column], positions: Sequence[int]
) -> dict[int, list[tuple[int, int]]]:
    """The merged cells of our columns by their first line: (index of the column, last line)."""
    starts: dict[int, list[tuple[int, int]]] = {}
    indexes = {
        position + grid.first_column: index
        for index, position in enumerate(positions)
        if position >= 0
    }
    for top, left, bottom, _ in grid.merged:
        if left in indexes:
            starts.setdefault(top + 1, []).append((indexes[left], bottom + 1))
    return starts


def _unmerged(
    number: int,
    picked: tuple[Cell, ...],
    columns: Sequence[Column],
    merged: Mapping[int, tuple[int, Cell]],
) -> tuple[Cell, ...]:
    """A row with what a merged cell above says of it; an amount is said once, not of every row."""
    row = list(picked)
    for index, (bottom, cell) in merged.items():
        if number <= bottom and is_blank(row[index]):
            amount = columns[index].type in ("won", "hours")
            row[index] = Fault(errors.MERGED_AMOUNT) if amount else cell
    return tuple(row)
