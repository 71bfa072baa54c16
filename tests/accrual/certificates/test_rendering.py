"""The page: the same document gives the same bytes, on every machine and in every thread."""

import asyncio
import re
from dataclasses import asdict
from datetime import UTC, datetime

import orjson

from services.accrual.certificates import rendering, rules
from services.accrual.criteria.service import versions
from shared.typeset import Template, drawable
from tests.accrual.certificates.conftest import attached_json

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URL = "https://mileage.example/verify/008J-4CT4-ANK7-F24S-W"


def document(**changed):
    return {
        "issuer": "산학협력 마일리지 운영기관",
        "number": "2026-000001",
        "verification_number": "008J-4CT4-ANK7-F24S-W",
        "reissue_of": None,
        "institution": {"name": "한국대학교", "brn": None},
        "purpose": None,
        "recipient": None,
        "as_of": "2026-02-28",
        "issued_on": "2026-03-01",
        "valid_until": "2026-05-30",
        "by_field": [{"field": "PRACTICE", "name": "대학생 현장실습", "points": 1_234_567}],
        "balance": 1_234_567,
        "ledger": {"version": 1, "head": "ab" * 32},
        **changed,
    }


def drawn(one):
    key = None if one["institution"]["brn"] else "ABCD1234"
    look = rules.look(one, key=key, url=URL)
    return rendering.render(orjson.dumps(one), look, url=URL, timestamp=NOW)


async def test_the_same_document_gives_the_same_bytes_even_at_once(monkeypatch):
    one, other = document(), document(balance=-5)
    pages = await asyncio.gather(
        *(asyncio.to_thread(drawn, wanted) for wanted in (one, other, one, other))
    )
    assert pages[0] == pages[2] != pages[1] == pages[3]
    # With a compiler of its own, as another process has.
    monkeypatch.setattr(rendering, "TEMPLATE", Template(rendering.TEMPLATE.path))
    assert drawn(one) == pages[0]
    assert attached_json(pages[0]) == one


def test_the_fullest_certificate_stays_on_one_page():
    names = {rule.code: rule.ko for rule in versions()[-1].fields.values()}
    points = dict.fromkeys([*names, None], 123_456_789_012)
    full = document(
        institution={"name": "가" * 200, "brn": "1048203590"},
        purpose="나" * 60,
        recipient="다" * 60,
        reissue_of="2026-000000",
        by_field=[asdict(part) for part in rules.parts(points, names)],
        balance=sum(points.values()),
    )
    assert len(full["by_field"]) == 8
    assert pages(drawn(full)) == pages(drawn(document())) == 1
    assert pages(drawn(document(by_field=full["by_field"] * 4))) == 2  # the count can tell


def pages(pdf):
    return len(re.findall(rb"/Type ?/Page\b", pdf))


def test_both_weights_draw_every_hangul_syllable_hanja_and_the_template():
    known = drawable()
    assert set(range(0xAC00, 0xD7A4)) <= known
    assert {ord(char) for char in "漢字㈜㎡·“”~"} <= known
    template = rendering.TEMPLATE.path.read_text(encoding="utf-8")
    assert {ord(char) for char in template if char != "\n"} <= known
