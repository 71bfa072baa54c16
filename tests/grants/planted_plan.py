"""The agreement the planted year is spent under: a proposal, and what changed after it."""

from typing import Any

from tests.grants.calls import keco

YEAR = {"start": "2020-03-01", "end": "2021-02-28"}


def _line(kind: str, fund: str, amount_won: int = 0, **more: Any) -> dict[str, Any]:
    item = keco().item_of[kind]
    return {"item": item, "kind": kind, "fund": fund, "amount_won": amount_won, **more}


def _pay(kind: str, fund: str, person: str, monthly_won: int, rate: str) -> dict[str, Any]:
    pay = {"person": person, "monthly_won": str(monthly_won), "rate": rate}
    return _line(kind, fund, pay={**pay, "start": YEAR["start"], "months": 12})


def _asset(kind: str, fund: str, amount_won: int, ref: str, price_won: int) -> dict[str, Any]:
    return _line(kind, fund, amount_won, asset={"ref": ref, "price_won": price_won})


LINES = [
    _pay("internal_pay", "in_kind", "p1", 8_000_000, "20"),
    _line("internal_pay", "in_kind", 41_800_000),
    _pay("operator_pay", "grant", "o1", 3_000_000, "100"),
    _pay("operator_pay", "grant", "o2", 2_000_000, "50"),
    _line("severance", "grant", 12_000_000),
    _line("equipment_purchase", "cash", 40_000_000),
    _line("software", "cash", 10_000_000),
    _asset("maintenance", "cash", 9_800_000, "lab", 500_000_000),
    _asset("maintenance", "cash", 200_000, "lab2", 10_000_000),
    _asset("equipment_in_kind", "in_kind", 2_000_000, "gc", 20_000_000),
    _asset("equipment_in_kind", "in_kind", 500_000, "gc2", 5_000_000),
    _asset("facility_in_kind", "in_kind", 5_000_000, "hall", 25_000_000),
    _asset("facility_in_kind", "in_kind", 1_000_000, "hall2", 5_000_000),
    _line("reagents", "grant", 15_000_000),
    _line("meeting", "grant", 6_000_000),
    _line("expert_fee", "grant", 10_000_000),
    _line("lecture_fee", "grant", 10_000_000),
    _line("books", "grant", 9_000_000),
    _line("incentive", "grant", 5_000_000),
    _pay("research_student", "grant", "r1", 2_500_000, "40"),
    _line("research_student", "grant", 28_000_000),
    _pay("thesis_student", "grant", "t1", 2_000_000, "50"),
    _line("thesis_student", "grant", 28_000_000),
    _line("undergraduate", "grant", 20_000_000, heads=20),
    _line("internship", "grant", 20_000_000, heads=20),
    _line("training_abroad", "grant", 10_000_000),
    _line("printing", "grant", 25_000_000),
    _line("domestic_trip", "grant", 10_000_000),
    _line("overseas_trip", "grant", 6_000_000, trip="seoul-tokyo"),
    _line("local_transport", "grant", 4_000_000),
    _line("common_support", "grant", 10_000_000),
]
"""G = 300,000,000, C = 60,000,000, K = 69,500,000 won."""

PEOPLE: list[dict[str, Any]] = [
    {
        "ref": "p1",
        "name": "이책임",
        "role": "principal",
        "grade": "principal",
        "employed_elsewhere": True,
    },
    {"ref": "o1", "name": "김운영", "role": "operator", "post": "contract_professor"},
    {"ref": "o2", "name": "박조교", "role": "operator", "post": "teaching_assistant"},
    *(
        {"ref": ref, "name": f"연구 {ref}", "role": "research_student", "course": "doctoral"}
        for ref in ("r1", "r2", "r3")
    ),
    *(
        {"ref": ref, "name": f"논문 {ref}", "role": "thesis_student", "course": "masters"}
        for ref in ("t1", "t2", "t3", "t4")
    ),
    {"ref": "u1", "name": "한학부", "role": "undergraduate"},
    {"ref": "u2", "name": "두학부", "role": "undergraduate"},
    {"ref": "c1", "name": "조기업", "role": "company_researcher", "grade": "senior"},
]


def document() -> dict[str, Any]:
    """The proposal that was agreed on."""
    return {
        "applicant": {"schools": [{"university": "한빛대학교", "lead": True}], "companies": 5},
        "budget": {"year": YEAR, "lines": LINES, "people": PEOPLE},
        "pledge": {
            "cash_won": 60_000_000,
            "in_kind_won": 69_500_000,
            "total_won": 129_500_000,
            "pay_in_kind_won": 61_000_000,
            "assets_in_kind_won": 8_500_000,
        },
        "copies": {
            "proposal": 12,
            "proposal_disc": 1,
            "internal_pay_proof": 2,
            "asset_value_proof": 2,
            "demand_survey": 2,
            "pledge": 1,
        },
    }


def _operator(ref: str, approved_on: str | None, **more: Any) -> dict[str, Any]:
    known = {"person": ref, "name": f"운영 {ref}", "role": "operator", "grade": "senior"}
    return {**known, "approved_on": approved_on, **more}


def _study(ref: str, **study: Any) -> dict[str, Any]:
    return {"person": ref, "study": study}


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("institution", "person", _operator("o3", "2020-03-01", employed_elsewhere=True)),
    ("institution", "person", _operator("o4", None)),
    ("institution", "person", _operator("o5", "2020-06-16")),
    ("institution", "study", _study("t2", standing="dropped_out")),
    ("institution", "study", _study("t3", on_topic=False)),
    (
        "institution",
        "study",
        _study("t4", standing="graduated", related_credits=11, total_credits=24),
    ),
    (
        "institution",
        "study",
        _study("r2", leaves=[{"kind": "other", "start": "2020-06-16", "end": "2020-06-30"}]),
    ),
    ("institution", "study", _study("r3", leaves=[{"kind": "other", "start": "2018-12-01"}])),
    ("agency", "approved_change", {"item": "external_labour"}),
    ("agency", "trip", {"trip": "seoul-osaka"}),
    ("agency", "trait", {"trait": "nonprofit"}),
    ("agency", "carry_over", {"won": 1_000_000}),
]
"""Who recorded which change of the plan."""
