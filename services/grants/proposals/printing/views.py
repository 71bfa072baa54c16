"""The parts of the form that show what other parts of the document say, as blocks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.grants.programmes.rules import FUND_NAMES, Part, RuleSet
from services.grants.proposals.document import Document
from services.grants.proposals.printing.blocks import (
    Block,
    Head,
    Words,
    note,
    pairs,
    paragraph,
    table,
)
from services.grants.proposals.printing.form import written
from services.grants.proposals.rules import Line, Person, Totals
from services.grants.proposals.sheets.tables import DEALS, PARTNERS

_AMOUNTS: Final = [
    Head(name, "right", 1.3) for name in ("합계", "정부지원금", "민간 소계", "현금", "현물")
]


@dataclass(frozen=True, slots=True)
class Shown:
    """What views show: the document, its sums, its sections as printed, and the files with it."""

    rules: RuleSet
    document: Document
    totals: Totals | None
    sections: Mapping[str, Any]
    attachments: Sequence[Mapping[str, Any]]
    words: Words

    @property
    def people(self) -> Mapping[str, Person]:
        people = self.document.budget.people if self.document.budget else ()
        return {person.ref: person for person in people}

    def lines(self, part: Part) -> list[tuple[Line, int]]:
        """The lines of the budget a view is about, with their cut totals."""
        return [
            (line, won)
            for line, won in (self.totals.lines if self.totals else ())
            if (not part.items or line.item in part.items)
            and (not part.kinds or line.kind in part.kinds)
        ]

    def use(self, line: Line) -> str:
        """세부 비목, and what the applicant calls it."""
        kind = self.rules.kinds.get(line.kind)
        return " / ".join(filter(None, (kind.name.ko if kind else line.kind, line.name)))


def view(part: Part, shown: Shown) -> Iterator[Block]:
    assert part.view is not None
    yield from _VIEWS[part.view](part, shown)
    if part.note:
        yield note(part.note.ko)


def _summary(_part: Part, shown: Shown) -> Iterator[Block]:
    document = shown.document
    rows = [
        (
            length.name.ko,
            document.texts.get(length.code) or ", ".join(document.keywords.get(length.code, ())),
        )
        for length in shown.rules.call.text_lengths
    ]
    yield pairs(rows)


def _consortium(_part: Part, shown: Shown) -> Iterator[Block]:
    applicant = shown.document.applicant
    schools = applicant.schools if applicant else ()
    yield table(
        [Head("대학원(대학교)", width=4), Head("구분", "center", 1)],
        [(school.university, "주관" if school.lead else "참여") for school in schools],
    )
    heads = [Head("구분", width=1), Head("기관명", width=2.4), Head("법인등록번호", width=1.8)]
    heads += [Head("책임자", width=1.2), Head("전화번호", width=1.6), Head("기업유형", width=1.4)]
    yield table(
        heads,
        [
            (PARTNERS[p.kind][0], p.name, p.crn, p.head, p.phone, p.company_type)
            for p in (applicant.partners if applicant else ())
        ],
    )


def _headcount(_part: Part, shown: Shown) -> Iterator[Block]:
    """총 ( )명, 내부/외부: by the items they are paid from."""
    roles: dict[str, set[str]] = {"internal_pay": set(), "external_pay": set()}
    for line, _won in shown.totals.lines if shown.totals else ():
        item = shown.rules.leaves.get(line.item)
        if line.pay and item and item.role:
            roles[item.role].add(line.pay.person)
    counts = {"총 참여인원": len(shown.people), "내부": len(roles["internal_pay"])}
    counts["외부"] = len(roles["external_pay"])
    yield pairs([(name, f"{count}명") for name, count in counts.items()])


def _years(_part: Part, shown: Shown) -> Iterator[Block]:
    for code, part in shown.rules.parts.items():
        if part.years:
            years = shown.rules.call.years
            yield from written(part, shown.sections.get(code), shown.words, None, years)


def _budget(_part: Part, shown: Shown) -> Iterator[Block]:
    """비목별 사업비: the item tree with its sums and shares; derived, never entered."""
    if shown.totals is None:
        yield paragraph("")
        return
    rows = []
    for root in shown.rules.budget.items:
        for item in root.walk():
            depth = 0 if item is root else 1
            sums = shown.totals.items[item.code]
            name = f"{'　' * depth}{item.name.ko}{'(소계)' if item.children else ''}"
            rows.append([name, *shown.words.funds(sums), shown.totals.shares[item.code]])
    whole = shown.totals.whole
    last = ["총계", *shown.words.funds(whole), "100" if whole.total else "–"]
    heads = [Head("비목", width=3), *_AMOUNTS, Head("비율(%)", "right", 1)]
    yield table(heads, rows, last, shown.words.unit)


def _people(part: Part, shown: Shown) -> Iterator[Block]:
    words, lines = shown.words, [pair for pair in shown.lines(part) if pair[0].pay]
    rows = []
    for line, won in lines:
        assert line.pay is not None
        person = shown.people.get(line.pay.person)
        rows.append(
            [
                person.name if person else line.pay.person,
                (person.researcher_no or "") if person else "",
                person.affiliation if person else "",
                person.rank if person else "",
                words.exact(line.pay.monthly_won),
                str(line.pay.months),
                words.rate(line.pay.rate),
                words.won(won),
            ]
        )
    names = ("성명", "과학기술인번호", "소속기관/부서", "직급·학년")
    numbers = ("월 단가", "참여기간(개월)", "참여율(%)", "총액")
    heads = [*(Head(n, width=1.6) for n in names), *(Head(n, "right", 1.2) for n in numbers)]
    yield table(heads, rows, _total(heads, lines, words), words.unit)


def _goods(part: Part, shown: Shown) -> Iterator[Block]:
    words, lines = shown.words, shown.lines(part)
    rows = []
    for line, won in lines:
        goods = line.goods
        price = goods.unit_price_won if goods else None
        rows.append(
            [
                shown.use(line),
                goods.use if goods else "",
                goods.spec if goods else "",
                goods.unit if goods else "",
                f"{goods.quantity:,}" if goods and goods.quantity else "",
                words.won(price) if price else "",
                DEALS[goods.deal][0] if goods and goods.deal else "",
                "" if line.fund == "in_kind" else "○",
                "○" if line.fund == "in_kind" else "",
                words.won(won),
            ]
        )
    heads = [Head("구분/품명", width=2.4), Head("용도", width=1.6), Head("규격", width=1.3)]
    heads += [Head("단위", width=0.8), Head("수량", "right", 0.8), Head("단가", "right", 1.1)]
    heads += [Head("구입·임차", "center", 1), Head("현금", "center", 0.7)]
    heads += [Head("현물", "center", 0.7), Head("금액", "right", 1.2)]
    yield table(heads, rows, _total(heads, lines, words), words.unit)


def _notes(part: Part, shown: Shown) -> Iterator[Block]:
    words, lines = shown.words, shown.lines(part)
    rows = [
        [
            shown.use(line),
            line.basis or _pay_basis(line, shown),
            FUND_NAMES[line.fund].ko,
            line.note,
            words.won(won),
        ]
        for line, won in lines
    ]
    heads = [Head("내역", width=3), Head("계산근거", width=3), Head("재원", width=1.2)]
    heads += [Head("비고", width=1.4), Head("금액", "right", 1.2)]
    yield table(heads, rows, _total(heads, lines, words), words.unit)


def _pay_basis(line: Line, shown: Shown) -> str:
    if line.pay is None:
        return f"{line.heads:,}명" if line.heads else ""
    person = shown.people.get(line.pay.person)
    name = person.name if person else line.pay.person
    monthly = f"{shown.words.exact(line.pay.monthly_won)}{shown.words.unit}"
    return f"{name}: {monthly} × {line.pay.months}개월 × {shown.words.rate(line.pay.rate)}%"


def _total(heads: Sequence[Head], lines: Sequence[tuple[Line, int]], words: Words) -> list[str]:
    return ["소계", *[""] * (len(heads) - 2), words.won(sum(won for _, won in lines))]


def _pledge(_part: Part, shown: Shown) -> Iterator[Block]:
    pledge, words = shown.document.pledge, shown.words
    if pledge is None:
        yield paragraph("")
        return

    def amount(won: int) -> str:
        return f"{words.won(won)}{words.unit}"

    yield pairs(
        [
            ("민간부담금 총계(A+B)", amount(pledge.total_won)),
            ("현금(A)", amount(pledge.cash_won)),
            ("현금 지급일자", str(pledge.cash_paid_on or "")),
            ("현물(B) 소계", amount(pledge.in_kind_won)),
            ("현물 인건비", amount(pledge.pay_in_kind_won)),
            ("인건비 주요출연내용", pledge.pay_content),
            ("현물 기자재·시설 임차", amount(pledge.assets_in_kind_won)),
            ("기자재·시설 주요출연내용", pledge.assets_content),
        ]
    )


def _documents(_part: Part, shown: Shown) -> Iterator[Block]:
    files: dict[str, list[str]] = {}
    for item in shown.attachments:
        files.setdefault(item["document"], []).append(item["file_name"])
    rows = [
        [
            document.name.ko,
            f"{shown.document.copies.get(document.code, 0):,}/{document.copies:,}",
            ", ".join(files.get(document.code, ())),
        ]
        for document in shown.rules.call.documents
    ]
    heads = [Head("제출 서류", width=3), Head("부수", "right", 1), Head("올린 파일", width=3)]
    yield table(heads, rows)


_VIEWS: Final[Mapping[str, Callable[[Part, Shown], Iterator[Block]]]] = {
    "summary": _summary,
    "consortium": _consortium,
    "headcount": _headcount,
    "years": _years,
    "budget": _budget,
    "people": _people,
    "goods": _goods,
    "notes": _notes,
    "pledge": _pledge,
    "documents": _documents,
}
