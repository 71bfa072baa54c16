"""Who may be certified, with what, and for how long: the shipped rules and others."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from services.grants.certification.rules import (
    Application,
    Status,
    application_findings,
    certificate_number,
    kind_findings,
    last_day,
    mileage_findings,
    status,
)
from services.grants.errors import RuleSetInvalid
from services.grants.evaluation.rules import Facts, bonus_points, quantitative_scores, score_range
from services.grants.programmes.rules import CertificationRules, parse_certification

GUILD = Path(__file__).parent.parent / "data" / "guild-2040.json"


def shipped() -> CertificationRules:
    data = files("services.grants.certification") / "data" / "excellence-2024.json"
    return parse_certification(data.read_text(encoding="utf-8"))


def guild() -> CertificationRules:
    return parse_certification(GUILD.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("university", ["NOT_ELIGIBLE_UNIVERSITY"]),
        ("iacf", ["NOT_ELIGIBLE_UNIVERSITY"]),
        ("company", []),
        ("agency", []),
    ],
)
def test_universities_and_their_foundations_may_not_apply(kind: str, codes: list[str]) -> None:
    assert [found.code for found in kind_findings(shipped(), kind)] == codes


def test_mileage_is_needed_by_the_closing_day() -> None:
    closes = date(2024, 3, 29)
    (found,) = mileage_findings(shipped(), 0, closes)
    assert (found.code, found.kind.rule) == ("NO_MILEAGE", "M-061")
    assert found.message().startswith("2024-03-29 기준 적립 마일리지가 0점입니다.")
    assert not list(mileage_findings(shipped(), 1, closes))
    assert [f.code for f in mileage_findings(guild(), 699, closes)] == ["NO_MILEAGE"]
    assert not list(mileage_findings(guild(), 700, closes))


def test_everything_missing_is_said_at_once() -> None:
    found = application_findings(shipped(), Application(promises={"charm": True}), ())
    assert [(one.code, one.pointer) for one in found] == [
        ("PART_UNKNOWN", "/charm"),
        ("STATEMENT_MISSING", "/statements/cooperation"),
        ("STATEMENT_MISSING", "/statements/plan"),
        ("PROMISE_MISSING", "/promises/labour_law"),
        ("PROMISE_MISSING", "/promises/safety_law"),
        ("ATTACHMENT_MISSING", "/attachments/application_form"),
    ]
    long = Application(statements={"oath": "여섯 글자다"})
    assert [one.code for one in application_findings(guild(), long, ())] == ["STATEMENT_LONG"]


@pytest.mark.parametrize(
    ("first", "years", "last"),
    [
        ("2024-04-01", 2, "2026-03-31"),
        ("2024-02-29", 2, "2026-02-27"),
        ("2023-03-01", 1, "2024-02-29"),
    ],
)
def test_a_certificate_is_good_for_whole_years(first: str, years: int, last: str) -> None:
    assert last_day(date.fromisoformat(first), years) == date.fromisoformat(last)


def test_the_status_of_a_certificate_day_by_day() -> None:
    first, last = date(2024, 4, 1), date(2026, 3, 31)

    def on(day: str, revoked: str | None = None) -> Status:
        ended = date.fromisoformat(revoked) if revoked else None
        return status(first, last, ended, date.fromisoformat(day))

    assert on("2024-03-31") == Status.FUTURE
    assert on("2024-04-01") == on("2026-03-31") == Status.VALID
    assert on("2026-04-01") == Status.EXPIRED
    assert on("2025-05-05", "2025-05-05") == Status.REVOKED
    assert on("2025-05-04", "2025-05-05") == Status.VALID


@pytest.mark.parametrize(
    ("points", "score"),
    [(10_000, 30), (9_999, 24), (5_000, 24), (4_999, 18), (2_000, 18), (1_999, 12), (500, 12),
     (499, 6), (0, 6)],
)  # fmt: skip
def test_mileage_scores_by_its_bands(points: int, score: int) -> None:
    facts = Facts({"mileage_points": points, "mileage_fields": 3})
    by_item = {one.item: one for one in quantitative_scores(shipped(), facts, date(2024, 3, 29))}
    assert by_item["points"].score == score
    assert by_item["points"].shown.ko.startswith(f"{points:,}점 (")
    assert (by_item["fields"].score, by_item["fields"].shown.en) == (
        12,
        "3 fields (3 or more, under 4) → 12 points",
    )


def test_a_sheet_without_a_regional_bonus() -> None:
    assert score_range(shipped()) == (20, 100)
    none = bonus_points(shipped(), None)
    assert (none.points, none.findings) == (0, ())


def test_another_certification_shares_nothing() -> None:
    rules = guild()
    assert certificate_number(rules, 2040, 7) == "G-2040-0007"
    assert [one.code for one in kind_findings(rules, "agency")] == ["NOT_ELIGIBLE_UNIVERSITY"]
    assert not list(kind_findings(rules, "university"))
    (scored,) = quantitative_scores(rules, Facts({"mileage_points": 1000}), date(2040, 1, 1))
    assert scored.score == 1
    assert score_range(rules) == (1, 5)


def test_rules_that_contradict_themselves_are_refused() -> None:
    text = GUILD.read_text(encoding="utf-8")
    broken = text.replace('"years": 5', '"years": 0').replace('"panel": "elders"', '"panel": "x"')
    with pytest.raises(RuleSetInvalid) as caught:
        parse_certification(broken)
    assert [found.pointer for found in caught.value.errors] == [
        "/evaluation/panel",
        "/validity/years",
    ]
