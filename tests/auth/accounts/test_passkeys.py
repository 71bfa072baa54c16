"""Passkeys: one of ours, for our origin, once, and never from a copy."""

import asyncio
import json

import pytest
from sqlalchemy import text

from services.auth.accounts import passkeys
from services.auth.accounts.models import Account
from services.auth.accounts.rules import Role
from tests.auth.accounts.authenticator import Authenticator, b64
from tests.auth.accounts.test_second_factor import BASE as APP
from tests.auth.accounts.test_second_factor import Phone, enrol
from tests.auth.conftest import PASSWORD, claims_of, code_of, codes_in

BASE = "/api/v1/auth/passkeys"
GRANT = "urn:sanhak-mileage:passkey"
OWNER = {"current_password": PASSWORD}


async def creation(auth, headers):
    begun = await auth.client.post(f"{BASE}/registration", json=OWNER, headers=headers)
    assert begun.status_code == 200, begun.text
    return begun.json()


async def keep(auth, headers, credential, name="사무실 노트북"):
    body = {"name": name, "credential": credential}
    return await auth.client.post(BASE, json=body, headers=headers)


async def registered(auth, headers, **how):
    device = Authenticator(**how)
    answer = await keep(auth, headers, device.create(await creation(auth, headers)))
    assert answer.status_code == 201, answer.text
    return device, answer.json()


async def challenge(auth, use="sign_in"):
    answer = await auth.client.post(f"{BASE}/challenge", json={"use": use})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def show(auth, passkey):
    return await auth.token(grant_type=GRANT, client_id="portal", passkey=passkey)


async def actions(auth, like="passkey.%"):
    async with auth.runtime.sessions() as session:
        query = text("SELECT action FROM audit_event WHERE action LIKE :like ORDER BY id")
        return (await session.scalars(query, {"like": like})).all()


@pytest.fixture
async def headers(auth):
    await auth.account()
    return await auth.bearer()


async def test_a_passkey_is_a_login_by_itself(auth, headers):
    device, made = await registered(auth, headers)
    answer = await show(auth, device.get(await challenge(auth)))
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer)
    assert (claims["amr"], "accounts:manage" in claims["scope"].split()) == (["pop", "mfa"], True)
    renewed = await auth.refresh(answer.json()["refresh_token"])
    assert claims_of(renewed)["amr"] == ["pop", "mfa"]
    [listed] = (await auth.client.get(BASE, headers=headers)).json()
    assert (listed["id"], listed["name"]) == (made["passkey"]["id"], "사무실 노트북")
    assert listed["last_used_at"] is not None
    assert await actions(auth) == ["passkey.registered"]


async def test_with_a_passkey_the_password_alone_opens_nothing(auth, headers):
    device, made = await registered(auth, headers)
    assert (await auth.client.get("/api/v1/auth/me", headers=headers)).json()["second_factor"]
    assert code_of(await auth.log_in()) == (400, "SECOND_FACTOR_REQUIRED")
    device.verifies_user = False  # a key without a PIN: the password is the other factor
    answer = await auth.log_in(passkey=device.get(await challenge(auth, "second_factor")))
    assert claims_of(answer)["amr"] == ["pwd", "pop"]
    refused = await auth.log_in(passkey=device.get(await challenge(auth)))
    assert code_of(refused) == (400, "PASSKEY_REFUSED")  # that challenge was for a sign-in
    by_code = await auth.log_in(otp=made["recovery_codes"][0])
    assert claims_of(by_code)["amr"] == ["pwd", "otp"]


async def test_an_app_that_was_never_confirmed_opens_nothing_beside_a_passkey(auth, headers):
    await registered(auth, headers)
    phone = Phone((await auth.client.post(APP, json=OWNER, headers=headers)).json()["secret"])
    code = phone.code()
    assert code_of(await auth.log_in(otp=code)) == (400, "SECOND_FACTOR_WRONG")
    confirmed = await auth.client.post(f"{APP}/confirm", json={"code": code}, headers=headers)
    assert confirmed.status_code == 200, confirmed.text
    assert claims_of(await auth.log_in(otp=phone.code()))["amr"] == ["pwd", "otp"]


