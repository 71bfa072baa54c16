"""Logging in: what a token says, and what a refusal never says."""

import asyncio

import pytest
from psycopg import AsyncCursor
from sqlalchemy import text

from services.auth.accounts.models import Account
from services.auth.accounts.rules import Role, Status
from services.auth.institutions.models import Institution
from tests.auth.conftest import claims_of, code_of


async def test_a_lead_logs_in_and_the_token_says_who_and_what(auth):
    institution = await auth.institution("iacf", "시험대학교산학협력단")
    account = await auth.account(institution=institution)
    answer = await auth.log_in()
    assert answer.status_code == 200
    body, claims = answer.json(), claims_of(answer)
    assert (body["token_type"], body["expires_in"], body["pwd_change"]) == ("Bearer", 600, False)
    assert body["refresh_token"].startswith("rt1.")
    assert claims["sub"] == str(account.id)
    assert (claims["aud"], claims["client_id"]) == ("mileage-api", "portal")
    assert (claims["role"], claims["institution_kind"]) == ("university", "iacf")
    assert claims["institution_id"] == str(institution.id)
    assert {"accounts:manage", "accrual:apply", "password:change"} <= set(claims["scope"].split())
    assert "fields" not in claims
    assert set(claims) == {
        "sub", "client_id", "scope", "role", "institution_id", "institution_kind", "pv", "amr",
        "sid", "iss", "aud", "iat", "exp", "jti",
    }  # fmt: skip  # nothing personal


async def test_a_sub_account_carries_the_fields_switched_on_and_manages_nobody(auth):
    lead = await auth.account()
    await auth.account(
        "maru_01",
        role=Role.SUB_ACCOUNT,
        institution=await auth.reload(Institution, lead.institution_id),
        parent_id=lead.id,
        fields={"PRACTICE": True, "HIRING": False, "RESEARCH": True},
    )
    claims = claims_of(await auth.log_in("maru_01"))
    assert claims["fields"] == ["PRACTICE", "RESEARCH"]
    assert "accounts:manage" not in claims["scope"].split()


async def test_an_unknown_id_and_a_wrong_password_get_the_same_answer(auth):
    await auth.account()
    await auth.account("bom", password=None)
    answers = [
        await auth.log_in("maru", "Wrong#12345"),
        await auth.log_in("nobody", "Wrong#12345"),
        await auth.log_in("bom", "Wrong#12345"),
        await auth.log_in("\x00", "Wrong#12345"),
    ]
    bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
    assert bodies[0] == bodies[1] == bodies[2] == bodies[3]
    assert (bodies[0]["code"], bodies[0]["error"]) == ("LOGIN_FAILED", "invalid_grant")
    assert {answer.status_code for answer in answers} == {400}
    assert {tuple(sorted(answer.headers)) for answer in answers} == {
        tuple(sorted(answers[0].headers))
    }


async def test_an_unknown_id_costs_as_many_hashes_as_a_wrong_password(auth, monkeypatch):
    """Fails when somebody skips the work for ids that do not exist: time would tell (M-001)."""
    await auth.account()
    await auth.account("bom", password=None)
    scheme, hashed = auth.runtime.passwords._scheme, []
    real = scheme.verify

    def counting(secret, stored):
        hashed.append(stored)
        return real(secret, stored)

    monkeypatch.setattr(scheme, "verify", counting)
    costs = {}
    for login_id in ("maru", "nobody", "bom"):
        hashed.clear()
        await auth.log_in(login_id, "Wrong#12345")
        # The cost is written in the hash: type, memory, passes, lanes.
        costs[login_id] = [stored.rsplit("$", 2)[0] for stored in hashed]
    assert costs["maru"] == costs["nobody"] == costs["bom"] == ["$argon2id$v=19$m=19456,t=2,p=1"]


@pytest.fixture
def asked(monkeypatch):
    """What the database is asked, statement by statement."""
    statements = []
    real = AsyncCursor.execute

    async def noting(cursor, statement, *given, **more):
        if "revocation" not in str(statement) and "signing_key" not in str(statement):
            statements.append(statement)
        return await real(cursor, statement, *given, **more)

    monkeypatch.setattr(AsyncCursor, "execute", noting)
    return statements


