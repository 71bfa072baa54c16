"""Pure rules of the sheet by which the operator brings in many institutions at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.accounts.rules import Role, is_login_id, login_id_of
from services.auth.errors import (
    CELL_INVALID,
    CELL_REPEATED,
    CELL_REQUIRED,
    SHEET_EMPTY,
    SHEET_TOO_LONG,
    HeaderMissing,
)
from services.auth.institutions.rules import (
    Kind,
    brn_finding,
    clean_text,
    homepage_label,
    plain_brn,
)
from shared.problems import Finding

MAX_ROWS = 2_000

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

_PHONE = re.compile(r"[0-9+][0-9-]{6,18}")
_EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s,;<>]+")
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


def read(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[list[Line], list[Finding]]:
    """The lines under the header, and everything wrong with them. Raises `HeaderMissing`.

    Columns may stand in any order and beside others; lines above the header do not matter.
    """
    place, columns = _header(rows)
    body = rows[place + 1 :]
    if not body:
        return [], [SHEET_EMPTY.at("/file", field="file")]
    if len(body) > MAX_ROWS:
        return [], [SHEET_TOO_LONG.at("/file", field="file", most=MAX_ROWS)]
    lines: list[Line] = []
    findings: list[Finding] = []
    for row, cells in body:
        texts = {
            title: clean_text(cells[at]) if at < len(cells) else "" for title, at in columns.items()
        }
        line, wrong = _line(row, texts)
        findings += wrong
        if line is not None:
            lines.append(line)
    return lines, findings + _repetitions(lines)


def _header(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, dict[str, int]]:
    for place, (_, cells) in enumerate(rows[:20]):
        titles = {"".join(cell.split()).rstrip("*"): at for at, cell in enumerate(cells) if cell}
        if all(column in titles for column in COLUMNS):
            return place, {column: titles[column] for column in COLUMNS}
    raise HeaderMissing(columns=", ".join(COLUMNS))


def _line(row: int, texts: dict[str, str]) -> tuple[Line | None, list[Finding]]:
    findings: list[Finding] = []

    def wrong(column: str, hint: str) -> None:
        pointer = f"/rows/{row}/{column}"
        finding = CELL_INVALID.at(
            pointer, row=row, field=column, column=column, value=texts[column], hint=hint
        )
        findings.append(finding)

    kind = KINDS.get(texts["기관구분"])
    for column in ("기관구분", "기관명", "담당자명", "이메일"):
        if not texts[column]:
            pointer = f"/rows/{row}/{column}"
            findings.append(CELL_REQUIRED.at(pointer, row=row, field=column, column=column))
    if kind is None and texts["기관구분"]:
        wrong("기관구분", "(" + ", ".join(KINDS) + ")")
    brn = plain_brn(texts["사업자등록번호"]) or None
    if brn is not None and (kind_of_error := brn_finding(brn)) is not None:
        wrong("사업자등록번호", kind_of_error.ko)
    if brn is None and kind == Kind.COMPANY:
        pointer, column = f"/rows/{row}/사업자등록번호", "사업자등록번호"
        findings.append(CELL_REQUIRED.at(pointer, row=row, field=column, column=column))
    for column, pattern, hint in (
        ("우편번호", re.compile(r"[0-9]{5}"), "(5자리 숫자)"),
        ("대표연락처", _PHONE, "(예: 02-1234-5678)"),
        ("휴대전화", _PHONE, "(예: 010-1234-5678)"),
        ("이메일", _EMAIL, "(예: name@example.ac.kr)"),
    ):
        if texts[column] and pattern.fullmatch(texts[column]) is None:
            wrong(column, hint)
    if texts["수도권"].casefold() not in _YES | _NO:
        wrong("수도권", "(Y 또는 N)")
    login_id = _login_id(kind, brn, texts)
    if kind != Kind.COMPANY and not is_login_id(login_id):
        wrong("아이디", "(영문 소문자로 시작하는 3~32자; 비우면 홈페이지 주소에서 만듭니다)")
    if findings or kind is None:
        return None, findings
    return _made(row, kind, brn, login_id, texts), []


def _login_id(kind: Kind | None, brn: str | None, texts: dict[str, str]) -> str:
    """As given, else by the convention: a company's number, else the homepage's name (M-001)."""
    if texts["아이디"]:
        return login_id_of(texts["아이디"])
    return (brn or "") if kind == Kind.COMPANY else homepage_label(texts["홈페이지"])


def _made(row: int, kind: Kind, brn: str | None, login_id: str, texts: dict[str, str]) -> Line:
    return Line(
        row=row,
        kind=kind,
        name=texts["기관명"][:200],
        brn=brn,
        homepage=texts["홈페이지"][:200] or None,
        capital_area=texts["수도권"].casefold() in _YES,
        postcode=texts["우편번호"] or None,
        address=texts["주소"][:300] or None,
        phone=texts["대표연락처"] or None,
        university_code=texts["대학코드"][:20] or None,
        login_id=login_id,
        person=texts["담당자명"][:50],
        department=texts["부서"][:100] or None,
        mobile=texts["휴대전화"] or None,
        email=texts["이메일"],
    )


def _repetitions(lines: Sequence[Line]) -> list[Finding]:
    findings: list[Finding] = []
    for column, values in (
        ("사업자등록번호", [line.brn for line in lines]),
        ("아이디", [line.login_id for line in lines]),
    ):
        first: dict[str, int] = {}
        for line, value in zip(lines, values, strict=True):
            if value is None:
                continue
            if value in first:
                findings.append(
                    CELL_REPEATED.at(
                        f"/rows/{line.row}/{column}",
                        row=line.row,
                        field=column,
                        column=column,
                        first=first[value],
                    )
                )
            first.setdefault(value, line.row)
    return findings
