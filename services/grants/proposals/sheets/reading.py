"""A workbook read back into a document: every cell that cannot be used is found by its place.

A sheet replaces its table whole; a table whose sheet is not there stays as it was.
"""

import copy
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from datetime import date
from fractions import Fraction
from itertools import islice
from typing import Any, Final

from services.grants.cells import (
    CELL_CHOICE,
    CELL_REQUIRED,
    CELL_TOO_LONG,
    COLUMN_MISSING,
    COLUMN_UNKNOWN,
)
from services.grants.programmes.rules import RuleSet, decimal_text
from services.grants.proposals.errors import ROW_UNKNOWN, SHEET_ROWS, SHEET_UNKNOWN
from services.grants.proposals.sheets.export import ROW_HEADER
from services.grants.proposals.sheets.tables import Field, Table, tables
from shared.problems import Finding
from shared.sheets.cells import SPACE_LIKE, Cell, Fault, is_blank, plain
from shared.sheets.errors import HeaderMissing
from shared.sheets.typed import folded
from shared.sheets.workbooks import Grid, open_workbook

HEADER_WITHIN: Final = 10


@dataclass(slots=True)
class Read:
    """The document with the workbook's tables in it, the rows of each, and what was found.

    `places` says for each pointer into the document from which sheet and cell it came.
    """

    document: dict[str, Any]
    rows: dict[str, int] = dataclass_field(default_factory=dict)
    findings: list[Finding] = dataclass_field(default_factory=list)
    places: dict[str, tuple[str, str, int]] = dataclass_field(default_factory=dict)

    def placed(self, finding: Finding) -> Finding:
        """The finding with the sheet and the cell of what it is about, where that came from one."""
        pointer = finding.pointer
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        if not pointer:
            return finding
        sheet, cell, row = self.places[pointer]
        return replace(finding, row=row, params={**finding.params, "sheet": sheet, "cell": cell})


def read_workbook(rules: RuleSet, data: bytes, document: Mapping[str, Any]) -> Read:
    """The document as the workbook has it. Raises `FileUnusable` problems, whatever the bytes;
    everything else is a finding."""
    result = Read(copy.deepcopy(dict(document)))
    known = {folded(table.sheet): table for table in tables(rules)}
    order = {table.sheet: place for place, table in enumerate(known.values())}
    grids: list[tuple[Table, Grid]] = []
    for grid in open_workbook(data):
        table = known.get(folded(grid.name))
        if table is None:
            result.findings.append(SHEET_UNKNOWN.at("", sheet=grid.name[:40], cell="A1"))
        else:
            # A person's other projects are read when the people are known.
            grids.append((table, replace(grid, rows=iter(list(islice(grid.rows, 5_000))))))
    if not grids:
        raise HeaderMissing(columns=", ".join(list(order)[:5]))
    for table, grid in sorted(grids, key=lambda pair: order[pair[0].sheet]):
        _read_table(rules, table, grid, result)
    return result


def _read_table(rules: RuleSet, table: Table, grid: Grid, result: Read) -> None:
    lines = list(grid.rows)
    header = max(
        range(min(HEADER_WITHIN, len(lines))),
        key=lambda number: len(_header(table, lines[number])[0]),
        default=None,
    )
    if header is None:
        lines, header = [[]], 0
    places, unknown = _header(table, lines[header])
    for title in unknown:
        found = COLUMN_UNKNOWN.at("", row=header + 1, header=title)
        result.findings.append(_in(found, table, "A", header + 1))
    missing = [f for f in table.fields if f.column.required and f not in places.values()]
    if table.rows and ROW_HEADER not in [plain(cell).strip() for cell in lines[header]]:
        found = COLUMN_MISSING.at("", column=ROW_HEADER, column_en="row")
        result.findings.append(_in(found, table, "A", header + 1))
        return
    for field in missing:
        found = COLUMN_MISSING.at(
            "", field=field.column.key, column=field.column.ko, column_en=field.column.en
        )
        result.findings.append(_in(found, table, "A", header + 1))
    if missing:
        return
    rows = list(_rows(table, grid, lines, header, places, result))
    if len(rows) > table.limit:
        found = SHEET_ROWS.at("", limit=table.limit, given=len(rows))
        result.findings.append(_in(found, table, "A", table.limit + header + 2))
        return
    result.rows[table.sheet] = len(rows)
    _put(rules, table, rows, result)