async def test_an_unknown_id_costs_as_many_questions_to_the_database(auth, asked):
    await auth.account()
    await auth.account("bom", password=None)
    costs = {}
    for login_id in ("maru", "nobody", "bom"):
        asked.clear()
        await auth.log_in(login_id, "Wrong#12345")
        costs[login_id] = list(asked)
    assert costs["maru"] == costs["nobody"] == costs["bom"]
    assert len(costs["maru"]) > 2


async def test_a_login_asks_the_database_twice(auth, asked):
    await auth.account()
    asked.clear()
    assert (await auth.log_in()).status_code == 200
    assert len(asked) == 2


async def test_an_id_is_the_same_however_it_is_typed(auth):
    await auth.account()
    await auth.account("9998100015", role=Role.COMPANY)
    for typed in ("MARU", " maru ", "ｍａｒｕ"):
        assert (await auth.log_in(typed)).status_code == 200
    assert (await auth.log_in("999-81-00015")).status_code == 200


async def test_a_disabled_account_is_told_so_only_with_the_right_password(auth):
    await auth.account(status=Status.DISABLED)
    assert code_of(await auth.log_in()) == (400, "ACCOUNT_DISABLED")
    assert code_of(await auth.log_in(password="Wrong#12345")) == (400, "LOGIN_FAILED")
    await auth.account("bom", status=Status.REMOVED)
    assert code_of(await auth.log_in("bom")) == (400, "LOGIN_FAILED")


async def test_accounts_of_a_suspended_institution_stay_outside(auth):
    await auth.account(institution=await auth.institution(status="suspended"))
    assert code_of(await auth.log_in()) == (400, "ACCOUNT_DISABLED")


@pytest.mark.parametrize(
    ("form", "status", "code", "error"),
    [
        ({}, 400, "OAUTH_INVALID_REQUEST", "invalid_request"),
        ({"grant_type": "implicit"}, 400, "OAUTH_GRANT_UNSUPPORTED", "unsupported_grant_type"),
        ({"grant_type": "password"}, 400, "OAUTH_INVALID_REQUEST", "invalid_request"),
        (
            {"grant_type": "password", "client_id": "accrual", "username": "a", "password": "b"},
            400,
            "OAUTH_CLIENT_NOT_ALLOWED",
            "unauthorized_client",
        ),
        (
            {"grant_type": "refresh_token", "client_id": "portal"},
            400,
            "OAUTH_INVALID_REQUEST",
            "invalid_request",
        ),
        (
            {"grant_type": "client_credentials"},
            401,
            "OAUTH_CLIENT_INVALID",
            "invalid_client",
        ),
    ],
)
async def test_a_malformed_token_request_is_refused_in_the_words_of_oauth(
    auth, form, status, code, error
):
    answer = await auth.token(**form)
    assert code_of(answer) == (status, code)
    assert answer.json()["error"] == error
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_password_made_with_an_older_pepper_works_and_is_hashed_again(auth_with):
    old, new = "the-old-pepper-with-thirty-two-characters", "the-new-pepper-with-32-characters!!!"
    before = await auth_with(password_pepper=old)
    account = await before.account()
    after = await auth_with(password_pepper=f"{new},{old}")
    assert (await after.log_in()).status_code == 200
    rehashed = await after.reload(Account, account.id)
    assert rehashed.password.partition(":")[0] == after.runtime.vault.pepper_id
    only_new = await auth_with(password_pepper=new)
    assert (await only_new.log_in()).status_code == 200


async def test_a_password_whose_pepper_is_gone_is_simply_wrong(auth_with):
    await (await auth_with(password_pepper="a-pepper-nobody-has-any-more-32-chars")).account()
    after = await auth_with()
    assert code_of(await after.log_in()) == (400, "LOGIN_FAILED")


@pytest.fixture
def meanwhile(auth, monkeypatch):
    """Has statements executed while a password is being checked, once."""
    real, todo = auth.runtime.passwords.verify, []

    async def verify(password, stored):
        while todo:
            async with auth.runtime.sessions.begin() as session:
                await session.execute(text(todo.pop()))
        return await real(password, stored)

    monkeypatch.setattr(auth.runtime.passwords, "verify", verify)
    return todo