async def test_without_a_password_the_device_has_to_verify_its_user(auth, headers):
    device, _ = await registered(auth, headers)
    device.verifies_user = False
    answer = await show(auth, device.get(await challenge(auth)))
    assert code_of(answer) == (400, "PASSKEY_REFUSED")


async def test_an_answer_opens_once_even_shown_twice_at_the_same_moment(auth, headers):
    device, _ = await registered(auth, headers, count=None)
    answer = device.get(await challenge(auth))
    answers = await asyncio.gather(*(show(auth, answer) for _ in range(4)))
    assert sorted(map(code_of, answers)) == [(200, ""), *[(400, "PASSKEY_REFUSED")] * 3]
    assert code_of(await show(auth, answer)) == (400, "PASSKEY_REFUSED")


async def test_a_challenge_is_used_up_by_a_refused_answer_too(auth, headers):
    device, _ = await registered(auth, headers)
    options = await challenge(auth)
    device.verifies_user = False
    assert code_of(await show(auth, device.get(options))) == (400, "PASSKEY_REFUSED")
    device.verifies_user = True
    assert code_of(await show(auth, device.get(options))) == (400, "PASSKEY_REFUSED")


async def test_a_challenge_is_good_for_five_minutes_and_has_to_be_ours(auth, headers):
    device, _ = await registered(auth, headers)
    options = await challenge(auth)
    async with auth.runtime.sessions.begin() as session:
        late = "UPDATE passkey_challenge SET expires_at = expires_at - interval '5 minutes'"
        await session.execute(text(late))
    assert code_of(await show(auth, device.get(options))) == (400, "PASSKEY_REFUSED")
    made_up = options | {"challenge": b64(b"x" * 32)}
    assert code_of(await show(auth, device.get(made_up))) == (400, "PASSKEY_REFUSED")


@pytest.mark.parametrize("elsewhere", ["https://mileage.evil.example", "http://tests.invalid:81"])
async def test_an_answer_given_to_another_origin_opens_nothing_here(auth, headers, elsewhere):
    device, _ = await registered(auth, headers)
    device.origin = elsewhere
    assert code_of(await show(auth, device.get(await challenge(auth)))) == (400, "PASSKEY_REFUSED")
    new = Authenticator(origin=elsewhere)
    refused = await keep(auth, headers, new.create(await creation(auth, headers)))
    assert codes_in(refused) == {"PASSKEY_UNUSABLE"}


async def test_an_answer_for_another_domain_opens_nothing_here(auth, headers):
    device, _ = await registered(auth, headers)
    options = await challenge(auth) | {"rpId": "evil.example"}
    assert code_of(await show(auth, device.get(options))) == (400, "PASSKEY_REFUSED")


async def test_a_copy_of_a_key_is_noticed_by_its_counter(auth, headers):
    device, _ = await registered(auth, headers, count=7)
    assert (await show(auth, device.get(await challenge(auth)))).status_code == 200
    device.count -= 1  # the copy knows nothing of that use
    assert code_of(await show(auth, device.get(await challenge(auth)))) == (400, "PASSKEY_REFUSED")
    assert await actions(auth) == ["passkey.registered", "passkey.copy_suspected"]
    device.count = 9
    assert (await show(auth, device.get(await challenge(auth)))).status_code == 200


async def test_nobody_gets_in_with_somebody_elses_key(auth, headers):
    mine, _ = await registered(auth, headers)
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    theirs, _ = await registered(auth, await auth.bearer("bom"))
    second = theirs.get(await challenge(auth, "second_factor"))
    assert code_of(await auth.log_in(passkey=second)) == (400, "PASSKEY_REFUSED")
    forged = Authenticator()  # says to be mine, and signs with a key of its own
    forged.id, forged.user_handle = mine.id, mine.user_handle
    assert code_of(await show(auth, forged.get(await challenge(auth)))) == (400, "PASSKEY_REFUSED")
    theirs.user_handle = mine.user_handle
    assert code_of(await show(auth, theirs.get(await challenge(auth)))) == (400, "PASSKEY_REFUSED")


