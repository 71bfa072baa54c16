"""A year of the 2020 call: a plan, and for every kind of spending one faultless expense.

Tests start from these and break one thing.
"""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from services.grants.expenses.rules import (
    Breach,
    Checker,
    Evidence,
    Expense,
    Goods,
    Participant,
    Plan,
    PlannedAsset,
    Stage,
    Study,
    Term,
    Trip,
    Work,
)
from services.grants.programmes.rules import Funds, Period
from tests.grants.calls import keco

YEAR = keco().call.years[0]
AGREED = date(2020, 3, 15)
DAY = date(2020, 6, 1)

IN_KIND = {
    "internal_pay": 60_000_000,
    "equipment_in_kind": 5_000_000,
    "facility_in_kind": 5_000_000,
}
CASH = {"equipment_purchase": 40_000_000, "software": 10_000_000, "maintenance": 10_000_000}
GRANT = {
    "operator_pay": 60_000_000,
    "reagents": 20_000_000,
    "meeting": 6_000_000,
    "expert_fee": 10_000_000,
    "lecture_fee": 10_000_000,
    "books": 4_000_000,
    "incentive": 6_000_000,
    "research_student": 40_000_000,
    "thesis_student": 40_000_000,
    "undergraduate": 20_000_000,
    "internship": 20_000_000,
    "training_abroad": 10_000_000,
    "printing": 10_000_000,
    "domestic_trip": 10_000_000,
    "overseas_trip": 10_000_000,
    "common_support": 24_000_000,
}
"""G = 300,000,000, C = 60,000,000 and K = 70,000,000, as in the examples of the call."""


def _planned() -> dict[str, Funds]:
    planned = {kind: Funds(in_kind=won) for kind, won in IN_KIND.items()}
    planned |= {kind: Funds(cash=won) for kind, won in CASH.items()}
    return planned | {kind: Funds(grant=won) for kind, won in GRANT.items()}


def _term(kind: str, monthly: int, rate: int) -> tuple[Term, ...]:
    return (Term(kind, YEAR, Fraction(monthly), Fraction(rate)),)


PEOPLE = (
    Participant(
        "p1",
        "이책임",
        "principal",
        YEAR,
        "principal",
        _term("internal_pay", 8_000_000, 20),
        employed_elsewhere=True,
    ),
    Participant("o1", "김운영", "operator", YEAR, "senior", _term("operator_pay", 3_000_000, 100)),
    Participant(
        "o2", "박조교", "operator", YEAR, "technical", _term("operator_pay", 2_000_000, 50)
    ),
    Participant(
        "r1",
        "최연구",
        "research_student",
        YEAR,
        "associate",
        _term("research_student", 2_500_000, 40),
    ),
    Participant(
        "t1",
        "정논문",
        "thesis_student",
        YEAR,
        "technical",
        _term("thesis_student", 2_000_000, 50),
        study=Study(),
    ),
    Participant("u1", "한학부", "undergraduate", YEAR),
    Participant("c1", "조기업", "company_researcher", YEAR, "senior"),
)

PLAN = Plan(
    keco(),
    YEAR,
    AGREED,
    _planned(),
    {person.ref: person for person in PEOPLE},
    {
        "gc": PlannedAsset("gc", 20_000_000),
        "hall": PlannedAsset("hall", 25_000_000),
        "lab": PlannedAsset("lab", 50_000_000),
    },
    trips=frozenset(["seoul-tokyo"]),
    traits=frozenset(["nonprofit"]),
)


def plan(**changes: Any) -> Plan:
    return replace(PLAN, **changes)


def with_person(ref: str, **changes: Any) -> Plan:
    return plan(people={**PLAN.people, ref: replace(PLAN.people[ref], **changes)})


COMMON = ("expenditure_resolution", "transfer", "tax_invoice", "trade_statement")
PERSONAL = ("expenditure_resolution", "transfer")
EQUIPMENT = (*COMMON, "procurement_record", "use_record", "equipment_register")

