"""Sheets as people send them: any order, any encoding, anything in the way."""

import io
import unicodedata
from contextlib import suppress
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.applications.columns import COLUMNS, header_key
from services.accrual.applications.rules import check_rows
from services.accrual.applications.workbook import letters, read_pasted, read_sheet
from shared.sheets.delimited import records, safe_field
from shared.sheets.errors import FileUnusable, HeaderMissing
from tests.accrual.applications.sheets import (
    KCCI,
    TODAY,
    codes,
    found,
    lines_of,
    repacked,
    right_row,
    rule_of,
    xlsx,
)

HIRING, PRACTICE = COLUMNS["HIRING"], COLUMNS["PRACTICE"]


def checked(sheet, field="HIRING"):
    return check_rows(rule_of(field), sheet.rows, today=TODAY, absent=sheet.absent)


def delimited(lines, delimiter):
    return "\r\n".join(delimiter.join(cell or "" for cell in line) for line in lines)


@pytest.mark.parametrize("field", list(COLUMNS))
def test_a_workbook_is_read_and_right(field):
    sheet = read_sheet(xlsx(lines_of(field, {}, {"trainee_name": "김길동"})), COLUMNS[field])
    assert (sheet.name, sheet.header_row, sheet.absent) == ("명단", 1, frozenset())
    assert [row.number for row in sheet.rows] == [2, 3]
    assert sheet.findings == ()
    assert "REQUIRED" not in codes(checked(sheet, field))


def test_columns_stand_in_any_order_under_any_accepted_name():
    lines = lines_of("HIRING", {})
    lines[0] = [
        "사업자등록번호 (숫자만입력)",
        "*기업명",
        "협약일",
        "이름",
        "학과",
        "이수 과정",
        "이수기업사업자번호",
        "입사일(YYYYMMDD)",
        "비 고",
    ]
    reversed_lines = [line[::-1] for line in lines]
    sheet = read_sheet(xlsx(reversed_lines), HIRING)
    assert sheet.findings == ()
    assert sheet.places["brn"] == 9
    assert codes(checked(sheet)) == []


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_no_header_means_two_columns(columns):
    headers = [header for column in columns for header in column.headers]
    assert len(headers) == len(set(headers))


def test_headers_are_compared_without_what_people_vary():
    assert header_key("학(부)과") == header_key("학과") == header_key(" * 학 과 (필수)")
    assert header_key(unicodedata.normalize("NFD", "기업명")) == "기업명"


def test_lines_above_the_header_and_columns_before_it_keep_the_numbers_of_the_sheet():
    lines = [["", "", cell] for cell in ("2024년 2학기", None)]
    lines += [["", "", *line] for line in lines_of("HIRING", {}, {"brn": "1"})]
    sheet = read_sheet(xlsx(lines), HIRING)
    assert (sheet.header_row, sheet.places["brn"]) == (3, 3)
    assert [row.number for row in sheet.rows] == [4, 5]
    assert found(checked(sheet)) == [(5, "brn", "BRN_LENGTH")]


def test_blank_lines_and_a_blank_tail_are_passed_over():
    lines = lines_of("HIRING", {})
    blank = [""] * len(HIRING)
    sheet = read_sheet(xlsx([lines[0], blank, lines[1], [" "] * 9, ["\t"], blank]), HIRING)
    assert [row.number for row in sheet.rows] == [3]


def test_missing_doubled_and_unknown_columns_are_found_once():
    lines = lines_of("HIRING", {})
    header = lines[0]
    header[header.index("채용일")] = "혈액형"
    header[header.index("비고")] = "회사명"
    sheet = read_sheet(xlsx(lines), HIRING)
    assert [(f.code, f.field, f.pointer) for f in sheet.findings] == [
        ("COLUMN_UNKNOWN", None, "/columns/H"),
        ("COLUMN_TWICE", "company_name", "/columns/I"),
        ("COLUMN_MISSING", "hire_date", "/columns"),
    ]
    assert [finding.is_error for finding in sheet.findings] == [False, True, True]
    assert sheet.absent == {"hire_date"}
    assert codes(checked(sheet)) == []
    assert checked(sheet).rows == ()


def test_true_numbers_and_dates_of_a_workbook_need_no_correction():
    row = {"brn": 1048203590, "completed_brn": 1048203590.0, "hire_date": date(2024, 7, 1)}
    sheet = read_sheet(xlsx(lines_of("HIRING", row)), HIRING)
    result = checked(sheet)
    assert codes(result) == []
    assert result.rows[0].reference_on == date(2024, 7, 1)
    assert result.rows[0].brn == KCCI


def test_a_serial_day_in_an_unformatted_cell_is_suggested_as_a_date():
    sheet = read_sheet(xlsx(lines_of("HIRING", {"hire_date": 45474})), HIRING)
    (finding,) = checked(sheet).findings
    assert (finding.code, finding.suggestion) == ("DATE_INVALID", "20240701")