@pytest.mark.parametrize(
    "answer",
    [
        "", "null", "[]", "{}", "no json", "[" * 5_000, '{"response": {"clientDataJSON": "é"}}',
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {
            "clientDataJSON": "bnVsbA", "authenticatorData": "AA", "signature": "AA"}}),
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {
            "clientDataJSON": b64(b'{"challenge": "AA"}'), "authenticatorData": "", "signature": ""
        }}),
    ],
)  # fmt: skip
async def test_whatever_is_sent_for_an_answer_is_refused_and_no_failure_of_ours(auth, answer):
    codes = {(400, "PASSKEY_REFUSED"), (400, "OAUTH_INVALID_REQUEST")}
    assert code_of(await show(auth, answer)) in codes


async def test_registering_needs_the_password_and_happens_once_for_a_key(auth, headers):
    wrong = await auth.client.post(
        f"{BASE}/registration", json={"current_password": "no"}, headers=headers
    )
    assert codes_in(wrong) == {"PW_CURRENT_WRONG"}
    device, _ = await registered(auth, headers)
    options = await creation(auth, headers)
    assert [one["id"] for one in options["excludeCredentials"]] == [b64(device.id)]
    again = device.create(options)
    assert code_of(await keep(auth, headers, again)) == (409, "PASSKEY_KNOWN")
    assert codes_in(await keep(auth, headers, again)) == {"PASSKEY_UNUSABLE"}  # challenge used
    for broken in ({}, {"response": {}}, again | {"id": "AA"}, again | {"rawId": 7}):
        assert codes_in(await keep(auth, headers, broken)) == {"PASSKEY_UNUSABLE"}


async def test_a_challenge_for_one_account_registers_nothing_for_another(auth, headers):
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    credential = Authenticator().create(await creation(auth, await auth.bearer("bom")))
    assert codes_in(await keep(auth, headers, credential)) == {"PASSKEY_UNUSABLE"}


async def test_ones_own_passkeys_can_be_removed_and_only_those(auth, headers):
    _, first = await registered(auth, headers)
    device, second = await registered(auth, headers)
    assert (len(first["recovery_codes"]), second["recovery_codes"]) == (10, None)
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    path = f"{BASE}/{first['passkey']['id']}/remove"
    foreign = await auth.client.post(path, json=OWNER, headers=await auth.bearer("bom"))
    assert code_of(foreign) == (404, "NOT_FOUND")
    assert (await auth.client.post(path, json=OWNER, headers=headers)).status_code == 204
    assert (await show(auth, device.get(await challenge(auth)))).status_code == 200
    path = f"{BASE}/{second['passkey']['id']}/remove"
    assert (await auth.client.post(path, json=OWNER, headers=headers)).status_code == 204
    assert code_of(await show(auth, device.get(await challenge(auth)))) == (400, "PASSKEY_REFUSED")
    assert (await auth.log_in()).status_code == 200  # nothing is asked for besides any more


async def test_a_disabled_account_is_not_let_in(auth, headers):
    device, _ = await registered(auth, headers)
    async with auth.runtime.sessions.begin() as session:
        await session.execute(text("UPDATE account SET status = 'disabled'"))
    assert code_of(await show(auth, device.get(await challenge(auth)))) == (400, "ACCOUNT_DISABLED")


async def test_the_next_user_of_an_account_inherits_no_passkey(auth, headers):
    device, _ = await registered(auth, headers)
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    async with auth.runtime.sessions() as session:
        account_id = await session.scalar(text("SELECT id FROM account WHERE login_id = 'maru'"))
    reset = await auth.client.post(
        f"/api/v1/auth/accounts/{account_id}/reset", headers=await auth.bearer("operator")
    )
    assert reset.status_code == 200, reset.text
    assert code_of(await show(auth, device.get(await challenge(auth)))) == (400, "PASSKEY_REFUSED")
    assert not (await auth.reload(Account, account_id)).has_second_factor


async def test_a_passkey_is_all_the_second_factor_an_operator_needs(auth_with):
    strict = await auth_with(operator_second_factor=True)
    center = await strict.institution("operator", "운영센터")
    await strict.account("operator", role=Role.OPERATOR, institution=center)
    login = await strict.log_in("operator")
    assert login.json()["scope"] == "second-factor:enrol"
    errand = {"Authorization": f"Bearer {login.json()['access_token']}"}
    device, made = await registered(strict, errand)
    answer = await show(strict, device.get(await challenge(strict)))
    assert "accounts:admin" in answer.json()["scope"].split()
    full = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    path = f"{BASE}/{made['passkey']['id']}/remove"
    kept = await strict.client.post(path, json=OWNER, headers=full)
    assert code_of(kept) == (409, "SECOND_FACTOR_NEEDED")
    await enrol(strict, full)
    assert (await strict.client.post(path, json=OWNER, headers=full)).status_code == 204


