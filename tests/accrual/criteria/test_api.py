"""The criteria and the calculator, as anyone sees them without logging in."""

import pytest

from services.accrual.app import create_app
from services.accrual.settings import Settings


@pytest.fixture
async def client(runtime_of, client_of):
    runtime = await runtime_of("accrual", Settings)
    return client_of(create_app(runtime.settings, runtime))


def calculate(client, **body):
    return client.post("/api/v1/accrual/criteria/calculate", json=body)


async def test_the_seven_fields_are_public_with_formula_evidence_and_citation(client):
    answer = await client.get("/api/v1/accrual/criteria")
    assert answer.status_code == 200
    fields = {field["code"]: field for field in answer.json()["fields"]}
    assert list(fields) == [
        "PRACTICE",
        "CURRICULUM",
        "HIRING",
        "RESEARCH",
        "TECH_TRANSFER",
        "EQUIPMENT",
        "SCHOLARSHIP",
    ]
    assert fields["TECH_TRANSFER"]["formula"] == {
        "kind": "power",
        "won_per_point": None,
        "points_per_head": None,
        "base_won": 50_000_000,
        "exponent": "0.7",
        "points_at_base": 1000,
    }
    assert fields["HIRING"]["quantity"] == "people"
    assert "4대보험 확인서" in {item["ko"] for item in fields["HIRING"]["evidence"]}
    assert all(field["citation"].startswith("S1:") for field in fields.values())
    (restriction,) = fields["EQUIPMENT"]["restrictions"]
    assert restriction == {
        "column": "usage_type",
        "code": "PUBLIC_FACILITY",
        "ko": "공공시설 사용료는 적립 대상이 아닙니다.",
        "en": "Fees for public facilities earn no mileage.",
        "citation": "S1:705-706",
    }


async def test_the_criteria_may_be_cached_by_anyone(client):
    answer = await client.get("/api/v1/accrual/criteria?on=2030-01-01")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.json()["version"] == "2022"


async def test_fifty_million_won_of_technology_transfer_are_a_thousand_points(client):
    answer = await calculate(client, field="TECH_TRANSFER", amount_won=50_000_000)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["points"], body["unrounded"]) == (1000, "1000.000000")
    assert body["formula_ko"] == "(50,000,000원 ÷ 50,000,000원)^0.7 × 1,000점"


@pytest.mark.parametrize(
    ("field", "quantity", "points"),
    [
        ("PRACTICE", {"amount_won": 12_345_678}, 1_234),
        ("HIRING", {"people": 34}, 10_200),
        ("RESEARCH", {"amount_won": 3_200_000_000}, 8_000),
        ("TECH_TRANSFER", {"amount_won": 51_200_000_000}, 128_000),
        ("EQUIPMENT", {"amount_won": 134_590_019}, 1_999),
        ("SCHOLARSHIP", {"amount_won": 44}, 1),
        ("PRACTICE", {"amount_won": 0}, 0),
    ],
)
async def test_the_calculator_is_exact(client, field, quantity, points):
    assert (await calculate(client, field=field, **quantity)).json()["points"] == points


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"field": "PRACTICE"}, "/amount_won", "QUANTITY_REQUIRED"),
        ({"field": "PRACTICE", "amount_won": 1, "people": 1}, "/amount_won", "QUANTITY_REQUIRED"),
        ({"field": "HIRING", "amount_won": 300}, "/people", "QUANTITY_REQUIRED"),
        ({"field": "PRACTICE", "amount_won": -1}, "/amount_won", "FIELD_INVALID"),
        ({"field": "PRACTICE", "amount_won": 1.5}, "/amount_won", "FIELD_INVALID"),
        ({"field": "PRACTICE", "amount_won": 10**15}, "/amount_won", "FIELD_INVALID"),
        ({"field": "LOTTERY", "amount_won": 1}, "/field", "FIELD_INVALID"),
        ({"amount_won": 1}, "/field", "FIELD_REQUIRED"),
    ],
)
async def test_what_cannot_be_calculated_is_refused_by_code(client, body, pointer, code):
    answer = await calculate(client, **body)
    assert answer.status_code == 422
    assert (pointer, code) in {(item["pointer"], item["code"]) for item in answer.json()["errors"]}
