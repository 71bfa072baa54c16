"""What only people decide, and who may not: ties by the committee, one body under many names."""

import pytest

from services.grants.evaluation.rules import Candidate, Review, body_of, rank, shared_bodies
from tests.grants.calls import harbour


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("한빛대학교 산학협력단", "한빛대학교"),
        ("한빛대학교 환경대학원", "한빛대학교"),
        ("㈜가람에너지", "가람에너지"),
        ("가람 에너지(주)", "가람에너지"),
        ("주식회사 GARAM", "garam"),
        ("샛별과학기술원산학협력단", "샛별과학기술원"),
    ],
)
def test_one_body_stands_behind_many_names(name: str, body: str) -> None:
    assert body_of(name) == body


def test_a_reviewer_shares_a_body_under_any_of_its_names() -> None:
    candidate = Candidate("a", frozenset({"한빛대학교산학협력단", "가람에너지(주)"}), {}, ())
    assert shared_bodies(candidate, ["㈜ 가람에너지", "샛별대학교"]) == {"㈜ 가람에너지"}


def test_the_committee_orders_what_nothing_else_tells_apart() -> None:
    twins = [
        Candidate(name, frozenset(), {"ships": 9}, (Review("r", {"plan": 3}),) * 3)
        for name in "abc"
    ]
    tied = rank(harbour(), twins)
    assert [(one.rank, one.tied) for one in tied] == [(1, True)] * 3
    ordered = rank(harbour(), twins, ["c", "a", "b"])
    assert [(one.outcome.proposal, one.rank, one.tied) for one in ordered] == [
        ("c", 1, False),
        ("a", 2, False),
        ("b", 3, False),
    ]
    in_part = rank(harbour(), twins, ["c"])
    assert {(one.rank, one.tied) for one in in_part} == {(1, True)}