def test_an_amount_beyond_exact_numbers_is_found():
    sheet = read_sheet(xlsx(lines_of("PRACTICE", {"allowance_won": 2**53 + 1})), PRACTICE)
    assert codes(checked(sheet, "PRACTICE")) == ["WON_INVALID"]


def test_hangul_decomposed_by_a_mac_and_line_breaks_in_cells_are_mended():
    name = unicodedata.normalize("NFD", "대한상공회의소")
    sheet = read_sheet(xlsx(lines_of("HIRING", {"company_name": f"{name}\n본부"})), HIRING)
    result = checked(sheet)
    assert codes(result) == []
    assert result.rows[0].company_name == "대한상공회의소 본부"


# --- what workbooks hide ----------------------------------------------------------------------


def test_hidden_sheets_are_not_read_and_further_sheets_are_named():
    def more(workbook, _):
        for name, hide in (("지난 학기", True), ("다른 명단", False), ("그림", False)):
            page = workbook.add_worksheet(name)
            for number, line in enumerate(lines_of("HIRING", {}) if name != "그림" else [["x"]]):
                page.write_row(number, 0, line)
            if hide:
                page.hide()

    sheet = read_sheet(xlsx(lines_of("HIRING", {}), more), HIRING)
    assert sheet.name == "명단"
    (finding,) = sheet.findings
    assert finding.message() == "'명단' 시트만 읽었습니다. 읽지 않은 시트: 다른 명단"


def test_only_hidden_sheets_are_no_sheet():
    def hide(workbook, page):
        workbook.add_worksheet("표지").activate()
        page.hide()

    with pytest.raises(HeaderMissing) as refused:
        read_sheet(xlsx(lines_of("HIRING", {}), hide), HIRING)
    assert "이수기업 사업자번호" in refused.value.title()


def test_hidden_rows_are_read_and_pointed_out():
    rows = [{}, {"trainee_name": "김길동"}]
    sheet = read_sheet(
        xlsx(lines_of("HIRING", *rows), lambda _, page: page.set_row(2, None, None, {"hidden": 1})),
        HIRING,
    )
    assert len(sheet.rows) == 2
    assert [(f.row, f.code, f.is_error) for f in sheet.findings] == [(3, "ROW_HIDDEN", False)]


def test_formulas_count_with_the_value_the_spreadsheet_kept():
    def formulas(_, page):
        page.write_formula(1, 0, '=A9&""', None, KCCI)
        page.write_formula(1, 8, '=IF(A9="","",A9)', None, "")

    def as_excel_does(parts):  # which marks an empty text as text
        sheet = "xl/worksheets/sheet1.xml"
        parts[sheet] = parts[sheet].replace(b'<c r="I2">', b'<c r="I2" t="str">')

    data = repacked(xlsx(lines_of("HIRING", {}), formulas), as_excel_does)
    assert codes(checked(read_sheet(data, HIRING))) == []


def test_errors_and_formulas_nobody_calculated_are_not_blanks():
    workbook = openpyxl.Workbook()
    page = workbook.active
    for line in lines_of("PRACTICE", {}, {"trainee_name": "김길동"}):
        page.append(line)
    places = [column.key for column in PRACTICE]
    page.cell(2, places.index("excluded_won") + 1).value = "=1/0"
    page.cell(3, places.index("excluded_won") + 1).value = "#REF!"
    file = io.BytesIO()
    workbook.save(file)
    sheet = read_sheet(file.getvalue(), PRACTICE)
    assert found(checked(sheet, "PRACTICE")) == [
        (2, "excluded_won", "FORMULA_NOT_CALCULATED"),
        (3, "excluded_won", "CELL_ERROR"),
    ]


def test_the_errors_of_a_second_sheet_are_its_own():
    def broken(workbook, _):
        page = workbook.add_worksheet("계산")
        page.write_formula(1, 0, "=1/0", None, "#DIV/0!")

    sheet = read_sheet(xlsx(lines_of("HIRING", {}), broken), HIRING)
    assert codes(checked(sheet)) == []


def test_identifying_cells_merged_over_rows_hold_for_each_and_amounts_for_none():
    rows = [{"trainee_name": name} for name in ("홍길동", "김길동", "정길동", "박길동")]
    lines = lines_of("PRACTICE", *rows)
    places = {column.key: place for place, column in enumerate(PRACTICE)}
    for key in ("brn", "company_name", "allowance_won"):
        for line in lines[2:]:
            line[places[key]] = None

    def merge(_, page):
        for key in ("brn", "company_name", "allowance_won"):
            page.merge_range(1, places[key], 3, places[key], lines[1][places[key]])

    result = checked(read_sheet(xlsx(lines, merge), PRACTICE), "PRACTICE")
    assert found(result) == [
        (3, "allowance_won", "MERGED_AMOUNT"),
        (4, "allowance_won", "MERGED_AMOUNT"),
        *((5, key, "REQUIRED") for key in ("brn", "company_name", "allowance_won")),
    ]
    assert result.assessment.total == 450


