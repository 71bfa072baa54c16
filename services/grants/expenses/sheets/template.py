"""The sheet of expenses to fill in: input, an example, and what to know, in the words of a call."""

import io
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from services.grants.expenses.sheets.columns import COLUMNS
from services.grants.expenses.sheets.rows import (
    EXAMPLE_SHEET,
    GUIDE_SHEET,
    INPUT_SHEET,
    MAX_ROWS,
    PAYEES,
)
from services.grants.programmes.rules import FUND_NAMES, RuleSet

_GUIDE = (
    ("입력하는 곳", f"'{INPUT_SHEET}' 시트의 2행부터 입력합니다. 제목 행은 그대로 둡니다."),
    ("행 수", f"한 번에 {MAX_ROWS:,}행까지 등록할 수 있습니다."),
    ("숫자", "숫자만 입력합니다. 셀은 텍스트 형식이라 긴 번호도 그대로 남습니다."),
    ("날짜", "YYYY-MM-DD로 입력합니다."),
    (
        "오류",
        "한 칸이라도 오류가 있으면 아무 행도 등록되지 않습니다. 오류는 칸마다 알려 줍니다.",
    ),
    ("증빙", "등록한 뒤 집행마다 증빙을 첨부합니다."),
)


def template(rules: RuleSet) -> bytes:
    """An .xlsx of three sheets. All input cells are text: numbers stay as they were typed."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": f"집행내역 - {rules.name.ko}"})
        sheet = workbook.add_worksheet(INPUT_SHEET)
        _write_header(workbook, sheet)
        for place, column in enumerate(COLUMNS):
            words = _short_list(column.key)
            if words:
                options: dict[str, Any] = {"validate": "list", "source": words}
                sheet.data_validation(1, place, MAX_ROWS, place, options)
        sheet.activate()
        example = workbook.add_worksheet(EXAMPLE_SHEET)
        _write_header(workbook, example)
        for place, column in enumerate(COLUMNS):
            example.write_string(1, place, column.example)
        _write_guide(workbook, rules)
    return file.getvalue()


def _write_header(workbook: Workbook, sheet: Worksheet) -> None:
    frame = {"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
    required = workbook.add_format({**frame, "bg_color": "#1B4F9C", "font_color": "#FFFFFF"})
    optional = workbook.add_format({**frame, "bg_color": "#E8EEF7"})
    text = workbook.add_format({"num_format": "@"})
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, column.width, text)
        sheet.write_string(0, place, column.ko, required if column.required else optional)
        if column.hint:
            sheet.write_comment(0, place, column.hint, {"font_size": 9})
    sheet.set_row(0, 30)
    sheet.freeze_panes(1, 0)


def _write_guide(workbook: Workbook, rules: RuleSet) -> None:
    sheet = workbook.add_worksheet(GUIDE_SHEET)
    strong = workbook.add_format({"bold": True, "valign": "top", "bg_color": "#E8EEF7"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 8)
    sheet.set_column(2, 2, 90)
    line = 0
    for name, text in _GUIDE:
        sheet.write_string(line, 0, name, strong)
        sheet.write_string(line, 2, text, wrapped)
        line += 1
    lists = {
        "kind": ", ".join(kind.name.ko for kind in rules.kinds.values()),
        "facts": ", ".join(name.ko for name in rules.fact_names.values()),
    }
    for column in COLUMNS:
        line += 1
        sheet.write_string(line, 0, column.ko, strong)
        sheet.write_string(line, 1, "필수" if column.required else "")
        more = lists.get(column.key, "")
        hint = f"{column.hint} 입력할 수 있는 값: {more}" if more else column.hint
        sheet.write_string(line, 2, hint, wrapped)


def _short_list(key: str) -> list[str]:
    """The words of a list a spreadsheet can hold; the uses of money are too many for one."""
    lists = {
        "fund": [name.ko for name in FUND_NAMES.values()],
        "payee": [ko for ko, _ in PAYEES.values()],
    }
    return lists.get(key, [])
