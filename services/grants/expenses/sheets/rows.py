"""From an uploaded file to expenses: the header found, every cell read, every fault by its cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Final

from services.grants.cells import (
    CELL_REQUIRED,
    COLUMN_MISSING,
    COLUMN_UNKNOWN,
    Column,
    Reader,
    Value,
)
from services.grants.expenses.sheets.columns import COLUMNS
from services.grants.programmes.rules import FUND_NAMES, RuleSet
from shared.problems import Finding, FindingKind
from shared.sheets.cells import Cell, Fault, are_blank, is_blank, letters
from shared.sheets.delimited import decode, records
from shared.sheets.errors import HeaderMissing
from shared.sheets.typed import folded, shown
from shared.sheets.workbooks import RESULT_SHEET, Grid, is_workbook, open_workbook

MAX_ROWS: Final = 5_000
HEADER_WITHIN: Final = 30
INPUT_SHEET, EXAMPLE_SHEET, GUIDE_SHEET = "집행내역", "작성 예시", "작성 안내"

SHEET_EMPTY = FindingKind("SHEET_EMPTY", "입력한 행이 없습니다.", "There are no rows.")
SHEET_TOO_LONG = FindingKind(
    "SHEET_TOO_LONG",
    "한 번에 {limit:,}행까지 등록할 수 있습니다.",
    "At most {limit:,} rows can be entered at once.",
)

PAYEES: Final = {"person": ("개인", "person"), "organisation": ("기관", "organisation")}

_PLAIN: Final = (
    "kind",
    "fund",
    "amount_won",
    "vat_won",
    "purpose",
    "payee_name",
    "payee_brn",
    "payee_account",
    "obligated_on",
    "paid_on",
)
_DETAILS: Final = ("line", "person", "payee", "heads", "event", "deposit", "facts")
_TRIP: Final = ("fare_won", "trip", "approved_on")
_GOODS: Final = ("asset", "unit_price_won", "arrived_on", "used_on")


@dataclass(slots=True)
class Sheet:
    """The rows of a sheet by line number, as an expense is entered; and what was found.

    `places` is the number of each column in the sheet called `name` (1 is A).
    """

    name: str = ""
    places: dict[str, int] = field(default_factory=dict)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def reader(rules: RuleSet) -> Reader:
    """Reads cells by the words of a call: uses of money, sources, facts, in both languages."""
    kinds = {code: (kind.name.ko, kind.name.en) for code, kind in rules.kinds.items()}
    funds = {str(code): (name.ko, name.en) for code, name in FUND_NAMES.items()}
    facts = {code: (name.ko, name.en) for code, name in rules.fact_names.items()}
    tables: dict[str, dict[str, tuple[str, str]]] = {
        "kind": kinds,
        "fund": funds,
        "facts": facts,
        "payee": PAYEES,
    }
    return Reader(
        {
            key: {folded(word): code for code, names in table.items() for word in (code, *names)}
            for key, table in tables.items()
        },
        {
            key: ", ".join(ko for ko, _ in list(table.values())[:12])
            for key, table in tables.items()
        },
    )


def read_sheet(rules: RuleSet, data: bytes, *, max_rows: int = MAX_ROWS) -> Sheet:
    """The rows of a workbook or of delimited text. Raises `FileUnusable` problems, whatever the
    bytes; everything else is a finding with its line and column."""
    for grid in open_grids(data):
        if grid.name in (EXAMPLE_SHEET, GUIDE_SHEET, RESULT_SHEET):
            continue
        lines = [list(line) for line in islice(grid.rows, HEADER_WITHIN)]
        header = max(range(len(lines)), key=lambda n: len(_places(lines[n])), default=None)
        if header is not None and len(_places(lines[header])) >= 3:
            body = chain(lines[header + 1 :], grid.rows)
            return _read(reader(rules), grid, lines[header], body, header + 2, max_rows)
    raise HeaderMissing(columns=", ".join(column.ko for column in COLUMNS if column.required))


def open_grids(data: bytes) -> Iterator[Grid]:
    """The visible sheets of a workbook, or the one grid that delimited text is."""
    if is_workbook(data):
        yield from open_workbook(data)
    else:
        text = decode(data)
        delimiter = max("\t,;", key=text[:65_536].count)
        yield Grid("", iter(records(text, delimiter)))


_BY_HEADER: Final = {folded(word): c for c in COLUMNS for word in (c.key, c.ko, c.en)}


def _places(line: Sequence[Cell]) -> dict[int, Column]:
    """The columns a line names, by their place; the first one where a name stands twice."""
    found: dict[int, Column] = {}
    for place, cell in enumerate(line):
        column = _BY_HEADER.get(folded(cell)) if isinstance(cell, str) else None
        if column is not None and column not in found.values():
            found[place] = column
    return found


def _read(
    cells: Reader,
    grid: Grid,
    header: Sequence[Cell],
    body: Iterator[Sequence[Cell]],
    first_line: int,
    max_rows: int,
) -> Sheet:
    places = _places(header)
    numbers = {column.key: grid.first_column + place + 1 for place, column in places.items()}
    sheet = Sheet(grid.name, numbers)
    for column in COLUMNS:
        if column.required and column not in places.values():
            missing = COLUMN_MISSING.at(
                "/columns",
                row=first_line - 1,
                field=column.key,
                column=column.ko,
                column_en=column.en,
            )
            sheet.findings.append(missing)
    for place, cell in enumerate(header):
        if place not in places and not is_blank(cell):
            at = f"/columns/{letters(grid.first_column + place + 1)}"
            unknown = COLUMN_UNKNOWN.at(at, row=first_line - 1, header=shown(cell))
            sheet.findings.append(unknown)
    for number, line in enumerate(body, first_line):
        picked = {column: line[place] for place, column in places.items() if place < len(line)}
        if not picked or are_blank(list(picked.values())):
            continue
        if len(sheet.rows) >= max_rows:
            sheet.findings.append(SHEET_TOO_LONG.at("/rows", row=number, limit=max_rows))
            break
        sheet.rows[number] = _row(cells, number, picked, sheet.findings)
    if not sheet.rows:
        sheet.findings.append(SHEET_EMPTY.at("/rows"))
    return sheet


def _row(
    cells: Reader, number: int, picked: Mapping[Column, Cell], findings: list[Finding]
) -> dict[str, Any]:
    """A line as the body of an entry; what cannot be read is left out and found."""
    values: dict[str, Value] = {}
    for column, cell in picked.items():
        names = {"column": column.ko, "column_en": column.en}
        at = f"/rows/{number}/{column.key}"
        if is_blank(cell):
            if column.required:
                findings.append(CELL_REQUIRED.at(at, row=number, field=column.key, **names))
            continue
        value = cells.value(column, cell)
        if isinstance(value, Fault):
            params = {**names, **value.params}
            finding = value.kind.at(
                at, row=number, field=column.key, suggestion=value.suggestion, **params
            )
            findings.append(finding)
        else:
            values[column.key] = value
    return _entry(values)


def _entry(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flat cells as an expense is entered: columns, and the details its rules look at."""
    details = {key: values[key] for key in _DETAILS if key in values}
    if "facts" in details:
        details["facts"] = sorted(details["facts"])
    days = {key: values[key].isoformat() for key in ("start", "end") if key in values}
    if any(key in values for key in _TRIP):
        trip = {**days, "fare_won": values.get("fare_won", 0)}
        if "trip" in values:
            trip["planned"] = values["trip"]
        if "approved_on" in values:
            trip["approved_on"] = values["approved_on"].isoformat()
        details["trip"] = trip
    elif days or "rate" in values or "hours" in values:
        work: dict[str, Any] = days
        if "rate" in values:
            work["rate"] = str(values["rate"])
        if "hours" in values:
            work["units"] = {"hour": values["hours"]}
        details["work"] = work
    goods = {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key in _GOODS
        if (value := values.get(key)) is not None
    }
    if goods:
        details["goods"] = goods
    entry: dict[str, Any] = {key: values.get(key) for key in _PLAIN}
    entry["vat_won"] = values.get("vat_won", 0)
    return {**entry, "details": details}