def test_merged_cells_do_not_reach_into_blank_lines_or_other_columns():
    lines = lines_of("HIRING", {})

    def merge(_, page):
        page.merge_range(1, 0, 20, 0, KCCI)
        page.merge_range(22, 0, 22, 8, "합계")

    sheet = read_sheet(xlsx(lines, merge), HIRING)
    assert [row.number for row in sheet.rows] == [2, 23]
    assert sheet.rows[1].cells == ("합계", *[""] * 8)


# --- text -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_in_every_encoding_people_save(encoding, delimiter):
    data = delimited(lines_of("HIRING", {"company_name": "똠방각하"}), delimiter).encode(encoding)
    sheet = read_sheet(data, HIRING)
    assert (sheet.findings, codes(checked(sheet))) == ((), [])
    assert sheet.rows[0].cells[1] == "똠방각하"


def test_quoted_cells_keep_their_delimiters_and_line_breaks():
    row = {"company_name": '"한빛\n정밀, ""주식회사"""', "note": '"가, 나"'}
    data = delimited(lines_of("HIRING", row, {"brn": "1"}), ",")
    sheet = read_sheet(data.encode(), HIRING)
    result = checked(sheet)
    assert result.rows[0].company_name == '한빛 정밀, "주식회사"'
    assert found(result) == [(3, "brn", "BRN_LENGTH")]  # line 3 of the sheet, not of the text


def test_a_stray_quote_does_not_swallow_the_rest_of_the_sheet():
    rows = [{"company_name": '"한빛', "trainee_name": f"학생{n}"} for n in range(3)]
    sheet = read_sheet(delimited(lines_of("HIRING", *rows), ",").encode(), HIRING)
    assert [row.cells[1] for row in sheet.rows] == ['"한빛'] * 3


def test_numbers_protected_from_excel_are_unwrapped():
    data = delimited(lines_of("HIRING", {"brn": f'="{KCCI}"'}), ",").encode()
    assert codes(checked(read_sheet(data, HIRING))) == []


def test_short_and_long_lines_are_no_trouble():
    lines = lines_of("HIRING", {"note": "끝", "brn": None}, {})
    text = delimited([lines[0][:-2], lines[1][:4], [*lines[2], "", "남는 칸"]], "\t")
    sheet = read_sheet(text.encode(), HIRING)
    assert sheet.absent == {"hire_date"}
    assert [len(row.cells) for row in sheet.rows] == [9, 9]
    assert sheet.rows[1].cells[-2:] == ("", "")


def test_pasted_cells_need_no_header_and_may_have_one():
    lines = lines_of("HIRING", {}, {"trainee_name": "김길동"})
    for pasted, first in ((lines[1:], 1), (lines, 2)):
        sheet = read_pasted(delimited(pasted, "\t"), HIRING)
        assert [row.number for row in sheet.rows] == [first, first + 1]
        assert codes(checked(sheet)) == []
    assert read_pasted("", HIRING).rows == []


def test_a_sheet_of_another_field_has_no_header_here():
    with pytest.raises(HeaderMissing):
        read_sheet(b"name,age\nx,1", HIRING)
    sheet = read_sheet(xlsx(lines_of("RESEARCH", {})), HIRING)
    assert "COLUMN_MISSING" in codes(sheet)


def test_no_more_rows_are_taken_than_the_check_needs_to_refuse_them():
    rows = [{"trainee_name": f"학생{n}"} for n in range(30)]
    sheet = read_sheet(xlsx(lines_of("HIRING", *rows)), HIRING, max_rows=10)
    assert len(sheet.rows) == 11
    refused = check_rows(rule_of("HIRING"), sheet.rows, today=TODAY, max_rows=10)
    assert codes(refused) == ["TOO_MANY_ROWS"]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=4),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([",", "\t", ";"]),
)
def test_quoted_records_come_back_as_they_were(lines, delimiter):
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in ln) for ln in lines]
    assert list(records("\n".join(quoted), delimiter)) == lines


@settings(deadline=None)
@given(st.text(st.sampled_from(list('",\t\r\n=a')), max_size=60), st.sampled_from([",", "\t"]))
def test_records_never_lose_a_character_that_matters(text, delimiter):
    letters_in = text.count("a")
    assert sum(cell.count("a") for line in records(text, delimiter) for cell in line) == letters_in


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_read_or_refused(data):
    with suppress(FileUnusable):
        read_sheet(data, HIRING)


def test_columns_have_the_letters_of_a_spreadsheet():
    assert [letters(n) for n in (1, 26, 27, 52, 53, 702, 703)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA")
    ]


@pytest.mark.parametrize("text", ["=1+1", "+82", "-1", "@x", "\tx", "\rx"])
def test_an_exported_cell_is_never_a_formula(text):
    assert safe_field(text) == f"'{text}"
    assert safe_field(right_row("HIRING")["brn"]) == KCCI
