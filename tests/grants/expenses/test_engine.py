"""The engine: plans from budgets, the rule book, rules as data, another call."""

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.grants.errors import RuleSetInvalid
from services.grants.expenses.rules import (
    KINDS,
    Checker,
    Evidence,
    Expense,
    Goods,
    Participant,
    Plan,
    PlannedAsset,
    Study,
    Trip,
    Work,
    check_expense,
    markdown,
    page,
    plan_of,
    registry,
    rule_book,
    rule_findings,
)
from services.grants.expenses.rules.registry import Bound, Check, NoParams, rule_kind
from services.grants.expenses.schemas import SpentWon
from services.grants.programmes import builtin
from services.grants.programmes.rules import Funds, parse
from services.grants.proposals.rules import Asset, Budget, Line, Pay, Person, totals
from services.grants.settlement.rules import settle
from shared.problems import FindingKind, Invalid
from tests.grants.calls import harbour, harbour_data, keco
from tests.grants.year import AGREED, DAY, PLAN, YEAR, expense, period

ROUTES = [KINDS[name] for name in sorted(KINDS)]


def test_the_rules_of_the_shipped_call_are_all_known_and_well_formed() -> None:
    assert rule_findings(keco()) == []
    assert {spec.kind for spec in keco().spending.rules} == set(KINDS)


@pytest.mark.parametrize("kind", ROUTES, ids=lambda kind: kind.name)
def test_every_kind_of_rule_says_what_it_does(kind: Any) -> None:
    assert kind.doc.endswith(".")
    assert kind.says
    for said in kind.says:
        assert said.ko
        assert said.en


def test_the_rule_book_prints_every_rule_with_its_source() -> None:
    book = rule_book(keco())
    assert len(book) == len(keco().spending.rules) + len(keco().spending.exclusions) + 12
    assert [entry.rule for entry in book] == sorted(entry.rule for entry in book)
    korean, english = markdown(keco()), markdown(keco(), "en")
    assert "| G-042 | 3만원 이상 적격증빙 |" in korean
    assert "S2:1043" in korean
    assert "| G-029 | Maintenance and repair | Maintenance and repair | 2 against" in english
    assert len(korean.splitlines()) == len(book) + 2


def test_exceptions_and_funds_are_named_in_the_book() -> None:
    entries = {entry.name.ko: entry.applies.ko for entry in rule_book(keco())}
    assert entries["여비 증빙"] == "여비 (시내교통비 제외)"
    assert entries["소속 인력 현금 지급 금지"] == "외부인건비 (민간현금, 정부지원금)"
    assert entries["집행액과 증빙 금액의 일치"] == "모든 비목"


def _broken(**rule: Any) -> set[tuple[str, str]]:
    data = harbour_data()
    data["spending"]["rules"] = [
        {"rule": "T-1", "name": {"ko": "-", "en": "-"}, "ground": 1, "citation": "T:1", **rule}
    ]
    rules = parse(json.dumps(data))
    with pytest.raises(RuleSetInvalid) as caught:
        Checker(Plan(rules, rules.call.years[0], AGREED, {}), "entry")
    return {(finding.code, finding.pointer) for finding in caught.value.errors}


def test_rules_the_code_does_not_know_are_refused_when_bound() -> None:
    at = "/spending/rules/T-1"
    assert _broken(kind="telepathy") == {("RULE_SET_REFERENCE", at)}
    assert _broken(kind="arrival", params={"months": 3}) == {
        ("RULE_SET_KEY_MISSING", f"{at}/params/months_before_end"),
        ("RULE_SET_KEY_UNKNOWN", f"{at}/params/months"),
    }
    assert _broken(kind="unit_fee", params={"fee": "ransom"}) == {
        ("RULE_SET_REFERENCE", f"{at}/params/fee")
    }
    assert _broken(kind="qualified_receipt", params={"from_won": 1, "accepted": ["napkin"]}) == {
        ("RULE_SET_REFERENCE", f"{at}/params/accepted")
    }