async def test_a_password_changed_while_it_is_checked_opens_nothing(auth, meanwhile):
    await auth.account()
    meanwhile.append("UPDATE account SET password = 'another', pv = pv + 1")
    assert code_of(await auth.log_in()) == (400, "LOGIN_FAILED")


async def test_an_account_shut_while_its_password_is_checked_stays_shut(auth, meanwhile):
    await auth.account()
    meanwhile.append("UPDATE account SET status = 'disabled', pv = pv + 1")
    assert code_of(await auth.log_in()) == (400, "ACCOUNT_DISABLED")
    meanwhile.append("UPDATE account SET status = 'active'")
    assert (await auth.log_in()).status_code == 200


async def test_fields_taken_away_while_the_password_is_checked_are_not_in_the_token(
    auth, meanwhile
):
    lead = await auth.account()
    await auth.account(
        "maru_01",
        role=Role.SUB_ACCOUNT,
        institution=await auth.reload(Institution, lead.institution_id),
        parent_id=lead.id,
        fields={"PRACTICE": True, "RESEARCH": True},
    )
    meanwhile.append("DELETE FROM field_permission WHERE field = 'RESEARCH'")
    meanwhile.append("UPDATE account SET pv = 7 WHERE login_id = 'maru_01'")
    claims = claims_of(await auth.log_in("maru_01"))
    assert (claims["fields"], claims["pv"]) == (["PRACTICE"], 7)


async def test_a_second_factor_added_while_the_password_is_checked_is_asked_for(auth, meanwhile):
    await auth.account()
    meanwhile.append("UPDATE account SET totp_confirmed_at = now()")
    assert code_of(await auth.log_in()) == (400, "SECOND_FACTOR_REQUIRED")
    async with auth.runtime.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM login_session")) == 0


async def test_whoever_is_told_at_once_to_come_back_has_not_tried(auth):
    await auth.account()
    passwords = auth.runtime.passwords
    passwords._takes, passwords._waiting = 2.1, 2 * passwords.threads  # 4.2 s
    for _ in range(6):
        assert code_of(await auth.log_in()) == (503, "LOGIN_BUSY")
    passwords._waiting = 0
    assert (await auth.log_in()).status_code == 200


async def test_when_too_many_wait_for_hashing_the_rest_is_told_to_come_back(auth, monkeypatch):
    await auth.account()
    monkeypatch.setattr("services.auth.accounts.passwords.LONGEST_WAIT_SECONDS", 0.05)
    passwords = auth.runtime.passwords
    for _ in range(passwords.threads):
        await passwords._free.acquire()
    answer = await auth.log_in()
    assert code_of(answer) == (503, "LOGIN_BUSY")
    assert answer.headers["retry-after"] == "2"
    for _ in range(passwords.threads):
        passwords._free.release()
    assert (await auth.log_in()).status_code == 200


async def test_who_would_wait_too_long_is_told_at_once(auth):
    await auth.account()
    passwords = auth.runtime.passwords
    passwords._takes, passwords._waiting = 2.1, 2 * passwords.threads  # 4.2 s
    answer = await auth.log_in()
    assert code_of(answer) == (503, "LOGIN_BUSY")
    passwords._waiting = 0
    assert (await auth.log_in()).status_code == 200
    assert passwords._takes < 2.1


async def test_sixty_wrong_logins_at_once_leave_the_service_answering(auth):
    await auth.account()
    answers = await asyncio.gather(
        *(auth.log_in(f"nobody{n}", "Wrong#12345", address=f"10.0.{n}.1") for n in range(60))
    )
    assert {answer.status_code for answer in answers} <= {400, 503}
    assert (await auth.log_in()).status_code == 200


async def test_passwords_longer_than_anyone_types_are_refused_without_a_crash(auth):
    await auth.account()
    assert code_of(await auth.log_in(password="가" * 100_000)) == (400, "LOGIN_FAILED")
    assert code_of(await auth.log_in(password="Garam#2026\x00x")) == (400, "LOGIN_FAILED")
