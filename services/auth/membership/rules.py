"""Pure rules of the sheet by which the operator brings in many institutions at once."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.auth.accounts.rules import Role, is_login_id, login_id_of
from services.auth.errors import (
    CELL_INVALID,
    CELL_REPEATED,
    CELL_REQUIRED,
    CELL_TAKEN,
    SHEET_EMPTY,
    SHEET_TOO_LONG,
)
from services.auth.institutions.rules import (
    EMAIL,
    PHONE,
    POSTCODE,
    Kind,
    brn_finding,
    clean_text,
    homepage_label,
    plain_brn,
)
from shared.problems import Finding
from shared.sheets.cells import Cell, Fault, plain
from shared.sheets.errors import HeaderMissing

MAX_ROWS = 2_000
HEADER_WITHIN = 20  # filled lines
MOST_LINES = HEADER_WITHIN + MAX_ROWS
BRN, LOGIN_ID = "사업자등록번호", "아이디"

COLUMNS = (
    "기관구분",
    "기관명",
    "사업자등록번호",
    "홈페이지",
    "수도권",
    "우편번호",
    "주소",
    "대표연락처",
    "대학코드",
    "아이디",
    "담당자명",
    "부서",
    "휴대전화",
    "이메일",
)
KINDS = {
    "대학": Kind.UNIVERSITY,
    "산학협력단": Kind.IACF,
    "기업": Kind.COMPANY,
    "사업기관": Kind.AGENCY,
    "부처": Kind.MINISTRY,
}
LEAD_ROLE = {
    Kind.UNIVERSITY: Role.UNIVERSITY,
    Kind.IACF: Role.UNIVERSITY,
    Kind.COMPANY: Role.COMPANY,
    Kind.AGENCY: Role.AGENCY_OFFICER,
    Kind.MINISTRY: Role.OBSERVER,
}
EXAMPLE = (
    "대학", "예시대학교", "", "www.example.ac.kr", "N", "04513", "서울특별시 중구 세종대로 1",
    "02-1234-5678", "A000", "", "김담당", "산학협력팀", "010-1234-5678", "team@example.ac.kr",
)  # fmt: skip

MOST = {
    "기관명": 200, "홈페이지": 200, "주소": 300, "대학코드": 20, "담당자명": 50, "부서": 100,
    "이메일": 254,
}  # fmt: skip
"""How many characters a cell may hold, where its form does not say so."""

_ID_HINT = "(영문 소문자로 시작하는 3~32자; 비우면 홈페이지 주소에서 만듭니다)"
_YES, _NO = {"y", "예", "o", "1", "true"}, {"n", "아니오", "아니요", "x", "0", "false", ""}


@dataclass(frozen=True, slots=True)
class Line:
    """One institution of the sheet, in clean writing; `row` is its row number there."""

    row: int
    kind: Kind
    name: str
    brn: str | None
    homepage: str | None
    capital_area: bool
    postcode: str | None
    address: str | None
    phone: str | None
    university_code: str | None
    login_id: str
    person: str
    department: str | None
    mobile: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A business number or login id that a row wants for itself alone."""

    row: int
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read: the flawless lines, what *all* rows claim, and everything wrong so far."""

    lines: list[Line]
    claims: list[Claim]
    findings: list[Finding]


def read(sheets: Sequence[Sequence[tuple[int, Sequence[Cell]]]]) -> Sheet:
    """The lines under the header of the first sheet that has one, and everything wrong with them.
    Raises `HeaderMissing`.

    Columns may stand in any order and beside others; lines above the header do not matter.
    """
    columns, body = _under_header(sheets)
    if not body:
        return Sheet([], [], [SHEET_EMPTY.at("/file", field="file")])
    if len(body) > MAX_ROWS:
        return Sheet([], [], [SHEET_TOO_LONG.at("/file", field="file", most=MAX_ROWS)])
    sheet = Sheet([], [], [])
    for number, cells in body:
        row = _Row(number, {title: cells[at] for title, at in columns if at < len(cells)})
        line = _line(row)
        if line is not None:
            sheet.lines.append(line)
        sheet.claims.extend(row.claims)
        sheet.findings.extend(row.findings)
    sheet.findings.extend(_repetitions(sheet.claims))
    return sheet


def taken(claims: Sequence[Claim], numbers: Collection[str], ids: Collection[str]) -> list[Finding]:
    """What the rows claim and somebody has already, of the known numbers and ids."""
    known = {BRN: numbers, LOGIN_ID: ids}
    return [
        CELL_TAKEN.at(
            _pointer(claim.row, claim.column),
            row=claim.row,
            field=claim.column,
            column=claim.column,
            value=claim.value,
        )
        for claim in claims
        if claim.value in known[claim.column]
    ]


def _under_header(
    sheets: Sequence[Sequence[tuple[int, Sequence[Cell]]]],
) -> tuple[list[tuple[str, int]], Sequence[tuple[int, Sequence[Cell]]]]:
    for rows in sheets:
        for place, (_, cells) in enumerate(rows[:HEADER_WITHIN]):
            titles = {"".join(plain(cell).split()).rstrip("*"): at for at, cell in enumerate(cells)}
            if all(column in titles for column in COLUMNS):
                return [(column, titles[column]) for column in COLUMNS], rows[place + 1 :]
    raise HeaderMissing(columns=", ".join(COLUMNS))


class _Row:
    """A row being examined: its cells by column, what it claims, and what is wrong with it. Of a
    cell that cannot be read nothing else is said (`unread`)."""

    def __init__(self, number: int, cells: dict[str, Cell]) -> None:
        self.number = number
        self.texts = dict.fromkeys(COLUMNS, "")
        self.unread: set[str] = set()
        self.claims: list[Claim] = []
        self.findings: list[Finding] = []
        for column, cell in cells.items():
            if isinstance(cell, Fault):
                self.unread.add(column)
                pointer = _pointer(number, column)
                self.findings.append(cell.kind.at(pointer, row=number, field=column))
            else:
                self.texts[column] = clean_text(plain(cell))

    def require(self, column: str) -> None:
        if not self.texts[column] and column not in self.unread:
            pointer = _pointer(self.number, column)
            found = CELL_REQUIRED.at(pointer, row=self.number, field=column, column=column)
            self.findings.append(found)

    def refuse(self, column: str, hint: str) -> None:
        self.findings.append(
            CELL_INVALID.at(
                _pointer(self.number, column),
                row=self.number,
                field=column,
                column=column,
                value=self.texts[column],
                hint=hint,
            )
        )

    def claim(self, column: str, value: str) -> None:
        self.claims.append(Claim(self.number, column, value))


def _pointer(row: int, column: str) -> str:
    return f"/rows/{row}/{column}"


def _line(row: _Row) -> Line | None:
    texts = row.texts
    kind = KINDS.get(texts["기관구분"])
    for column in ("기관구분", "기관명", "담당자명", "이메일"):
        row.require(column)
    if kind is None and texts["기관구분"]:
        row.refuse("기관구분", "(" + ", ".join(KINDS) + ")")
    brn = _brn(row, kind)
    for column, pattern, hint in (
        ("우편번호", POSTCODE, "(5자리 숫자)"),
        ("대표연락처", PHONE, "(예: 02-1234-5678)"),
        ("휴대전화", PHONE, "(예: 010-1234-5678)"),
        ("이메일", EMAIL, "(예: name@example.ac.kr)"),
    ):
        if texts[column] and re.fullmatch(pattern, texts[column]) is None:
            row.refuse(column, hint)
    for column, most in MOST.items():
        if len(texts[column]) > most:
            row.refuse(column, f"({most}자 이내)")
    if texts["수도권"].casefold() not in _YES | _NO:
        row.refuse("수도권", "(Y 또는 N)")
    login_id = _login_id(row, kind, brn)
    if row.findings or kind is None:
        return None
    return _made(row.number, kind, brn, login_id, texts)


def _brn(row: _Row, kind: Kind | None) -> str | None:
    brn = plain_brn(row.texts[BRN])
    wrong = brn_finding(brn) if brn else None
    if wrong is not None:
        row.refuse(BRN, wrong.ko)
    elif brn:
        row.claim(BRN, brn)
    elif kind == Kind.COMPANY:
        row.require(BRN)
    return brn or None


def _login_id(row: _Row, kind: Kind | None, brn: str | None) -> str:
    """As given, else by the convention: a company's number, else the homepage's name (M-001)."""
    given = row.texts[LOGIN_ID]
    if row.unread & {LOGIN_ID, BRN, "홈페이지"}:
        return given
    if not given and kind == Kind.COMPANY:
        login_id = brn or ""  # what is wrong with it was said of the number
    else:
        login_id = login_id_of(given) if given else homepage_label(row.texts["홈페이지"])
        if not (is_login_id(login_id) or login_id == brn):
            row.refuse(LOGIN_ID, _ID_HINT)
            return login_id
    if login_id:
        row.claim(LOGIN_ID, login_id)
    return login_id


def _made(row: int, kind: Kind, brn: str | None, login_id: str, texts: dict[str, str]) -> Line:
    return Line(
        row=row,
        kind=kind,
        name=texts["기관명"],
        brn=brn,
        homepage=texts["홈페이지"] or None,
        capital_area=texts["수도권"].casefold() in _YES,
        postcode=texts["우편번호"] or None,
        address=texts["주소"] or None,
        phone=texts["대표연락처"] or None,
        university_code=texts["대학코드"] or None,
        login_id=login_id,
        person=texts["담당자명"],
        department=texts["부서"] or None,
        mobile=texts["휴대전화"] or None,
        email=texts["이메일"],
    )


def _repetitions(claims: Sequence[Claim]) -> list[Finding]:
    findings: list[Finding] = []
    first: dict[tuple[str, str], int] = {}
    for claim in claims:
        place = first.setdefault((claim.column, claim.value), claim.row)
        if place != claim.row:
            findings.append(
                CELL_REPEATED.at(
                    _pointer(claim.row, claim.column),
                    row=claim.row,
                    field=claim.column,
                    column=claim.column,
                    first=place,
                )
            )
    return findings
