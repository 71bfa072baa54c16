"""Templates to fill in, and sheets handed back with their errors marked."""

import io
from unittest.mock import patch

import openpyxl
import pytest

from services.accrual.applications.annotation import annotate
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.rules import check_rows
from services.accrual.applications.template import INPUT_SHEET, template
from services.accrual.applications.workbook import (
    EXAMPLE_SHEET,
    GUIDE_SHEET,
    RESULT_SHEET,
    read_sheet,
)
from tests.accrual.applications.sheets import (
    KCCI,
    TODAY,
    lines_of,
    opened,
    right_row,
    rule_of,
    xlsx,
)

PRACTICE = COLUMNS["PRACTICE"]
RED, YELLOW = "FFF8CBCB", "FFFFF2CC"


def judged(data, field="PRACTICE"):
    sheet = read_sheet(data, COLUMNS[field])
    checked = check_rows(rule_of(field), sheet.rows, today=TODAY, absent=sheet.absent)
    return [*sheet.findings, *checked.findings]


def marked(page, colour):
    return {
        cell.coordinate
        for row in page.iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == colour
    }


def saved(workbook):
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


@pytest.mark.parametrize("field", list(COLUMNS))
def test_a_template_filled_in_as_its_example_is_right(field):
    workbook = opened(template(rule_of(field)))
    assert workbook.sheetnames == [INPUT_SHEET, EXAMPLE_SHEET, GUIDE_SHEET]
    page, example = workbook[INPUT_SHEET], workbook[EXAMPLE_SHEET]
    for cell in example[2]:
        page.cell(2, cell.column).value = cell.value
    data = saved(workbook)
    sheet = read_sheet(data, COLUMNS[field])
    assert (sheet.name, len(sheet.rows)) == (INPUT_SHEET, 1)
    assert [finding.code for finding in judged(data, field)] == []


def test_an_untouched_template_has_no_rows():
    assert [finding.code for finding in judged(template(rule_of("PRACTICE")))] == ["NO_ROWS"]


def test_all_input_cells_are_text_and_words_are_chosen_from_a_list():
    page = opened(template(rule_of("PRACTICE"), max_rows=200))[INPUT_SHEET]
    text = [d for d in page.column_dimensions.values() if d.number_format == "@"]
    assert {n for d in text for n in range(d.min, d.max + 1)} == set(range(1, len(PRACTICE) + 1))
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    assert rules["G2:G201"].type == "list"
    assert rules["G2:G201"].formula1 == '"표준,자율"'
    assert rules["A2:A201"].formula1 == "AND(LEN(A2)=10,ISNUMBER(--A2))"
    assert {cell.value for cell in page[1]} == {column.ko for column in PRACTICE}
    assert all(cell.comment for cell in page[1])


def test_the_guide_tells_the_rule_and_every_column():
    page = opened(template(rule_of("RESEARCH")))[GUIDE_SHEET]
    text = "\n".join(str(cell.value) for row in page.iter_rows() for cell in row if cell.value)
    assert "(입금액 ÷ 100,000,000원)^0.6 × 1,000점. 계약별 누적 금액으로" in text
    assert "계약의 마지막 입금일. 기준일부터 1년 안에" in text
    assert "연구협약서" in text
    for column in COLUMNS["RESEARCH"]:
        assert column.ko in text
        assert column.hint in text


def test_errors_are_marked_in_the_cells_of_the_applicants_own_sheet():
    rows = [
        {"brn": "104-82-03590"},
        {"trainee_name": "김길동", "end_date": "20240229", "company_name": "대한상의"},
    ]
    data = xlsx([["우리 대학"], *lines_of("PRACTICE", *rows)])
    findings = judged(data)
    workbook = opened(annotate(data, PRACTICE, findings))
    page = workbook["명단"]
    assert page["A1"].value == "우리 대학"
    assert marked(page, RED) == {"A3", "J4"}
    assert "'104-82-03590' → '1048203590'" in page["A3"].comment.text
    listed = [[cell.value for cell in row] for row in workbook[RESULT_SHEET].iter_rows(min_row=2)]
    assert len(listed) == len(findings)
    assert listed[0][:3] == [3, "사업자번호", "오류"]
    assert listed[0][4:] == ["104-82-03590", KCCI, "DIGITS_ONLY"]
    assert workbook[RESULT_SHEET]["A2"].hyperlink.location == "'명단'!A3"


