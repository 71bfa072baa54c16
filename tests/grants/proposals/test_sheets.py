"""A proposal's tables as a workbook: out, edited, back; every cell that cannot be used is named."""

import copy
import io
from functools import cache
from typing import Any

import openpyxl
import pytest

from services.grants.proposals.document import check, shaped
from services.grants.proposals.sheets.export import workbook
from services.grants.proposals.sheets.reading import Read, read_workbook
from services.grants.proposals.sheets.tables import tables
from shared.sheets.errors import FileUnusable, HeaderMissing
from tests.grants.calls import harbour, keco
from tests.grants.proposals.filled import whole

WHOLE = whole(keco())
WHOLE["sections"]["workforce"][0]["supply"] = "첫째 줄\n\n둘째 줄"
WHOLE["budget"]["people"][0]["other_projects"] = [
    {"name": "미생물 과제", "start": "2020-03-01", "months": 6, "rate": "20.5"}
]


EXPORTED = cache(lambda: workbook(keco(), "바이오가스", WHOLE))


def opened() -> Any:
    return openpyxl.load_workbook(io.BytesIO(EXPORTED()))


def back(book: Any, document: dict[str, Any] | None = None) -> Read:
    file = io.BytesIO()
    book.save(file)
    return read_workbook(keco(), file.getvalue(), WHOLE if document is None else document)


def compact(value: Any) -> Any:
    """Without what says nothing: null and what was left out are the same."""
    if isinstance(value, dict):
        return {key: compact(each) for key, each in value.items() if each is not None}
    return [compact(each) for each in value] if isinstance(value, list) else value


def column(sheet: Any, title: str) -> int:
    return next(cell.column for cell in sheet[1] if cell.value == title)


def test_out_and_back_is_the_same_document() -> None:
    read = back(opened())
    assert read.findings == []
    assert compact(read.document) == compact(WHOLE)
    assert read.rows["사업비"] == len(WHOLE["budget"]["lines"])
    again = back(opened(), {})  # into an empty draft: whatever is no table stays unwritten
    assert again.findings == []
    for table in tables(keco()):
        if table.path[0] == "sections":
            at = table.path[1]
            assert compact(again.document["sections"][at]) == compact(WHOLE["sections"][at])
    assert compact(again.document["budget"]) == compact(WHOLE["budget"])
    assert not shaped(keco(), again.document)[1]


@pytest.mark.parametrize(
    "budget", [[1], {"people": 5}, {"people": [1, {"ref": ["a"]}, {"ref": {}}, {"name": "홍길동"}]}]
)
def test_a_draft_of_no_shape_is_no_reason_to_fail(budget: Any) -> None:
    assert back(opened(), {"budget": budget}).document["budget"]["people"]
    book = opened()
    for sheet in book.sheetnames:
        if sheet != "다른 과제":
            del book[sheet]
    assert {found.code for found in back(book, {"budget": budget}).findings} == {"ROW_UNKNOWN"}


def test_every_table_of_the_form_has_a_sheet_with_a_name_spreadsheets_take() -> None:
    for rules in (keco(), harbour()):
        names = [table.sheet for table in tables(rules)]
        assert len({name.casefold() for name in names}) == len(names)
        assert all(0 < len(name) <= 31 for name in names)
    parts = {table.path[1] for table in tables(keco()) if table.path[0] == "sections"}
    assert parts == {code for code, part in keco().parts.items() if part.kind == "table"}


def test_an_edited_cell_changes_that_value_and_nothing_else() -> None:
    book = opened()
    sheet = book["사업비"]
    sheet.cell(6, column(sheet, "금액(원)")).value = 99_000_000
    del book["참여인력"]
    read = back(book)
    expected = copy.deepcopy(WHOLE)
    expected["budget"]["lines"][4]["amount_won"] = 99_000_000
    assert compact(read.document) == compact(expected)  # the people stay as they were


def test_people_read_again_keep_their_other_projects_unless_those_come_too() -> None:
    book = opened()
    del book["다른 과제"]
    assert compact(back(book).document) == compact(WHOLE)
    book = opened()
    book["다른 과제"].delete_rows(2)
    assert "other_projects" not in back(book).document["budget"]["people"][0]


