"""Which tables of a proposal are sheets of its workbook, and what stands in their columns.

The budget, its people and the consortium are the same for every call; the other sheets are the
tables of the call's form, in its order.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from services.grants.cells import Column, Reader, Type
from services.grants.programmes.rules import FUND_NAMES, Part, RuleSet
from services.grants.programmes.rules import Column as FormColumn
from services.grants.proposals.rules.form import LENGTHS
from shared.sheets.typed import folded

YES, NO = "예", "아니오"
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")
_NAME_LENGTH: Final = 31  # of a sheet, as spreadsheets allow

Names = Mapping[str, tuple[str, str]]
"""Of a choice: its codes with their names in both languages."""

ROLES: Final[Names] = {
    "principal": ("수행책임자", "principal"),
    "internal": ("내부인력", "internal staff"),
    "operator": ("운영인력", "operator"),
    "research_student": ("연구 참여 학생", "student in research"),
    "thesis_student": ("학위논문 학생", "student writing a thesis"),
    "undergraduate": ("학부생", "undergraduate"),
    "company_researcher": ("기업 연구원", "company researcher"),
}
PARTNERS: Final[Names] = {
    "company": ("기업", "company"),
    "association": ("단체", "association"),
    "university": ("대학", "university"),
    "institute": ("연구소", "institute"),
}
DEALS: Final[Names] = {"purchase": ("구입", "purchase"), "rental": ("임차", "rental")}
FLAGS: Final[Names] = {"true": (YES, "yes"), "false": (NO, "no")}
FUNDS: Final[Names] = {str(code): (name.ko, name.en) for code, name in FUND_NAMES.items()}


@dataclass(frozen=True, eq=False)
class Field:
    """A column of a sheet: where its value stands in a row of the document, and how it is read.
    Compared by identity: a call's fields are made once."""

    path: tuple[str, ...]
    column: Column
    choices: Names | None = None
    flag: bool = False
    months: bool = False
    lines: bool = False

    @cached_property
    def reader(self) -> Reader:
        choices = FLAGS if self.flag else self.choices or {}
        words = {folded(word): code for code, names in choices.items() for word in (code, *names)}
        shown = ", ".join(ko for ko, _ in list(choices.values())[:12])
        return Reader({self.column.key: words}, {self.column.key: shown})


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet, and where its rows stand in a document; `rows` are printed ones, by code."""

    sheet: str
    path: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Mapping[str, str] | None = None
    limit: int = 500


@lru_cache(maxsize=64)
def tables(rules: RuleSet) -> tuple[Table, ...]:
    """The sheets of a call's workbook, in order."""
    kinds = {code: (kind.name.ko, kind.name.en) for code, kind in rules.kinds.items()}
    fixed = (
        Table("사업비", ("budget", "lines"), _line_fields(kinds), limit=1_000),
        Table("참여인력", ("budget", "people"), _person_fields()),
        Table("다른 과제", ("budget", "people", "other_projects"), _project_fields()),
        Table("대학원", ("applicant", "schools"), _school_fields()),
        Table("참여기관", ("applicant", "partners"), _partner_fields()),
    )
    taken = {folded(table.sheet) for table in fixed}
    return (*fixed, *_form_tables(rules, taken))


def _field(
    path: str, ko: str, en: str, type_: Type = "text", *, choices: Names | None = None,
    required: bool = False, flag: bool = False, months: bool = False, lines: bool = False,
    limit: int = 1_000,
) -> Field:  # fmt: skip
    if choices is not None or flag:
        type_ = "choice"
    width = max(10, min(40, len(ko) * 2 + 2))
    column = Column(path, ko, en, type_, required, limit=limit, width=width)
    return Field(tuple(path.split(".")), column, choices, flag, months, lines)


def _line_fields(kinds: Names) -> tuple[Field, ...]:
    return (
        _field("kind", "세부 비목", "Use", choices=kinds, required=True),
        _field("fund", "재원", "Source", choices=FUNDS, required=True),
        _field("name", "내역·품명", "Description"),
        _field("amount_won", "금액(원)", "Amount", "won"),
        _field("basis", "계산근거", "Basis"),
        _field("note", "비고", "Note"),
        _field("pay.person", "참여인력", "Person"),
        _field("pay.monthly_won", "월 단가(원)", "Monthly pay"),
        _field("pay.start", "참여 시작일", "From", "day"),
        _field("pay.months", "참여기간(개월)", "Months", "count"),
        _field("pay.rate", "참여율(%)", "Rate", "rate"),
        _field("goods.use", "용도", "For"),
        _field("goods.spec", "규격", "Specification"),
        _field("goods.unit", "단위", "Unit"),
        _field("goods.quantity", "수량", "Quantity", "count"),
        _field("goods.unit_price_won", "단가(원)", "Unit price", "won"),
        _field("goods.deal", "구입·임차", "Purchase or rental", choices=DEALS),
        _field("asset.ref", "보유 자산 번호", "Own asset"),
        _field("asset.price_won", "구입 단가·공시지가(원)", "Price of the asset", "won"),
        _field("asset.quantity", "보유 자산 수량", "Assets", "count"),
        _field("asset.pledged_elsewhere_won", "다른 사업 계상액(원)", "Pledged elsewhere", "won"),
        _field("heads", "인원", "Heads", "count"),
        _field("trip", "국외출장 계획", "Planned trip"),
        _field("declared_won", "서식 금액(원)", "Stated amount", "won"),
    )


