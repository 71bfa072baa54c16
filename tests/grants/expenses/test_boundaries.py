"""The exact edges of the rules: the first and the last day, the won before and the won after.

Most of these were written against mutants of the rules that nothing else noticed.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from services.grants.expenses.rules import Evidence, Goods, Leave, Study
from services.grants.expenses.rules.evidence import holds
from services.grants.programmes.rules import Condition
from tests.grants.calls import keco
from tests.grants.year import ARRIVED, DAY, YEAR, documents, expense, plan, said, the, with_person

START, END = YEAR.start, YEAR.end


@pytest.mark.parametrize("cause", [START, DAY, END, None])
@pytest.mark.parametrize("paid", [START, END, None])
def test_the_first_and_the_last_day_of_the_year_belong_to_it(
    cause: date | None, paid: date | None
) -> None:
    if cause and paid and paid < cause:
        return  # another rule's remark
    days = (cause, paid)
    assert said(expense("printing", obligated_on=days[0], paid_on=days[1])) == {}


@pytest.mark.parametrize(
    ("kind", "limit"), [("software", "2020-11-30"), ("reagents", "2020-12-31")]
)
def test_what_was_ordered_on_the_last_day_for_arrival_may_still_arrive(
    kind: str, limit: str
) -> None:
    ordered = date.fromisoformat(limit)
    row = expense(kind, obligated_on=ordered, paid_on=ordered, goods=Goods())
    assert said(row, stage="entry") == {"ARRIVE_BY": 0}
    late = replace(row, obligated_on=ordered + timedelta(days=1), paid_on=None)
    assert said(late, stage="entry") == {"ARRIVED_LATE": row.amount_won}


# Things -----------------------------------------------------------------------------------------


def test_one_won_more_than_ten_million_is_big_too() -> None:
    goods = replace(ARRIVED, asset="x", unit_price_won=10_000_001, reported_on=DAY)
    row = expense("equipment_purchase", goods=goods, also=("cost_analysis",))
    assert said(row) == {"NOT_IN_PLAN": row.amount_won}
    works = expense("facility_works", amount_won=10_000_001)
    assert said(works) == {"EVIDENCE_MISSING": 10_000_001}


@pytest.mark.parametrize(("reported", "shown"), [(date(2020, 6, 16), "2020-06-16"), (None, "-")])
def test_a_report_that_is_late_or_missing_names_its_day(reported: date | None, shown: str) -> None:
    goods = replace(ARRIVED, asset="gc", unit_price_won=10_000_001, reported_on=reported)
    row = expense("equipment_purchase", goods=goods, also=("cost_analysis",))
    params = the("PURCHASE_UNREPORTED", row).params
    assert (params["reported"], params["due"]) == (shown, "2020-06-15")


@pytest.mark.parametrize(
    ("mark", "shown"),
    [("a" * 63, "a" * 63), ("a" * 64, "aaaaaaaaaaaa…"), ("a" * 65, "a" * 65), ("KB-1", "KB-1")],
)
def test_only_a_digest_is_cut_where_a_person_reads_it(mark: str, shown: str) -> None:
    row = expense("printing", deposit=mark)
    found = the("CROSS_CLAIM", row, plan=plan(claimed={mark: "적립신청 1"}))
    assert (found.params["claimed"], found.params["where"]) == (shown, "적립신청 1")


def test_a_claim_is_found_by_number_and_by_file() -> None:
    paper = Evidence("tax_invoice", 500_000, "NTS-1", "f" * 64)
    row = expense("printing", without=("tax_invoice",))
    row = replace(row, evidence=(*row.evidence, paper))
    for mark in ("NTS-1", "f" * 64):
        assert said(row, plan=plan(claimed={mark: "거래 주문 3"})) == {"CROSS_CLAIM": 0}


# Students ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("related", "total", "falls"), [(12, 24, False), (13, 24, False), (119, 240, True)]
)
def test_half_of_the_credits_is_enough(related: int, total: int, falls: bool) -> None:
    study = Study("graduated", related_credits=related, total_credits=total)
    found = said(expense("thesis_student"), plan=with_person("t1", study=study))
    assert found == ({"STUDENT_DISQUALIFIED": 1_000_000} if falls else {})


def test_credits_are_judged_at_graduation_and_reasons_are_in_both_languages() -> None:
    early = Study("enrolled", related_credits=0, total_credits=24)
    assert said(expense("thesis_student"), plan=with_person("t1", study=early)) == {}
    left = with_person("t1", study=Study("dropped_out"))
    params = the("STUDENT_DISQUALIFIED", expense("thesis_student"), plan=left).params
    assert params == {"reason_ko": "퇴학·자퇴", "reason_en": "left the programme"}


def _leave(start: str, end: str | None = None) -> Any:
    last = date.fromisoformat(end) if end else None
    leave = Leave("other", date.fromisoformat(start), last)
    return with_person("r1", study=Study(leaves=(leave,)))


def test_a_leave_that_ended_long_ago_and_in_time_does_not_matter() -> None:
    assert said(expense("research_student"), plan=_leave("2019-01-01", "2019-03-01")) == {}


def test_work_on_the_last_day_a_leave_may_last_is_leave_and_the_day_after_is_too_long() -> None:
    year = _leave("2019-06-02")  # one year: to 2020-06-01
    assert set(said(expense("research_student"), plan=year)) == {"PAID_DURING_LEAVE"}
    year = _leave("2019-06-01")
    assert set(said(expense("research_student"), plan=year)) == {"LEAVE_TOO_LONG"}


@pytest.mark.parametrize(("end", "shown"), [("2020-06-20", "2020-06-20"), (None, "-")])
def test_a_leave_is_named_with_its_days(end: str | None, shown: str) -> None:
    found = the("PAID_DURING_LEAVE", expense("research_student"), plan=_leave("2020-06-11", end))
    assert (found.params["start"], found.params["end"]) == ("2020-06-11", shown)


# Evidence ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "odd"),
    [
        ("2020-06-03 22:59", False),  # a Wednesday
        ("2020-06-03 23:00", True),
        ("2020-06-04 00:00", True),
        ("2020-06-04 05:59", True),
        ("2020-06-04 06:00", False),
        ("2020-06-05 12:00", False),  # Friday
        ("2020-06-06 12:00", True),
        ("2020-06-07 12:00", True),
        ("2020-06-08 12:00", False),  # Monday
        ("2020-10-09 12:00", True),  # 한글날, a Friday
    ],
)
def test_a_card_works_by_day_on_working_days(used: str, odd: bool) -> None:
    instant = datetime.fromisoformat(used).replace(tzinfo=UTC) - timedelta(hours=9)
    row = expense("meeting")
    papers = tuple(
        replace(paper, used_at=instant) if paper.kind == "card_slip" else paper
        for paper in row.evidence
    )
    row = replace(row, evidence=papers)
    assert said(row) == ({"CARD_AFTER_HOURS": 0} if odd else {})
    if odd:
        assert the("CARD_AFTER_HOURS", row).params["used_at"] == used


def test_the_hours_of_a_night_are_the_calls() -> None:
    early = replace(
        next(rule for rule in keco().spending.rules if rule.kind == "card_hours"),
        params={"from_hour": 21, "until_hour": 7},
    )
    rules = keco()
    others = tuple(rule for rule in rules.spending.rules if rule.kind != "card_hours")
    spending = replace(rules.spending, rules=(*others, early))
    year = plan(rules=replace(rules, spending=spending))
    for hour, odd in ((20, False), (21, True), (22, True), (23, True), (6, True), (7, False)):
        row = expense("meeting")
        instant = datetime(2020, 6, 3, hour, 30, tzinfo=timezone(timedelta(hours=9)))
        slip = replace(row.evidence[1], used_at=instant)
        row = replace(row, evidence=(row.evidence[0], slip, *row.evidence[2:]))
        assert said(row, plan=year) == ({"CARD_AFTER_HOURS": 0} if odd else {}), hour


def test_what_another_project_used_first_proves_nothing_and_the_first_such_paper_is_named() -> None:
    papers = (
        *documents(("expenditure_resolution", "trade_statement"), 500_000),
        Evidence("transfer", 500_000, "T-1"),
        Evidence("tax_invoice", 500_000, "N-1"),
    )
    row = expense("printing", evidence=papers)
    assert said(row, plan=plan(used_earlier=frozenset())) == {}
    assert said(row, plan=plan(used_earlier=frozenset(["T-2"]))) == {}
    found = the("DUPLICATE_EVIDENCE", row, plan=plan(used_earlier=frozenset(["N-1"])))
    assert (found.disallowed_won, found.params["number"]) == (500_000, "N-1")
    both = the("DUPLICATE_EVIDENCE", row, plan=plan(used_earlier=frozenset(["N-1", "T-1"])))
    assert both.params["number"] == "T-1"


def test_a_slip_split_over_two_expenses_proves_to_its_last_won() -> None:
    def share(number: int, won: int) -> Any:
        base = expense("printing", id=f"s{number}", amount_won=won, without=("transfer",))
        slip = Evidence("transfer", 500_000, f"S-{len('x')}")  # equal, not the same text
        return replace(base, evidence=(*base.evidence, slip), paid_on=DAY + timedelta(days=number))

    whole = said(share(0, 250_000), share(1, 250_000))
    assert "DUPLICATE_EVIDENCE" not in whole
    over = said(share(0, 250_000), share(1, 250_001))
    assert over["DUPLICATE_EVIDENCE"] == 250_001


def test_two_slips_that_make_up_the_amount_agree_with_it() -> None:
    base = expense("printing", without=("transfer",))
    slips = (Evidence("transfer", 300_000, "A"), Evidence("transfer", 200_000, "B"))
    assert said(replace(base, evidence=(*base.evidence, *slips))) == {}


def test_at_entry_what_is_missing_is_missing_and_not_announced() -> None:
    assert said(expense("printing", without=("trade_statement",)), stage="entry") == {
        "EVIDENCE_MISSING": 500_000
    }
    assert said(expense("printing", without=("tax_invoice",)), stage="entry") == {
        "NO_QUALIFIED_RECEIPT": 500_000
    }
    unsigned = expense("meeting", amount_won=300_001)
    assert said(unsigned, stage="entry") == {"MINUTES_UNSIGNED": 300_001}


def test_a_condition_that_is_met_does_not_hide_the_next_one() -> None:
    row = expense("operator_pay", facts=frozenset(["replacement"]), also=("hire_proof",))
    assert said(row) == {"EVIDENCE_MISSING": row.amount_won}


@pytest.mark.parametrize(
    ("condition", "holding"),
    [
        (Condition(amount_from_won=100), [100, 101]),
        (Condition(amount_over_won=100), [101]),
        (Condition(amount_below_won=100), [99]),
        (Condition(amount_up_to_won=100), [99, 100]),
        (Condition(), [99, 100, 101]),
    ],
)
def test_conditions_hold_to_the_won(condition: Condition, holding: list[int]) -> None:
    amounts = (99, 100, 101)
    assert [won for won in amounts if holds(condition, expense("printing", amount_won=won))] == (
        holding
    )


def test_a_condition_on_the_unit_price_holds_from_it_on() -> None:
    condition = Condition(unit_price_from_won=100)
    prices = {price: Goods(unit_price_won=price) for price in (99, 100, 101, None)}
    rows = {price: expense("equipment_purchase", goods=goods) for price, goods in prices.items()}
    assert [price for price, row in rows.items() if holds(condition, row)] == [100, 101]
    assert not holds(condition, expense("printing"))
