"""Many institutions by one sheet: all right, or nothing saved and everything wrong listed."""

import asyncio
import io
import re
import zipfile

import openpyxl
import pytest
from sqlalchemy import func, select

from services.auth.accounts.rules import Role
from services.auth.institutions.models import Institution
from services.auth.membership.rules import COLUMNS, EXAMPLE, MAX_ROWS
from services.auth.sheets import csv_text
from tests.auth.conftest import code_of, link_in

IMPORT = "/api/v1/auth/institutions/import"
GOOD = dict(zip(COLUMNS, EXAMPLE, strict=True))
DANGEROUS = ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "=cmd|' /C calc'!A0"]


@pytest.fixture
async def operator(auth):
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    return await auth.bearer("operator")


def sheet(*rows, columns=COLUMNS):
    book = openpyxl.Workbook()
    for line in (columns, *([row.get(column, "") for column in columns] for row in rows)):
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def send(auth, headers, data, *, save=False, name="기관.xlsx"):
    return await auth.client.post(
        f"{IMPORT}/files?save={str(save).lower()}", files={"file": (name, data)}, headers=headers
    )


async def count(auth):
    async with auth.runtime.sessions() as session:
        return await session.scalar(select(func.count()).select_from(Institution))


async def test_the_template_itself_is_a_valid_sheet(auth, operator):
    answer = await auth.client.get(f"{IMPORT}/template", headers=operator)
    assert "attachment" in answer.headers["content-disposition"]
    preview = await send(auth, operator, answer.content)
    assert preview.status_code == 200, preview.text
    [item] = preview.json()["items"]
    assert (item["kind"], item["login_id"]) == ("university", "example")  # from the homepage


async def test_a_sheet_registers_institutions_and_invites_their_people(auth, operator):
    company = GOOD | {
        "기관구분": "기업", "기관명": "한마루정밀", "사업자등록번호": "999-81-00015",
        "이메일": "office@hanmaru.example",
    }  # fmt: skip
    data = sheet(GOOD, company)
    preview = await send(auth, operator, data)
    assert (preview.json()["saved"], await count(auth)) == (False, 1)
    done = await send(auth, operator, data, save=True)
    assert [item["login_id"] for item in done.json()["items"]] == ["example", "9998100015"]
    assert await count(auth) == 3
    await auth.run_jobs()
    letters = {letter["To"]: letter for letter in auth.mail()}
    assert set(letters) == {"team@example.ac.kr", "office@hanmaru.example"}
    activated = await auth.client.post(
        "/api/v1/auth/activation",
        json={
            "token": link_in(letters["office@hanmaru.example"]),
            "new_password": "Bomnal!2027",
            "confirm_password": "Bomnal!2027",
        },
    )
    assert activated.json() == {"login_id": "9998100015"}


async def test_everything_wrong_in_every_row_is_listed_and_nothing_saved(auth, operator):
    await auth.institution("company", "있는 회사", brn="9998600024")
    other = GOOD | {"아이디": "bom"}
    company = other | {"기관구분": "기업", "아이디": ""}
    rows = [
        GOOD,
        GOOD | {"기관명": "", "수도권": "아마도", "우편번호": "123"},  # and the id of row 2
        other | {"기관구분": "학교", "이메일": "x", "휴대전화": "없음"},
        GOOD | {"아이디": "example", "홈페이지": ""},
        company | {"사업자등록번호": "1048203900"},
        company | {"사업자등록번호": "9998600024", "대표연락처": "?"},
        company | {"사업자등록번호": ""},
        GOOD | {"홈페이지": "", "아이디": "1abc"},
        company | {"사업자등록번호": "9998100015", "아이디": "한마루정밀"},
        other | {"아이디": "yeoreum", "주소": "가" * 301, "담당자명": "가" * 51},
        other | {"아이디": "operator", "대학코드": "A" * 21},
    ]
    answer = await send(auth, operator, sheet(*rows), save=True)
    assert code_of(answer) == (422, "VALIDATION_FAILED")
    found = [(item["row"], item["field"], item["code"]) for item in answer.json()["errors"]]
    assert found == [
        (3, "기관명", "CELL_REQUIRED"),
        (3, "우편번호", "CELL_INVALID"),
        (3, "수도권", "CELL_INVALID"),
        (3, "아이디", "CELL_REPEATED"),
        (4, "기관구분", "CELL_INVALID"),
        (4, "휴대전화", "CELL_INVALID"),
        (4, "이메일", "CELL_INVALID"),
        (5, "아이디", "CELL_REPEATED"),
        (6, "사업자등록번호", "CELL_INVALID"),
        (7, "대표연락처", "CELL_INVALID"),
        (7, "사업자등록번호", "CELL_TAKEN"),
        (8, "사업자등록번호", "CELL_REQUIRED"),
        (9, "아이디", "CELL_INVALID"),
        (10, "아이디", "CELL_INVALID"),
        (11, "주소", "CELL_INVALID"),
        (11, "담당자명", "CELL_INVALID"),
        (12, "대학코드", "CELL_INVALID"),
        (12, "아이디", "CELL_TAKEN"),
    ]
    assert await count(auth) == 2


