"""The plan of a continuing year, begun from the year before (계속사업): what moves on, and what the
institution has to give anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.grants.programmes.rules import (
    Period,
    Text,
    add_months,
    month_of,
    months_between,
    months_of,
)

Json = Any

_PARTS: Final[Mapping[str, Text]] = {
    "applicant": Text("신청기관·컨소시엄", "applicant and consortium"),
    "pledge": Text("민간부담금", "private contribution"),
    "targets": Text("연간 목표", "targets of the year"),
    "texts": Text("요약", "summaries"),
    "keywords": Text("키워드", "keywords"),
    "sections": Text("본문", "sections of the form"),
}
_LINES = Text("사업비 내역(기간 이동)", "budget lines, moved to the new year")
_PEOPLE = Text("참여인력", "participants")
_OWN_RULES = Text("승인된 기관 규정", "accepted rules of the institution")
_COPIES = Text("제출 서류", "documents handed in")
_DECLARED = Text("비목별 소계 기재액", "subtotals as stated")
_ENDED = Text("끝난 다른 과제 참여", "other projects that have ended")
_OUTSIDE = Text("새 연도에 없는 참여기간", "pay for months the new year does not have")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document, by JSON Pointer, and how many entries it has."""

    pointer: str
    name: Text
    count: int


@dataclass(frozen=True, slots=True)
class CarryOver:
    """A new document, what of the old one is in it, and what was left behind."""

    document: dict[str, Json]
    carried: tuple[Part, ...]
    left_out: tuple[Part, ...]


def carry_over(document: Mapping[str, Json], year: Period, project_no: str) -> CarryOver:
    """Last year's agreed document as the beginning of the next year's.

    Money, people and texts move on; pay moves by as many months as the years lie apart. Papers
    are handed in anew, and stated subtotals are worked out again.
    """
    carried, left_out = [], []
    new: dict[str, Json] = {}
    if "form" in document:
        new["form"] = document["form"]
    for key, name in _PARTS.items():
        if document.get(key):
            new[key] = document[key]
            carried.append(Part(f"/{key}", name, len(document[key])))
    if document.get("copies"):
        left_out.append(Part("/copies", _COPIES, len(document["copies"])))
    budget, moved, dropped = _budget(document["budget"], year)
    new["budget"] = budget
    if "sections" in new:
        new["sections"] = _continuing(new["sections"], project_no)
    return CarryOver(new, (*carried, *moved), (*left_out, *dropped))


def _budget(
    old: Mapping[str, Json], year: Period
) -> tuple[dict[str, Json], list[Part], list[Part]]:
    offset = months_between(date.fromisoformat(old["year"]["start"]), year.start) - 1
    lines: list[dict[str, Json]] = []
    outside = 0
    for line in old["lines"]:
        moved = {key: value for key, value in line.items() if key != "declared_won"}
        if moved.get("pay"):
            pay = _pay(moved["pay"], offset, year)
            if pay is None:
                outside += 1
                continue
            moved["pay"] = pay
        lines.append(moved)
    people, ended = _people(old.get("people", ()), year)
    new = {
        "year": {"start": year.start.isoformat(), "end": year.end.isoformat()},
        "lines": lines,
        "people": people,
    }
    carried = [
        Part("/budget/lines", _LINES, len(lines)),
        Part("/budget/people", _PEOPLE, len(people)),
    ]
    if old.get("own_rules"):
        new["own_rules"] = old["own_rules"]
        carried.append(Part("/budget/own_rules", _OWN_RULES, len(old["own_rules"])))
    left = (
        Part("/budget/declared", _DECLARED, len(old.get("declared") or ())),
        Part("/budget/people", _ENDED, ended),
        Part("/budget/lines", _OUTSIDE, outside),
    )
    return new, carried, [part for part in left if part.count]


def _pay(pay: Mapping[str, Json], offset: int, year: Period) -> dict[str, Json] | None:
    """Pay in the same months of the new year, as far as it has them."""
    start = add_months(date.fromisoformat(pay["start"]), offset)
    if start > year.end:
        return None
    months = min(int(pay["months"]), months_between(start, year.end))
    return {**pay, "start": start.isoformat(), "months": months}


def _people(people: Sequence[Mapping[str, Json]], year: Period) -> tuple[list[Json], int]:
    """Everyone, with those of their other projects that reach into the new year."""
    moved, ended = [], 0
    for person in people:
        others = person.get("other_projects") or []
        lasting = [
            other
            for other in others
            if months_of(date.fromisoformat(other["start"]), int(other["months"])).stop
            > month_of(year.start)
        ]
        ended += len(others) - len(lasting)
        moved.append({**person, "other_projects": lasting} if others else dict(person))
    return moved, ended


def _continuing(sections: Mapping[str, Json], project_no: str) -> dict[str, Json]:
    """The cover says that the project goes on, under its number (G-010)."""
    cover = sections.get("cover")
    if not isinstance(cover, Mapping) or not isinstance(cover.get("project"), Mapping):
        return dict(sections)
    project = {**cover["project"], "kind": "continuing", "number": project_no}
    return {**sections, "cover": {**cover, "project": project}}
