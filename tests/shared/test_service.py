"""What every service gets from the shared kernel, seen through a small service of two routes."""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Form, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy import text

from services.exchange.settings import Settings
from shared.caller import requires
from shared.db import Session
from shared.idempotency import Once
from shared.problems import FindingKind, Invalid
from shared.runtime import service_app
from shared.schemas import Body
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/exchange")
Buyer = Annotated[Claims, Depends(requires("exchange:buy"))]
BAD = FindingKind("BAD_THING", ko="{thing}이(가) 잘못되었습니다.", en="{thing} is wrong.")


class ThingIn(Body):
    amount: int


class ThingOut(BaseModel):
    amount: int


@router.post("/things", response_model=ThingOut, status_code=201)
async def add_thing(body: ThingIn, buyer: Buyer, once: Once, session: Session) -> Response:
    await session.execute(text("INSERT INTO thing VALUES (:amount)"), {"amount": body.amount})
    if body.amount < 0:
        raise Invalid(errors=[BAD.at("/amount", field="amount", thing="amount")])
    return await once.answer(201, ThingOut(amount=body.amount))


@router.post("/papers", response_model=ThingOut, status_code=201)
async def add_paper(
    file: UploadFile, amount: Annotated[int, Form()], _: Buyer, once: Once, session: Session
) -> Response:
    size = len(await file.read())
    await session.execute(text("INSERT INTO thing VALUES (:amount)"), {"amount": amount})
    return await once.answer(201, ThingOut(amount=size))


@router.post("/late-failures", status_code=201)
async def fail_at_commit(buyer: Buyer, session: Session) -> None:
    await session.execute(text("INSERT INTO thing VALUES (7), (7)"))


@router.get("/things")
async def find_things(buyer: Buyer, session: Session, name: str) -> None:
    await session.execute(text("SELECT CAST(:name AS text)"), {"name": name})


