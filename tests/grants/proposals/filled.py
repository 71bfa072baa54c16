"""A proposal written from the first to the last part of the form, and a consortium with it."""

from typing import Any

from services.grants.programmes.rules import Column, Part, RuleSet
from tests.grants.api.conftest import document

CRN = "110111-0062432"
_EXAMPLES: dict[str, Any] = {
    "text": "바이오가스 정제",
    "long": "혐기성소화 공정의 운전 자료를 분석합니다.",
    "count": 3,
    "won": 12_345_000,
    "rate": "33.3",
    "day": "1975-03-01",
    "year": 2020,
    "months": [3, 4, 12],
    "crn": CRN,
    "researcher": "10012345",
    "email": "hong@hanbit.example",
}


def value(column: Column) -> Any:
    return column.options[0].code if column.options else _EXAMPLES[column.type]


def part(of: Part, people: list[str]) -> Any:
    """An example of a part; who is paid is named where the form asks for it."""
    row = {column.code: value(column) for column in of.entered}
    if of.kind == "text":
        return "폐자원에너지화 인력의 수요가 늘고 있습니다."
    if of.kind == "record":
        return row
    if of.rows:
        return {line.code: dict(row) for line in of.rows}
    named = [column.code for column in of.columns if column.names_people]
    return [row | dict.fromkeys(named, name) for name in (people if named else ["", ""])]


def sections(rules: RuleSet, people: list[str]) -> dict[str, Any]:
    return {code: part(of, people) for code, of in rules.parts.items()}


def whole(rules: RuleSet) -> dict[str, Any]:
    """A document with every part of the form, which nobody objects to."""
    body = document()
    budget = body["budget"]
    budget["people"][0] |= {"researcher_no": "10012345", "affiliation": "환경공학과"}
    budget["people"][1] |= {"researcher_no": "10012346", "rank": "교육조교"}
    budget["lines"][3] |= {
        "name": "가스크로마토그래프",
        "goods": {
            "use": "성분 분석",
            "spec": "GC-7890",
            "unit": "대",
            "quantity": 8,
            "unit_price_won": 7_500_000,
            "deal": "purchase",
        },
    }
    budget["lines"][6] |= {"name": "교육위원회", "basis": "20회 × 250천원", "note": "분기별"}
    kinds = ("company",) * 5 + ("university",)
    body["applicant"]["partners"] = [
        {"kind": kind, "name": f"참여기관 {place}", "crn": CRN, "head": "이대표"}
        for place, kind in enumerate(kinds, 1)
    ]
    body["applicant"]["companies"] = None
    body["form"] = f"{rules.code}/{rules.version}"
    body["sections"] = sections(rules, [person["name"] for person in budget["people"]])
    funds = {"grant_won": 200_000_000, "cash_won": 60_000_000, "in_kind_won": 40_000_000}
    body["sections"]["year_funds"] = {year: dict(funds) for year in ("1", "2", "3")}
    body["texts"] = {"goals": "가" * 500, "effects": "나" * 200}
    body["keywords"] = {"keywords_ko": ["소화"] * 5, "keywords_en": ["biogas"] * 5}
    body["targets"] = {duty.code: duty.at_least for duty in rules.call.duties}
    return body
