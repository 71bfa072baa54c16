"""A proposal for the 2020 call that breaks no rule, unless the overhead is too much."""

from typing import Any


def _line(item: str, kind: str, fund: str, won: int, **more: Any) -> dict[str, Any]:
    return {"item": item, "kind": kind, "fund": fund, "amount_won": won, **more}


def _pay(person: str, monthly_won: int, rate: str) -> dict[str, Any]:
    return {
        "person": person,
        "monthly_won": str(monthly_won),
        "start": "2020-03-01",
        "months": 12,
        "rate": rate,
    }


def proposal_document(*, overhead_won: int) -> dict[str, Any]:
    """G is 190,800,000 won and the overhead, C 60,000,000, K 40,000,000."""
    lines = [
        _line("internal_labour", "internal_pay", "in_kind", 0, pay=_pay("pi", 10_000_000, "33.3")),
        _line("internal_labour", "internal_pay", "in_kind", 40_000, name="끝수 조정"),
        _line("external_labour", "operator_pay", "grant", 0, pay=_pay("op", 2_000_000, "50")),
        _line("equipment_facility", "equipment_purchase", "cash", 60_000_000),
        _line("materials", "reagents", "grant", 100_000_000),
        _line("technical_information", "books", "grant", 55_000_000),
        _line("technical_information", "meeting", "grant", 5_000_000),
        _line("research_activity", "incentive", "grant", 3_800_000),
        _line("supplies_fees", "printing", "grant", 10_000_000),
        _line("travel", "domestic_trip", "grant", 5_000_000),
        _line("overhead", "common_support", "grant", overhead_won),
    ]
    return {
        "applicant": {
            "schools": [{"university": "한빛대학교", "lead": True}],
            "companies": 5,
        },
        "budget": {
            "year": {"start": "2020-03-01", "end": "2021-02-28"},
            "lines": lines,
            "people": [
                {"ref": "pi", "name": "책임자", "role": "principal", "grade": "principal"},
                {"ref": "op", "name": "조교", "role": "operator", "post": "teaching_assistant"},
            ],
        },
        "pledge": {
            "cash_won": 60_000_000,
            "in_kind_won": 40_000_000,
            "total_won": 100_000_000,
            "pay_in_kind_won": 40_000_000,
            "assets_in_kind_won": 0,
        },
        "copies": {
            "proposal": 12,
            "proposal_disc": 1,
            "internal_pay_proof": 2,
            "demand_survey": 2,
            "pledge": 1,
        },
        "targets": {
            "demand_surveys": 1,
            "courses_reformed": 4,
            "textbooks": 2,
            "industry_lectures": 5,
            "internship_hours": 80,
            "internship_credits": 2,
            "graduates": 10,
            "undergraduates": 5,
            "undergraduate_attendance_percent": 90,
            "satisfaction_surveys": 2,
        },
    }
