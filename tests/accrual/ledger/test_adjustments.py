"""Adjustments: a reason, four eyes, and a transfer like any other."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual.app import create_app

URL = "/api/v1/accrual/ledger/adjustments"
REASON = {"reason": "이중 적립 정정 (2026-11 점검)"}


@pytest.fixture
def http(runtime, client_of):
    return client_of(create_app(runtime.settings, runtime))


@pytest.fixture
def operator(http, tokens):
    """`operator()` is another one each time."""

    def make(*scope):
        headers = tokens.headers(*(scope or ("ledger:adjust",)), role="operator", sub=uuid4().hex)

        async def call(method, path="", **more):
            key = {"Idempotency-Key": uuid4().hex}
            return await http.request(method, URL + path, headers=headers | key, **more)

        return call

    return make


async def proposed(call, institution_id, amount, **more):
    body = {"institution_id": str(institution_id), "amount": amount} | REASON | more
    answer = await call("POST", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_one_proposes_and_another_approves(ledger, operator):
    company = await ledger.institution(100)
    one, other = operator(), operator()
    made = await proposed(one, company, 50, field="PRACTICE")
    assert (made["state"], made["transfer_id"]) == ("proposed", None)
    assert await ledger.balance(company) == (100, 0, 100)
    seen = (await other("GET", f"/{made['id']}")).json()
    assert (seen["balance"], seen["balance_after"]) == (100, 150)
    done = await other("POST", f"/{made['id']}/approve")
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    assert await ledger.balance(company) == (150, 0, 150)
    posted = await ledger.sql(
        "SELECT kind, field, metadata->>'reason' FROM transfer WHERE id = :id",
        id=done.json()["transfer_id"],
    )
    assert posted == [("adjustment", "PRACTICE", REASON["reason"])]


async def test_nobody_approves_what_he_proposed(ledger, operator):
    company = await ledger.institution()
    one = operator()
    made = await proposed(one, company, 5)
    refused = await one("POST", f"/{made['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "FOUR_EYES")
    assert await ledger.balance(company) == (0, 0, 0)
    taken_back = await one("POST", f"/{made['id']}/refuse", json=REASON)
    assert taken_back.json()["state"] == "refused"


async def test_points_are_taken_only_where_there_are_enough(ledger, operator):
    company = await ledger.institution(30)
    made = await proposed(operator(), company, -31)
    other = operator()
    refused = await other("POST", f"/{made['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (422, "INSUFFICIENT")
    assert (await other("GET", f"/{made['id']}")).json()["state"] == "proposed"
    made = await proposed(operator(), company, -30)
    assert (await other("POST", f"/{made['id']}/approve")).status_code == 200
    assert await ledger.balance(company) == (0, 0, 0)


async def test_of_decisions_at_once_one_counts(ledger, operator):
    company = await ledger.institution()
    made = await proposed(operator(), company, 7)
    answers = await asyncio.gather(
        *(operator()("POST", f"/{made['id']}/approve") for _ in range(3)),
        operator()("POST", f"/{made['id']}/refuse", json=REASON),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    state = (await operator()("GET", f"/{made['id']}")).json()["state"]
    assert (await ledger.balance(company))[0] == (7 if state == "approved" else 0)


@pytest.mark.parametrize(
    "change", [{"amount": 0}, {"amount": 1.5}, {"reason": ""}, {"institution_id": str(uuid4())[:8]}]
)
async def test_an_adjustment_needs_points_and_a_reason(operator, change):
    body = {"institution_id": str(uuid4()), "amount": 5} | REASON | change
    assert (await operator()("POST", json=body)).status_code == 422


async def test_system_accounts_are_not_adjusted(operator):
    body = {"institution_id": "00000000-0000-0000-0000-000000000001", "amount": 5} | REASON
    answer = await operator()("POST", json=body)
    assert answer.json()["errors"][0]["code"] == "SYSTEM_ACCOUNT"


async def test_what_was_proposed_and_decided_stays(ledger, operator):
    company = await ledger.institution()
    made = await proposed(operator(), company, 7)
    await operator()("POST", f"/{made['id']}/refuse", json=REASON)
    again = await operator()("POST", f"/{made['id']}/approve")
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")
    listed = (await operator()("GET", "?state=refused")).json()
    assert [(one["id"], one["note"]) for one in listed["items"]] == [(made["id"], REASON["reason"])]
    assert (await operator()("GET", "?state=proposed")).json()["total"] == 0
    for table in ("ledger_adjustment", "ledger_adjustment_decision"):
        with pytest.raises(DBAPIError, match="is append-only"):
            await ledger.sql(f"DELETE FROM {table}")


async def test_adjusting_is_for_operators_with_the_permission(http, operator):
    reader = operator("ledger:read")
    for method, path in (
        ("POST", ""), ("GET", ""), ("GET", f"/{uuid4()}"),
        ("POST", f"/{uuid4()}/approve"), ("POST", f"/{uuid4()}/refuse"),
    ):  # fmt: skip
        assert (await http.request(method, URL + path)).status_code == 401
        assert (await reader(method, path, json=REASON)).status_code == 403
    assert (await operator()("GET", f"/{uuid4()}")).status_code == 404
