"""Expenses in bulk: every fault by its cell, nothing half saved, the preview what is entered."""

import io
from datetime import datetime

import openpyxl
import pytest

from services.grants.expenses.sheets.columns import COLUMNS
from services.grants.expenses.sheets.rows import EXAMPLE_SHEET, INPUT_SHEET, read_sheet
from services.grants.expenses.sheets.template import template
from shared.sheets.errors import FileUnusable, HeaderMissing
from tests.grants.api.conftest import API
from tests.grants.calls import keco

HEADER = [column.ko for column in COLUMNS]
ROW = {
    "비목": "회의비",
    "재원": "정부지원금",
    "금액(원)": "250000",
    "내용": "교육위원회",
    "거래처": "가람식당",
    "지급일": "2020-06-10",
}


def sheet(*rows: dict, header: list[str] | None = None) -> bytes:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    names = header or HEADER
    page.append(names)
    for row in rows:
        page.append([row.get(name) for name in names])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def send(client, agreement, headers, data: bytes, *, preview: bool = False, key: str = "i1"):
    url = f"{API}/agreements/{agreement['id']}/expenses/import{'/preview' if preview else ''}"
    upload = {"file": ("집행.xlsx", data, "application/octet-stream")}
    return await client.post(url, files=upload, headers=headers | {"Idempotency-Key": key})


async def count(client, agreement, headers) -> int:
    url = f"{API}/agreements/{agreement['id']}/expenses"
    return (await client.get(url, headers=headers)).json()["total"]


def test_the_template_reads_as_text_cells_with_an_example_in_order() -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(keco())))
    assert book.sheetnames == [INPUT_SHEET, EXAMPLE_SHEET, "작성 안내"]
    page = book[INPUT_SHEET]
    assert [cell.value for cell in page[1]] == HEADER
    assert page.column_dimensions["C"].width
    example = book[EXAMPLE_SHEET]
    filled = {column.key: example.cell(2, n).value for n, column in enumerate(COLUMNS, 1)}
    assert filled["kind"] == "회의비"
    row = dict(zip(HEADER, (cell.value for cell in example[2]), strict=True))
    assert read_sheet(keco(), sheet(row)).findings == []


@pytest.mark.parametrize(
    ("cells", "field", "code", "suggestion"),
    [
        ({"비목": "회식비"}, "kind", "CELL_CHOICE", None),
        ({"재원": "현금"}, "fund", "CELL_CHOICE", None),
        ({"금액(원)": ""}, "amount_won", "CELL_REQUIRED", None),
        ({"금액(원)": "1,500,000원"}, "amount_won", "CELL_NUMBER", "1500000"),
        ({"금액(원)": "0"}, "amount_won", "CELL_RANGE", None),
        ({"금액(원)": 10.5}, "amount_won", "CELL_NUMBER", None),
        ({"금액(원)": "9" * 30}, "amount_won", "CELL_NUMBER", None),
        ({"지급일": "2020.6.1"}, "paid_on", "CELL_DATE", "2020-06-01"),
        ({"지급일": "2020-02-30"}, "paid_on", "CELL_DATE", None),
        ({"내용": "가" * 501}, "purpose", "CELL_TOO_LONG", None),
        ({"사업자번호": "123"}, "payee_brn", "CELL_BRN", None),
        ({"사업자번호": "9998100016"}, "payee_brn", "CELL_BRN", None),
        ({"참여율(%)": "서른"}, "rate", "CELL_NUMBER", None),
        ({"참여율(%)": 0.333}, "rate", "CELL_PERCENT", "33.3"),  # 33.3 % in a percent cell
        ({"참여율(%)": 1}, "rate", "CELL_PERCENT", "100"),
        ({"확인사항": "무관함"}, "facts", "CELL_CHOICE", None),
        ({"인원": "0"}, "heads", "CELL_RANGE", None),
    ],
)
def test_a_cell_nobody_can_use_is_named_with_what_was_meant(
    cells: dict, field: str, code: str, suggestion: str | None
) -> None:
    (found,) = read_sheet(keco(), sheet(ROW, ROW | cells)).findings
    assert (found.row, found.field, found.code, found.suggestion) == (3, field, code, suggestion)
    assert found.message("ko")
    assert found.message("en")


