"""The audit trail: complete enough to answer, closed to changes, free of secrets."""

import io

import openpyxl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.auth.accounts.rules import Role
from services.auth.audit.service import Actor, record
from tests.auth.conftest import PASSWORD, code_of

EVENTS = "/api/v1/auth/audit/events"


@pytest.fixture
async def operator(auth):
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    return await auth.bearer("operator")


async def search(auth, headers, query=""):
    return (await auth.client.get(f"{EVENTS}?{query}", headers=headers)).json()["items"]


async def test_a_login_is_on_record_with_who_when_and_from_where(auth, operator):
    account = await auth.account()
    await auth.log_in(address="203.0.113.9")
    [event] = await search(auth, operator, f"action=session.started&actor={account.id}")
    assert (event["login_id"], event["address"]) == ("maru", "203.0.113.9")
    assert await search(auth, operator, "action=session.started&actor=maru") == [event]
    assert event["institution_id"] == str(account.institution_id)
    assert len(event["trace_id"]) == 32


async def test_refused_logins_are_on_record_without_what_was_typed(auth, operator):
    await auth.account()
    await auth.log_in("maru", "Wrong#Secret1", address="203.0.113.9")
    await auth.log_in("my-password-as-id", "x", address="203.0.113.9")
    events = await search(auth, operator, "action=login.*")
    assert len(events) == 2
    assert "my-password-as-id" not in str(events)
    assert "Wrong#Secret1" not in str(events)


async def test_every_refusal_is_on_record_also_of_those_who_know_the_password(auth, operator):
    account = await auth.account()
    headers = await auth.bearer()
    body = {"current_password": "Wrong#12345", "new_password": "x", "confirm_password": "x"}
    await auth.client.post("/api/v1/auth/password", json=body, headers=headers)
    await auth.client.post(
        "/api/v1/auth/second-factor", json={"current_password": "no"}, headers=headers
    )
    await auth.client.post(f"/api/v1/auth/accounts/{account.id}/disable", headers=operator)
    assert code_of(await auth.log_in(address="203.0.113.9")) == (400, "ACCOUNT_DISABLED")
    found = await search(auth, operator, f"object_id={account.id}")
    assert [(event["action"], event["address"]) for event in found[:4]] == [
        ("login.refused", "203.0.113.9"),
        ("account.disabled", "127.0.0.1"),
        ("account.password_refused", "127.0.0.1"),
        ("account.password_refused", "127.0.0.1"),
    ]


async def test_partner_systems_leave_a_trail_when_they_come_and_when_they_are_refused(
    auth, operator
):
    account = await auth.account()
    headers = await auth.bearer()
    terms = {"name": "학사", "scopes": ["accrual:read"], "addresses": ["203.0.113.0/28"]}
    registered = await auth.client.post("/api/v1/auth/clients", json=terms, headers=headers)
    secret = registered.json()["secret"]

    async def come(client_id, client_secret, address):
        return await auth.client.post(
            "/api/v1/auth/token",
            data={"grant_type": "client_credentials"},
            auth=(client_id, client_secret),
            headers={"X-Forwarded-For": address},
        )

    await come(secret["client_id"], secret["client_secret"], "203.0.113.9")
    await come(secret["client_id"], secret["client_secret"], "198.51.100.7")  # stolen?
    await come(secret["client_id"], "wrong", "203.0.113.9")
    await come("my-secret-as-id", "x", "203.0.113.9")
    found = await search(auth, operator, "object_type=client")
    assert [(event["action"], event["object_id"], event["address"]) for event in found] == [
        ("client.refused", "unknown", "203.0.113.9"),
        ("client.refused", secret["client_id"], "203.0.113.9"),
        ("client.refused", secret["client_id"], "198.51.100.7"),
        ("client.token_issued", secret["client_id"], "203.0.113.9"),
        ("client.registered", secret["client_id"], "127.0.0.1"),
    ]
    assert found[2]["institution_id"] == str(account.institution_id)