@pytest.mark.parametrize(
    ("sheet", "title", "value", "code", "suggestion"),
    [
        ("사업비", "금액(원)", "1,500,000원", "CELL_NUMBER", "1500000"),
        ("사업비", "세부 비목", "로켓", "CELL_CHOICE", None),
        ("사업비", "재원", None, "CELL_REQUIRED", None),
        ("사업비", "참여 시작일", "2020.3.1", "CELL_DATE", "2020-03-01"),
        ("사업비", "월 단가(원)", "많이", "DOCUMENT_VALUE", None),
        ("참여인력", "역할", "친구", "CELL_CHOICE", None),
        ("다른 과제", "참여인력", "nobody", "ROW_UNKNOWN", None),
        ("참여기관", "법인등록번호", "1" * 21, "CELL_TOO_LONG", None),
        ("3. 당해연도 성과지표", "상반기", "-5", "CELL_NUMBER", None),
        ("3. 당해연도 성과지표", "항목", "요트(척)", "ROW_UNKNOWN", None),
        ("3. 연차별 추진 일정", "추진 일정(월)", "13", "DOCUMENT_VALUE", None),
        ("(2) 참여인력", "과학기술인번호", "123", "DOCUMENT_VALUE", None),
    ],
)
def test_a_cell_that_cannot_be_used_is_named_by_sheet_and_cell(
    sheet: str, title: str, value: Any, code: str, suggestion: str | None
) -> None:
    book = opened()
    place = book[sheet].cell(2, column(book[sheet], title))
    place.value = value
    read = back(book)
    shape = [read.placed(found) for found in shaped(keco(), read.document)[1]]
    found = [finding for finding in (*read.findings, *shape) if finding.code == code]
    assert [(f.params["sheet"], f.params["cell"]) for f in found] == [(sheet, place.coordinate)]
    assert (found[0].row, found[0].suggestion) == (2, suggestion)
    assert found[0].message("ko")
    assert found[0].message("en")


def test_all_faults_are_found_at_once() -> None:
    book = opened()
    for row in (2, 3, 4):
        book["사업비"].cell(row, column(book["사업비"], "금액(원)")).value = "x"
        book["참여인력"].cell(2, row).value = None
    book.create_sheet("메모")
    codes = [finding.code for finding in back(book).findings]
    assert codes.count("CELL_NUMBER") == 3
    assert codes.count("CELL_REQUIRED") == 2  # name and role; a number may be missing
    assert codes.count("SHEET_UNKNOWN") == 1


def test_what_a_rule_says_is_told_by_the_cell_too() -> None:
    book = opened()
    sheet = book["사업비"]
    place = sheet.cell(2, column(sheet, "참여율(%)"))
    place.value = "33.33"
    read = back(book)
    found = [read.placed(f) for f in check(keco(), read.document).findings]
    (rate,) = [f for f in found if f.code == "RATE_DECIMAL"]
    assert (rate.params["sheet"], rate.params["cell"]) == ("사업비", place.coordinate)


def test_a_lost_column_and_a_lost_row_header_are_told() -> None:
    book = opened()
    book["사업비"].cell(1, column(book["사업비"], "재원")).value = "출처"
    book["3. 당해연도 성과지표"].cell(1, 1).value = "지표"
    found = {(f.code, f.params["sheet"]) for f in back(book).findings}
    assert ("COLUMN_MISSING", "사업비") in found
    assert ("COLUMN_UNKNOWN", "사업비") in found
    assert ("COLUMN_MISSING", "3. 당해연도 성과지표") in found


def test_text_that_looks_like_a_formula_stays_text() -> None:
    document = copy.deepcopy(WHOLE)
    document["sections"]["textbooks"][0]["title"] = '=HYPERLINK("http://evil.example")'
    book = openpyxl.load_workbook(io.BytesIO(workbook(keco(), "바이오가스", document)))
    sheet = book["나. 교재 발간 계획"]
    cell = sheet.cell(2, column(sheet, "교재명"))
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://evil.example")')


def test_no_file_and_a_foreign_workbook_are_refused() -> None:
    with pytest.raises(FileUnusable):
        read_workbook(keco(), b"PK\x03\x04 not a zip", {})
    with pytest.raises(HeaderMissing):
        back(openpyxl.Workbook())


def test_another_call_has_its_own_sheets() -> None:
    names = [table.sheet for table in tables(harbour())]
    assert names[:2] == ["사업비", "참여인력"]
    book = openpyxl.load_workbook(io.BytesIO(workbook(harbour(), "항만", {})))
    assert book.sheetnames == names == [*names[:5], "기항지"]
