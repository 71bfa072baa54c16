"""The rows under check, the cells of them as values, and what a check finds about them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from services.accrual import errors
from services.accrual.applications import cells
from services.accrual.applications.cells import Value
from services.accrual.applications.claims import contract_of
from services.accrual.applications.columns import COLUMNS, Column
from services.accrual.applications.rows import RawRow
from services.accrual.criteria.rules import FieldRule, Posted
from shared.problems import Finding, FindingKind
from shared.sheets.cells import Cell, Fault, is_blank
from shared.sheets.typed import shown

_PLACES = {
    code: {column.key: (place, column) for place, column in enumerate(columns)}
    for code, columns in COLUMNS.items()
}


@dataclass(slots=True)
class Entry:
    """A row under check: its number and cells, the values read of them, and what they come to.

    `values` holds neither blanks nor faults. `deposited` is all money of the row and `excluded`
    what of it earns nothing, in won.
    """

    number: int
    cells: Sequence[Cell]
    values: dict[str, Any]
    deposited: int = 0
    excluded: int = 0
    contract: str | None = None
    reference_on: date | None = None
    key: bytes = b""
    valid: bool = True


@dataclass(slots=True)
class Check:
    """One run over one sheet: what it goes by, and what it has found."""

    rule: FieldRule
    today: date
    posted: Mapping[tuple[str, str], Posted]
    evidence: Collection[str] | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def columns(self) -> Sequence[Column]:
        return COLUMNS[self.rule.code]

    def has(self, key: str) -> bool:
        return key in _PLACES[self.rule.code]

    def add(
        self,
        entry: Entry,
        key: str,
        kind: FindingKind,
        *,
        suggestion: str | None = None,
        **params: Any,
    ) -> None:
        """A finding about a cell, with the column's name and what stands there."""
        place, column = _PLACES[self.rule.code][key]
        params = {"column": column.ko, "column_en": column.en} | params
        if not is_blank(cell := entry.cells[place]):
            params.setdefault("value", shown(cell))
        self.findings.append(
            kind.at(
                f"/rows/{entry.number}/{key}",
                row=entry.number,
                field=key,
                suggestion=suggestion,
                **params,
            )
        )
        if kind.level == "error":
            entry.valid = False


def read_entries(check: Check, rows: Sequence[RawRow], absent: Collection[str]) -> list[Entry]:
    """The cells as values, column by column, then put together again as rows."""
    rule = check.rule
    columns: list[Column] = []
    parsed_columns: list[Sequence[Value | Fault]] = []
    doubtful: list[tuple[int, Column]] = []
    sheet_columns = zip(*(row.cells for row in rows), strict=True)
    for column, sheet_column in zip(check.columns, sheet_columns, strict=True):
        parsed, distinct = _parsed(column, check.today, sheet_column)
        if not column.required and all(value == "" for value in distinct):
            continue  # nothing is to be said of an optional column that nobody filled in
        if any(value == "" or value.__class__ is Fault for value in distinct):
            doubtful.append((len(columns), column))
        columns.append(column)
        parsed_columns.append(parsed)
    keys = [column.key for column in columns]
    entries = []
    for row, parsed in zip(rows, zip(*parsed_columns, strict=True), strict=True):
        entry = Entry(row.number, row.cells, dict(zip(keys, parsed, strict=True)))
        for index, column in doubtful:
            _settle(check, entry, column, parsed[index], absent)
        entry.reference_on = entry.values.get(rule.reference)
        if rule.basis == "contract":
            entry.contract = contract_of(rule, entry.values)
        entries.append(entry)
    return entries


def _parsed(
    column: Column, today: date, sheet_column: Sequence[Cell]
) -> tuple[Sequence[Value | Fault], Collection[Value | Fault]]:
    """A column's cells as values, and the distinct ones: sheets repeat themselves.

    Every distinct cell is parsed once, and text that is clean as a whole not at all.
    """
    parse = column.parser(today)
    kinds = set(map(type, sheet_column))
    if bool in kinds or Fault in kinds:  # True equals 1; a fault has no hash
        values = ["" if is_blank(cell) else parse(cell) for cell in sheet_column]
        return values, values
    distinct = set(sheet_column)
    if kinds == {str} and column.type == "text":
        texts = [str(cell) for cell in distinct]
        if cells.are_clean(texts, column.limit):
            return cast("Sequence[str]", sheet_column), texts
    known = {cell: "" if is_blank(cell) else parse(cell) for cell in distinct}
    return [known[cell] for cell in sheet_column], known.values()


def _settle(
    check: Check, entry: Entry, column: Column, value: Value | Fault, absent: Collection[str]
) -> None:
    """Keep blanks and faults out of an entry's values, with a finding where one is due."""
    if isinstance(value, Fault):
        check.add(entry, column.key, value.kind, suggestion=value.suggestion, **value.params)
    elif value != "":
        return
    elif column.required:
        entry.valid = False
        if column.key not in absent:
            check.add(entry, column.key, errors.REQUIRED)
    del entry.values[column.key]
