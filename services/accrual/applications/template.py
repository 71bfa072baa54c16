"""The sheet to fill in, one for each field: input, an example, and what to know before starting."""

import io
from collections.abc import Sequence
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from services.accrual.applications.columns import COLUMNS, Column
from services.accrual.applications.rules import ADVISED_ROWS, MAX_ROWS
from services.accrual.applications.workbook import EXAMPLE_SHEET, GUIDE_SHEET
from services.accrual.criteria.rules import FieldRule
from shared.sheets.cells import letters

INPUT_SHEET = "적립신청"

# What Excel checks while typing. Pasted cells escape it; the server checks everything again.
_FORMULAS = {
    "brn": "=AND(LEN({cell})=10,ISNUMBER(--{cell}))",
    "date": "=AND(LEN({cell})=8,ISNUMBER(--{cell}))",
    "year": "=AND(LEN({cell})=4,ISNUMBER(--{cell}))",
    "hours": "=ISNUMBER(--{cell})",
    "won": "=ISNUMBER(--{cell})",
}


def template(rule: FieldRule, *, max_rows: int = MAX_ROWS) -> bytes:
    """An .xlsx of three sheets. All input cells are text: numbers and YYYYMMDD stay as typed."""
    columns = COLUMNS[rule.code]
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": f"마일리지 적립신청 - {rule.ko}"})
        sheet = workbook.add_worksheet(INPUT_SHEET)
        _write_header(workbook, sheet, columns)
        for position, column in enumerate(columns):
            _validate(sheet, position, column, max_rows)
        sheet.activate()
        example = workbook.add_worksheet(EXAMPLE_SHEET)
        _write_header(workbook, example, columns)
        for position, column in enumerate(columns):
            example.write_string(1, position, column.example)
        _write_guide(workbook, rule, max_rows)
    return file.getvalue()


def _write_header(workbook: Workbook, sheet: Worksheet, columns: Sequence[Column]) -> None:
    frame = {"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
    required = workbook.add_format({**frame, "bg_color": "#1B4F9C", "font_color": "#FFFFFF"})
    optional = workbook.add_format({**frame, "bg_color": "#E8EEF7"})
    text = workbook.add_format({"num_format": "@"})
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width, text)
        sheet.write_string(0, position, column.ko, required if column.required else optional)
        sheet.write_comment(0, position, column.hint, {"font_size": 9, "x_scale": 1.6})
    sheet.set_row(0, 30)
    sheet.freeze_panes(1, 0)


def _validate(sheet: Worksheet, position: int, column: Column, max_rows: int) -> None:
    options: dict[str, Any] = {"error_title": column.ko, "error_message": column.hint}
    if column.choices:
        options |= {"validate": "list", "source": [choice.ko for choice in column.choices]}
    elif column.type in _FORMULAS:
        cell = f"{letters(position + 1)}2"
        options |= {"validate": "custom", "value": _FORMULAS[column.type].format(cell=cell)}
    else:
        return
    sheet.data_validation(1, position, max_rows, position, options)


def _write_guide(workbook: Workbook, rule: FieldRule, max_rows: int) -> None:
    columns = COLUMNS[rule.code]
    sheet = workbook.add_worksheet(GUIDE_SHEET)
    title = workbook.add_format({"bold": True, "font_size": 14})
    strong = workbook.add_format({"bold": True, "valign": "top", "bg_color": "#E8EEF7"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 8)
    sheet.set_column(2, 2, 90)
    sheet.write_string(0, 0, f"{rule.ko} 적립신청 작성 안내", title)
    line = 2
    for name, text in _guide(rule, columns, max_rows).items():
        sheet.write_string(line, 0, name, strong)
        sheet.write_string(line, 2, text, wrapped)
        line += 1
    line += 1
    for position, name in enumerate(("열 이름", "필수", "입력 방법")):
        sheet.write_string(line, position, name, strong)
    for column in columns:
        line += 1
        words = ", ".join(choice.ko for choice in column.choices)
        hint = f"{column.hint} 입력할 수 있는 값: {words}" if words else column.hint
        sheet.write_string(line, 0, column.ko)
        sheet.write_string(line, 1, "필수" if column.required else "")
        sheet.write_string(line, 2, hint, wrapped)


def _guide(rule: FieldRule, columns: Sequence[Column], max_rows: int) -> dict[str, str]:
    names = {column.key: column.ko for column in columns}
    amount = names[rule.amount].removesuffix("(원)") if rule.amount else "채용 인원"
    formula, _ = rule.formula.describe(amount, amount)
    summed = "기업별로 합하여" if rule.basis == "company" else "계약별 누적 금액으로"
    reference = f"{'계약의 마지막 ' if rule.paid_in_full else ''}{names[rule.reference]}"
    since = f"{rule.accrues_from:%Y. %m. %d.}"
    evidence = ", ".join(required.ko for required in rule.evidence)
    return {
        "적립 기준": f"{formula}. {summed} 계산하고 소수점 이하는 버립니다({rule.version}년 기준).",
        "기준일": f"{reference}. 기준일부터 {rule.window_years}년 안에 신청합니다.",
        "대상 기간": f"{since} 이후의 활동만 적립됩니다.",
        "필수 증빙": f"{evidence}.",
        "입력하는 곳": f"'{INPUT_SHEET}' 시트의 2행부터 입력합니다. 제목 행은 그대로 둡니다.",
        "숫자와 날짜": "특수기호와 공백 없이 숫자만 입력합니다. 날짜는 YYYYMMDD입니다.",
        "행 수": f"{ADVISED_ROWS:,}건 이하를 권장하며 {max_rows:,}건까지 등록할 수 있습니다.",
    }
