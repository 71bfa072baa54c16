"""The words of our letters."""

import re

import pytest

from services.grants.letters import KINDS, words

PARAMS = {
    "title": "{바이오가스} 인력양성",
    "programme": "폐자원에너지화",
    "institution": "한빛대학교산학협력단",
    "decision": "우선협상대상 선정",
    "project_no": "2020-00001",
    "start": "2020-03-01",
    "end": "2021-02-28",
    "day": "2020-09-01",
    "due": 4_112_880,
    "disallowed": 550_000,
    "won": 1_000_000,
    "left": 0,
    "seq": 1,
    "number": 3,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_is_polite_korean_with_english_beside_and_names_its_project(kind):
    said = words(kind, PARAMS | ({"due": "2020-03-01 17:00"} if kind == "completion" else {}))
    assert PARAMS["title"] in said.subject
    assert PARAMS["title"] in said.text
    assert PARAMS["title"] in said.text_en
    sentences = re.split(r"(?<=[다오])\. ?", said.text)
    assert sentences.pop() == ""
    assert all(sentence.endswith(("니다", "십시오")) for sentence in sentences), sentences
    assert re.search(r"[가-힣]", re.sub(r"'[^']*'|한빛대학교산학협력단", "", said.text_en)) is None


def test_won_are_written_with_commas():
    assert "4,112,880원" in words("settlement_final", PARAMS).text
    assert "4,112,880 won" in words("settlement_final", PARAMS).text_en


def test_a_subject_fits_what_is_taken_on():
    assert len(words("agreement_paper_returned", PARAMS | {"title": "가" * 300}).subject) == 200


def test_a_letter_without_what_it_tells_is_never_written():
    with pytest.raises(KeyError):
        words("settlement_final", {"title": "바이오가스"})
