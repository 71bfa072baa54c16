"""The written sections of a proposal against the call's form (G-010, G-011).

`sections` holds each part under its code: a text, a record `{column: value}`, a table as a list of
such rows, or `{row: {column: value}}` where the form prints the rows. A draft may leave out
anything; what is there must have the form's shape. JSON Schema (`schema.py`) says the same.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from services.grants.programmes.rules import Column, Part, RuleSet, Text, cited
from services.grants.proposals.errors import (
    CELL_EMPTY,
    DOCUMENT_KEY_UNKNOWN,
    DOCUMENT_VALUE,
    PERSON_NOT_NAMED,
    SECTION_EMPTY,
    TABLE_TOO_LONG,
    YEAR_MISMATCH,
)
from services.grants.proposals.rules.budget import Budget, Totals
from services.grants.proposals.rules.filing import crn_finding
from shared.problems import Finding

MAX_ROWS: Final = 500
MAX_TEXT: Final = 20_000
LENGTHS: Final[Mapping[str, int]] = {"text": 1_000, "long": 10_000, "crn": 20}
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "count": (0, 1_000_000),
    "won": (0, 10**13),
    "year": (1900, 2200),
}
PATTERNS: Final[Mapping[str, str]] = {
    "rate": r"[0-9]{1,3}(\.[0-9])?",
    "day": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "researcher": r"[0-9]{8}",
    "email": r"[!-?A-~]{1,64}@[!-?A-~]{1,190}",
}
MONTHS: Final = range(1, 13)
FUNDS_OF_YEAR: Final = {"grant_won": "grant", "cash_won": "cash", "in_kind_won": "in_kind"}


def shape_findings(rules: RuleSet, sections: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that is not as the form has it, by pointer below `/sections`. A call without a
    form takes what it is given."""
    if not rules.form.sections:
        return
    for code, value in sections.items():
        part = rules.parts.get(code)
        at = f"/{_escape(code)}"
        if part is None:
            yield DOCUMENT_KEY_UNKNOWN.at(at, key=code[:80])
        else:
            yield from _part_shape(part, value, at)


def form_findings(
    rules: RuleSet,
    sections: Mapping[str, Any],
    budget: Budget | None = None,
    totals: Totals | None = None,
) -> Iterator[Finding]:
    """What is missing or contradicts the rest, in sections of the right shape."""
    kind = entry(sections, "project", "kind") or "new"
    paid = _paid_people(rules, budget) if budget else frozenset()
    for part in rules.parts.values():
        if part.only not in (None, kind):
            continue
        value = sections.get(part.code)
        if _blank(value):
            yield cited(SECTION_EMPTY, rules.form.rule, part.citation).at(
                f"/{part.code}", **_names(part.name)
            )
            continue
        if part.kind != "text":
            yield from _cell_findings(rules, part, value)
            yield from _name_findings(rules, part, value, paid)
        if part.years and budget and totals:
            yield from _year_findings(rules, part, value, budget, totals)


def entry(sections: Mapping[str, Any], record: str, column: str) -> Any:
    """What a record says, if it is one: a call without a form takes anything."""
    written = sections.get(record)
    return written.get(column) if isinstance(written, Mapping) else None