def test_cells_are_normalised_where_the_meaning_is_certain() -> None:
    typed = ROW | {
        "비목": " 회의비 ",
        "재원": "grant",
        "금액(원)": 250000.0,
        "지급일": datetime(2020, 6, 10, 9, 30),  # noqa: DTZ001  # a workbook knows no zones
        "내용": "교육\n위원회",
        "시작일": "20200601",
        "종료일": "2020-06-30",
        "참여율(%)": "33.3",
        "확인사항": "실비정산, bundle",
    }
    read = read_sheet(keco(), sheet(typed))
    assert read.findings == []
    (entry,) = read.rows.values()
    assert (entry["kind"], entry["fund"], entry["amount_won"]) == ("meeting", "grant", 250_000)
    assert (entry["purpose"], entry["paid_on"].isoformat()) == ("교육 위원회", "2020-06-10")
    assert entry["details"]["facts"] == ["actual_cost", "bundle"]
    assert entry["details"]["work"]["rate"] == "333/10"


@pytest.mark.parametrize(
    ("cell", "rate"), [("0.5", "1/2"), ("1%", "1"), (33.3, "333/10"), (100, "100"), (0, "0")]
)
def test_a_rate_that_cannot_be_a_hundredth_is_taken_as_it_stands(cell: object, rate: str) -> None:
    row = ROW | {"참여율(%)": cell, "시작일": "20200601", "종료일": "20200630"}
    read = read_sheet(keco(), sheet(row))
    assert (read.findings, read.rows[2]["details"]["work"]["rate"]) == ([], rate)


def test_a_fare_makes_a_journey_and_an_asset_makes_goods() -> None:
    row = ROW | {"비목": "국내여비", "운임(원)": "59800", "시작일": "2020-05-20"}
    row |= {"종료일": "2020-05-21", "장비·시설": "gc", "입고일": "2020-05-01"}
    (entry,) = read_sheet(keco(), sheet(row)).rows.values()
    trip = {"start": "2020-05-20", "end": "2020-05-21", "fare_won": 59_800}
    assert entry["details"] == {"trip": trip, "goods": {"asset": "gc", "arrived_on": "2020-05-01"}}


def test_missing_columns_empty_sheets_and_long_ones_are_told() -> None:
    without = [name for name in HEADER if name != "재원"]
    found = read_sheet(keco(), sheet(ROW, header=[*without, "메모"])).findings
    assert {(f.code, f.field) for f in found} == {
        ("COLUMN_MISSING", "fund"),
        ("COLUMN_UNKNOWN", None),
    }
    assert [f.code for f in read_sheet(keco(), sheet()).findings] == ["SHEET_EMPTY"]
    assert [f.code for f in read_sheet(keco(), sheet(ROW, ROW), max_rows=1).findings] == [
        "SHEET_TOO_LONG"
    ]
    with pytest.raises(HeaderMissing):
        read_sheet(keco(), sheet(header=["이름", "나이", "주소"]))
    with pytest.raises(FileUnusable):
        read_sheet(keco(), b"PK\x03\x04 and nothing behind it")


def test_comma_separated_text_is_read_too() -> None:
    text = ",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n\n"
    read = read_sheet(keco(), text.encode("cp949"))
    assert (read.findings, [entry["amount_won"] for entry in read.rows.values()]) == ([], [250_000])


async def test_the_preview_is_what_the_import_answers_and_a_second_tap_enters_once(
    client, agreement, applicant
):
    data = sheet(ROW, ROW | {"비목": "인쇄·복사·인화", "금액(원)": "40000"})
    seen = await send(client, agreement, applicant, data, preview=True)
    assert seen.status_code == 200, seen.text
    assert await count(client, agreement, applicant) == 0
    made = await send(client, agreement, applicant, data)
    assert made.status_code == 201, made.text
    assert made.json() == seen.json()
    assert (made.json()["first"], made.json()["last"]) == (1, 2)
    assert made.json()["won"] == {"grant": 290_000, "cash": 0, "in_kind": 0}
    again = await send(client, agreement, applicant, data)
    assert again.headers.get("Idempotency-Replayed") == "true"
    assert await count(client, agreement, applicant) == 2
    remarks = {(f["row"], f["code"]) for f in made.json()["findings"]}
    assert (2, "EVIDENCE_TO_PROVIDE") in remarks


