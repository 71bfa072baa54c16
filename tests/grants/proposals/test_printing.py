"""The whole proposal as pages: every part, in the form's order, with what is computed."""

import copy
from itertools import pairwise
from typing import Any

import pytest

from services.grants.programmes.rules import RuleSet
from services.grants.proposals.document import shaped
from services.grants.proposals.printing.blocks import EMPTY
from services.grants.proposals.printing.pages import blocks, composed, glyph_findings
from tests.grants.calls import harbour, keco
from tests.grants.proposals.filled import whole

WHOLE = whole(keco())


def printed(document: dict[str, Any], rules: RuleSet | None = None) -> list[dict[str, Any]]:
    read, wrong = shaped(rules or keco(), document)
    assert read is not None, wrong
    return blocks(rules or keco(), read, [{"document": "pledge", "file_name": "협약서.pdf"}])


def under(made: list[dict[str, Any]], heading: str) -> list[dict[str, Any]]:
    """The blocks below a heading, up to the next one."""
    start = next(i for i, b in enumerate(made) if b.get("text") == heading) + 1
    stop = next((i for i in range(start, len(made)) if made[i]["type"] == "heading"), len(made))
    return made[start:stop]


def test_the_headings_are_the_forms_in_its_own_order() -> None:
    headings = [b["text"] for b in printed(WHOLE) if b["type"] == "heading"]
    form = [
        name
        for section in keco().form.sections
        for name in (section.name.ko, *(p.name.ko for p in section.parts if p.only is None))
    ]
    assert headings == form
    roman = [name for name in headings if name[0] in "ⅠⅡⅢⅣⅤⅥⅦ"]
    assert [name[:2] for name in roman] == ["Ⅰ.", "Ⅱ.", "Ⅲ.", "Ⅳ.", "Ⅴ.", "Ⅵ.", "Ⅶ."]
    assert (headings[0], headings[-1]) == ("표지", "첨부서류 목록")


def test_a_continuing_project_prints_what_was_remarked() -> None:
    document = copy.deepcopy(WHOLE)
    document["sections"]["project"]["kind"] = "continuing"
    assert under(printed(document), "자체 평가 주요 의견 및 외부 지적 사항")


def test_heading_levels_never_jump() -> None:
    for rules, document in ((keco(), WHOLE), (keco(), {}), (harbour(), {})):
        levels = [b["level"] for b in printed(document, rules) if b["type"] == "heading"]
        steps = [after - before for before, after in pairwise(levels)]
        assert all(step <= 1 for step in steps)


def test_everything_written_is_on_a_page() -> None:
    """A column or a text left out by mistake would be seen by nobody."""
    document = copy.deepcopy(WHOLE)
    document["sections"]["organisation"] = "조직은 다음과 같습니다.\n총괄"
    words: set[str] = set()
    for block in printed(document):
        words |= {block["text"]} if "text" in block else set()
        words |= {cell for row in block.get("rows", ()) for cell in row}
    for code, part in keco().parts.items():
        value = document["sections"][code]
        texts = [value] if part.kind == "text" else []
        rows = [value] if part.kind == "record" else []
        rows = list(value.values()) if part.rows else value if part.kind == "table" else rows
        named = {c.code for c in part.columns if c.type in ("text", "long", "day", "email")}
        texts += [cell for row in rows for key, cell in row.items() if key in named]
        assert words.issuperset(texts), code


def test_the_budget_is_printed_in_thousands_with_its_shares() -> None:
    (table, _note) = under(printed(WHOLE), "2. 당해연도 사업비")
    assert table["unit"] == "(단위: 천원)"
    rows = {row[0].strip("　"): row[1:] for row in table["rows"]}
    assert rows["인건비(소계)"] == ["52,000", "12,000", "40,000", "0", "40,000", "17.33"]
    assert rows["내부인건비"] == ["40,000", "0", "40,000", "0", "40,000", "13.33"]
    assert table["last"] == ["총계", "300,000", "200,000", "100,000", "60,000", "40,000", "100"]


