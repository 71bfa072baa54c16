"""Links and temporary passwords: they work once, and asking for them harms nobody (M-004)."""

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from services.auth.accounts.models import OneTimeCredential, ResetRequest
from services.auth.accounts.rules import Status
from services.auth.jobs import purge
from tests.auth.conftest import PASSWORD, code_of, codes_in, link_in

NEW = "Bomnal!2027"


async def ask(auth, login_id="maru", channel="email", contact="maru@hanbit.example", address=""):
    headers = {"X-Forwarded-For": address} if address else None
    body = {"login_id": login_id, "channel": channel, "contact": contact}
    return await auth.client.post("/api/v1/auth/reset-requests", json=body, headers=headers)


async def activate(auth, token, password=NEW, confirm=None, **more):
    body = {
        "token": token,
        "new_password": password,
        "confirm_password": confirm or password,
        **more,
    }
    return await auth.client.post("/api/v1/auth/activation", json=body)


@pytest.fixture
async def account(auth):
    return await auth.account(
        email="Maru@hanbit.example", mobile="010-6050-0001", phone="02-6050-0000"
    )


async def test_a_forgotten_password_is_chosen_anew_by_a_link_to_the_registered_address(
    auth, account
):
    assert (await ask(auth)).status_code == 202
    assert await auth.run_jobs() == 2
    [letter] = auth.mail()
    assert letter["To"] == "Maru@hanbit.example"
    assert (await auth.log_in()).status_code == 200  # asking changed nothing
    token = link_in(letter)
    page = await auth.client.post("/api/v1/auth/activation/check", json={"token": token})
    assert (page.json()["login_id"], page.json()["contact_required"]) == ("maru", False)
    assert (await activate(auth, token)).json() == {"login_id": "maru"}
    assert code_of(await auth.log_in()) == (400, "LOGIN_FAILED")
    assert (await auth.log_in(password=NEW)).status_code == 200
    assert code_of(await activate(auth, token)) == (410, "LINK_UNUSABLE")


async def test_a_temporary_password_works_once_and_only_for_choosing_a_new_one(auth, account):
    await ask(auth, channel="sms", contact="01060500001")
    await auth.run_jobs()
    [file] = auth.runtime.settings.mail_directory.glob("*.txt")
    temporary = re.search(r"임시 비밀번호 (\S+)", file.read_text())[1]
    login = await auth.log_in(password=temporary)
    assert (login.json()["pwd_change"], login.json()["refresh_token"]) == (True, None)
    assert code_of(await auth.log_in(password=temporary)) == (400, "LOGIN_FAILED")
    assert (await auth.log_in()).json()["pwd_change"] is False  # the user is not disturbed
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    changed = await auth.client.post(
        "/api/v1/auth/password",
        json={"current_password": temporary, "new_password": NEW, "confirm_password": NEW},
        headers=headers,
    )
    assert changed.status_code == 204, changed.text
    assert (await auth.log_in(password=NEW)).status_code == 200
    assert code_of(await auth.log_in()) == (400, "LOGIN_FAILED")


async def test_the_answer_is_the_same_whatever_is_true(auth, account):
    answers = [
        await ask(auth, address="192.0.2.1"),
        await ask(auth, contact="other@hanbit.example", address="192.0.2.2"),
        await ask(auth, login_id="nobody", address="192.0.2.3"),
        await ask(auth, channel="sms", contact="010-9999-9999", address="192.0.2.4"),
        await ask(auth, login_id="\x00", address="192.0.2.5"),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    await auth.run_jobs()
    assert len(auth.mail()) == 1


async def test_what_was_asked_is_sealed_in_the_database_and_gone_afterwards(auth, account):
    await ask(auth, contact="somebody@elsewhere.example")
    async with auth.runtime.sessions() as session:
        stored = (await session.scalars(select(ResetRequest.content))).one()
        args = await session.scalar(
            text("SELECT string_agg(args::text, '') FROM procrastinate_jobs")
        )
    assert b"somebody" not in stored
    assert "somebody" not in args
    assert b"somebody" in auth.runtime.vault.unseal(stored)
    await auth.run_jobs()
    async with auth.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(ResetRequest)) == 0


