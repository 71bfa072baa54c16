"""Rows as a university's office has them: 1,000 trainees, twelve of them with a fault."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import openpyxl

from shared.clock import seoul_day, utc_now

HEADERS = (
    "사업자번호", "기업명", "협약체결일", "성명", "학(부)과", "입학년도", "실습유형", "실습시간",
    "실습시작일", "실습종료일", "실습지원비(원)",
)  # fmt: skip
"""The columns of the practice sheet, in its order, without the two optional ones at its end."""

BRN = "1048203590"
ALLOWANCE_WON = 1_200_000
ROWS = 1_000


class Fault(NamedTuple):
    """A wrong cell: row and column counted from 1, what stands there, what should."""

    row: int
    column: int
    wrong: str
    right: str
    code: str


def _days() -> tuple[str, str]:
    today = seoul_day(utc_now())
    return f"{today - timedelta(days=150):%Y%m%d}", f"{today - timedelta(days=60):%Y%m%d}"


START, END = _days()
FAULTS: Sequence[Fault] = (
    Fault(3, 1, "1048203591", BRN, "BRN_CHECKSUM"),
    Fault(80, 1, "104820359", BRN, "BRN_LENGTH"),
    Fault(160, 1, "１０４８２０３５９０", BRN, "DIGITS_ONLY"),
    Fault(240, 10, "20230101", END, "DATE_ORDER"),
    Fault(320, 9, "20260231", START, "DATE_INVALID"),
    Fault(400, 10, "20991231", END, "DATE_FUTURE"),
    Fault(480, 6, "1949", "2023", "YEAR_RANGE"),
    Fault(560, 7, "자율", "표준", "NOT_STANDARD_PRACTICE"),
    Fault(640, 8, "0", "320", "HOURS_INVALID"),
    Fault(720, 11, "1,200,000원", str(ALLOWANCE_WON), "DIGITS_ONLY"),
    Fault(800, 4, "", "김실습800", "REQUIRED"),
    Fault(1000, 11, "-5", str(ALLOWANCE_WON), "DIGITS_ONLY"),
)


def trainees(run: str, count: int = ROWS) -> list[list[str]]:
    return [
        [
            BRN, "대한상공회의소", START, f"김실습{run}{number}", "경제학과", "2023", "표준", "320",
            START, END, str(ALLOWANCE_WON),
        ]
        for number in range(1, count + 1)
    ]  # fmt: skip


def mistaken(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    broken = [list(row) for row in rows]
    for fault in FAULTS:
        broken[fault.row - 1][fault.column - 1] = fault.wrong
    return broken


def clipboard(rows: Sequence[Sequence[str]]) -> str:
    """As a spreadsheet copies it: a line break inside of a cell, and one blank row too many."""
    lines = [list(row) for row in rows]
    lines[499][1] = '"대한상공회의소\n"'
    blank = "\t" * (len(HEADERS) - 1)
    return "".join("\t".join(line) + "\r\n" for line in lines) + blank + "\r\n"


def workbook(rows: Sequence[Sequence[str]], path: object) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADERS)
    for row in rows:
        sheet.append(list(row))
    book.save(str(path))