def test_people_are_printed_with_one_decimal_and_a_monthly_rate_nobody_rounded() -> None:
    document = copy.deepcopy(WHOLE)
    document["budget"]["lines"][2]["pay"]["monthly_won"] = "6028806/5"
    (table,) = under(printed(document), "② 외부인건비(현금 지급)")
    assert table["rows"] == [
        ["김조교", "10012346", "", "교육조교", "1205.761", "12", "50.0", "7,234"]
    ]
    assert table["last"][-1] == "7,234"


def test_goods_show_number_price_and_source() -> None:
    (table,) = under(printed(WHOLE), "① 기자재·시설비")
    assert table["rows"] == [
        ["기자재 구입 / 가스크로마토그래프", "성분 분석", "GC-7890", "대", "8", "7,500", "구입",
         "○", "", "60,000"]
    ]  # fmt: skip


def test_shares_of_nobody_are_a_dash() -> None:
    document = copy.deepcopy(WHOLE)
    document["sections"]["graduates"]["doctor"] |= {"degrees": 0}
    document["sections"]["graduates"]["master"] |= {"degrees": 3, "advanced": 1}
    (table,) = under(printed(document), "(3) 대학원생 배출실적(최근 3년)")
    by_name = {row[0]: row for row in table["rows"]}
    assert by_name["박사"][3] == "–"
    assert by_name["석사"][3] == "33.33"
    assert table["last"][:4] == ["계", "3", "4", "133.33"]  # of the sums


def test_halves_cover_the_year_without_a_gap_even_in_a_leap_year() -> None:
    """The printed form ends the first half on 30 August (G-012)."""
    document = copy.deepcopy(WHOLE)
    document["budget"]["year"] = {"start": "2023-03-01", "end": "2024-02-29"}
    (table,) = under(printed(document), "3. 당해연도 성과지표")
    assert table["names"][2:] == [
        "상반기 (2023.03.01~2023.08.31)",
        "하반기 (2023.09.01~2024.02.29)",
    ]
    assert table["rows"][0][1:] == ["6", "3", "3"]


def test_the_year_of_the_budget_fills_its_row_in_the_table_of_years() -> None:
    document = copy.deepcopy(WHOLE)
    document["sections"]["year_funds"] = {"2": {"grant_won": 1_000_000}}
    (table, _note) = under(printed(document), "1. 총 사업비")
    assert table["rows"][0] == [
        "1차연도 (2020.03.01~2021.02.28)", "300,000", "200,000", "100,000", "60,000", "40,000",
    ]  # fmt: skip
    assert table["rows"][1][1:] == ["1,000", "1,000", "", "", ""]
    assert table["last"] == ["계", "301,000", "201,000", "100,000", "60,000", "40,000"]


def test_enclosures_are_listed_with_copies_and_files() -> None:
    (table,) = under(printed(WHOLE), "첨부서류 목록")
    assert table["rows"][0] == ["사업계획서(원본 1부 포함)", "12/12", ""]
    assert table["rows"][-1] == ["민간부담금 부담 협약서(확약서)", "1/1", "협약서.pdf"]


def test_an_empty_draft_prints_the_empty_form() -> None:
    made = printed({})
    assert {b["text"] for b in made if b["type"] == "text"} == {EMPTY}
    assert sum(b["type"] == "table" for b in made) > 30


@pytest.mark.parametrize(
    ("text", "missing"),
    [("바이오가스 30 ㎥", False), ("a\nb", False), ("사랑\U0001f495", True), ("\x07", True)],
)
def test_what_cannot_be_drawn_is_found_by_its_place(text: str, missing: bool) -> None:
    found = list(glyph_findings({"sections": {"textbooks": [{"title": text}]}}))
    assert [f.pointer for f in found] == ["/sections/textbooks/0/title"] * missing
    assert all(f.message("ko") and f.message("en") for f in found)


def test_decomposed_hangul_is_composed_before_it_is_printed() -> None:
    assert composed({"a": ["\u1100\u1161\tx\r\n"]}) == {"a": ["가 x\n"]}
