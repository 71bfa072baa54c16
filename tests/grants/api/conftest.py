"""The grants service on a database of its own, and tokens of the people who use it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text

from services.accrual.statistics.schemas import PostedMileageOut
from services.grants.app import create_app
from services.grants.certification.service import load_shipped_rules
from services.grants.programmes import builtin
from services.grants.programmes.service import load_shipped_rule_sets
from services.grants.settings import Settings

API = "/api/v1/grants"
PDF = b"%PDF-1.4\n"
AGENCY, UNIVERSITY = UUID(int=0xA9E), UUID(int=0x0117)
SECOND, COMPANY = UUID(int=0x0217), UUID(int=0xC0)
INSTITUTIONS: dict[UUID, tuple[str, str, str | None]] = {
    UNIVERSITY: ("iacf", "한빛대학교산학협력단", None),
    SECOND: ("iacf", "샛별대학교산학협력단", None),
    COMPANY: ("company", "가람에너지(주)", "1048203590"),
}


@pytest.fixture
def answers() -> dict[str, str]:
    """What the other services say of every mark: words on where it is used, or "" for nothing.
    A service that is not in here does not answer."""
    return {}


def others(answers: dict[str, str]) -> Callable[[httpx2.Request], httpx2.Response]:
    """Plays the other services at the network's edge."""
    ports = {8002: "accrual", 8003: "exchange"}

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/posted-mileage"):
            return posted_mileage(request, answers)
        if request.url.path != "/internal/evidence-claims":
            return registry(request)
        service = ports[request.url.port or 0]
        if service not in answers:
            return httpx2.Response(404, json={})
        where = answers[service]
        marks = json.loads(request.content)["marks"] if where else []
        items = [{"mark": mark, "where": where} for mark in marks]
        return httpx2.Response(200, json={"items": items})

    return answer


def posted_mileage(request: httpx2.Request, answers: dict[str, str]) -> httpx2.Response:
    """Plays accrual's ledger: `answers["mileage"]` is the points of each field, as JSON."""
    if "mileage" not in answers:
        return httpx2.Response(503, json={})
    by_field = json.loads(answers["mileage"])
    answer = PostedMileageOut(
        institution_id=UUID(request.url.path.split("/")[3]),
        kind="company",
        on=request.url.params["on"],
        has_posted_mileage=bool(by_field),
        points=sum(by_field.values()),
        by_field=by_field,
    )
    return httpx2.Response(200, json=answer.model_dump(mode="json"))


def registry(request: httpx2.Request) -> httpx2.Response:
    """Plays the auth service."""
    if request.url.path == "/api/v1/auth/token":
        return httpx2.Response(200, json={"access_token": "t", "expires_in": 300})
    if request.url.path == "/internal/institutions/lookup":
        items = []
        for wanted in json.loads(request.content)["ids"]:
            kind, name, brn = INSTITUTIONS.get(UUID(wanted), INSTITUTIONS[UNIVERSITY])
            known = {"institution_id": wanted, "kind": kind, "name": name, "brn": brn}
            items.append(known | {"capital_area": False})
        return httpx2.Response(200, json={"items": items})
    return httpx2.Response(404, json={})


@pytest.fixture
async def runtime(runtime_of, answers):
    transport = httpx2.MockTransport(others(answers))
    runtime = await runtime_of("grants", Settings, transport=transport)
    async with runtime.sessions.begin() as session:
        await load_shipped_rule_sets(session)
        await load_shipped_rules(session)
    return runtime


@pytest.fixture
def client(runtime, client_of) -> httpx2.AsyncClient:
    return client_of(create_app(runtime.settings, runtime))


@pytest.fixture
def officer(tokens) -> dict[str, str]:
    return tokens.headers(
        "grants:read",
        "grants:manage",
        role="agency_officer",
        institution_id=AGENCY,
        institution_kind="agency",
    )


@pytest.fixture
def applicant(tokens) -> dict[str, str]:
    return tokens.headers(
        "grants:read",
        "grants:apply",
        institution_id=UNIVERSITY,
        institution_kind="iacf",
    )


@pytest.fixture
def stranger(tokens) -> Callable[..., dict[str, str]]:
    """Headers of someone of another institution, with whatever scopes."""
    return lambda *scope: tokens.headers(*scope, institution_id=uuid4())


def shipped_rule_set() -> str:
    return builtin.text("keco-2020")