@pytest.fixture
async def service(runtime_of, client_of):
    runtime = await runtime_of("exchange", Settings)
    async with runtime.sessions.begin() as session:
        await session.execute(
            text("CREATE TABLE thing (amount int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        )
    client = client_of(service_app(runtime, title="things", routers=[router]))

    async def count() -> int:
        async with runtime.sessions() as session:
            return await session.scalar(text("SELECT count(*) FROM thing"))

    client.count = count
    return client


def tap(service: Any, headers: dict[str, str], amount: int, key: str | None = "k"):
    extra = {"Idempotency-Key": key} if key else {}
    return service.post(
        "/api/v1/exchange/things", json={"amount": amount}, headers={**headers, **extra}
    )


async def test_twenty_taps_at_once_act_once_and_all_get_the_same_answer(service, tokens):
    headers = tokens.headers("exchange:buy")
    answers = await asyncio.gather(*(tap(service, headers, 5) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.content for answer in answers} == {b'{"amount":5}'}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 19
    assert await service.count() == 1


async def test_the_same_key_with_another_body_is_refused(service, tokens):
    headers = tokens.headers("exchange:buy")
    await tap(service, headers, 5)
    answer = await tap(service, headers, 6)
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_the_key_of_one_caller_means_nothing_for_another(service, tokens):
    await tap(service, tokens.headers("exchange:buy"), 5)
    assert (await tap(service, tokens.headers("exchange:buy"), 6)).status_code == 201


async def test_a_failed_request_leaves_no_key_and_no_row(service, tokens):
    headers = tokens.headers("exchange:buy")
    assert (await tap(service, headers, -1)).status_code == 422
    assert await service.count() == 0
    assert (await tap(service, headers, 1)).status_code == 201


async def test_a_value_moving_post_without_a_key_is_refused(service, tokens):
    answer = await tap(service, tokens.headers("exchange:buy"), 5, key=None)
    assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")


async def test_a_commit_that_fails_never_reaches_the_client_as_success(service, tokens):
    answer = await service.post(
        "/api/v1/exchange/late-failures", headers=tokens.headers("exchange:buy")
    )
    assert answer.status_code == 500
    assert await service.count() == 0


async def test_a_character_no_database_stores_is_the_callers_mistake(service, tokens):
    """Not 503: a client that is told to come back would come back for ever."""
    headers = tokens.headers("exchange:buy")
    answer = await service.get("/api/v1/exchange/things?name=a%00b", headers=headers)
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == ["NUL_CHARACTER"]


async def test_a_file_sent_twice_is_taken_once_and_another_is_refused(service, tokens):
    headers = {**tokens.headers("exchange:buy"), "Idempotency-Key": "k"}

    async def send(amount: int, content: bytes):
        return await service.post(
            "/api/v1/exchange/papers",
            data={"amount": str(amount)},
            files={"file": ("a.txt", content)},
            headers=headers,
        )

    first, again = await send(5, b"three"), await send(5, b"three")
    assert (first.status_code, first.content) == (201, b'{"amount":5}')
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    for other in [await send(6, b"three"), await send(5, b"four!")]:
        assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await service.count() == 1


async def test_a_crash_answers_with_the_trace_id_under_which_it_is_logged(service, tokens):
    answer = await service.post(
        "/api/v1/exchange/late-failures", headers=tokens.headers("exchange:buy")
    )
    body = answer.json()
    assert (body["code"], len(body["trace_id"])) == ("INTERNAL_ERROR", 32)
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert "duplicate key" not in answer.text


async def test_a_problem_names_code_place_and_trace_in_the_callers_language(service, tokens):
    headers = tokens.headers("exchange:buy") | {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    }
    korean = await tap(service, headers, -1)
    assert korean.headers["content-type"] == "application/problem+json"
    body = korean.json()
    assert body["code"] == "VALIDATION_FAILED"
    assert body["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert body["errors"][0]["message"] == "amount이(가) 잘못되었습니다."
    english = await tap(service, headers | {"Accept-Language": "en-GB"}, -1)
    assert english.json()["errors"][0] == {
        "pointer": "/amount",
        "field": "amount",
        "code": "BAD_THING",
        "message": "amount is wrong.",
        "params": {"thing": "amount"},
        "level": "error",
    }


async def test_malformed_input_lists_every_finding_with_its_pointer(service, tokens):
    answer = await service.post(
        "/api/v1/exchange/things",
        json={"unknown": 1},
        headers=tokens.headers("exchange:buy") | {"Idempotency-Key": "k"},
    )
    found = {(item["pointer"], item["code"]) for item in answer.json()["errors"]}
    assert found == {("/amount", "FIELD_REQUIRED"), ("/unknown", "FIELD_UNKNOWN")}


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        (None, 401, "TOKEN_REQUIRED"),
        ({"aud": "grants"}, 401, "TOKEN_INVALID"),
        ({"iss": "http://elsewhere"}, 401, "TOKEN_INVALID"),
        ({"lifetime": -60}, 401, "TOKEN_EXPIRED"),
        ({"scope": "exchange:read"}, 403, "PERMISSION_DENIED"),
        ({"pwd_change": True}, 403, "PASSWORD_CHANGE_REQUIRED"),
    ],
)
async def test_who_may_not_enter_is_told_why(service, tokens, claims, status, code):
    headers = {} if claims is None else tokens.headers("exchange:buy", **claims)
    answer = await tap(service, headers, 5)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert status != 401 or answer.headers["www-authenticate"] == "Bearer"


async def test_a_revoked_token_is_refused_though_it_was_just_verified(service, tokens):
    account = "0199-account"
    headers = tokens.headers("exchange:buy", sub=account)
    assert (await tap(service, headers, 5)).status_code == 201
    verifier = service._transport.app.state.verifier
    verifier.revocations.apply({f"sub:{account}": 2})
    answer = await tap(service, headers, 6, key="other")
    assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_REVOKED")


async def test_readiness_reports_the_database(service):
    answer = await service.get("/readyz")
    assert answer.json() == {"status": "ready", "checks": {"database": "ok"}}


async def test_the_document_lists_the_problems_a_service_can_answer_with(service):
    listed = (await service.get("/openapi.json")).json()["x-problems"]
    by_code = {item["code"]: item for item in listed}
    assert by_code["TOKEN_EXPIRED"]["status"] == 401
    assert by_code["VALIDATION_FAILED"]["en"] == "Please check what you entered."


async def test_the_document_says_in_which_form_problems_come(service):
    paths = (await service.get("/openapi.json")).json()["paths"]
    forms = {
        (status, *operation["responses"][status]["content"])
        for operations in paths.values()
        for operation in operations.values()
        for status in ("4XX", "5XX")
    }
    assert forms == {(status, "application/problem+json") for status in ("4XX", "5XX")}