def _header(table: Table, line: Sequence[Cell]) -> tuple[dict[int, Field], list[str]]:
    """The fields a line names, by place; and its titles that are none."""
    words = {
        folded(word): field
        for field in table.fields
        for word in (field.column.key, field.column.en, field.column.ko)
    }
    places: dict[int, Field] = {}
    unknown = []
    for place, cell in enumerate(line):
        if is_blank(cell) or (table.rows and plain(cell).strip() == ROW_HEADER):
            continue
        field = words.get(folded(plain(cell)))
        if field is None or field in places.values():
            unknown.append(plain(cell)[:40])
        else:
            places[place] = field
    return places, unknown


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a sheet: the printed row's name, its values by field, and where each stood."""

    number: int
    name: str
    values: Mapping[Field, Any]
    cells: Mapping[Field, str]


def _rows(
    table: Table,
    grid: Grid,
    lines: Sequence[Sequence[Cell]],
    header: int,
    places: Mapping[int, Field],
    result: Read,
) -> Iterator[_Row]:
    titles = [plain(cell).strip() for cell in lines[header]]
    names = [titles.index(ROW_HEADER)] if table.rows else []
    for number, line in enumerate(lines[header + 1 :], header + 2):
        if all(map(is_blank, line)):
            continue
        values: dict[Field, Any] = {}
        cells: dict[Field, str] = {}
        for place, field in places.items():
            cell = line[place] if place < len(line) else None
            name = f"{_letters(place + grid.first_column)}{number}"
            value = _value(field, cell)
            cells[field] = name
            if isinstance(value, Fault):
                finding = value.kind.at(
                    "", field=field.column.key, suggestion=value.suggestion, **value.params
                )
                result.findings.append(_in(finding, table, name, number))
            elif value is not None:
                values[field] = value
        title = plain(line[names[0]]).strip() if names and names[0] < len(line) else ""
        yield _Row(number, title, values, cells)


def _value(field: Field, cell: Cell) -> Any:
    """A cell as the document has it; None where it is empty."""
    if is_blank(cell):
        if field.column.required:
            names = {"column": field.column.ko, "column_en": field.column.en}
            return Fault(CELL_REQUIRED, None, names)
        return None
    if field.months:
        return _months(cell)
    if field.lines and isinstance(cell, str):
        return _lines(cell, field.column.limit)
    value = field.reader.value(field.column, cell)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return decimal_text(value, 9)
    return value == "true" if field.flag and isinstance(value, str) else value


def _lines(cell: str, limit: int) -> str | Fault:
    """A text of several lines, as it was broken."""
    typed = unicodedata.normalize("NFC", cell).replace("\r\n", "\n")
    text = "\n".join(SPACE_LIKE.sub(" ", line).rstrip() for line in typed.split("\n")).strip()
    if len(text) > limit:
        return Fault(CELL_TOO_LONG, None, {"limit": limit, "length": len(text)})
    return text


def _months(cell: Cell) -> list[int] | Fault:
    if isinstance(cell, Fault):
        return cell
    parts = [part.strip().removesuffix("월") for part in plain(cell).split(",") if part.strip()]
    if all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        return [int(part) for part in parts]
    return Fault(CELL_CHOICE, None, {"value": plain(cell)[:40], "allowed": "1, 2, …, 12"})


# Into the document -------------------------------------------------------------------------------