EVIDENCE: dict[str, tuple[str, ...]] = {
    "internal_pay": PERSONAL,
    "operator_pay": (*PERSONAL, "contract", "participation_statement"),
    "severance": (*PERSONAL, "contract", "participation_statement"),
    "insurance_employee": (*PERSONAL, "contract", "participation_statement"),
    "insurance_employer": (*PERSONAL, "contract", "participation_statement"),
    "equipment_purchase": EQUIPMENT,
    "equipment_rental": EQUIPMENT,
    "equipment_in_kind": ("expenditure_resolution", "trade_statement", "use_record"),
    "facility_in_kind": ("expenditure_resolution", "trade_statement", "use_record"),
    "facility_works": (*COMMON, "procurement_record"),
    "software": EQUIPMENT,
    "maintenance": (*COMMON, "procurement_record", "maintenance_record"),
    "meeting": ("expenditure_resolution", "card_slip", "minutes"),
    "committee": (*PERSONAL, "committee_plan", "committee_result", "minutes"),
    "expert_fee": (*PERSONAL, "expert_record"),
    "expert_invitation": (*PERSONAL, "expert_record", "tax_invoice"),
    "lecture_fee": (*PERSONAL, "lecture_material"),
    "manuscript_fee": (*PERSONAL, "manuscript"),
    "translation_fee": (*PERSONAL, "manuscript"),
    "books": ("expenditure_resolution", "invoice", "book_list", "cover_copy"),
    "conference_domestic": ("expenditure_resolution", "conference_receipt"),
    "conference_abroad": ("expenditure_resolution", "foreign_invoice", "card_slip"),
    "publication_fee": ("expenditure_resolution", "card_slip", "publication_copy"),
    "information": ("expenditure_resolution", "card_slip"),
    "seminar": ("expenditure_resolution", "card_slip"),
    "patent": ("expenditure_resolution", "card_slip"),
    "incentive": (*PERSONAL, "payment_criteria", "payment_list", "contribution_report"),
    "industry_research": (
        *PERSONAL,
        "payment_criteria",
        "payment_list",
        "contribution_report",
        "research_result",
        "employment_certificate",
    ),
    "research_student": (*PERSONAL, "course_record", "research_result"),
    "thesis_student": (
        *PERSONAL,
        "course_record",
        "research_result",
        "thesis_plan",
        "activity_record",
    ),
    "undergraduate": (*PERSONAL, "programme_report"),
    "internship": (*PERSONAL, "internship_report"),
    "training_domestic": (*PERSONAL, "training_report"),
    "training_abroad": (*PERSONAL, "training_report"),
    "domestic_trip": ("travel_order", "transfer", "travel_rule"),
    "overseas_trip": ("travel_order", "transfer", "travel_rule", "return_report"),
    "local_transport": ("travel_order", "transfer"),
    **{kind.code: ("institution_receipt",) for kind in keco().items["overhead"].kinds},
}
"""What each kind needs; kinds left out need the common set."""

_PAYING = {kind.code for kind in keco().spending.evidence_kinds if kind.proves}


def documents(kinds: tuple[str, ...], won: int) -> tuple[Evidence, ...]:
    return tuple(Evidence(kind, won if kind in _PAYING else None) for kind in kinds)


def _month(rate: int, first: date = DAY) -> Work:
    return Work(first, date(first.year, first.month, 30), Fraction(rate))


def _one_day(**units: int) -> Work:
    counted = {unit: Fraction(count) for unit, count in units.items()}
    return Work(DAY, DAY, grade="senior", units=counted)


ARRIVED = Goods(arrived_on=DAY, used_on=DAY)
PERSON: Any = "person"

