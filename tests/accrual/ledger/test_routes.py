"""The ledger over HTTP: who sees what, and what other services may do."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.accrual.app import create_app
from services.accrual.ledger.rules import ISSUANCE, REDEMPTION
from tests.accrual.ledger.conftest import issue, move

PUBLIC = "/api/v1/accrual/ledger"


@pytest.fixture
def http(runtime, client_of):
    return client_of(create_app(runtime.settings, runtime))


@pytest.fixture
def as_service(http, tokens):
    headers = tokens.headers("ledger:transfer", aud="accrual", client_id="exchange", sub="exchange")

    async def call(method, path, body=None):
        return await http.request(method, "/internal/ledger" + path, json=body, headers=headers)

    return call


def hold_of(payer, payee, amount=750, **more):
    return {
        "id": str(uuid4()),
        "institution_id": str(payer),
        "to_institution_id": str(payee),
        "amount": amount,
        "kind": "exchange",
        "reference": "order:1",
        "expires_at": None,
    } | more


async def test_hold_post_reverse_over_http(ledger, as_service):
    company, university = await ledger.institution(1_000), await ledger.institution()
    hold = hold_of(company, university)
    answer = await as_service("POST", "/holds", hold)
    assert (answer.status_code, answer.json()["state"]) == (201, "pending")
    again = await as_service("POST", "/holds", hold)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == answer.json()

    post = {"id": str(uuid4()), "amount": 500}
    posted = await as_service("POST", f"/holds/{hold['id']}/post", post)
    assert posted.json()["pending_id"] == hold["id"]
    found = (await as_service("GET", f"/transfers/{hold['id']}")).json()
    assert (found["state"], found["posted"], found["ended_by"]) == ("posted", 500, post["id"])

    reversal = {"id": str(uuid4()), "transfer_id": post["id"], "amount": 200, "reason": "환불"}
    undone = await as_service("POST", "/reversals", reversal)
    assert (undone.status_code, undone.json()["reverses_id"]) == (201, post["id"])
    assert (await as_service("GET", f"/accounts/{company}")).json() == {
        "institution_id": str(company),
        "balance": 700,
        "held": 0,
        "available": 700,
    }


async def test_void_before_hold_over_http(ledger, as_service):
    company, university = await ledger.institution(1_000), await ledger.institution()
    hold = hold_of(company, university)
    void = await as_service("POST", f"/holds/{hold['id']}/void", {"id": str(uuid4())})
    assert (void.status_code, void.json()["amount"]) == (201, None)
    late = await as_service("POST", "/holds", hold)
    assert (late.status_code, late.json()["code"]) == (409, "HOLD_VOIDED")
    assert (await as_service("GET", f"/transfers/{hold['id']}")).json()["state"] == "voided"


async def test_refusals_over_http(ledger, as_service):
    company, university = await ledger.institution(100), await ledger.institution()
    short = await as_service("POST", "/holds", hold_of(company, university, 101))
    assert (short.status_code, short.json()["code"]) == (422, "INSUFFICIENT")
    assert short.json()["params"]["available"] == 100
    hold = hold_of(company, university, 5)
    await as_service("POST", "/holds", hold)
    other = await as_service("POST", "/holds", hold | {"amount": 6})
    assert (other.status_code, other.json()["code"]) == (409, "TRANSFER_CONFLICT")
    for method, path, body in (
        ("POST", f"/holds/{uuid4()}/post", {"id": str(uuid4()), "amount": 1}),
        ("POST", "/reversals", {"id": str(uuid4()), "transfer_id": str(uuid4()), "reason": "x"}),
        ("GET", f"/transfers/{uuid4()}", None),
    ):
        missing = await as_service(method, path, body)
        assert (missing.status_code, missing.json()["code"]) == (404, "TRANSFER_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": 0}, "FIELD_INVALID"),
        ({"amount": "5"}, "FIELD_INVALID"),
        ({"amount": 1.5}, "FIELD_INVALID"),
        ({"kind": "revocation"}, "KIND_RESERVED"),
        ({"kind": "accrual"}, "KIND_RESERVED"),
        ({"institution_id": str(ISSUANCE)}, "SYSTEM_ACCOUNT"),
        ({"to_institution_id": str(REDEMPTION)}, "SYSTEM_ACCOUNT"),
        ({"expires_at": "2024-01-01T00:00:00"}, "FIELD_INVALID"),
    ],
)
async def test_a_service_can_neither_make_points_nor_play_the_ledger(as_service, change, code):
    answer = await as_service("POST", "/holds", hold_of(uuid4(), uuid4()) | change)
    assert answer.status_code == 422
    assert [found["code"] for found in answer.json()["errors"]] == [code]


async def test_an_unknown_institution_has_no_points(as_service):
    found = (await as_service("GET", f"/accounts/{uuid4()}")).json()
    assert (found["balance"], found["available"]) == (0, 0)


async def test_a_batch_over_http_is_posted_whole_and_once(ledger, as_service):
    company, university = await ledger.institution(10), await ledger.institution()
    moves = [hold_of(company, university, amount) for amount in (3, 4)]
    for one in moves:
        del one["expires_at"]
    answer = await as_service("POST", "/transfers", {"transfers": moves})
    assert answer.json() == {"posted": 2, "replayed": 0}
    answer = await as_service("POST", "/transfers", {"transfers": moves})
    assert answer.json() == {"posted": 0, "replayed": 2}
    moves += [moves[0] | {"id": str(uuid4()), "kind": "expiry"}]
    refused = await as_service("POST", "/transfers", {"transfers": moves})
    assert refused.json()["errors"][0]["pointer"] == "/transfers/2/kind"


async def test_an_institution_reads_its_own_ledger(ledger, http, tokens):
    company, university = uuid4(), uuid4()
    earned = issue(company, 450, field="PRACTICE", title="대학생 현장실습", origin_id=university)
    await ledger.post(earned)
    await ledger.post(move(company, university, 50))
    headers = tokens.headers("ledger:read", institution_id=company, institution_kind="company")
    account = (await http.get(f"{PUBLIC}/account", headers=headers)).json()
    assert (account["balance"], account["held"], account["available"]) == (400, 0, 400)
    assert {"field": "PRACTICE", "points": 450} in account["by_field"]
    page = (await http.get(f"{PUBLIC}/entries", headers=headers)).json()
    assert page["total"] == 2
    spent, credit = page["items"]
    assert (spent["amount"], spent["balance"]) == (-50, 400)
    assert spent["counterparty_id"] == str(university)
    assert credit["counterparty_id"] is None
    assert (credit["title"], credit["origin_id"]) == ("대학생 현장실습", str(university))
    filtered = await http.get(f"{PUBLIC}/entries?field=PRACTICE&from=2024-01-01", headers=headers)
    assert [item["amount"] for item in filtered.json()["items"]] == [450]


async def test_another_institutions_ledger_does_not_exist(ledger, http, tokens):
    other = await ledger.institution(5)
    headers = tokens.headers("ledger:read", institution_id=uuid4(), institution_kind="university")
    for path in ("account", "entries"):
        answer = await http.get(f"{PUBLIC}/{path}?institution_id={other}", headers=headers)
        assert answer.status_code == 404


async def test_the_operator_reads_any_ledger_and_must_name_it(ledger, http, tokens):
    company = await ledger.institution(5)
    headers = tokens.headers("ledger:read", institution_id=uuid4(), institution_kind="operator")
    answer = await http.get(f"{PUBLIC}/account?institution_id={company}", headers=headers)
    assert answer.json()["balance"] == 5
    unnamed = await http.get(f"{PUBLIC}/account", headers=headers)
    assert unnamed.json()["errors"][0]["code"] == "INSTITUTION_REQUIRED"


async def test_a_sub_account_sees_only_its_fields(ledger, http, tokens):
    university = uuid4()
    await ledger.post(issue(university, 1, field="PRACTICE"), issue(university, 2, field="HIRING"))
    headers = tokens.headers(
        "ledger:read",
        role="sub_account",
        institution_id=university,
        institution_kind="university",
        fields=["PRACTICE"],
    )
    account = (await http.get(f"{PUBLIC}/account", headers=headers)).json()
    assert account["by_field"] == [{"field": "PRACTICE", "points": 1}]
    assert account["balance"] is None
    page = (await http.get(f"{PUBLIC}/entries", headers=headers)).json()
    assert [(item["amount"], item["balance"]) for item in page["items"]] == [(1, None)]


async def test_the_balance_at_an_instant_over_http(ledger, http, tokens):
    company = await ledger.institution(5)
    headers = tokens.headers("ledger:read", institution_id=company, institution_kind="company")
    for instant, balance in (("2024-02-29T23:59:59+09:00", 0), (_now(), 5)):
        params = {"as_of": instant}
        found = (await http.get(f"{PUBLIC}/account", params=params, headers=headers)).json()
        assert (found["balance"], found["held"]) == (balance, None)


async def test_reading_needs_permission_and_moving_is_for_services(http, tokens):
    company = uuid4()
    reader = tokens.headers("ledger:read", institution_id=company, institution_kind="company")
    answer = await http.get(f"/internal/ledger/accounts/{company}", headers=reader)
    assert answer.status_code == 403
    stranger = tokens.headers("accrual:read", institution_id=company, institution_kind="company")
    assert (await http.get(f"{PUBLIC}/account", headers=stranger)).status_code == 403
    assert (await http.get(f"{PUBLIC}/account")).status_code == 401


def _now() -> str:
    return datetime.now(UTC).isoformat()
