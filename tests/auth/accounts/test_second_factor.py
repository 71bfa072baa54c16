"""The second factor: each code once, recovery codes once, and obligatory for operators if set."""

import asyncio
import time

import pyotp
import pytest

from services.auth.accounts.models import Account
from services.auth.accounts.rules import Role
from tests.auth.conftest import PASSWORD, claims_of, code_of, codes_in

BASE = "/api/v1/auth/second-factor"


class Phone:
    """An authenticator app, a little ahead of the server. A step of time works once, so the second
    code is that of the next one; the server takes either for half a minute yet."""

    def __init__(self, secret):
        self.totp = pyotp.TOTP(secret)
        self.step = 0

    def code(self):
        now = int(time.time()) // 30
        self.step = max(self.step + 1, now)
        assert self.step <= now + 1
        return self.totp.generate_otp(self.step)


async def enrol(auth, headers, password=PASSWORD):
    begun = await auth.client.post(BASE, json={"current_password": password}, headers=headers)
    assert begun.status_code == 200, begun.text
    phone = Phone(begun.json()["secret"])
    assert "issuer=" in begun.json()["uri"]
    done = await auth.client.post(f"{BASE}/confirm", json={"code": phone.code()}, headers=headers)
    assert done.status_code == 200, done.text
    return phone, done.json()["recovery_codes"]


async def test_with_a_second_factor_the_password_alone_opens_nothing(auth):
    await auth.account()
    phone, _ = await enrol(auth, await auth.bearer())
    asked = await auth.log_in()
    assert code_of(asked) == (400, "SECOND_FACTOR_REQUIRED")
    assert asked.json()["error"] == "invalid_grant"
    assert code_of(await auth.log_in(otp="000000")) == (400, "SECOND_FACTOR_WRONG")
    answer = await auth.log_in(otp=phone.code())
    assert claims_of(answer)["amr"] == ["pwd", "otp"]


async def test_whoever_lacks_the_password_learns_nothing_about_the_second_factor(auth):
    await auth.account()
    await enrol(auth, await auth.bearer())
    assert code_of(await auth.log_in(password="Wrong#12345")) == (400, "LOGIN_FAILED")


async def test_a_code_seen_over_the_shoulder_is_of_no_use(auth):
    await auth.account()
    phone, _ = await enrol(auth, await auth.bearer())
    code = phone.code()
    assert (await auth.log_in(otp=code)).status_code == 200
    assert code_of(await auth.log_in(otp=code)) == (400, "SECOND_FACTOR_WRONG")


async def test_a_recovery_code_works_once_however_it_is_typed(auth):
    await auth.account()
    _, codes = await enrol(auth, await auth.bearer())
    assert len(set(codes)) == 10
    typed = codes[0].replace("-", " ").upper()
    assert (await auth.log_in(otp=typed)).status_code == 200
    assert code_of(await auth.log_in(otp=codes[0])) == (400, "SECOND_FACTOR_WRONG")
    assert (await auth.log_in(otp=codes[1])).status_code == 200


async def test_codes_cannot_be_guessed_by_asking_without_one_in_between(auth):
    await auth.account()
    await enrol(auth, await auth.bearer())
    auth.client.cookies.clear()
    seen = []
    for n in range(4):
        seen.append(code_of(await auth.log_in(otp=f"{n:06}", address="192.0.2.9"))[1])
        seen.append(code_of(await auth.log_in(address="192.0.2.9"))[1])
    assert seen == [
        "SECOND_FACTOR_WRONG", "SECOND_FACTOR_REQUIRED",
        "SECOND_FACTOR_WRONG", "SECOND_FACTOR_REQUIRED",
        "SECOND_FACTOR_WRONG", "LOGIN_THROTTLED", "LOGIN_THROTTLED", "LOGIN_THROTTLED",
    ]  # fmt: skip