MADE: dict[str, dict[str, Any]] = {
    "internal_pay": {
        "fund": "in_kind",
        "person": "p1",
        "work": _month(20),
        "amount_won": 1_600_000,
    },
    "operator_pay": {"person": "o1", "payee": PERSON, "work": _month(100), "amount_won": 3_000_000},
    "severance": {"person": "o1"},
    "insurance_employee": {"person": "o1"},
    "insurance_employer": {"person": "o1"},
    "equipment_purchase": {
        "fund": "cash",
        "goods": replace(ARRIVED, asset="gc", unit_price_won=1_000_000, usable_months=60),
    },
    "equipment_rental": {"goods": ARRIVED},
    "equipment_in_kind": {"fund": "in_kind", "goods": Goods("gc"), "amount_won": 2_000_000},
    "facility_in_kind": {"fund": "in_kind", "goods": Goods("hall"), "amount_won": 5_000_000},
    "facility_works": {"goods": replace(ARRIVED, asset="hall")},
    "software": {"fund": "cash", "goods": ARRIVED},
    "maintenance": {"fund": "cash", "goods": Goods("lab"), "amount_won": 1_000_000},
    "reagents": {"goods": ARRIVED},
    "test_rig": {"goods": ARRIVED},
    "meeting": {"amount_won": 300_000},
    "committee": {"person": "x1", "work": _one_day(day=1), "amount_won": 180_000},
    "expert_fee": {"person": "x1", "work": _one_day(hour=8, day=1), "amount_won": 200_000},
    "expert_invitation": {"person": "x1"},
    "lecture_fee": {"person": "x1", "work": _one_day(hour=2), "amount_won": 300_000},
    "manuscript_fee": {
        "person": "x1",
        "work": _one_day(a4_page=10, manuscript_sheet=4),
        "amount_won": 220_000,
    },
    "translation_fee": {"person": "x1"},
    "incentive": {
        "person": "p1",
        "payee": PERSON,
        "work": _month(20),
        "amount_won": 800_000,
    },
    "industry_research": {
        "person": "c1",
        "payee": PERSON,
        "work": _month(10),
        "amount_won": 300_000,
    },
    "research_student": {
        "person": "r1",
        "payee": PERSON,
        "work": _month(40),
        "amount_won": 1_000_000,
    },
    "thesis_student": {
        "person": "t1",
        "payee": PERSON,
        "work": _month(50),
        "amount_won": 1_000_000,
    },
    "undergraduate": {"person": "u1", "payee": PERSON, "amount_won": 1_000_000},
    "internship": {"payee": "organisation", "amount_won": 1_000_000},
    "training_domestic": {},
    "training_abroad": {
        "trip": Trip(
            date(2020, 7, 1),
            date(2020, 7, 30),
            planned="seoul-tokyo",
            approved_on=date(2020, 6, 20),
        ),
        "person": "r1",
    },
    "domestic_trip": {
        "person": "p1",
        "trip": Trip(date(2020, 5, 20), date(2020, 5, 22), fare_won=110_000, rail="first"),
        "amount_won": 342_000,
    },
    "overseas_trip": {
        "person": "p1",
        "trip": Trip(
            date(2020, 5, 20),
            date(2020, 5, 25),
            planned="seoul-tokyo",
            approved_on=date(2020, 5, 1),
        ),
    },
    "local_transport": {"person": "p1", "amount_won": 20_000},
}


def expense(kind: str, **changes: Any) -> Expense:
    """A faultless expense of a kind, changed as told. `without`/`also` change its documents."""
    without = changes.pop("without", ())
    also = changes.pop("also", ())
    made: dict[str, Any] = {"fund": "grant", "amount_won": 500_000, **MADE.get(kind, {})} | changes
    won = made["amount_won"]
    kinds = tuple(code for code in EVIDENCE.get(kind, COMMON) if code not in without)
    made.setdefault("evidence", documents((*kinds, *also), won))
    made.setdefault("obligated_on", DAY)
    made.setdefault("paid_on", DAY)
    made.setdefault("id", f"e-{kind}")
    return Expense(kind=kind, **made)


def breaches(
    *expenses: Expense, plan: Plan = PLAN, stage: Stage = "settlement"
) -> tuple[Breach, ...]:
    found = Checker(plan, stage).check(expenses).breaches
    for breach in found:
        finding = breach.finding()
        assert finding.message("ko")
        assert finding.message("en")
        assert finding.kind.rule
        assert finding.kind.citation
    return found


def said(*expenses: Expense, plan: Plan = PLAN, stage: Stage = "settlement") -> dict[str, int]:
    """Codes and won of what the rules say; remarks count 0."""
    found: dict[str, int] = {}
    for breach in breaches(*expenses, plan=plan, stage=stage):
        found[breach.kind.code] = found.get(breach.kind.code, 0) + breach.disallowed_won
    return found


def the(code: str, *expenses: Expense, plan: Plan = PLAN, stage: Stage = "settlement") -> Breach:
    """The only breach with a code."""
    (breach,) = (b for b in breaches(*expenses, plan=plan, stage=stage) if b.kind.code == code)
    return breach


def period(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))
