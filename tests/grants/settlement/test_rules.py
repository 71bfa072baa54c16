"""The settlement: one ground for each won, caps after single breaches, the statement of return."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.grants.expenses.rules import Expense, Plan, PlannedAsset, Study
from services.grants.programmes.rules import Fund, Funds
from services.grants.settlement.rules import (
    Review,
    Settlement,
    Statement,
    Waiver,
    account_findings,
    budget_findings,
    compare,
    not_stated,
    settle,
    statement,
)
from shared.problems import Invalid
from tests.grants.calls import harbour, keco
from tests.grants.year import DAY, PLAN, documents, expense, plan, with_person


def parts(result: Settlement) -> list[tuple[str, int, int, str]]:
    """Expense, won, ground and code of every disallowance."""
    return [(d.expense.id, d.won, d.ground, d.breach.kind.code) for d in result.disallowances]


# One expense ------------------------------------------------------------------------------------


def test_a_faultless_year_loses_nothing() -> None:
    result = settle(PLAN, [expense("printing"), expense("operator_pay")])
    assert (result.disallowances, result.breaches) == ((), ())
    assert (result.spent, result.disallowed) == (Funds(grant=3_500_000), Funds())


def test_a_won_that_falls_twice_falls_once_on_the_graver_ground() -> None:
    row = expense("lecture_fee", amount_won=400_000, without=("lecture_material",))
    result = settle(PLAN, [row])
    # 100,000 over the fee (ground 2) comes before the unproven rest (ground 1).
    assert parts(result) == [
        ("e-lecture_fee", 100_000, 2, "FEE_OVER_STANDARD"),
        ("e-lecture_fee", 300_000, 1, "EVIDENCE_MISSING"),
    ]
    assert result.by_ground == {2: 100_000, 1: 300_000}


@pytest.mark.parametrize(
    ("facts", "changes", "ground"),
    [
        ({"forged", "unrelated"}, {}, 6),
        ({"unrelated"}, {"paid_on": date(2021, 4, 1), "obligated_on": date(2021, 4, 1)}, 7),
        ({"unrelated", "excess_found"}, {}, 5),
        ({"excess_found"}, {"evidence": ()}, 4),
        (set(), {"evidence": (), "paid_on": date(2021, 4, 1)}, 2),
        (set(), {"evidence": ()}, 1),
    ],
)
def test_the_first_ground_that_applies_is_the_primary_one(
    facts: set[str], changes: dict[str, Any], ground: int
) -> None:
    row = expense("printing", facts=frozenset(facts), **changes)
    result = settle(PLAN, [row])
    assert [(d.won, d.ground) for d in result.disallowances] == [(500_000, ground)]
    assert len(result.breaches) >= len(facts)


def test_a_change_without_approval_comes_before_a_wrong_calculation() -> None:
    goods = expense("equipment_purchase").goods
    assert goods is not None
    row = expense(
        "equipment_purchase",
        amount_won=10_000_000,
        goods=replace(
            goods, asset="x", unit_price_won=10_000_000, usable_months=0, reported_on=DAY
        ),
        also=("cost_analysis",),
    )
    assert settle(PLAN, [row]).by_ground == {3: 10_000_000}


def test_thesis_money_is_recovered_once_though_two_items_say_so() -> None:
    year = with_person("t1", study=Study(standing="dropped_out"))
    rows = [expense("thesis_student", id=f"t{i}") for i in range(3)]
    result = settle(year, rows)
    assert result.disallowed == Funds(grant=3_000_000)
    assert result.by_ground == {2: 3_000_000}


# Limits over sums -------------------------------------------------------------------------------


def dated(kind: str, won: list[int], **changes: Any) -> list[Expense]:
    return [
        expense(
            kind,
            id=f"{kind}-{i}",
            amount_won=amount,
            paid_on=DAY + timedelta(days=i),
            obligated_on=DAY,
            **changes,
        )
        for i, amount in enumerate(won)
    ]


def test_only_the_excess_falls_and_the_latest_goes_first() -> None:
    rows = dated("printing", [4_000_000, 4_000_000, 4_000_000])
    assert parts(settle(PLAN, rows)) == [("printing-2", 2_000_000, 3, "OVER_PLAN")]
    assert parts(settle(PLAN, rows[::-1])) == [("printing-2", 2_000_000, 3, "OVER_PLAN")]


def test_an_excess_larger_than_the_latest_reaches_the_one_before() -> None:
    rows = dated("printing", [9_000_000, 1_000_000, 1_500_000])
    assert parts(settle(PLAN, rows)) == [("printing-2", 1_500_000, 3, "OVER_PLAN")]
    rows = dated("printing", [9_000_000, 1_500_000, 1_000_000])
    assert parts(settle(PLAN, rows)) == [
        ("printing-2", 1_000_000, 3, "OVER_PLAN"),
        ("printing-1", 500_000, 3, "OVER_PLAN"),
    ]


def test_money_already_lost_does_not_count_against_a_limit() -> None:
    rows = dated("printing", [4_000_000, 4_000_000, 4_000_000])
    rows[0] = replace(rows[0], evidence=documents(("expenditure_resolution",), 4_000_000))
    assert settle(PLAN, rows).by_ground == {1: 4_000_000}


def test_won_over_a_cap_per_head_are_not_asked_for_again_by_the_item() -> None:
    year = plan(
        planned={**PLAN.planned, "undergraduate": Funds(grant=1_300_000)} | NO_OTHER_TRAINING
    )
    rows = [
        *dated("undergraduate", [1_500_000]),
        replace(dated("undergraduate", [500_000])[0], id="late", person="r1", paid_on=DAY),
    ]
    rows[1] = replace(rows[1], person="u2", paid_on=DAY + timedelta(days=9))
    people = {**year.people, "u2": replace(year.people["u1"], ref="u2")}
    result = settle(replace(year, people=people), rows)
    # 2.0 of 1.3 million is spent: 0.5 over the head of the first, 0.2 more over the item. Those
    # 0.5 were over the plan too, which is the graver ground.
    assert result.disallowed == Funds(grant=700_000)
    assert result.by_ground == {3: 700_000}
    assert {d.expense.id: d.won for d in result.disallowances} == {
        "undergraduate-0": 500_000,
        "late": 200_000,
    }


NO_OTHER_TRAINING = dict.fromkeys(
    ("research_student", "thesis_student", "internship", "training_abroad"), Funds()
)


def test_a_lesser_ground_keeps_what_the_graver_limit_does_not_reach() -> None:
    year = plan(
        planned={**PLAN.planned, "undergraduate": Funds(grant=1_800_000)} | NO_OTHER_TRAINING
    )
    rows = dated("undergraduate", [2_000_000])
    result = settle(year, rows)
    # One million over the head; only 200,000 of it is over the plan as well.
    assert result.by_ground == {3: 200_000, 2: 800_000}
    assert result.disallowed == Funds(grant=1_000_000)


def test_overhead_over_plan_and_over_the_cap_falls_once() -> None:
    result = settle(PLAN, dated("common_support", [26_000_000]))
    assert result.by_ground == {4: 2_000_000}


def test_the_pay_of_operators_is_cut_by_the_cap_of_the_item() -> None:
    year = plan(planned={**PLAN.planned, "severance": Funds(grant=0)})
    rows = dated("severance", [40_000_000, 35_000_000])
    result = settle(replace(year, approved_changes=frozenset(["external_labour"])), rows)
    assert parts(result) == [("severance-1", 3_000_000, 2, "CAP_EXCEEDED")]


# Reviews ----------------------------------------------------------------------------------------


def test_a_reviewer_may_disallow_part_of_an_expense() -> None:
    row = expense("printing")
    result = settle(PLAN, [row], [Review(row.id, 4, 120_000, "과다 책정")])
    assert parts(result) == [("e-printing", 120_000, 4, "REVIEWER_FINDING")]
    finding = result.disallowances[0].breach.finding()
    assert finding.message() == "정산 검토에서 불인정했습니다: 과다 책정"
    assert (finding.kind.rule, finding.kind.citation) == ("G-048", "S2:1042")


@pytest.mark.parametrize(
    "review",
    [
        Review("nothing", 4, 1, ""),
        Review("e-printing", 9, 1, ""),
        Review("e-printing", 4, 500_001, ""),
        Review("e-printing", 4, 0, ""),
    ],
)
def test_a_review_of_nothing_is_refused(review: Review) -> None:
    with pytest.raises(Invalid):
        settle(PLAN, [expense("printing")], [review])


def test_a_waived_breach_voids_nothing() -> None:
    row = expense("printing", without=("trade_statement",))
    assert settle(PLAN, [row]).disallowed.grant == 500_000
    waiver = Waiver(row.id, "G-045", "EVIDENCE_MISSING")
    assert settle(PLAN, [row], waivers=[waiver]).disallowed == Funds()
    rows = dated("printing", [9_000_000, 2_000_000])
    kept = Waiver("printing-1", "G-033", "OVER_PLAN")
    assert parts(settle(PLAN, rows, waivers=[kept])) == [("printing-0", 1_000_000, 3, "OVER_PLAN")]


def test_negative_lines_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        settle(PLAN, [expense("printing", amount_won=-1), expense("printing", id="x")])
    assert [f.pointer for f in caught.value.errors] == ["/expenses/e-printing/amount_won"]


# The sheet --------------------------------------------------------------------------------------


def test_the_sheet_shows_plan_spending_and_what_is_recognised_by_item() -> None:
    rows = [
        expense("printing"),
        expense("printing", id="bad", evidence=()),
        expense("internal_pay"),
        expense("software", amount_won=300_000),
    ]
    result = settle(PLAN, rows)
    lines = {line.item: line for line in result.items}
    supplies = lines["supplies_fees"]
    assert (supplies.planned, supplies.spent, supplies.disallowed, supplies.recognised) == (
        Funds(grant=10_000_000),
        Funds(grant=1_000_000),
        Funds(grant=500_000),
        Funds(grant=500_000),
    )
    assert lines["internal_labour"].spent == Funds(in_kind=1_600_000)
    assert lines["overhead"].spent == Funds()
    assert sum((line.spent for line in result.items), Funds()) == result.spent
    assert sum((line.disallowed for line in result.items), Funds()) == result.disallowed
    assert set(result.by_expense) == {"bad"}


KINDS = ["printing", "undergraduate", "common_support", "incentive", "maintenance", "severance"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 40_000_000),
        st.integers(0, 20),
        st.booleans(),
        st.sampled_from([frozenset(), frozenset(["unrelated"]), frozenset(["excess_found"])]),
    ),
    max_size=12,
)


def _year(rows: Any) -> list[Expense]:
    funds: dict[str, Fund] = {"maintenance": "cash"}
    return [
        expense(
            kind,
            id=f"{i:02d}",
            fund=funds.get(kind, "grant"),
            amount_won=won,
            paid_on=DAY + timedelta(days=day),
            facts=facts,
            **({} if proven else {"evidence": ()}),
        )
        for i, (kind, won, day, proven, facts) in enumerate(rows)
    ]


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_no_won_falls_twice_and_none_falls_without_a_ground(rows: Any) -> None:
    year = _year(rows)
    result = settle(PLAN, year)
    amounts = {row.id: row.amount_won for row in year}
    for row_id, found in result.by_expense.items():
        assert 0 < sum(d.won for d in found) <= amounts[row_id]
    assert sum(result.by_ground.values()) == result.disallowed.total
    assert all(d.won > 0 and d.breach.disallowed_won >= d.won for d in result.disallowances)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_after_the_settlement_every_limit_is_kept_by_what_remains(rows: Any) -> None:
    year = _year(rows)
    result = settle(PLAN, year)
    lost = {row: sum(d.won for d in found) for row, found in result.by_expense.items()}
    for limit in result.verdict.limits:
        left = sum(e.amount_won - lost.get(e.id, 0) for e in limit.members)
        assert limit.excess_won(left) == 0
    left_over = {line.item: line.recognised for line in result.items}
    assert left_over.get("overhead", Funds()).total <= 24_000_000
    assert left_over.get("research_activity", Funds()).total <= 6_000_000


@given(ROWS, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_rows_changes_nothing(rows: Any, random: Any) -> None:
    year = _year(rows)
    mixed = list(year)
    random.shuffle(mixed)
    assert sorted(parts(settle(PLAN, mixed))) == sorted(parts(settle(PLAN, year)))


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_more_breaches_never_return_less(rows: Any) -> None:
    year = _year(rows)
    worse = [replace(row, facts=row.facts | {"forged"}) for row in year]
    assert settle(PLAN, worse).disallowed.total == sum(row.amount_won for row in year)
    assert settle(PLAN, year).disallowed.total <= settle(PLAN, worse).disallowed.total


# The statement (G-049, G-04A) -------------------------------------------------------------------

AGREED = Funds(300_000_000, 60_000_000, 70_000_000)


def returned(**changes: Any) -> Statement:
    given_: dict[str, Any] = {
        "agreed": AGREED,
        "received_grant_won": 300_000_000,
        "spent": Funds(296_540_000, 60_000_000, 70_000_000),
        "disallowed": Funds(550_000, 45_000, 0),
        "interest_won": 123_456,
    }
    return statement(keco(), **(given_ | changes))


def test_the_worked_settlement() -> None:
    result = returned()
    assert result.unspent_won == 3_460_000
    assert result.disallowed_won == 550_000
    assert result.interest_share == 102_880
    assert result.return_won == 4_112_880
    assert result.cash_shortfall_won == 45_000
    (finding,) = result.findings
    assert finding.code == "CONTRIBUTION_SHORTFALL"
    assert finding.message() == "인정된 민간현금이 협약액보다 45,000원 모자랍니다."


def test_the_statement_is_exact_and_cut_once() -> None:
    result = returned(interest_won=1)
    assert result.interest_share == Fraction(5, 6)
    assert result.return_won == 4_010_000
    six = returned(interest_won=7, disallowed=Funds(1, 0, 0))
    assert six.return_won == 3_460_001 + 5


def test_another_call_cuts_to_ten_won_and_keeps_all_interest() -> None:
    result = statement(
        harbour(),
        agreed=Funds(grant=100),
        received_grant_won=100,
        spent=Funds(grant=50),
        disallowed=Funds(),
        interest_won=9,
    )
    assert (result.interest_share, result.return_won) == (9, 50)


def test_unspent_private_money_is_missing_too() -> None:
    result = returned(spent=Funds(296_540_000, 50_000_000, 60_000_000), disallowed=Funds())
    assert (result.cash_shortfall_won, result.in_kind_shortfall_won) == (10_000_000, 10_000_000)
    assert len(result.findings) == 2
    more = returned(spent=Funds(0, 70_000_000, 80_000_000), disallowed=Funds())
    assert (more.cash_shortfall_won, more.in_kind_shortfall_won) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"interest_won": -1}, ["/interest"]),
        ({"received_grant_won": -1}, ["/received", "/spent/grant"]),
        ({"spent": Funds(300_000_001, 0, 0)}, ["/spent/grant"]),
        ({"spent": Funds(0, -1, 0)}, ["/spent/cash"]),
        ({"disallowed": Funds(-1, 0, -1)}, ["/disallowed/grant", "/disallowed/in_kind"]),
    ],
)
def test_bad_lines_are_refused_together(changes: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        returned(**changes)
    assert [f.pointer for f in caught.value.errors] == pointers
    assert all(f.message("ko") and f.message("en") for f in caught.value.errors)


def test_no_funds_give_no_share_of_interest() -> None:
    result = returned(agreed=Funds(), spent=Funds(), disallowed=Funds(), received_grant_won=0)
    assert (result.interest_share, result.return_won) == (0, 0)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**7))
def test_the_return_never_loses_a_won(grant: int, cash: int, spent: int, interest: int) -> None:
    spent = min(spent, grant)
    result = returned(
        agreed=Funds(grant, cash, 0),
        received_grant_won=grant,
        spent=Funds(spent, cash, 0),
        disallowed=Funds(),
        interest_won=interest,
    )
    exact = grant - spent + (Fraction(interest * grant, grant + cash) if grant + cash else 0)
    assert result.return_won <= exact < result.return_won + 1


# Kept as agreed ---------------------------------------------------------------------------------


def test_the_reported_budget_is_the_agreed_one_in_cash_and_in_kind() -> None:
    agreed = {line.item: line.planned for line in settle(PLAN, []).items}
    assert list(budget_findings(PLAN, agreed)) == []
    changed = {**agreed, "travel": Funds(10_000_000, 10_000_000, 0)}
    found = list(budget_findings(PLAN, changed))
    assert [f.pointer for f in found] == ["/items/travel/grant", "/items/travel/cash"]
    assert found[0].message() == (
        "사용명세서의 예산이 협약과 다릅니다: 여비 정부지원금 10,000,000원, 협약 20,000,000원"
    )


@pytest.mark.parametrize(
    ("separate", "interest", "documents", "pointers"),
    [
        (True, True, [], []),
        (True, False, [], ["/account/interest"]),
        (False, True, ["single_account_confirmation", "single_account_reason"], []),
        (False, True, ["single_account_confirmation"], ["/account/single_account_reason"]),
        (
            False,
            False,
            [],
            ["/account/single_account_confirmation", "/account/single_account_reason"],
        ),
    ],
)
def test_the_money_has_its_own_account_or_the_papers(
    separate: bool, interest: bool, documents: list[str], pointers: list[str]
) -> None:
    found = list(
        account_findings(
            keco(),
            separate=separate,
            interest_tracked=interest,
            documents=frozenset(documents),
        )
    )
    assert [finding.pointer for finding in found] == pointers
    assert all(finding.message() for finding in found)


def test_the_settled_plan_is_kept_with_the_outcome() -> None:
    year: Plan = plan(assets={"a": PlannedAsset("a", 1)})
    assert settle(year, []).plan is year


@pytest.mark.parametrize("carried", [0, 1, 3_460_000])
def test_money_carried_over_is_not_returned(carried: int) -> None:
    assert returned(carried_over_won=carried).return_won == 4_112_880 - carried
    assert returned(carried_over_won=carried).carried_over_won == carried


@pytest.mark.parametrize("carried", [-1, 3_460_001])
def test_no_more_is_carried_over_than_was_left(carried: int) -> None:
    with pytest.raises(Invalid) as caught:
        returned(carried_over_won=carried)
    (finding,) = caught.value.errors
    assert (finding.code, finding.params["unspent_won"]) == ("CARRY_OVER_EXCEEDS", 3_460_000)


@pytest.mark.parametrize(
    ("account", "budget", "pointers"),
    [
        (True, True, []),
        (False, True, ["/account"]),
        (True, False, ["/budget"]),
        (False, False, ["/account", "/budget"]),
    ],
)
def test_what_a_report_leaves_open_is_said(
    account: bool, budget: bool, pointers: list[str]
) -> None:
    found = list(not_stated(keco(), account=account, budget=budget))
    assert [finding.pointer for finding in found] == pointers
    assert {finding.kind.level for finding in found} <= {"warning"}


def test_runs_compare_by_expense_rule_code_and_ground() -> None:
    def result(*parts: tuple[str, str, int], returned: int) -> dict[str, Any]:
        return {
            "disallowances": [
                {"expense_id": one, "rule": "G-041", "code": code, "ground": 1, "won": won}
                for one, code, won in parts
            ],
            "disallowed": {"grant": sum(won for *_, won in parts), "cash": 0, "in_kind": 0},
            "statement": {"return_won": returned},
        }

    before = result(("a", "X", 10), ("a", "X", 5), ("b", "X", 7), ("c", "X", 1), returned=30)
    after = result(("a", "X", 15), ("b", "X", 8), ("d", "X", 2), returned=31)
    found = compare(before, after)
    assert [(c.expense_id, c.before_won, c.after_won) for c in found.came] == [("d", 0, 2)]
    assert [(c.expense_id, c.before_won, c.after_won) for c in found.went] == [("c", 1, 0)]
    assert [(c.expense_id, c.before_won, c.after_won) for c in found.changed] == [("b", 7, 8)]
    assert (found.disallowed_before_won, found.disallowed_after_won) == (23, 25)
    assert (found.return_before_won, found.return_after_won) == (30, 31)


def test_what_is_disallowed_in_kind_is_missing_from_the_contribution_in_kind() -> None:
    result = returned(disallowed=Funds(550_000, 45_000, 700))
    assert (result.cash_shortfall_won, result.in_kind_shortfall_won) == (45_000, 700)
    more = returned(spent=Funds(296_540_000, 60_000_000, 70_000_500), disallowed=Funds(0, 0, 700))
    assert more.in_kind_shortfall_won == 200
