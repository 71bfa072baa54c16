"""Workbooks as offices write them: one in order, one with a dozen mistakes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import openpyxl

HEADERS = (
    "사업자번호", "기업명", "성명", "학과", "입학년도", "실습유형", "실습시간", "실습시작일",
    "실습종료일", "실습지원비(원)", "협약체결일", "비고",
)  # fmt: skip
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ALLOWANCE_WON = 1_154_400
SURNAMES = "김이박최정강조윤장임"


@dataclass(frozen=True)
class Company:
    brn: str
    name: str


def workbook(rows: Sequence[Sequence[object]]) -> bytes:
    """An .xlsx with the headers of the practice sheet and these rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADERS)
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def trainees(company: Company, run: str, today: date, count: int) -> list[list[object]]:
    """`count` trainees whose practice ended two months ago, of this run alone."""
    start, end = today - timedelta(days=150), today - timedelta(days=60)
    return [
        [
            company.brn,
            company.name,
            f"{SURNAMES[n % 10]}실습{run}{n:02}",
            "환경공학과",
            "2023",
            "표준",
            "320",
            f"{start:%Y%m%d}",
            f"{end:%Y%m%d}",
            str(ALLOWANCE_WON),
            f"{start:%Y%m%d}",
            "",
        ]
        for n in range(count)
    ]


# Column number and wrong cell, by the code of the finding it must raise.
MISTAKES: Sequence[tuple[str, int, object]] = (
    ("DIGITS_ONLY", 1, "999-81-00015"),
    ("BRN_LENGTH", 1, "99981000"),
    ("BRN_CHECKSUM", 1, "9998100016"),
    ("DATE_INVALID", 8, "20260231"),
    ("DATE_ORDER", 9, "20230101"),
    ("NOT_STANDARD_PRACTICE", 6, "자율"),
    ("BEFORE_REFORM", 9, "20220228"),
    ("WINDOW_EXPIRED", 9, "20240301"),
    ("DATE_FUTURE", 9, "20991231"),
    ("YEAR_RANGE", 5, "1949"),
    ("HOURS_INVALID", 7, "0"),
    ("WON_INVALID", 10, "0"),
)


def mistaken(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """The rows with one mistake in each of the first dozen."""
    broken = [list(row) for row in rows]
    for row, (code, column, value) in zip(broken, MISTAKES, strict=False):
        row[column - 1] = value
        if code in ("BEFORE_REFORM", "WINDOW_EXPIRED"):  # an end before the start is another one
            row[7] = row[column - 1]
    return broken


def pdf(title: str) -> bytes:
    """The smallest honest PDF: one empty page with a title in its information."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        b"<< /Title <FEFF" + title.encode("utf-16-be").hex().upper().encode() + b"> >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size 5 /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table
    return bytes(out)