async def test_nobody_can_flood_a_mailbox_by_asking_again_and_again(auth, account):
    answers = [await ask(auth) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 2
    await auth.run_jobs()
    assert len(auth.mail()) == 5


async def test_disabled_accounts_get_nothing(auth, account):
    async with auth.runtime.sessions.begin() as session:
        await session.execute(update(type(account)).values(status=Status.DISABLED))
    await ask(auth)
    await auth.run_jobs()
    assert auth.mail() == []


async def test_a_link_with_a_bad_password_tells_everything_and_still_works(auth, account):
    await ask(auth)
    await auth.run_jobs()
    token = link_in(auth.mail()[0])
    refused = await activate(auth, token, "maru", "mari")
    assert codes_in(refused) == {"PW_LENGTH", "PW_CLASS", "PW_CONTAINS_ID", "PW_MISMATCH"}
    assert (await activate(auth, token)).status_code == 200


async def test_ten_browsers_with_the_same_link_set_one_password(auth, account):
    await ask(auth)
    await auth.run_jobs()
    token = link_in(auth.mail()[0])
    answers = await asyncio.gather(*(activate(auth, token, f"Bomnal!202{n}") for n in range(10)))
    winners = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert len(winners) == 1
    assert (await auth.log_in(password=f"Bomnal!202{winners[0]}")).status_code == 200


async def check(auth, token):
    body = {"token": token}
    return (await auth.client.post("/api/v1/auth/activation/check", json=body)).status_code


async def test_a_link_expires(auth, account):
    await ask(auth)
    await auth.run_jobs()
    token = link_in(auth.mail()[0])
    assert await check(auth, token) == 200
    async with auth.runtime.sessions.begin() as session:
        earlier = OneTimeCredential.expires_at - timedelta(minutes=30)
        await session.execute(update(OneTimeCredential).values(expires_at=earlier))
    assert await check(auth, token) == 410


async def test_a_link_outlives_a_change_of_the_pepper(auth_with):
    old, new = "the-old-pepper-with-thirty-two-characters", "the-new-pepper-with-32-characters!!!"
    before = await auth_with(password_pepper=old)
    await before.account(email="maru@hanbit.example", phone="02-6050-0000")
    await ask(before)
    await before.run_jobs()
    after = await auth_with(password_pepper=f"{new},{old}")
    assert (await activate(after, link_in(before.mail()[0]))).json() == {"login_id": "maru"}


async def test_a_link_dies_with_the_next_password_change(auth, account):
    await ask(auth)
    await auth.run_jobs()
    token = link_in(auth.mail()[0])
    await auth.client.post(
        "/api/v1/auth/password",
        json={"current_password": PASSWORD, "new_password": NEW, "confirm_password": NEW},
        headers=await auth.bearer(),
    )
    assert await check(auth, token) == 410
    assert code_of(await activate(auth, token, "Gaeul!2028")) == (410, "LINK_UNUSABLE")


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\u0000", "가" * 30])
async def test_a_made_up_link_is_simply_unusable(auth, token):
    assert code_of(await activate(auth, token)) == (410, "LINK_UNUSABLE")


async def test_a_first_link_asks_for_the_representative_number(auth):
    institution = await auth.institution("operator", "운영센터")
    await auth.account("operator", role="operator", institution=institution)
    lead = await auth.account(password=None)
    reset = await auth.client.post(
        f"/api/v1/auth/accounts/{lead.id}/reset", headers=await auth.bearer("operator")
    )
    token = reset.json()["link"].partition("#token=")[2]
    assert codes_in(await activate(auth, token)) == {"CONTACT_REQUIRED"}
    done = await activate(auth, token, contact_phone="02-6050-0000")
    assert done.status_code == 200
    assert (await auth.log_in(password=NEW)).json()["pwd_change"] is False


async def test_the_nightly_purge_forgets_credentials_and_letters(auth, account):
    await ask(auth)
    await auth.run_jobs()
    async with auth.runtime.sessions.begin() as session:
        for table, column in (
            ("one_time_credential", "expires_at"),
            ("outgoing_message", "created_at"),
            ("login_throttle", "updated_at"),
        ):
            await session.execute(
                text(f"UPDATE {table} SET {column} = {column} - interval '10 days'")
            )
    await purge(auth.runtime)
    async with auth.runtime.sessions() as session:
        for table in ("one_time_credential", "outgoing_message", "login_throttle"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table
