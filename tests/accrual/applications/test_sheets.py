"""Sheets over HTTP: the template out, rows in, every fault at once, the marked copy back."""

import io

import openpyxl
import pytest

from services.accrual.applications.columns import COLUMNS
from shared.sheets.workbooks import RESULT_SHEET
from tests.accrual.world import APPLICATIONS, brn, practice

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def template(world, field="PRACTICE"):
    answer = await world.client.get(f"/api/v1/accrual/templates/{field}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == XLSX
    return answer.content


def filled(content, rows, field="PRACTICE"):
    """The template with rows typed under its header."""
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    sheet = workbook.worksheets[0]
    for line, row in enumerate(rows, 2):
        for position, column in enumerate(COLUMNS[field], 1):
            if column.key in row:
                sheet.cell(line, position, row[column.key])
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


async def upload(person, draft, content, name="명단.xlsx", path="sheet", **params):
    return await person.call(
        "POST",
        f"{APPLICATIONS}/{draft}/rows/{path}",
        files={"file": (name, content, XLSX)},
        headers={"If-Match": await person.version(draft)},
        params=params,
    )


@pytest.mark.parametrize("field", list(COLUMNS))
async def test_every_field_has_a_template_and_describes_its_columns(world, field):
    sheet = openpyxl.load_workbook(io.BytesIO(await template(world, field))).worksheets[0]
    columns = (await world.client.get(f"/api/v1/accrual/templates/{field}/columns")).json()
    header = [cell.value for cell in sheet[1]][: len(columns)]
    assert header == [column["ko"] for column in columns]
    assert columns[0]["key"] == "brn"


async def test_the_filled_template_becomes_the_draft(world):
    university = world.university()
    draft = await university.draft()
    content = filled(await template(world), [practice(n) for n in range(1, 11)])
    answer = await upload(university, draft, content)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["row_count"], body["mileage"], body["company_count"]) == (10, 4500, 1)
    again = await upload(university, draft, content)
    assert again.json()["row_count"] == 10
    added = await upload(university, draft, filled(await template(world), [practice(50)]),
                         replace=False)  # fmt: skip
    assert added.json()["row_count"] == 11
    rows = (await university.get(f"{APPLICATIONS}/{draft}/rows")).json()["items"]
    assert rows[0]["cells"]["practice_type"] == "표준"
    assert rows[-1]["number"] == 11


async def test_one_wrong_cell_and_nothing_is_saved_but_all_faults_are_told(world):
    university = world.university()
    draft = await university.draft()
    rows = [practice(1), practice(2, brn="104-82-03590"), practice(3, end_date="20261399")]
    answer = await upload(university, draft, filled(await template(world), rows))
    assert (answer.status_code, answer.json()["code"]) == (422, "SHEET_INVALID")
    assert answer.json()["title"].startswith("형식에 맞지 않는 데이터가 존재합니다.")
    found = {(item["row"], item["field"], item["code"]) for item in answer.json()["errors"]}
    assert found == {(3, "brn", "DIGITS_ONLY"), (4, "end_date", "DATE_INVALID")}
    assert (await university.detail(draft))["row_count"] == 0


async def test_the_marked_copy_shows_each_fault_in_its_cell(world):
    university = world.university()
    draft = await university.draft()
    content = filled(await template(world), [practice(1), practice(2, brn=brn(0)[:9] + "9")])
    answer = await upload(university, draft, content, path="sheet/annotated")
    assert answer.status_code == 200
    assert "%EB%AA%85%EB%8B%A8_" in answer.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert "검증번호" in sheet["A3"].comment.text
    assert sheet["A2"].comment is None
    assert (await university.detail(draft))["row_count"] == 0


async def test_the_marked_copy_lists_what_the_answer_has_no_room_for(world):
    university = world.university()
    draft = await university.draft()
    content = filled(await template(world), [practice(n, brn="1", hours="0") for n in range(600)])
    answer = await upload(university, draft, content)
    assert (answer.status_code, answer.json()["params"]) == (422, {"total": 1_200})
    assert len(answer.json()["errors"]) == 1_001
    marked = await upload(university, draft, content, path="sheet/annotated")
    workbook = openpyxl.load_workbook(io.BytesIO(marked.content), read_only=True)
    assert sum(1 for _ in workbook[RESULT_SHEET].iter_rows(min_row=2)) == 1_200


async def test_delimited_text_is_taken_like_a_workbook(world):
    university = world.university()
    draft = await university.draft()
    keys = list(practice())
    names = {column.key: column.ko for column in COLUMNS["PRACTICE"]}
    lines = [",".join(names[key] for key in keys), ",".join(practice(1).values())]
    content = "\r\n".join(lines).encode("cp949")
    answer = await upload(university, draft, content, "명단.csv")
    assert answer.status_code == 200, answer.text
    assert answer.json()["mileage"] == 450


async def test_pasted_cells_land_in_the_grid_right_or_wrong(world):
    university = world.university()
    draft = await university.draft()
    await university.put_rows(draft, [practice(1)])
    columns = [column.key for column in COLUMNS["PRACTICE"]]
    pasted = "\n".join(
        "\t".join(str(row.get(key, "")) for key in columns)
        for row in (practice(2), practice(3, hours="많음"))
    )
    answer = await university.call(
        "POST",
        f"{APPLICATIONS}/{draft}/rows/paste",
        content=pasted.encode(),
        headers={
            "If-Match": await university.version(draft),
            "Content-Type": "text/tab-separated-values",
        },
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["row_count"], body["mileage"], body["ready"]) == (3, 900, False)
    assert {(item["row"], item["field"]) for item in body["findings"]} >= {(3, "hours")}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"MZ not a sheet \x00\xff", "FILE_TYPE"),
        (b"%PDF-1.7 not a sheet", "HEADER_MISSING"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "FILE_OLD_EXCEL"),
        (b"PK\x03\x04 broken", "FILE_UNREADABLE"),
        (b"a,b,c\n1,2,3", "HEADER_MISSING"),
        (b"a" * (10 * 2**20 + 1), "FILE_TOO_LARGE"),
    ],
)
async def test_what_is_no_sheet_is_refused_by_code(world, content, code):
    university = world.university()
    draft = await university.draft()
    answer = await upload(university, draft, content)
    assert answer.status_code == 422
    assert answer.json()["code"] == code


async def test_a_sheet_of_another_institutions_draft_does_not_exist(world):
    draft = await world.university().draft()
    stranger = world.university()
    answer = await stranger.call(
        "POST",
        f"{APPLICATIONS}/{draft}/rows/sheet",
        files={"file": ("a.xlsx", b"PK", XLSX)},
        headers={"If-Match": '"1"'},
    )
    assert answer.status_code == 404
