"""Evaluation: legal scores, every boundary of every band, bonus, exact means and ranking."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grants.evaluation.rules import (
    Candidate,
    Dated,
    Facts,
    Review,
    Scored,
    bonus_points,
    evaluate,
    grade_name,
    panel_findings,
    panel_pay,
    quantitative_scores,
    rank,
    score_range,
    sheet_findings,
    years_before,
)
from services.grants.programmes.rules import RuleSet
from shared.problems import Invalid
from tests.grants.calls import harbour, keco

CLOSES = date(2020, 2, 7)
QUALITATIVE = [item for item in keco().evaluation.items() if not item.quantitative]


def sheet(**changes: int) -> dict[str, int]:
    """The best score everywhere, changed as told."""
    return {item.code: item.scores[0] for item in QUALITATIVE} | changes


def scored(item: str, facts: Facts, rules: RuleSet | None = None) -> Scored:
    every = {s.item: s for s in quantitative_scores(rules or keco(), facts, CLOSES)}
    return every[item]


# The sheet --------------------------------------------------------------------------------------


def test_a_sheet_totals_between_twenty_and_a_hundred_and_five() -> None:
    assert score_range(keco()) == (20, 105)
    sections = {
        section.name.ko: sum(item.scores[0] for item in section.items)
        for section in keco().evaluation.sections
    }
    assert sections == {
        "사업목표 및 추진전략": 30,
        "사업내용": 30,
        "사업 관리체계 및 수행능력": 40,
    }


@pytest.mark.parametrize("item", keco().evaluation.items(), ids=lambda item: item.code)
def test_scores_are_the_five_grades(item: "object") -> None:
    scores = item.scores  # type: ignore[attr-defined]
    assert scores in {(10, 8, 6, 4, 2), (5, 4, 3, 2, 1)}
    names = [grade_name(keco(), item, score).ko for score in scores]  # type: ignore[arg-type]
    assert names == ["최우수", "우수", "보통", "미흡", "불량"]


def test_a_complete_legal_sheet_passes() -> None:
    assert list(sheet_findings(keco(), sheet())) == []
    assert list(sheet_findings(keco(), sheet(need=2, papers=1))) == []


@pytest.mark.parametrize("score", [0, 1, 3, 5, 7, 9, 11, -2])
def test_only_scores_of_the_sheet_are_legal(score: int) -> None:
    (finding,) = sheet_findings(keco(), sheet(need=score))
    assert (finding.code, finding.pointer) == ("SCORE_NOT_ALLOWED", "/scores/need")
    assert "배점표에 없는 점수입니다" in finding.message()
    assert "10, 8, 6, 4, 2" in finding.message("en")


def test_every_fault_of_a_sheet_is_said_at_once() -> None:
    scores: dict[str, int | None] = {
        **sheet(papers=10),
        "need": None,
        "charm": 5,
        "track_record": 10,
    }
    found = {(f.code, f.pointer) for f in sheet_findings(keco(), scores)}
    assert found == {
        ("SCORE_MISSING", "/scores/need"),
        ("SCORE_NOT_ALLOWED", "/scores/papers"),
        ("SCORE_ITEM_UNKNOWN", "/scores/charm"),
        ("SCORE_QUANTITATIVE", "/scores/track_record"),
    }


# Quantitative items -----------------------------------------------------------------------------


def people(graduates: int, undergraduates: int) -> Facts:
    return Facts(
        {"graduates": graduates, "undergraduates": undergraduates, "grant_won": 1, "cash_won": 0}
    )


@pytest.mark.parametrize(
    ("total", "score"),
    [(0, 2), (13, 2), (14, 4), (15, 6), (16, 8), (17, 8), (18, 10), (100, 10)],
)
def test_the_training_target_against_fifteen(total: int, score: int) -> None:
    assert scored("training_target", people(total, 0)).score == score


@pytest.mark.parametrize(
    ("plan", "standard", "score"),
    [
        (120, 100, 10),
        (1199, 1000, 8),
        (1001, 1000, 8),
        (100, 100, 6),
        (999, 1000, 4),
        (901, 1000, 4),
        (90, 100, 2),
        (899, 1000, 2),
    ],
)
def test_the_bands_of_the_training_target_leave_no_gap(
    plan: int, standard: int, score: int
) -> None:
    (item,) = (i for i in keco().evaluation.items() if i.code == "training_target")
    assert item.measure is not None
    changed = replace(item, measure=replace(item.measure, standard={"graduates": standard}))
    section = keco().evaluation.sections[2]
    sections = (replace(section, items=(changed,)),)
    rules = replace(keco(), evaluation=replace(keco().evaluation, sections=sections))
    assert scored("training_target", people(plan, 0), rules).score == score


def test_the_calculation_is_shown() -> None:
    shown = scored("training_target", people(10, 6)).shown
    assert shown.ko == "(10 + 6) ÷ 15 × 100 = 106.66…% (100% 초과 120% 미만) → 8점"
    assert shown.en == "(10 + 6) ÷ 15 × 100 = 106.66…% (over 100%, under 120%) → 8 points"
    exact = scored("training_target", people(10, 5)).shown
    assert exact.ko == "(10 + 5) ÷ 15 × 100 = 100% (100%) → 6점"


def test_a_total_that_hides_a_shortfall_warns() -> None:
    result = scored("training_target", people(0, 18))
    assert result.score == 10
    (finding,) = result.findings
    assert finding.code == "STANDARD_SHORT"
    assert finding.message() == (
        "합계에 가려 기준에 못 미치는 목표가 있습니다: 석·박사급 전문인력(명) 0(기준 10)"
    )
    assert scored("training_target", people(10, 5)).findings == ()


@pytest.mark.parametrize(
    ("cash", "score"),
    [
        (60_000_000, 10),
        (59_999_999, 8),
        (45_000_000, 8),
        (44_999_999, 6),
        (30_000_000, 6),
        (29_999_999, 4),
        (15_000_000, 4),
        (14_999_999, 2),
        (0, 2),
    ],
)
def test_private_cash_against_three_hundred_million(cash: int, score: int) -> None:
    facts = Facts(
        {"cash_won": cash, "grant_won": 300_000_000, "graduates": 10, "undergraduates": 5}
    )
    result = scored("private_investment", facts)
    assert result.score == score
    assert result.value == Fraction(cash, 3_000_000)


def test_no_grant_is_an_answer_and_no_division() -> None:
    result = scored("private_investment", Facts({"cash_won": 1, "grant_won": 0}))
    assert result.score is None
    assert [finding.code for finding in result.findings] == ["MEASURE_ZERO_BASE"]
    missing = scored("private_investment", Facts({"cash_won": -1}))
    assert [f.code for f in missing.findings] == ["MEASURE_MISSING"]
    assert missing.findings[0].params["facts"] == "cash_won, grant_won"


@pytest.mark.parametrize(
    ("jobs", "score"), [(0, 2), (1, 2), (2, 4), (3, 6), (4, 8), (5, 10), (9, 10)]
)
def test_completed_jobs_count_one_each(jobs: int, score: int) -> None:
    facts = Facts(records={"completed_jobs": [Dated(date(2019, 1, 1))] * jobs})
    result = scored("track_record", facts)
    assert result.score == score
    assert result.shown.ko.startswith(f"{jobs}건 (")


@pytest.mark.parametrize(
    ("day", "proven", "counts"),
    [
        ("2017-02-07", True, True),
        ("2017-02-06", True, False),
        ("2020-02-07", True, True),
        ("2020-02-08", True, False),
        ("2019-05-05", False, False),
    ],
)
def test_jobs_of_the_last_three_years_with_proof_count(
    day: str, proven: bool, counts: bool
) -> None:
    facts = Facts(records={"completed_jobs": [Dated(date.fromisoformat(day), proven)]})
    assert scored("track_record", facts).value == (1 if counts else 0)


def test_three_years_before_a_leap_day() -> None:
    assert years_before(date(2020, 2, 29), 3) == date(2017, 2, 28)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_every_ratio_falls_in_exactly_one_band(graduates: int, undergraduates: int) -> None:
    total = graduates + undergraduates
    score = scored("training_target", people(graduates, undergraduates)).score
    value = Fraction(total * 100, 15)
    expected = [
        (value >= 120, 10),
        (100 < value < 120, 8),
        (value == 100, 6),
        (90 < value < 100, 4),
        (value <= 90, 2),
    ]
    assert [points for holds, points in expected if holds] == [score]


# Bonus ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lead", "partners", "points"),
    [
        ("busan", [], 5),
        ("seoul", [], 0),
        ("gyeonggi", [], 0),
        ("incheon", [], 0),
        ("busan", ["jeju"], 5),
        ("busan", ["seoul"], 4),
        ("seoul", ["busan"], 3),
        ("seoul", ["incheon"], 0),
    ],
)
def test_the_bonus_follows_where_the_schools_are(
    lead: str, partners: list[str], points: int
) -> None:
    result = bonus_points(keco(), lead, partners)
    assert (result.points, result.findings) == (points, ())
    assert result.shown.ko.endswith(f"→ {points}점")


@pytest.mark.parametrize(
    ("lead", "partners", "points"),
    [
        ("busan", ["jeju", "seoul"], 4),
        ("busan", ["jeju", "daegu"], 5),
        ("seoul", ["jeju", "incheon"], 0),
    ],
)
def test_three_schools_are_put_to_the_committee(
    lead: str, partners: list[str], points: int
) -> None:
    result = bonus_points(keco(), lead, partners)
    assert result.points == points
    assert [finding.code for finding in result.findings] == ["BONUS_UNDEFINED"]


def test_an_unknown_region_is_no_bonus_but_a_finding() -> None:
    result = bonus_points(keco(), "atlantis")
    assert (result.points, [f.code for f in result.findings]) == (0, ["REGION_UNKNOWN"])


# Means, conflicts, ranking ----------------------------------------------------------------------

PLAIN = {"training_target": 8, "private_investment": 8, "track_record": 8}


def review(reviewer: str, total: int, **changes: object) -> Review:
    """A sheet whose qualitative items sum to `total` (even numbers and odd ones alike)."""
    scores = {item.code: item.scores[-1] for item in QUALITATIVE}
    rest = total - sum(scores.values())
    for item in QUALITATIVE:
        for score in item.scores:
            gain = score - item.scores[-1]
            if scores[item.code] == item.scores[-1] and gain <= rest:
                scores[item.code] = score
                rest -= gain
    assert rest == 0
    return Review(reviewer, scores, **changes)  # type: ignore[arg-type]


def candidate(
    proposal: str, *reviews: Review, bonus: int = 3, quantitative: Mapping[str, int] = PLAIN
) -> Candidate:
    return Candidate(proposal, frozenset([f"uni-{proposal}"]), quantitative, reviews, bonus)


THREE = (review("r1", 62), review("r2", 58), review("r3", 55))


def test_the_worked_total_is_exact_and_shown_cut() -> None:
    outcome = evaluate(keco(), candidate("a", *THREE))
    assert (outcome.quantitative, outcome.qualitative, outcome.bonus) == (24, Fraction(175, 3), 3)
    assert outcome.total == Fraction(256, 3)
    assert outcome.shown == "85.33"
    assert sum(outcome.sections.values()) + outcome.bonus == outcome.total
    assert outcome.passes


def test_ranking_compares_what_totals_exactly_are() -> None:
    better = candidate("b", review("r1", 62), review("r2", 58), review("r3", 56))
    same_shown = candidate(
        "c", *[review(f"r{i}", t) for i, t in enumerate([62, 58, 55, 62, 58, 55, 59])]
    )
    ranked = rank(keco(), [candidate("a", *THREE), better, same_shown])
    assert [(place.rank, place.outcome.proposal) for place in ranked] == [
        (1, "b"),
        (2, "c"),
        (3, "a"),
    ]


def test_a_reviewer_of_the_consortium_is_recused() -> None:
    conflicted = review("r4", 20, institutions=frozenset(["uni-a", "elsewhere"]))
    declared = review("r5", 20, declared_conflict=True)
    outcome = evaluate(keco(), candidate("a", *THREE, conflicted, declared))
    assert outcome.recused == ("r4", "r5")
    assert outcome.counted == ("r1", "r2", "r3")
    assert outcome.total == Fraction(256, 3)
    assert [finding.code for finding in outcome.findings] == ["COI_RECUSED", "COI_RECUSED"]
    assert outcome.passes


def test_without_reviewers_there_is_no_quorum() -> None:
    only = review("r1", 60, declared_conflict=True)
    outcome = evaluate(keco(), candidate("a", only))
    assert not outcome.passes
    assert {finding.code for finding in outcome.findings} == {"COI_RECUSED", "QUORUM_SHORT"}


def test_equal_totals_go_by_management_then_contents_then_the_committee() -> None:
    def one(proposal: str, **changes: int) -> Candidate:
        return candidate(proposal, Review("r1", sheet(**changes)))

    managed = one("managed", need=8)
    contents = one("contents", staff=8)
    ranked = rank(keco(), [contents, managed])
    assert [r.outcome.proposal for r in ranked] == ["managed", "contents"]
    assert [r.tied for r in ranked] == [False, False]
    goals = one("goals", curriculum=8)
    ranked = rank(keco(), [goals, managed])
    assert [r.outcome.proposal for r in ranked] == ["managed", "goals"]
    twin = one("twin", need=8)
    ranked = rank(keco(), [twin, contents, managed])
    assert [(r.rank, r.outcome.proposal, r.tied) for r in ranked] == [
        (1, "managed", True),
        (1, "twin", True),
        (3, "contents", False),
    ]
    assert [f.code for f in ranked[0].findings] == ["RANK_TIED"]


def test_trimming_drops_one_highest_and_one_lowest() -> None:
    sheets = tuple(Review(f"r{i}", {"plan": score}) for i, score in enumerate([7, 7, 3, 0, 0]))
    entry = Candidate("h", frozenset(), {"ships": 9}, sheets, 1)
    outcome = evaluate(harbour(), entry)
    assert outcome.trimmed == ("r3", "r1")
    assert outcome.qualitative == Fraction(7 + 3 + 0, 3)
    assert (outcome.total, outcome.shown) == (Fraction(40, 3), "13.3")
    two = evaluate(harbour(), replace(entry, reviews=sheets[:2]))
    assert two.trimmed == ()
    assert "QUORUM_SHORT" in {finding.code for finding in two.findings}


def test_below_the_passing_score_nobody_is_designated() -> None:
    good = Candidate("good", frozenset(), {"ships": 5}, (Review("a", {"plan": 3}),) * 3, 1)
    bad = replace(good, proposal="bad", quantitative={"ships": 1}, bonus=2)
    assert evaluate(harbour(), good).passes
    ranked = rank(harbour(), [bad, good])
    assert [place.outcome.proposal for place in ranked] == ["good", "bad"]
    (finding,) = ranked[1].outcome.findings
    assert finding.message() == "총점 6점이 지정 기준 8.5점에 미달합니다."


def test_incomplete_sheets_are_never_averaged() -> None:
    broken = Review("r9", {**sheet(), "need": 7})
    with pytest.raises(Invalid) as caught:
        evaluate(keco(), candidate("a", *THREE, broken, quantitative={"training_target": 8}))
    assert [finding.pointer for finding in caught.value.errors] == [
        "/a/reviews/r9/scores/need",
        "/a/quantitative/private_investment",
        "/a/quantitative/track_record",
    ]


@given(st.lists(st.integers(10, 35).map(lambda n: 2 * n), min_size=1, max_size=10), st.randoms())
def test_the_mean_is_exact_and_knows_no_order(totals: list[int], random: object) -> None:
    totals = [min(total, 70) for total in totals]
    reviews = [review(f"r{i}", total) for i, total in enumerate(totals)]
    first = evaluate(keco(), candidate("a", *reviews))
    random.shuffle(reviews)  # type: ignore[attr-defined]
    second = evaluate(keco(), candidate("a", *reviews))
    assert first.total == second.total == 24 + 3 + Fraction(sum(totals), len(totals))


# Panels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panel", "projects", "days", "chair", "won"),
    [
        ("selection", 1, 1, False, 200_000),
        ("selection", 4, 1, False, 200_000),
        ("selection", 5, 1, False, 250_000),
        ("selection", 4, 2, True, 460_000),
        ("selection", 0, 1, True, 0),
        ("site_visit", 1, 1, False, 150_000),
        ("site_visit", 2, 1, False, 200_000),
        ("steering", 1, 1, False, 180_000),
    ],
)
def test_members_are_paid_by_the_day(
    panel: str, projects: int, days: int, chair: bool, won: int
) -> None:
    pay = panel_pay(keco(), panel, projects_a_day=projects, days=days, chair=chair)
    assert pay == won


@pytest.mark.parametrize(
    ("panel", "members", "codes"),
    [
        ("selection", 10, []),
        ("selection", 11, ["PANEL_TOO_LARGE"]),
        ("site_visit", 5, []),
        ("site_visit", 6, ["PANEL_TOO_LARGE"]),
        ("steering", 50, []),
        ("selection", 0, ["QUORUM_SHORT"]),
    ],
)
def test_panels_have_a_largest_size(panel: str, members: int, codes: list[str]) -> None:
    found = list(panel_findings(keco(), panel, members))
    assert [finding.code for finding in found] == codes
    assert all(finding.message() and finding.message("en") for finding in found)


def test_an_unknown_panel_is_refused() -> None:
    with pytest.raises(Invalid):
        panel_pay(keco(), "jury", projects_a_day=1)


def test_another_calls_bands_and_bonus_are_its_own() -> None:
    def ships(count: int) -> int | None:
        return scored("ships", Facts({"ships": count, "ports": 1000}), harbour()).score

    assert (ships(666), ships(665), ships(500), ships(499)) == (9, 5, 5, 1)
    assert bonus_points(harbour(), "north").points == 1
    assert bonus_points(harbour(), "south", ["south"]).points == 2