def _person_fields() -> tuple[Field, ...]:
    return (
        _field("ref", "참여인력", "Person", required=True, limit=40),
        _field("name", "성명", "Name", required=True),
        _field("role", "역할", "Role", choices=ROLES, required=True),
        _field("researcher_no", "과학기술인번호", "Researcher number", limit=40),
        _field("affiliation", "소속기관/부서", "Affiliation"),
        _field("rank", "직급·학년", "Rank"),
        _field("grade", "계상 직급", "Grade", limit=40),
        _field("post", "직위", "Post", limit=40),
        _field("course", "과정", "Course", limit=40),
        _field("career.sector", "경력 부문", "Sector", limit=40),
        _field("career.rank", "경력 직급", "Rank there", limit=40),
        _field("career.degree", "학위", "Degree", limit=40),
        _field("career.years", "경력(년)", "Years", "count"),
        _field("equivalent_note", "동등 이상의 근거", "Why equivalent"),
        _field("employed_elsewhere", "다른 기관 소속", "Employed elsewhere", flag=True),
    )


def _project_fields() -> tuple[Field, ...]:
    return (
        _field("person", "참여인력", "Person", required=True, limit=40),
        _field("name", "과제명", "Project", required=True),
        _field("start", "참여 시작일", "From", "day", required=True),
        _field("months", "참여기간(개월)", "Months", "count", required=True),
        _field("rate", "참여율(%)", "Rate", "rate", required=True),
        _field("proposal", "사업계획서 번호", "Proposal here", limit=40),
    )


def _school_fields() -> tuple[Field, ...]:
    return (
        _field("university", "대학교", "University", required=True),
        _field("eligible", "지원 대상", "Eligible", flag=True),
        _field("lead", "주관", "Lead", flag=True),
    )


def _partner_fields() -> tuple[Field, ...]:
    return (
        _field("kind", "구분", "Kind", choices=PARTNERS, required=True),
        _field("name", "기관명", "Name", required=True),
        _field("crn", "법인등록번호", "Corporate number", limit=20),
        _field("head", "책임자", "Head"),
        _field("phone", "전화번호", "Telephone", limit=60),
        _field("company_type", "기업유형", "Type of company", limit=60),
    )


def _form_tables(rules: RuleSet, taken: set[str]) -> Iterator[Table]:
    for part in rules.parts.values():
        if part.kind == "table":
            rows = {row.code: row.name.ko for row in part.rows} or None
            fields = tuple(_form_field(column) for column in part.entered)
            yield Table(_sheet_name(part, taken), ("sections", part.code), fields, rows)


def _form_field(column: FormColumn) -> Field:
    types: Mapping[str, Type] = {
        "count": "count", "won": "won", "year": "count", "day": "day", "rate": "rate",
    }  # fmt: skip
    choices = {option.code: (option.name.ko, option.name.en) for option in column.options}
    return _field(
        column.code,
        column.name.ko,
        column.name.en,
        types.get(column.type, "text"),
        choices=choices or None,
        months=column.type == "months",
        lines=column.type == "long",
        limit=LENGTHS.get(column.type, 200),
    )


def _sheet_name(part: Part, taken: set[str]) -> str:
    """A name a spreadsheet accepts, unlike the others: spreadsheets do not tell case apart."""
    clean = " ".join(_FORBIDDEN.sub(" ", part.name.ko).split())
    name, number = clean[:_NAME_LENGTH], 1
    while folded(name) in taken:
        number += 1
        suffix = f" {number}"
        name = clean[: _NAME_LENGTH - len(suffix)] + suffix
    taken.add(folded(name))
    return name


def value_at(row: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path of a row, None where there is nothing."""
    for step in path:
        row = row.get(step) if isinstance(row, Mapping) else None
    return row