def test_an_expense_of_an_unknown_kind_is_refused_by_its_place() -> None:
    row = Expense("e9", "bribes", "grant", 1)
    with pytest.raises(Invalid) as caught:
        Checker(PLAN, "entry").check([row, expense("printing")])
    assert [f.pointer for f in caught.value.errors] == ["/expenses/e9/kind"]


def test_a_plan_is_made_of_an_agreed_budget() -> None:
    pay = Pay("o1", Fraction(3_000_000), date(2020, 6, 15), 3, Fraction(60))
    budget = Budget(
        YEAR,
        (
            Line("external_labour", "operator_pay", "grant", pay=pay),
            Line(
                "equipment_facility", "equipment_purchase", "cash", 7_000_999, asset=Asset("gc", 7)
            ),
            Line("equipment_facility", "equipment_purchase", "grant", 1_000),
        ),
        (
            Person("o1", "김운영", "operator", post="contract_professor"),
            Person("p", "이", "principal"),
        ),
        own_rules=frozenset(["travel"]),
    )
    made = plan_of(totals(keco(), budget), budget, AGREED)
    assert made.planned == {
        "operator_pay": Funds(grant=5_400_000),
        "equipment_purchase": Funds(grant=1_000, cash=7_000_000),
    }
    assert made.funds == Funds(5_401_000, 7_000_000)
    assert made.people["o1"].grade == "senior"
    assert made.people["o1"].period == period("2020-06-01", "2020-08-31")
    assert made.people["p"].period == YEAR
    assert made.assets["gc"].price_won == 7
    assert made.own_rules == {"travel"}


def test_only_lines_with_a_journey_make_a_journey_of_the_plan() -> None:
    lines = (
        Line("travel", "overseas_trip", "grant", 1_000, trip="seoul-tokyo"),
        Line("travel", "domestic_trip", "grant", 1_000),
    )
    budget = Budget(YEAR, lines, ())
    assert plan_of(totals(keco(), budget), budget, AGREED).trips == {"seoul-tokyo"}


def test_what_is_not_stated_counts_nothing() -> None:
    assert Work().rate_ratio == Work().sum_ratio == (0, 1)
    trip = Trip(DAY, DAY)
    assert (trip.days, trip.fare_won, trip.registration_won) == (1, 0, 0)
    assert Expense("e", "books", "grant", 1).heads == 1
    assert Study() == Study("enrolled", True, 0, 0)
    someone = Participant("p", "이", "principal", YEAR)
    assert (someone.replacement, someone.employed_elsewhere) == (False, False)
    asset = PlannedAsset("a", 7)
    assert (asset.quantity, asset.pledged_elsewhere_won) == (1, 0)
    assert Plan(keco(), YEAR, AGREED, {}).carried_over_won == 0


def test_ten_trillion_won_are_the_most_an_expense_may_state() -> None:
    won: TypeAdapter[int] = TypeAdapter(SpentWon)
    assert won.validate_python(10**13) == 10_000_000_000_000
    with pytest.raises(ValidationError):
        won.validate_python(10**13 + 1)


def test_a_limit_without_a_ground_is_no_crash() -> None:
    data = harbour_data()
    data["spending"]["rules"][3]["ground"] = 0
    rules = parse(json.dumps(data))
    year = Plan(rules, rules.call.years[0], date(2031, 9, 1), {"tickets": Funds(grant=500)})
    result = check_expense(year, Expense("t", "tickets", "grant", 900))
    assert [breach.kind.code for breach in result.breaches] == ["OVER_PLAN"]