async def test_events_are_found_by_kind_object_place_and_time(auth, operator):
    account = await auth.account()
    for measure in ("disable", "enable", "unlock"):
        await auth.client.post(f"/api/v1/auth/accounts/{account.id}/{measure}", headers=operator)
    found = await search(auth, operator, f"object_type=account&object_id={account.id}")
    assert [event["action"] for event in found] == [
        "account.unlocked", "account.enabled", "account.disabled",
    ]  # fmt: skip
    moment = found[1]["at"].replace("+", "%2B")
    later = await search(auth, operator, f"object_id={account.id}&since={moment}")
    assert [event["action"] for event in later] == ["account.unlocked", "account.enabled"]
    earlier = await search(auth, operator, f"object_id={account.id}&until={moment}")
    assert [event["action"] for event in earlier] == ["account.disabled"]
    assert await search(auth, operator, "address=192.0.2.99") == []
    assert await search(auth, operator, "action=%25*") == []  # a percent sign is a percent sign


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET action = 'nothing'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ],
)
async def test_the_database_itself_refuses_to_change_history(auth, statement):
    await auth.account()
    await auth.log_in()
    with pytest.raises(DBAPIError, match="append-only"):
        async with auth.runtime.sessions.begin() as session:
            await session.execute(text(statement))


async def test_no_secret_ever_gets_into_the_trail(auth, operator):
    account = await auth.account(email="maru@hanbit.example", mobile="010-6050-0001")
    login = (await auth.log_in()).json()
    reset = await auth.client.post(f"/api/v1/auth/accounts/{account.id}/reset", headers=operator)
    token = reset.json()["link"].partition("#token=")[2]
    new = "Bomnal!2027"
    body = {"token": token, "new_password": new, "confirm_password": new}
    await auth.client.post("/api/v1/auth/activation", json=body | {"contact_phone": "02-1-23456"})
    client = await auth.client.post(
        "/api/v1/auth/clients",
        json={"name": "학사", "scopes": ["accrual:read"]},
        headers=await auth.bearer("maru", new),
    )
    async with auth.runtime.sessions() as session:
        trail = await session.scalar(text("SELECT string_agg(e::text, ' ') FROM audit_event e"))
    assert "client.registered" in trail
    for secret in (
        PASSWORD,
        new,
        token,
        login["access_token"],
        login["refresh_token"],
        client.json()["secret"]["client_secret"],
        "maru@hanbit.example",
        "010-6050-0001",
    ):
        assert secret not in trail


async def test_taking_events_away_needs_a_purpose_and_is_itself_on_record(auth, operator):
    vague = await auth.client.get(f"{EVENTS}/export", headers=operator)
    assert vague.status_code == 422
    query = "purpose=월간 보안 점검&action=session.started"
    answer = await auth.client.get(f"{EVENTS}/export?{query}", headers=operator)
    page = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = list(page.iter_rows(values_only=True))
    assert (rows[0][:3], rows[1][1]) == (("일시", "행위", "행위자"), "session.started")
    [event] = await search(auth, operator, "action=audit.exported")
    assert (event["purpose"], event["after"]) == ("월간 보안 점검", {"rows": 1})


async def test_an_export_never_leaves_anything_out_silently(auth, operator, monkeypatch):
    monkeypatch.setattr("services.auth.audit.search.MAX_EXPORTED", 1)
    await auth.account()
    for _ in range(2):
        await auth.log_in()
    path = f"{EVENTS}/export?purpose=월간 점검&action=session.started"
    refused = await auth.client.get(path, headers=operator)
    assert code_of(refused) == (422, "EXPORT_TOO_LARGE")


async def test_a_cell_that_looks_like_a_formula_is_made_harmless(auth, operator):
    async with auth.runtime.sessions.begin() as session:
        actor = Actor(sub="=HYPERLINK(1)", client_id="+1", address="192.0.2.1")
        record(session, actor, "account.changed", object_type="account", object_id="@SUM(A1)")
    answer = await auth.client.get(
        f"{EVENTS}/export?purpose=월간 점검&format=csv&action=account.changed", headers=operator
    )
    line = answer.content.decode("utf-8-sig").splitlines()[1]
    assert "'=HYPERLINK(1)" in line
    assert ",'+1," in line
    assert ",'@SUM(A1)," in line


async def test_the_trail_is_the_operators_alone(auth):
    await auth.account()
    headers = await auth.bearer()
    for path in (EVENTS, f"{EVENTS}/export?purpose=궁금합니다"):
        assert code_of(await auth.client.get(path, headers=headers)) == (403, "PERMISSION_DENIED")