def test_warnings_are_yellow_and_an_error_in_the_same_cell_wins():
    rows = [{}, {"trainee_name": "김길동", "company_name": "대한상의"}]
    data = xlsx(lines_of("PRACTICE", *rows))
    findings = judged(data)
    assert [finding.code for finding in findings] == ["COMPANY_NAME_DIFFERS"]
    page = opened(annotate(data, PRACTICE, findings))["명단"]
    assert (marked(page, YELLOW), marked(page, RED)) == ({"B3"}, set())


def test_columns_are_marked_in_the_header():
    lines = lines_of("PRACTICE", {})
    lines[0][-1] = "혈액형"
    data = xlsx(lines)
    page = opened(annotate(data, PRACTICE, judged(data)))["명단"]
    assert marked(page, YELLOW) == {"M1"}


def test_a_corrected_copy_passes_and_loses_its_marks():
    data = xlsx(lines_of("PRACTICE", {"brn": "104-82-03590"}, {"trainee_name": "김길동"}))
    first = opened(annotate(data, PRACTICE, judged(data)))
    first["명단"]["A2"].value = KCCI
    first["명단"]["D2"].comment = openpyxl.comments.Comment("우리 메모", "나")
    corrected = saved(first)
    assert judged(corrected) == []
    second = opened(annotate(corrected, PRACTICE, []))
    assert marked(second["명단"], RED) == set()
    assert second["명단"]["A2"].comment is None
    assert second["명단"]["D2"].comment.text == "우리 메모"
    assert second.sheetnames.count(RESULT_SHEET) == 1


def test_a_remark_of_the_applicant_is_kept_beside_ours():
    def remark(_, page):
        page.write_comment("A2", "확인함")

    data = xlsx(lines_of("PRACTICE", {"brn": "1"}), remark)
    text = opened(annotate(data, PRACTICE, judged(data)))["명단"]["A2"].comment.text
    assert text.startswith("사업자등록번호는 10자리입니다.")
    assert "확인함" in text


def test_merged_cells_are_marked_where_they_begin():
    lines = lines_of("PRACTICE", {"brn": "1"}, {"brn": None, "trainee_name": "김길동"})
    data = xlsx(lines, lambda _, page: page.merge_range(1, 0, 2, 0, "1"))
    findings = judged(data)
    assert [finding.code for finding in findings] == ["BRN_LENGTH", "BRN_LENGTH"]
    page = opened(annotate(data, PRACTICE, findings))["명단"]
    assert marked(page, RED) == {"A2"}


def test_text_comes_back_as_a_workbook_with_the_same_lines():
    lines = lines_of("PRACTICE", {"brn": "1", "company_name": "=1+1", "note": "\x0b메모"})
    data = "\n".join("\t".join(map(str, line)) for line in lines).encode("cp949")
    page = opened(annotate(data, PRACTICE, judged(data)))[INPUT_SHEET]
    assert [cell.value for cell in page[1]] == [column.ko for column in PRACTICE]
    assert (page["B2"].value, page["B2"].data_type) == ("=1+1", "s")
    assert marked(page, RED) == {"A2"}


def test_a_workbook_the_writing_library_cannot_open_comes_back_all_the_same():
    data = xlsx(lines_of("PRACTICE", {"brn": "1"}))
    with patch("openpyxl.load_workbook", side_effect=KeyError("a part it did not expect")):
        annotated = annotate(data, PRACTICE, judged(data))
    page = opened(annotated)["명단"]
    assert page["C2"].value == right_row("PRACTICE")["agreement_date"]
    assert marked(page, RED) == {"A2"}


def test_what_is_written_about_a_cell_is_never_a_formula():
    data = xlsx(lines_of("PRACTICE", {"brn": "=cmd|'/c calc'!A1\x01"}))
    findings = judged(data)
    assert [finding.code for finding in findings] == ["DIGITS_ONLY"]
    workbook = opened(annotate(data, PRACTICE, findings))
    types = {c.data_type for row in workbook[RESULT_SHEET].iter_rows() for c in row if c.value}
    assert types <= {"s", "n"}