async def test_of_two_who_save_the_same_sheet_at_once_one_is_told_what_is_taken(auth, operator):
    company = GOOD | {"기관구분": "기업", "사업자등록번호": "9998100015"}
    answers = await asyncio.gather(
        *(send(auth, operator, sheet(company), save=True) for _ in range(4))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 422, 422, 422]
    refused = [answer for answer in answers if answer.status_code == 422]
    for answer in refused:
        found = {(item["field"], item["code"]) for item in answer.json()["errors"]}
        assert found == {("사업자등록번호", "CELL_TAKEN"), ("아이디", "CELL_TAKEN")}
    assert await count(auth) == 2


async def test_columns_may_stand_in_any_order_under_a_title(auth, operator):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["2027년 신규 참여기관"])
    page.append(["비고", *[f"{column}*" for column in reversed(COLUMNS)]])
    page.append([])
    page.append(["", *[GOOD[column] for column in reversed(COLUMNS)]])
    out = io.BytesIO()
    book.save(out)
    answer = await send(auth, operator, out.getvalue())
    assert [item["row"] for item in answer.json()["items"]] == [4]


def repacked(**replaced: bytes) -> bytes:
    """A good workbook, one of whose parts says something else."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sheet(GOOD))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            part = source.read(name)
            for old, new in replaced.items() if name == SHEET else ():
                part = re.sub(MARKS[old], lambda _, new=new: new, part, count=1)
            target.writestr(name, part)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
MARKS = {"root": rb"<worksheet", "header": rb'<c r="A1"', "cell": rb'<c r="B2"[^>]*>.*?</c>'}


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (80 * 2**20))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"not a workbook", "HEADER_MISSING"),
        (b"PK\x03\x04 broken", "FILE_UNREADABLE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "FILE_OLD_EXCEL"),
        (b"x" * (10 * 2**20 + 1), "FILE_TOO_LARGE"),
        (bomb(), "FILE_UNSAFE"),
        (repacked(root=b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'), "FILE_UNSAFE"),
        (
            repacked(cell=b'<c r="XFD1048576"><v>1</v></c>'),
            "FILE_OVERSIZED",
        ),
        (sheet(columns=COLUMNS[:-1]), "HEADER_MISSING"),
    ],
    ids=["empty", "text", "broken", "xls", "large", "bomb", "entities", "far cell", "columns"],
)
async def test_what_is_no_such_sheet_is_refused_without_a_crash(auth, operator, data, code):
    assert code_of(await send(auth, operator, data)) == (422, code)


async def test_a_cell_that_cannot_be_read_is_named_and_nothing_else_said_of_it(auth, operator):
    for cell, code in (
        (b'<c r="B2" t="e"><v>#REF!</v></c>', "CELL_ERROR"),
        (b'<c r="B2"><f>A1</f></c>', "FORMULA_NOT_CALCULATED"),
    ):
        answer = await send(auth, operator, repacked(cell=cell))
        found = [(item["row"], item["field"], item["code"]) for item in answer.json()["errors"]]
        assert found == [(2, "기관명", code)]


async def test_comma_separated_text_is_read_too(auth, operator):
    answer = await send(auth, operator, csv_text(COLUMNS, [EXAMPLE]), name="기관.csv")
    assert [item["login_id"] for item in answer.json()["items"]] == ["example"]


async def test_a_sheet_without_rows_says_so(auth, operator):
    answer = await send(auth, operator, sheet())
    assert [item["code"] for item in answer.json()["errors"]] == ["NO_ROWS"]


async def test_a_sheet_that_is_too_long_says_so_and_reads_no_further(auth, operator):
    answer = await send(auth, operator, sheet(*[GOOD] * (MAX_ROWS + 1)))
    assert [item["code"] for item in answer.json()["errors"]] == ["TOO_MANY_ROWS"]


def test_comma_separated_text_holds_nothing_a_spreadsheet_would_execute():
    lines = csv_text(["값"], [[value] for value in DANGEROUS]).decode("utf-8-sig")
    assert all(line.lstrip('"').startswith("'") for line in lines.split("\r\n")[1:] if line)