def _put(rules: RuleSet, table: Table, rows: Sequence[_Row], result: Read) -> None:
    if table.path[-1] == "other_projects":
        _put_projects(table, rows, result)
        return
    above = result.document
    for step in table.path[:-1]:
        if not isinstance(above.get(step), dict):
            above[step] = _fresh(rules, step)
        above = above[step]
    at = "/" + "/".join(table.path)
    if table.rows is not None:
        above[table.path[-1]] = _printed(table, rows, at, result)
        return
    made = [_made(rules, table, row, f"{at}/{place}", result) for place, row in enumerate(rows)]
    if table.path == ("budget", "people"):
        _keep_projects(above.get("people"), made)
    above[table.path[-1]] = made


def _fresh(rules: RuleSet, step: str) -> dict[str, Any]:
    """A part of the document that was not begun yet, with what it cannot be without."""
    if step == "budget":
        year = rules.call.years[0]
        return {"year": {"start": str(year.start), "end": str(year.end)}, "lines": []}
    return {"schools": []} if step == "applicant" else {}


def _made(rules: RuleSet, table: Table, row: _Row, at: str, result: Read) -> dict[str, Any]:
    made: dict[str, Any] = {}
    result.places[at] = (table.sheet, f"A{row.number}", row.number)
    for field, cell in row.cells.items():
        result.places[f"{at}/{'/'.join(field.path)}"] = (table.sheet, cell, row.number)
    for field, value in row.values.items():
        inner = made
        for step in field.path[:-1]:
            inner = inner.setdefault(step, {})
        inner[field.path[-1]] = value
    if table.path == ("budget", "lines") and "kind" in made:
        made["item"] = rules.item_of[made["kind"]]
    return made


def _printed(table: Table, rows: Sequence[_Row], at: str, result: Read) -> dict[str, Any]:
    assert table.rows is not None
    codes = {folded(name): code for code, name in table.rows.items()}
    made: dict[str, Any] = {}
    for row in rows:
        code = codes.get(folded(row.name))
        if code is None or code in made:
            found = ROW_UNKNOWN.at("", given=row.name[:40])
            result.findings.append(_in(found, table, f"A{row.number}", row.number))
            continue
        made[code] = {field.path[-1]: value for field, value in row.values.items()}
        for field, cell in row.cells.items():
            place = (table.sheet, cell, row.number)
            result.places[f"{at}/{code}/{field.path[-1]}"] = place
    return made


def _keep_projects(before: Any, people: Sequence[dict[str, Any]]) -> None:
    kept = {person["ref"]: person for _place, person in _named(before)}
    for person in people:
        if projects := kept.get(person.get("ref"), {}).get("other_projects"):
            person["other_projects"] = projects


def _named(people: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The people of a draft that have a reference, by place, whatever else stands there."""
    for place, person in enumerate(people if isinstance(people, list) else ()):
        if isinstance(person, dict) and isinstance(person.get("ref"), str):
            yield place, person


def _put_projects(table: Table, rows: Sequence[_Row], result: Read) -> None:
    budget = result.document.get("budget")
    people = budget.get("people") if isinstance(budget, dict) else None
    by_ref = {person["ref"]: (place, person) for place, person in _named(people)}
    for _, person in by_ref.values():
        person.pop("other_projects", None)
    for row in rows:
        values = {field.path[-1]: value for field, value in row.values.items()}
        ref = values.pop("person", None)
        cells = {field.path[-1]: cell for field, cell in row.cells.items()}
        if ref not in by_ref:
            if ref is not None:
                found = ROW_UNKNOWN.at("", field="person", given=str(ref)[:40])
                result.findings.append(_in(found, table, cells["person"], row.number))
            continue
        place, person = by_ref[ref]
        projects = person.setdefault("other_projects", [])
        at = f"/budget/people/{place}/other_projects/{len(projects)}"
        result.places[at] = (table.sheet, f"A{row.number}", row.number)
        for name, cell in cells.items():
            result.places[f"{at}/{name}"] = (table.sheet, cell, row.number)
        projects.append(values)


def _in(finding: Finding, table: Table, cell: str, row: int) -> Finding:
    params = {**finding.params, "sheet": table.sheet, "cell": cell}
    return replace(finding, pointer=f"/{table.sheet}/{cell}", row=row, params=params)


def _letters(column: int) -> str:
    """A column's letters, A for 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
