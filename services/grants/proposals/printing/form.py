"""The written parts of the form as blocks: texts, records and tables, with what is computed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.grants.programmes.rules import Column, Part, Period, RuleSet, share_text
from services.grants.proposals.printing.blocks import (
    Block,
    Head,
    Words,
    note,
    pairs,
    paragraph,
    table,
)
from services.grants.proposals.rules import Budget, Totals
from services.grants.proposals.rules.form import FUNDS_OF_YEAR, rows_of, year_row

_WIDTHS = {"long": 3.0, "count": 1.1, "won": 1.4, "rate": 1.0, "year": 1.0, "choice": 1.2}
_NUMBERS = ("count", "won", "rate", "year")


def written(
    part: Part, value: Any, words: Words, year: Period | None, years: Sequence[Period]
) -> Iterator[Block]:
    """A part as it was written. Unwritten ones are printed too: their place is seen to be empty.
    `year` is the budget's, `years` are the programme's."""
    if part.kind == "text":
        yield paragraph(value or "")
    elif part.kind == "record":
        row = value or {}
        yield pairs([(c.name.ko, words.value(c, row.get(c.code))) for c in part.columns])
    else:
        yield _table(part, value, words, year, years if part.years else ())
    if part.note:
        yield note(part.note.ko)


def with_year(
    rules: RuleSet, sections: Mapping[str, Any], budget: Budget | None, totals: Totals | None
) -> dict[str, Any]:
    """The sections with the budget's own year in the tables of years (G-011, VII-1)."""
    filled = dict(sections)
    for code, part in rules.parts.items():
        row = year_row(rules, part, budget) if part.years and budget and totals else None
        if row is not None and totals is not None:
            ours = {key: getattr(totals.whole, fund) for key, fund in FUNDS_OF_YEAR.items()}
            filled[code] = {**(filled.get(code) or {}), row: ours}
    return filled


def computed(column: Column, row: Mapping[str, Any], words: Words) -> str:
    """A sum of other columns, or the percentage one is of another; a dash of nothing (A = 0)."""
    if column.share_of:
        part, whole = (int(row.get(code) or 0) for code in column.share_of)
        return share_text(part, whole)
    numbers = [row.get(code) for code in column.total_of]
    if all(number is None for number in numbers):
        return ""
    return words.value(column, sum(int(number or 0) for number in numbers))


def _table(
    part: Part, value: Any, words: Words, year: Period | None, years: Sequence[Period]
) -> Block:
    body_rows = [(at.strip("/"), row) for at, row in rows_of(part, value)]
    names = {row.code: row.name.ko for row in part.rows}
    for row, period in zip(part.rows, years, strict=False):
        names[row.code] += f" ({_days(period)})"
    first = [Head("구분", width=1.6)] if names else []
    heads = [*first, *(_head(column, year) for column in part.columns)]
    body = [
        [
            *([names[code]] if names else []),
            *(_cell(column, row, words) for column in part.columns),
        ]
        for code, row in body_rows
    ]
    unit = words.unit if any(column.type == "won" for column in part.columns) else ""
    return table(heads, body, _last(part, [row for _, row in body_rows], words), unit)


def _head(column: Column, year: Period | None) -> Head:
    name = column.name.ko
    if column.half and year:
        half = year.halves()[column.half - 1]
        name = f"{name} ({_days(half)})"
    number = column.computed or column.type in _NUMBERS
    return Head(name, "right" if number else "left", _WIDTHS.get(column.type, 2.0))


def _days(period: Period) -> str:
    return f"{period.start:%Y.%m.%d}~{period.end:%Y.%m.%d}"


def _cell(column: Column, row: Mapping[str, Any], words: Words) -> str:
    if column.computed:
        return computed(column, row, words)
    return words.value(column, row.get(column.code))


def _last(part: Part, rows: list[Mapping[str, Any]], words: Words) -> list[str] | None:
    """계: the sums of the columns that have one; what is computed is computed of the sums."""
    if not any(column.summed for column in part.columns):
        return None
    sums = {
        column.code: sum(int(row.get(column.code) or 0) for row in rows)
        for column in part.columns
        if column.summed
    }
    line = ["계"] if part.rows else []
    for column in part.columns:
        if column.computed:
            line.append(computed(column, sums, words))
        else:
            line.append(words.value(column, sums[column.code]) if column.summed else "")
    if not part.rows and not line[0]:
        line[0] = "계"
    return line