def test_another_call_is_checked_by_its_own_rules() -> None:
    rules = harbour()
    year = Plan(rules, rules.call.years[0], date(2031, 9, 1), {"buoys": Funds(grant=50_000)})
    goods = Goods(arrived_on=date(2032, 2, 29))
    base = Expense("b", "buoys", "grant", 41_000, goods=goods, evidence=(Evidence("slip", 41_000),))

    def said(row: Expense) -> dict[str, tuple[str | None, int]]:
        found = check_expense(year, row, (), "settlement").breaches
        return {b.kind.code: (b.kind.rule, b.ground) for b in found}

    assert said(base) == {"EVIDENCE_MISSING": ("T-45", 2)}
    assert said(replace(base, amount_won=40_000, evidence=())) == {
        "NO_QUALIFIED_RECEIPT": ("T-42", 2)
    }
    assert said(replace(base, amount_won=900, evidence=(Evidence("log"),))) == {}
    late = replace(base, amount_won=900, evidence=(), goods=Goods(arrived_on=date(2032, 3, 1)))
    assert said(late) == {"ARRIVED_LATE": ("T-44", 1)}
    fun = replace(base, amount_won=900, evidence=(), facts=frozenset(["leisure"]))
    assert said(fun) == {"EXCLUDED": ("T-47", 1)}
    over = replace(base, amount_won=60_000, evidence=(Evidence("slip"), Evidence("log")))
    assert said(over) == {"OVER_PLAN": ("T-46", 1)}


def test_what_others_broke_is_not_held_against_the_one_being_checked() -> None:
    for other in ("a", "z"):
        broken = expense("printing", id=other, evidence=())
        row = expense("books", id="m", amount_won=300_000)
        checked = check_expense(PLAN, row, [broken], "entry")
        assert (checked.ok, checked.breaches) == (True, ())
        over = expense("printing", id=other, amount_won=11_000_000)
        beside = check_expense(PLAN, row, [over], "entry")
        assert (beside.recognisable_won, beside.breaches) == (300_000, ())


def test_a_cap_that_only_warns_takes_no_won() -> None:
    rows = [
        expense("research_student", amount_won=70_000_000),
        expense("thesis_student", amount_won=50_000_000),
    ]
    exceeded = {limit.source.name.ko for limit in Checker(PLAN, "settlement").check(rows).limits}
    assert exceeded
    assert "석·박사 지급액 전체" not in exceeded


DOG_FOOD = FindingKind("DOG_FOOD", "개 사료는 인정되지 않습니다.", "Dog food is not recognised.")


def test_a_new_rule_is_one_function_and_a_line_of_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked before spending, settled, named in the book and read from data: nothing else
    in the code knows of it."""
    monkeypatch.setitem(registry._KINDS, "no_dog_food", KINDS["amount_match"])  # gone afterwards

    @rule_kind(NoParams, DOG_FOOD)
    def no_dog_food(rule: Bound[NoParams]) -> Check:
        """Nothing is bought for the dog."""
        kind = rule.cites(DOG_FOOD)
        return lambda group: [rule.whole(kind, e) for e in group.expenses if e.event == "dog"]

    line = {
        "rule": "G-999",
        "kind": "no_dog_food",
        "part": {"items": ["supplies_fees"]},
        "name": {"ko": "사료", "en": "Dog food"},
        "ground": 5,
        "citation": "here",
    }
    data = json.loads(builtin.text("keco-2020"))
    data["spending"]["rules"].append(line)
    rules = parse(json.dumps(data))
    assert rule_findings(rules) == []
    year, row = replace(PLAN, rules=rules), expense("printing", event="dog")
    assert check_expense(year, row).recognisable_won == 0
    (part,) = settle(year, [row, expense("books", event="dog")]).disallowances
    assert (part.expense.id, part.won, part.ground) == (row.id, 500_000, 5)
    assert (part.breach.source.rule, part.breach.source.citation) == ("G-999", "here")
    assert "| G-999 | 사료 | 수용비·수수료 | 5 " in markdown(rules)
    assert "Nothing is bought for the dog." in page(rules)
    assert check_expense(PLAN, row).ok  # another call has no such rule
