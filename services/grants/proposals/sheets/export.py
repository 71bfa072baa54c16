"""The workbook of a proposal's tables. All cells are text or whole numbers: long numbers survive,
and text is never a formula, whatever it looks like."""

import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from xlsxwriter import Workbook

from services.grants.programmes.rules import RuleSet
from services.grants.proposals.sheets.tables import NO, YES, Field, Table, tables, value_at

ROW_HEADER: Final = "항목"
_LISTED: Final = 200  # rows below the data that offer the words of a choice
_MOST_WORDS: Final = 250  # of characters, as spreadsheets allow in a list


def workbook(rules: RuleSet, title: str, document: Mapping[str, Any]) -> bytes:
    """An .xlsx of every table, filled with what the document has so far."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": title})
        plain = {"bold": True, "border": 1, "text_wrap": True}
        head = book.add_format({**plain, "bg_color": "#E8EEF7"})
        strong = {"bg_color": "#1B4F9C", "font_color": "#FFFFFF"}
        required = book.add_format({**plain, **strong})
        text = book.add_format({"num_format": "@"})
        for table in tables(rules):
            sheet = book.add_worksheet(table.sheet)
            sheet.freeze_panes(1, 1 if table.rows else 0)
            first = 1 if table.rows else 0
            if table.rows:
                sheet.set_column(0, 0, 30)
                sheet.write_string(0, 0, ROW_HEADER, required)
            for place, field in enumerate(table.fields, first):
                sheet.set_column(place, place, field.column.width, text)
                style = required if field.column.required else head
                sheet.write_string(0, place, field.column.ko, style)
            line = 0
            for line, (name, row) in enumerate(_rows(table, document), 1):
                if table.rows:
                    sheet.write_string(line, 0, name)
                for place, field in enumerate(table.fields, first):
                    _write(sheet, line, place, _shown(field, value_at(row, field.path)), text)
            for place, field in enumerate(table.fields, first):
                words = _words(field)
                if words and sum(len(word) + 1 for word in words) <= _MOST_WORDS:
                    options = {"validate": "list", "source": words}
                    sheet.data_validation(1, place, line + _LISTED, place, options)
    return file.getvalue()


def _rows(table: Table, document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if table.path[-1] == "other_projects":
        for person in value_at(document, table.path[:-1]) or ():
            for project in person.get("other_projects") or ():
                yield "", {"person": person["ref"], **project}
        return
    value = value_at(document, table.path)
    if table.rows:
        for code, name in table.rows.items():
            yield name, (value or {}).get(code, {})
    else:
        for row in value or ():
            yield "", row


def _write(sheet: Any, line: int, place: int, value: str | int | None, text: Any) -> None:
    if isinstance(value, int):
        sheet.write_number(line, place, value)
    elif value:
        sheet.write_string(line, place, value, text)


def _shown(field: Field, value: Any) -> str | int | None:
    """A value as a person would type it; whole numbers stay numbers as long as they are exact."""
    if value is None:
        return None
    if field.flag:
        return YES if value else NO
    if field.choices is not None:
        return field.choices[value][0] if value in field.choices else str(value)
    if field.months:
        return ", ".join(str(int(month)) for month in value)
    if field.column.type in ("won", "count"):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _words(field: Field) -> list[str]:
    return [YES, NO] if field.flag else [ko for ko, _ in (field.choices or {}).values()]