def rows_of(part: Part, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of a record or table with their pointers below the part."""
    if part.kind == "record":
        yield "", value or {}
    elif part.rows:
        for row in part.rows:
            yield f"/{row.code}", (value or {}).get(row.code, {})
    else:
        for place, row in enumerate(value or ()):
            yield f"/{place}", row


def year_row(rules: RuleSet, part: Part, budget: Budget) -> str | None:
    """The row of a table of years that is the budget's year."""
    for row, year in zip(part.rows, rules.call.years, strict=False):
        if year == budget.year:
            return row.code
    return None


# Shape -------------------------------------------------------------------------------------------


def _part_shape(part: Part, value: Any, at: str) -> Iterator[Finding]:
    columns = {column.code: column for column in part.entered}
    if part.kind == "text":
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            yield _bad(at, f"text, {MAX_TEXT:,}", value)
    elif part.kind == "record":
        yield from _row_shape(columns, value, at)
    elif part.rows:
        if not isinstance(value, dict):
            yield _bad(at, "object", value)
            return
        known = {row.code for row in part.rows}
        for code, row in value.items():
            if code in known:
                yield from _row_shape(columns, row, f"{at}/{code}")
            else:
                yield DOCUMENT_KEY_UNKNOWN.at(f"{at}/{_escape(code)}", key=code[:80])
    elif not isinstance(value, list):
        yield _bad(at, "list", value)
    elif len(value) > MAX_ROWS:
        yield TABLE_TOO_LONG.at(at, **_names(part.name), limit=MAX_ROWS, given=len(value))
    else:
        for place, row in enumerate(value):
            yield from _row_shape(columns, row, f"{at}/{place}")


def _row_shape(columns: Mapping[str, Column], row: Any, at: str) -> Iterator[Finding]:
    if not isinstance(row, dict):
        yield _bad(at, "object", row)
        return
    for code, value in row.items():
        if code not in columns:
            yield DOCUMENT_KEY_UNKNOWN.at(f"{at}/{_escape(code)}", key=code[:80])
        elif value is not None:
            yield from _value_shape(columns[code], value, f"{at}/{code}")


def _value_shape(column: Column, value: Any, at: str) -> Iterator[Finding]:
    """A cell; null stands for an empty one. Whole numbers may be written 5.0, as JSON allows."""
    match column.type:
        case "text" | "long" | "crn":
            limit = LENGTHS[column.type]
            if not isinstance(value, str) or len(value) > limit:
                yield _bad(at, f"text, {limit:,}", value)
        case "count" | "won" | "year":
            least, most = BOUNDS[column.type]
            if not (_is_whole(value) and least <= value <= most):
                yield _bad(at, f"{least:,} – {most:,}", value)
        case "choice":
            if value not in [option.code for option in column.options]:
                yield _bad_choice(column, value, at)
        case "months":
            if not _are_months(value):
                yield _bad(at, "1 – 12", value)
        case pattern:
            fits = isinstance(value, str) and re.fullmatch(PATTERNS[pattern], value)
            if not fits or (pattern == "day" and not _is_day(value)):
                yield _bad(at, pattern, value)


def _bad_choice(column: Column, value: Any, at: str) -> Finding:
    """An option by its name is what people type; its code is meant."""
    codes = {text: o.code for o in column.options for text in (o.name.ko, o.name.en)}
    meant = codes.get(value) if isinstance(value, str) else None
    return _bad(at, " | ".join(o.code for o in column.options), value, meant)


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _are_months(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(_is_whole(month) and month in MONTHS for month in value)
        and len(set(value)) == len(value)
    )


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _bad(at: str, expected: str, value: Any, suggestion: str | None = None) -> Finding:
    given = value if isinstance(value, str) else type(value).__name__
    return DOCUMENT_VALUE.at(at, expected=expected, given=given[:80], suggestion=suggestion)


# Content -----------------------------------------------------------------------------------------


def _cell_findings(rules: RuleSet, part: Part, value: Any) -> Iterator[Finding]:
    columns = part.entered
    for at, row in rows_of(part, value):
        if part.rows and _blank(row):
            continue
        for column in columns:
            pointer, cell = f"/{part.code}{at}/{column.code}", row.get(column.code)
            if _blank(cell):
                if column.required:
                    yield cited(CELL_EMPTY, rules.form.rule, part.citation).at(
                        pointer,
                        part_ko=part.name.ko,
                        part_en=part.name.en,
                        **_names(column.name),
                    )
            elif column.type == "crn" and (found := crn_finding(str(cell), pointer)):
                yield found


def _name_findings(
    rules: RuleSet, part: Part, value: Any, paid: frozenset[str]
) -> Iterator[Finding]:
    for column in part.entered:
        if column.names_people:
            named = {_squeezed(row.get(column.code)) for _, row in rows_of(part, value)}
            for name in sorted(name for name in paid if _squeezed(name) not in named):
                yield cited(PERSON_NOT_NAMED, rules.form.rule, part.citation).at(
                    f"/{part.code}", name=name, part_ko=part.name.ko, part_en=part.name.en
                )


def _year_findings(
    rules: RuleSet, part: Part, value: Any, budget: Budget, totals: Totals
) -> Iterator[Finding]:
    """The year of the budget, where the table of years states it too."""
    code = year_row(rules, part, budget)
    stated = value.get(code) or {} if code else {}
    year = next((row.name for row in part.rows if row.code == code), part.name)
    for column in part.entered:
        fund = FUNDS_OF_YEAR.get(column.code)
        if fund is None or stated.get(column.code) is None:
            continue
        computed = getattr(totals.whole, fund)
        if stated[column.code] != computed:
            yield cited(YEAR_MISMATCH, rules.form.rule, part.citation).at(
                f"/{part.code}/{code}/{column.code}",
                part_ko=part.name.ko,
                part_en=part.name.en,
                year_ko=year.ko,
                year_en=year.en,
                **_names(column.name),
                stated_won=int(stated[column.code]),
                computed_won=computed,
                suggestion=str(computed),
            )


def _paid_people(rules: RuleSet, budget: Budget) -> frozenset[str]:
    """The names of those paid as internal or external personnel."""
    refs = {
        line.pay.person
        for line in budget.lines
        if line.pay and (item := rules.leaves.get(line.item)) and item.role
    }
    return frozenset(person.name for person in budget.people if person.ref in refs)


def _names(name: Text) -> dict[str, Any]:
    return {"name_ko": name.ko, "name_en": name.en}


def _blank(value: Any) -> bool:
    """Whether nothing is written: no text, no rows, or rows of nothing."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return all(map(_blank, value.values()))
    if isinstance(value, list):
        return all(map(_blank, value))
    return value is None


def _squeezed(name: Any) -> str:
    return "".join(name.split()) if isinstance(name, str) else ""


def _escape(key: str) -> str:
    return key[:80].replace("~", "~0").replace("/", "~1")