@pytest.fixture
async def call(client, officer) -> str:
    """The id of a published call that is open now, on the 2020 rule set; a rolling one, so that
    what came in can be looked at while it is open."""
    body = {
        "kind": "hosted",
        "name": "폐자원에너지화 특성화대학원",
        "ministry_name": "환경부",
        "agency_name": "가람환경공단",
        "target": "university",
        "benefit": "grant",
        "opens_at": "2026-01-06T00:00:00+09:00",
        "closes_at": "2036-02-07T17:00:00+09:00",
        "rolling": True,
        "rule_set_code": "keco-2020",
        "rule_set_version": 1,
    }
    made = await client.post("/api/v1/grants/programmes", json=body, headers=officer)
    programme_id = made.json()["id"]
    await client.post(f"/api/v1/grants/programmes/{programme_id}/publish", headers=officer)
    return programme_id


@pytest.fixture
async def draft(client, call, applicant) -> dict:
    answer = await client.post(
        f"{API}/programmes/{call}/proposals", json={"title": "바이오가스"}, headers=applicant
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def save(client, draft, headers, body, version=1):
    return await client.put(
        f"{API}/proposals/{draft['id']}",
        json={"title": "바이오가스", "document": body},
        headers=headers | {"If-Match": f'"{version}"'},
    )


async def submit(client, draft, headers, key="k1"):
    return await client.post(
        f"{API}/proposals/{draft['id']}/submit", headers=headers | {"Idempotency-Key": key}
    )


def line(item: str, kind: str, fund: str, amount_won: int = 0, **more: Any) -> dict[str, Any]:
    return {"item": item, "kind": kind, "fund": fund, "amount_won": amount_won, **more}


def document() -> dict[str, Any]:
    """A proposal nobody objects to: G 200,000,000, C 60,000,000, K 40,000,000 won."""
    lines = [
        line(
            "internal_labour",
            "internal_pay",
            "in_kind",
            pay={
                "person": "pi",
                "monthly_won": "10000000",
                "start": "2020-03-01",
                "months": 12,
                "rate": "33.3",
            },
        ),
        line("internal_labour", "internal_pay", "in_kind", 40_000, name="끝수"),
        line(
            "external_labour",
            "operator_pay",
            "grant",
            pay={
                "person": "op",
                "monthly_won": "2000000",
                "start": "2020-03-01",
                "months": 12,
                "rate": "50",
            },
        ),
        line("equipment_facility", "equipment_purchase", "cash", 60_000_000),
        line("materials", "reagents", "grant", 100_000_000),
        line("technical_information", "books", "grant", 55_000_000),
        line("technical_information", "meeting", "grant", 5_000_000),
        line("research_activity", "incentive", "grant", 4_000_000),
        line("supplies_fees", "printing", "grant", 9_800_000),
        line("travel", "domestic_trip", "grant", 5_000_000),
        line("overhead", "common_support", "grant", 9_200_000),
    ]
    people = [
        {"ref": "pi", "name": "홍길동", "role": "principal", "grade": "principal"},
        {"ref": "op", "name": "김조교", "role": "operator", "post": "teaching_assistant"},
    ]
    return {
        "applicant": {
            "schools": [{"university": "한빛대학교", "lead": True}],
            "companies": 5,
        },
        "budget": {
            "year": {"start": "2020-03-01", "end": "2021-02-28"},
            "lines": lines,
            "people": people,
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
        "targets": {},
        "texts": {},
    }


@pytest.fixture
async def drafted(client, draft, applicant, officer, runtime) -> dict:
    """A drafted agreement on the proposal of the other tests. Designation is the evaluation's
    business, so the state it leaves is set here."""
    await save(client, draft, applicant, document())
    await submit(client, draft, applicant)
    async with runtime.sessions.begin() as session:
        await session.execute(
            text("UPDATE proposal SET state = 'designated' WHERE id = :id"), {"id": draft["id"]}
        )
    answer = await client.post(
        f"{API}/received/{draft['id']}/agree",
        json={"agreed_on": "2020-03-02"},
        headers=officer | {"Idempotency-Key": "agree"},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def agreement(client, drafted, officer, runtime) -> dict:
    """The agreement concluded. Its documents are the business of `test_agreements`."""
    await concluded(runtime, drafted["id"])
    return (await client.get(f"{API}/agreements/{drafted['id']}", headers=officer)).json()


async def concluded(runtime, agreement_id: str) -> None:
    """The state that the conclusion of an agreement leaves."""
    async with runtime.sessions.begin() as session:
        of_it = {"id": agreement_id}
        await session.execute(
            text("UPDATE agreement SET state = 'active', concluded_at = now() WHERE id = :id"),
            of_it,
        )
        await session.execute(
            text(
                "UPDATE proposal SET state = 'agreed' "
                "WHERE id = (SELECT proposal_id FROM agreement WHERE id = :id)"
            ),
            of_it,
        )


async def someone_waits(runtime) -> None:
    """Until a request waits for a lock that another transaction holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(1200):
        async with runtime.sessions.begin() as session:
            if await session.scalar(waiting):
                return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody ever waited")


async def conclude(client, agreement: dict, applicant, officer, **body) -> httpx2.Response:
    """Hand in the whole set of documents, have it accepted, and conclude."""
    url = f"{API}/agreements/{agreement['id']}"
    due = (await client.get(f"{url}/documents", headers=applicant)).json()["checklist"]
    for line in due:
        handed = await hand_in(client, agreement, applicant, line["code"])
        await client.post(
            f"{API}/agreement-documents/{handed.json()['id']}/accept", headers=officer
        )
    headers = officer | {"Idempotency-Key": f"conclude-{agreement['id']}"}
    return await client.post(f"{url}/conclude", json=body, headers=headers)


async def hand_in(client, agreement: dict, headers, code: str, content: bytes = b"1"):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/documents",
        data={"code": code},
        files={"file": (f"{code}.pdf", PDF + content, "application/pdf")},
        headers=headers,
    )


def meeting(amount_won: int = 250_000, **more) -> dict:
    return {
        "kind": "meeting",
        "fund": "grant",
        "amount_won": amount_won,
        "purpose": "교육위원회",
        "payee_name": "가람식당",
        "obligated_on": "2020-06-10",
        "paid_on": "2020-06-10",
        "details": {"event": "교육위원회 1차"},
        **more,
    }


CHECKS = {
    point: {"holds": True, "remark": ""}
    for point in ("eligibility", "private_share", "documents", "principal")
}


async def pass_pre_review(client, proposal, officer):
    url = f"{API}/received/{proposal['id']}/pre-review"
    await client.post(f"{url}/start", headers=officer)
    found = await client.post(url, json={"eligible": True, "checks": CHECKS}, headers=officer)
    assert found.status_code == 200, found.text
    return found.json()


@pytest.fixture
def reviewers(tokens) -> dict[UUID, dict[str, str]]:
    ids = [uuid4() for _ in range(3)]
    return {
        n: tokens.headers(
            "grants:read", "grants:evaluate", role="evaluator", institution_id=AGENCY, sub=str(n)
        )
        for n in ids
    }


@pytest.fixture
async def received(client, draft, applicant) -> dict:
    """A proposal as the agency received it: 18 people to be trained, cash at 30 % of the grant."""
    body = document()
    body["targets"] = {"graduates": 10, "undergraduates": 8}
    await save(client, draft, applicant, body)
    await submit(client, draft, applicant)
    return draft


@pytest.fixture
async def eligible(client, received, officer) -> dict:
    assert (await pass_pre_review(client, received, officer))["state"] == "eligible"
    return received


# Settlement -------------------------------------------------------------------------------------


@pytest.fixture
def auditor(tokens):
    return tokens.headers("grants:read", "grants:settle", role="auditor", institution_id=AGENCY)


@pytest.fixture
def colleague(tokens):
    return tokens.headers("grants:read", "grants:settle", role="auditor", institution_id=AGENCY)


@pytest.fixture
async def year(client, agreement, applicant, officer) -> dict:
    """A reported year: one meeting in order, one without any evidence."""
    url = f"{API}/agreements/{agreement['id']}"
    ids = []
    for n, won in enumerate((250_000, 130_000)):
        made = await client.post(
            f"{url}/expenses",
            json=meeting(won, details={"event": f"회의 {n}"}),
            headers=applicant | {"Idempotency-Key": f"e{n}"},
        )
        ids.append(made.json()["id"])
    for kind, won in (("expenditure_resolution", ""), ("card_slip", "250000"), ("minutes", "")):
        await client.post(
            f"{API}/expenses/{ids[0]}/evidence",
            data={"kind": kind} | ({"amount_won": won} if won else {}),
            files={"file": (f"{kind}.pdf", PDF + kind.encode(), "application/pdf")},
            headers=applicant,
        )
    await client.post(f"{url}/close", headers=officer)
    reported = await client.post(
        f"{url}/report",
        json={"received_grant_won": 200_000_000, "interest_won": 123_456},
        headers=applicant,
    )
    assert reported.json()["state"] == "reported", reported.text
    return {"url": url, "good": ids[0], "bad": ids[1]}


async def run(client, year, auditor, key="r1") -> dict:
    answer = await client.post(
        f"{year['url']}/settlement/runs", headers=auditor | {"Idempotency-Key": key}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]