async def test_a_token_for_changing_the_password_registers_nothing(auth):
    await auth.account(must_change=True)
    answer = await auth.client.post(f"{BASE}/registration", json=OWNER, headers=await auth.bearer())
    assert code_of(answer) == (403, "PASSWORD_CHANGE_REQUIRED")


async def test_there_is_an_end_to_passkeys(auth, headers, monkeypatch):
    monkeypatch.setattr("services.auth.accounts.passkeys.MOST_PASSKEYS", 1)
    options = await creation(auth, headers)
    await registered(auth, headers)
    full = await auth.client.post(f"{BASE}/registration", json=OWNER, headers=headers)
    assert code_of(full) == (409, "PASSKEYS_FULL")
    late = await keep(auth, headers, Authenticator().create(options))
    assert code_of(late) == (409, "PASSKEYS_FULL")


async def test_a_token_for_the_first_factor_adds_none_to_one_there_is(auth_with):
    """Whoever has the password alone could wait until the owner has registered his."""
    strict = await auth_with(operator_second_factor=True)
    center = await strict.institution("operator", "운영센터")
    await strict.account("operator", role=Role.OPERATOR, institution=center)
    stranger, owner = await strict.bearer("operator"), await strict.bearer("operator")
    begun = await creation(strict, stranger)
    app = await strict.client.post(APP, json=OWNER, headers=stranger)
    await registered(strict, owner)
    credential = Authenticator().create(begun)
    code = Phone(app.json()["secret"]).code()
    for refused in (
        await keep(strict, stranger, credential),
        await strict.client.post(f"{BASE}/registration", json=OWNER, headers=stranger),
        await strict.client.post(f"{APP}/confirm", json={"code": code}, headers=stranger),
        await strict.client.post(APP, json=OWNER, headers=stranger),
    ):
        assert code_of(refused) == (409, "SECOND_FACTOR_PRESENT")


async def test_the_owner_is_told_of_every_way_in_that_comes_or_goes(auth):
    await auth.account(email="maru@hanbit.example")
    headers = await auth.bearer()
    _, made = await registered(auth, headers)
    await enrol(auth, headers)
    path = f"{BASE}/{made['passkey']['id']}/remove"
    assert (await auth.client.post(path, json=OWNER, headers=headers)).status_code == 204
    off = await auth.client.post(f"{APP}/remove", json=OWNER, headers=headers)
    assert off.status_code == 204
    await auth.run_jobs()
    letters = auth.mail()
    assert {letter["To"] for letter in letters} == {"maru@hanbit.example"}
    told = {letter["Subject"].removeprefix("[산학협력 마일리지] ") for letter in letters}
    assert told == {
        "패스키가 등록되었습니다",
        "인증 앱이 등록되었습니다",
        "패스키가 삭제되었습니다",
        "인증 앱이 해제되었습니다",
    }


async def test_a_passkey_removed_while_it_is_shown_is_no_copy(auth, headers, monkeypatch):
    device, _ = await registered(auth, headers)
    answer = device.get(await challenge(auth))
    count = passkeys._count

    async def removed_first(session, *given, **more):
        await session.execute(text("DELETE FROM passkey"))
        return await count(session, *given, **more)

    monkeypatch.setattr(passkeys, "_count", removed_first)
    assert code_of(await show(auth, answer)) == (400, "PASSKEY_REFUSED")
    assert "passkey.copy_suspected" not in await actions(auth)


async def test_challenges_nobody_answers_do_not_pile_up(auth):
    for _ in range(3):
        await challenge(auth)
    async with auth.runtime.sessions.begin() as session:
        past = text("UPDATE passkey_challenge SET expires_at = expires_at - interval '1 hour'")
        await session.execute(past)
    await challenge(auth)
    async with auth.runtime.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM passkey_challenge")) == 1
