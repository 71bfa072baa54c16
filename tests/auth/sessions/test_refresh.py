"""Refresh tokens: rotated, forgiving to lost answers, merciless to copies."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from services.auth.accounts.models import Account
from services.auth.accounts.rules import Status
from services.auth.sessions import service as sessions_service
from services.auth.sessions.models import LoginSession
from tests.auth.conftest import claims_of, code_of, until


@pytest.fixture
async def login(auth):
    await auth.account()
    return (await auth.log_in()).json()


async def shift(auth, **ages):
    """Move a session's instants into the past."""
    async with auth.runtime.sessions.begin() as session:
        await session.execute(
            update(LoginSession).values(
                {name: getattr(LoginSession, name) - age for name, age in ages.items()}
            )
        )


async def test_a_refresh_gives_a_new_pair_of_the_same_session(auth, login):
    answer = await auth.refresh(login["refresh_token"])
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != login["refresh_token"]
    assert answer.json()["access_token"] != login["access_token"]


async def test_two_tabs_and_a_lost_answer_get_the_same_successor(auth, login):
    answers = await asyncio.gather(*(auth.refresh(login["refresh_token"]) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert len({claims_of(answer)["sid"] for answer in answers}) == 1
    assert (await auth.refresh(answers[0].json()["refresh_token"])).status_code == 200


async def test_the_predecessor_after_its_grace_ends_the_whole_family(auth, login):
    successor = (await auth.refresh(login["refresh_token"])).json()["refresh_token"]
    await shift(auth, rotated_at=timedelta(seconds=11))
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    assert code_of(await auth.refresh(successor)) == (400, "REFRESH_REFUSED")


async def test_an_older_generation_ends_the_family_even_within_the_grace(auth, login):
    second = (await auth.refresh(login["refresh_token"])).json()["refresh_token"]
    third = (await auth.refresh(second)).json()["refresh_token"]
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    assert code_of(await auth.refresh(third)) == (400, "REFRESH_REFUSED")


async def test_a_detected_copy_also_ends_the_access_tokens_within_three_seconds(auth, login):
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    assert (await auth.client.get("/api/v1/auth/password", headers=headers)).status_code == 200
    await auth.refresh(login["refresh_token"])
    await shift(auth, rotated_at=timedelta(seconds=11))
    await auth.refresh(login["refresh_token"])

    async def refused():
        answer = await auth.client.get("/api/v1/auth/password", headers=headers)
        return code_of(answer) == (401, "TOKEN_REVOKED")

    assert await until(refused) < 3


async def test_a_forged_or_foreign_token_changes_nothing(auth, login):
    genuine = login["refresh_token"]
    prefix, family, generation, mac = genuine.split(".")
    forged = [
        f"{prefix}.{family}.2.{mac}",
        f"{prefix}.{family}.{generation}.{'A' * 43}",
        f"{prefix}.{'0' * 32}.{generation}.{mac}",
        "",
        "rt1",
        genuine + "x",
        "\x00",
    ]
    for token in forged:
        assert (await auth.refresh(token)).status_code == 400
    assert (await auth.refresh(genuine)).status_code == 200


async def test_an_idle_session_ends_and_an_active_one_ends_after_its_last_hour(auth, login):
    await shift(auth, rotated_at=timedelta(minutes=31))
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    other = (await auth.log_in()).json()
    await shift(auth, expires_at=timedelta(hours=12))
    assert code_of(await auth.refresh(other["refresh_token"])) == (400, "REFRESH_REFUSED")


async def test_a_front_end_is_told_how_long_the_session_lasts(auth, login):
    assert login["session_expires_in"] == 30 * 60
    await shift(auth, expires_at=timedelta(hours=11, minutes=50))
    left = (await auth.refresh(login["refresh_token"])).json()["session_expires_in"]
    assert 9 * 60 < left <= 10 * 60


async def test_a_disabled_account_cannot_refresh(auth, login):
    async with auth.runtime.sessions.begin() as session:
        await session.execute(update(Account).values(status=Status.DISABLED))
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")


async def test_logging_out_ends_the_session_and_may_be_repeated(auth, login):
    for _ in range(2):
        answer = await auth.client.post(
            "/api/v1/auth/token/revoke", data={"token": login["refresh_token"]}
        )
        assert answer.status_code == 200
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    unknown = await auth.client.post("/api/v1/auth/token/revoke", data={"token": "nothing"})
    assert unknown.status_code == 200


async def test_a_browser_keeps_the_refresh_token_where_no_script_reads_it(auth):
    await auth.account()
    answer = await auth.log_in(refresh_in="cookie")
    assert answer.json()["refresh_token"] is None
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("rt="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/api/v1/auth/token" in cookie
    ours = {"X-Requested-With": "portal", "Origin": "http://tests.invalid"}
    form = {"grant_type": "refresh_token", "client_id": "portal"}
    for headers in ({}, ours | {"Origin": "http://evil.example"}):
        refused = await auth.token(headers, **form)
        assert code_of(refused) == (400, "OAUTH_INVALID_REQUEST")
    renewed = await auth.token(ours, **form)
    assert renewed.status_code == 200
    assert renewed.json()["refresh_token"] is None
    out = await auth.client.post("/api/v1/auth/token/revoke", data={}, headers=ours)
    assert out.status_code == 200
    assert 'rt=""' in out.headers["set-cookie"]


async def test_over_tls_the_cookies_are_secure(auth_with):
    auth = await auth_with(token_issuer="https://mileage.example")
    await auth.account()
    answer = await auth.log_in(refresh_in="cookie")
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Secure-rt", "__Secure-device"}
    assert all("Secure" in cookie for cookie in cookies)


async def test_a_reader_never_misses_a_revocation_that_committed_late(auth):
    """The slow transaction takes its number first and commits last. If the quick one could commit
    a higher number in between, a reader would go on from there and never see the lower one."""

    async def seen_after(last):
        async with auth.runtime.sessions() as session:
            return await sessions_service.revoked_after(session, last)

    async def quick():
        async with auth.runtime.sessions.begin() as session:
            await sessions_service.revoke(session, {"sub:quick": 2})

    async with auth.runtime.sessions.begin() as slow:
        await sessions_service.revoke(slow, {"sub:slow": 2})
        other = asyncio.create_task(quick())
        await asyncio.sleep(0.3)  # time enough for the quick one, were it allowed to
        first = await seen_after(0)
    await other
    second = await seen_after(first["last"])
    assert {**first["min_pv"], **second["min_pv"]} == {"sub:slow": 2, "sub:quick": 2}


async def test_a_reader_from_before_a_restored_database_is_told_everything_again(auth):
    async with auth.runtime.sessions.begin() as session:
        await sessions_service.revoke(session, {"sub:a": 2})
    async with auth.runtime.sessions() as session:
        answer = await sessions_service.revoked_after(session, 1_000_000)
    assert answer == {"min_pv": {"sub:a": 2}, "last": 1}
