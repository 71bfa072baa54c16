"""The rule set: what the shipped data says, and how bad data is refused."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.grants.errors import RuleSetInvalid, RuleSetUnknown
from services.grants.programmes import builtin
from services.grants.programmes.rules import (
    Funds,
    Period,
    Selector,
    add_months,
    decimal_text,
    month_text,
    months_between,
    parse,
    share_text,
)
from tests.grants.calls import harbour, harbour_data, keco

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_the_2020_call_is_reproduced_from_its_file() -> None:
    rules = keco()
    assert (rules.code, rules.version) == ("keco-2020", 1)
    assert rules.call.receipt.closes_at.isoformat() == "2020-02-07T17:00:00+09:00"
    assert [str(year.end) for year in rules.call.years] == [
        "2021-02-28",
        "2022-02-28",
        "2023-02-28",
    ]
    assert rules.budget.funding.grant_limit_won == 300_000_000
    assert [item.name.ko for item in rules.budget.items] == ["인건비", "직접비", "간접비"]
    assert [rules.items[code].name.ko for code in rules.leaves] == [
        "내부인건비",
        "외부인건비",
        "기자재·시설비",
        "재료비, 전산처리 및 관리비",
        "기술정보활동비",
        "연구활동비",
        "교육훈련비",
        "수용비·수수료",
        "여비",
        "간접경비",
    ]


def test_every_cap_of_the_2020_call_has_its_base_and_its_source() -> None:
    caps = {
        (cap.rule, cap.name.ko): (cap.percent, set(cap.base), cap.citation)
        for cap in keco().budget.share_caps
        if cap.level == "error"
    }
    both = {"grant", "cash"}
    assert caps == {
        ("G-021", "외부인건비"): (20, both, "S2:949,1051"),
        ("G-022", "연구활동비"): (2, {"grant"}, "S2:950"),
        ("G-023", "학위논문 석·박사 지급액"): (30, both, "S2:950"),
        ("G-024", "학부생 프로그램(교육훈련비)"): (15, {"grant"}, "S2:58,950"),
        ("G-025", "간접비"): (7, both, "S2:951,1107"),
        ("G-026", "연구기자재 구입"): (100, {"cash"}, "S2:1058"),
    }


def test_pay_grades_are_the_table_of_the_call() -> None:
    assert dict(keco().monthly_won) == {
        "principal": 4_000_000,
        "senior": 3_000_000,
        "associate": 2_500_000,
        "technical": 2_000_000,
    }


def test_every_rule_of_the_call_names_its_place_in_the_source() -> None:
    rules = keco()
    cited = [
        *rules.spending.rules,
        *rules.spending.exclusions,
        *rules.budget.share_caps,
        *rules.evaluation.items(),
    ]
    assert len(cited) > 90
    assert all(rule.citation.startswith("S2:") for rule in cited)


def test_recovery_grounds_are_taken_in_the_order_of_gravity() -> None:
    assert keco().spending.recovery.order == (6, 7, 5, 3, 4, 2, 1)


@pytest.mark.parametrize(
    ("end", "months", "limit"),
    [
        ("2021-02-28", 3, "2020-11-30"),
        ("2021-02-28", 2, "2020-12-31"),
        ("2024-02-29", 3, "2023-11-30"),
        ("2020-12-31", 3, "2020-09-30"),
        ("2020-12-15", 3, "2020-09-15"),
        ("2020-05-30", 3, "2020-02-28"),
    ],
)
def test_months_before_the_end_are_counted_from_the_day_after_it(
    end: str, months: int, limit: str
) -> None:
    period = Period(date(2019, 3, 1), date.fromisoformat(end))
    assert str(period.last_day_before_end(months)) == limit


@given(DAYS, st.integers(1, 24))
def test_a_limit_before_a_month_end_is_a_month_end(day: date, months: int) -> None:
    end = add_months(day.replace(day=1), 1) - timedelta(days=1)
    limit = Period(date(1980, 1, 1), end).last_day_before_end(months)
    assert (limit + timedelta(days=1)).day == 1
    assert months_between(limit, end) == months + 1


@pytest.mark.parametrize(
    ("start", "end", "first_half_ends", "second_starts"),
    [
        ("2020-03-01", "2021-02-28", "2020-08-31", "2020-09-01"),
        ("2023-03-01", "2024-02-29", "2023-08-31", "2023-09-01"),
    ],
)
def test_half_years_leave_no_day_uncovered(
    start: str, end: str, first_half_ends: str, second_starts: str
) -> None:
    year = Period(date.fromisoformat(start), date.fromisoformat(end))
    first, second = year.halves()
    assert (str(first.end), str(second.start), second.end) == (
        first_half_ends,
        second_starts,
        year.end,
    )
    assert first.days + second.days == year.days


def test_a_month_number_reads_as_a_month() -> None:
    assert month_text(2020 * 12 + 11) == "2020-12"


def test_a_period_counts_both_of_its_ends() -> None:
    period = Period(date(2020, 9, 1), date(2020, 9, 30))
    assert (period.days, date(2020, 9, 30) in period, date(2020, 10, 1) in period) == (
        30,
        True,
        False,
    )
    assert period.overlap_days(Period(date(2020, 9, 15), date(2021, 1, 1))) == 16
    assert period.overlap_days(Period(date(2021, 1, 1), date(2021, 1, 2))) == 0


def test_funds_know_private_money_and_the_whole() -> None:
    funds = Funds(grant=3, cash=2, in_kind=1) + Funds.single("in_kind", 4)
    assert (funds.private, funds.total, funds.of(["grant", "cash"])) == (7, 10, 5)
    assert funds - funds == Funds()


def test_a_selector_needs_every_part_it_gives() -> None:
    selector = Selector(
        items=frozenset(["travel"]),
        except_kinds=frozenset(["local_transport"]),
        funds=frozenset(["cash"]),
    )
    assert selector.takes("travel", "domestic_trip", "cash")
    assert not selector.takes("travel", "domestic_trip", "grant")
    assert not selector.takes("travel", "local_transport", "cash")
    assert not selector.takes("materials", "reagents", "cash")
    assert Selector().takes("anything", "at all", "in_kind")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(256, 3), "85.33"),
        (Fraction(50), "50"),
        (Fraction(-1, 3), "-0.33"),
        (Fraction(61, 2), "30.5"),
    ],
)
def test_decimals_are_cut_not_rounded(value: Fraction, text: str) -> None:
    assert decimal_text(value) == text


def test_a_share_of_nothing_is_a_dash() -> None:
    assert (share_text(1, 0), share_text(1, 3)) == ("–", "33.33")


def test_an_unknown_rule_set_is_not_found() -> None:
    assert builtin.codes() == ("keco-2020",)
    with pytest.raises(RuleSetUnknown):
        builtin.text("../../errors")


def test_another_call_is_another_file_and_no_code() -> None:
    rules = harbour()
    assert rules.budget.share_caps[0].percent == Fraction(25, 2)
    assert rules.budget.asset_caps[0].percent == Fraction(1, 3)
    assert list(rules.kinds) == ["crew", "buoys", "loaned_ship", "tickets"]


def _broken(change: Callable[[dict[str, Any]], None]) -> set[tuple[str, str]]:
    data = harbour_data()
    change(data)
    with pytest.raises(RuleSetInvalid) as caught:
        parse(json.dumps(data))
    for finding in caught.value.errors:
        assert finding.message("ko")
        assert finding.message("en")
    return {(finding.code, finding.pointer) for finding in caught.value.errors}


def test_every_mistake_of_a_rule_set_is_said_at_once_with_its_place() -> None:
    def change(data: dict[str, Any]) -> None:
        data["version"] = "three"
        data["budget"]["share_caps"][0]["percnt"] = 5
        data["budget"]["share_caps"][0]["percent"] = "12,5"
        del data["call"]["receipt"]["rule"]
        data["call"]["receipt"]["closes_at"] = "2031-08-29T12:00:00"
        data["spending"]["rules"][0]["part"] = {"funds": ["gold"]}

    assert _broken(change) == {
        ("RULE_SET_VALUE", "/version"),
        ("RULE_SET_KEY_UNKNOWN", "/budget/share_caps/0/percnt"),
        ("RULE_SET_VALUE", "/budget/share_caps/0/percent"),
        ("RULE_SET_KEY_MISSING", "/call/receipt/rule"),
        ("RULE_SET_VALUE", "/call/receipt/closes_at"),
        ("RULE_SET_VALUE", "/spending/rules/0/part/funds/0"),
    }


def test_codes_that_are_defined_nowhere_are_found() -> None:
    def change(data: dict[str, Any]) -> None:
        data["budget"]["share_caps"][0]["part"] = {"items": ["wagse"]}
        data["budget"]["head_caps"][0]["part"] = {"kinds": ["tikets"]}
        data["spending"]["rules"][1]["ground"] = 9
        data["spending"]["exclusions"][0]["facts"] = ["boredom"]
        data["evaluation"]["tie_break"] = ["none"]

    assert _broken(change) == {
        ("RULE_SET_REFERENCE", "/budget/share_caps/0/part"),
        ("RULE_SET_REFERENCE", "/budget/head_caps/0/part"),
        ("RULE_SET_REFERENCE", "/spending/rules/1"),
        ("RULE_SET_REFERENCE", "/spending/exclusions/0"),
        ("RULE_SET_REFERENCE", "/evaluation/tie_break"),
    }


def test_a_sheet_with_holes_is_refused() -> None:
    def change(data: dict[str, Any]) -> None:
        items = data["evaluation"]["sections"][0]["items"]
        items[0]["scores"] = [7, 3]
        items[1]["bands"] = [{"at_least": 50, "score": 5}, {"over": 60, "score": 4}]
        data["evaluation"]["bonus"]["rows"].pop()
        data["call"]["years"][0]["start"] = "2031-09-02"
        data["spending"]["recovery"]["order"] = [1]

    assert {pointer for _, pointer in _broken(change)} == {
        "/evaluation/plan",
        "/evaluation/ships",
        "/evaluation/bonus/rows",
        "/call/years/0",
        "/spending/recovery/order",
    }


def test_the_same_code_twice_is_refused() -> None:
    def change(data: dict[str, Any]) -> None:
        data["budget"]["items"][1]["kinds"][0]["code"] = "crew"

    assert ("RULE_SET_SHAPE", "/budget/items/kinds") in _broken(change)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"code": 1, "code": 2}',
        '{"version": NaN}',
        "[" * 100_000,
        '{"v": 1e999999999}',
    ],
)
def test_text_that_is_no_rule_set_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(RuleSetInvalid):
        parse(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=10,
    ),
    st.sampled_from(["call", "budget", "spending", "evaluation", "version"]),
)
def test_any_value_in_any_part_is_an_answer_not_a_crash(value: Any, part: str) -> None:
    assume(not isinstance(value, int))
    data = harbour_data()
    data[part] = value
    with pytest.raises(RuleSetInvalid) as caught:
        parse(json.dumps(data))
    assert caught.value.errors