async def test_enrolment_needs_the_password_and_a_right_code_and_happens_once(auth):
    await auth.account()
    headers = await auth.bearer()
    wrong = await auth.client.post(BASE, json={"current_password": "no"}, headers=headers)
    assert codes_in(wrong) == {"PW_CURRENT_WRONG"}
    early = await auth.client.post(f"{BASE}/confirm", json={"code": "123456"}, headers=headers)
    assert code_of(early) == (409, "SECOND_FACTOR_MISSING")
    await auth.client.post(BASE, json={"current_password": PASSWORD}, headers=headers)
    bad = await auth.client.post(f"{BASE}/confirm", json={"code": "12345"}, headers=headers)
    assert codes_in(bad) == {"CODE_WRONG"}
    assert (await auth.log_in()).status_code == 200  # nothing is switched on yet
    await enrol(auth, headers)
    again = await auth.client.post(BASE, json={"current_password": PASSWORD}, headers=headers)
    assert code_of(again) == (409, "SECOND_FACTOR_PRESENT")


async def test_the_seed_lies_sealed_in_the_database(auth):
    account = await auth.account()
    phone, _ = await enrol(auth, await auth.bearer())
    row = await auth.reload(Account, account.id)
    assert phone.totp.secret.encode() not in row.totp_seed
    assert auth.runtime.vault.unseal(row.totp_seed).decode() == phone.totp.secret


async def test_it_can_be_switched_off_with_the_password(auth):
    await auth.account()
    headers = await auth.bearer()
    await enrol(auth, headers)
    body = {"current_password": PASSWORD}
    renewed = await auth.client.post(f"{BASE}/recovery-codes", json=body, headers=headers)
    assert len(renewed.json()["recovery_codes"]) == 10
    assert (await auth.client.post(f"{BASE}/remove", json=body, headers=headers)).status_code == 204
    assert (await auth.log_in()).status_code == 200


@pytest.fixture
async def strict(auth_with):
    auth = await auth_with(operator_second_factor=True)
    institution = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=institution)
    return auth


async def test_where_it_is_demanded_an_operator_can_only_enrol_until_he_has_one(strict):
    login = await strict.log_in("operator")
    assert (login.json()["scope"], login.json()["refresh_token"]) == ("second-factor:enrol", None)
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    for path in ("/api/v1/auth/me", "/api/v1/auth/accounts", "/api/v1/auth/password"):
        refused = await strict.client.get(path, headers=headers)
        assert code_of(refused) == (403, "PERMISSION_DENIED"), path
    phone, _ = await enrol(strict, headers)
    full = await strict.log_in("operator", otp=phone.code())
    assert "accounts:admin" in full.json()["scope"].split()
    headers = {"Authorization": f"Bearer {full.json()['access_token']}"}
    kept = await strict.client.post(
        f"{BASE}/remove", json={"current_password": PASSWORD}, headers=headers
    )
    assert code_of(kept) == (409, "SECOND_FACTOR_NEEDED")


async def test_a_session_from_before_it_was_demanded_is_not_refreshed(auth, strict):
    center = await auth.institution("operator", "심사센터")
    await auth.account("operator2", role=Role.OPERATOR, institution=center)
    login = (await auth.log_in("operator2")).json()
    renewed = (await auth.refresh(login["refresh_token"])).json()
    assert code_of(await strict.refresh(renewed["refresh_token"])) == (400, "REFRESH_REFUSED")


async def test_it_is_demanded_of_reviewers_too(strict):
    center = await strict.institution("operator", "심사센터")
    await strict.account("reviewer", role=Role.REVIEWER, institution=center)
    assert (await strict.log_in("reviewer")).json()["scope"] == "second-factor:enrol"


async def test_a_code_shown_twice_at_the_same_moment_opens_once(auth):
    await auth.account()
    phone, _ = await enrol(auth, await auth.bearer())
    code = phone.code()
    answers = await asyncio.gather(*(auth.log_in(otp=code) for _ in range(4)))
    codes = [code_of(answer) for answer in answers]
    assert codes.count((200, "")) == 1
    assert codes.count((400, "SECOND_FACTOR_WRONG")) == 3


async def test_others_need_none_where_it_is_demanded_of_operators(strict):
    await strict.account()
    assert "accounts:manage" in (await strict.log_in()).json()["scope"].split()