async def test_one_faulty_cell_refuses_the_sheet_and_saves_nothing(client, agreement, applicant):
    faulty = sheet(ROW, ROW | {"금액(원)": "일만원"}, ROW | {"비목": "없는 것", "부가세(원)": "9"})
    for preview in (True, False):
        answer = await send(client, agreement, applicant, faulty, preview=preview)
        assert (answer.status_code, answer.json()["code"]) == (422, "SHEET_INVALID")
        errors = {(e["row"], e["field"], e["code"]) for e in answer.json()["errors"]}
        assert errors == {(3, "amount_won", "CELL_NUMBER"), (4, "kind", "CELL_CHOICE")}
    assert await count(client, agreement, applicant) == 0


async def test_more_vat_than_money_is_a_fault_of_the_cell(client, agreement, applicant):
    answer = await send(client, agreement, applicant, sheet(ROW | {"부가세(원)": "250001"}))
    (error,) = answer.json()["errors"]
    assert (error["row"], error["field"], error["code"]) == (2, "vat_won", "VAT_EXCEEDS")


async def test_another_institution_neither_gets_the_template_nor_imports(
    client, agreement, stranger
):
    other = stranger("grants:apply")
    url = f"{API}/agreements/{agreement['id']}/expenses/template"
    assert (await client.get(url, headers=other)).status_code == 404
    for preview in (True, False):
        answer = await send(client, agreement, other, sheet(ROW), preview=preview)
        assert answer.status_code == 404


async def test_a_faulty_sheet_comes_back_with_its_cells_marked_and_enters_nothing(
    client, agreement, applicant, stranger
):
    wrong = ROW | {"금액(원)": "1,500,000원", "지급일": "2020-02-30"}
    data = sheet(ROW, wrong, header=[*HEADER, "메모"])
    url = f"{API}/agreements/{agreement['id']}/expenses/import/annotated"
    upload = {"file": ("집행.xlsx", data, "application/octet-stream")}
    answer = await client.post(url, files=upload, headers=applicant)
    assert answer.status_code == 200, answer.text
    assert "filename" in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    page = book.worksheets[0]
    marked = {
        cell.coordinate: cell.fill.fgColor.rgb
        for row in page.iter_rows()
        for cell in row
        if cell.fill.fill_type
    }
    amount, paid = (
        f"{openpyxl.utils.get_column_letter(HEADER.index(name) + 1)}3"
        for name in ("금액(원)", "지급일")
    )
    memo = f"{openpyxl.utils.get_column_letter(len(HEADER) + 1)}1"
    assert marked == {amount: "FFF8CBCB", paid: "FFF8CBCB", memo: "FFFFF2CC"}
    assert page[amount].value == "1,500,000원"
    assert "숫자만" in page[amount].comment.text
    listed = [[cell.value for cell in row] for row in book["검증 결과"].iter_rows(min_row=2)]
    assert [3, "금액(원)", "오류", "1500000"] in [[*line[:3], line[5]] for line in listed]
    assert await count(client, agreement, applicant) == 0
    # Mended where it says so, it is entered; its list of findings is no sheet of expenses.
    page[amount].value, page[paid].value = "1500000", "2020-02-29"
    mended = io.BytesIO()
    book.save(mended)
    entered = await send(client, agreement, applicant, mended.getvalue())
    assert (entered.status_code, entered.json()["rows"]) == (201, 2), entered.text
    other = await client.post(url, files=upload, headers=stranger("grants:apply"))
    assert other.status_code == 404


async def test_a_sheet_without_faults_comes_back_with_what_the_rules_remark(
    client, agreement, applicant
):
    text = ",".join(ROW) + "\n" + ",".join(ROW.values())
    answer = await client.post(
        f"{API}/agreements/{agreement['id']}/expenses/import/annotated",
        files={"file": ("집행.csv", text.encode(), "text/csv")},
        headers=applicant,
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    page = book[INPUT_SHEET]
    assert [cell.value for cell in page[2]] == list(ROW.values())
    assert page["A2"].fill.fgColor.rgb == "FFFFF2CC"
    assert "제출할 증빙" in page["A2"].comment.text
