"""The password battery (M-002, M-003): policy, all findings at once, and the forced change."""

import unicodedata

import pytest

from services.auth.accounts.models import Account
from services.auth.accounts.rules import password_findings
from services.auth.institutions.models import Institution
from tests.auth.conftest import PASSWORD, code_of, codes_in

NEW = "Bomnal!2027"


def codes(password: str, confirm: str | None = None, login_id: str = "hanbit") -> set[str]:
    confirm = password if confirm is None else confirm
    return {finding.code for finding in password_findings(password, confirm, login_id)}


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("Bomnal!202", set()),  # 10 characters
        ("Bomnal!2027Bomnal!20", set()),  # 20
        ("Bomnal!20", {"PW_LENGTH"}),  # 9
        ("Bomnal!2027Bomnal!202", {"PW_LENGTH"}),  # 21
        ("", {"PW_LENGTH", "PW_CLASS"}),
        ("bomnalbom!", {"PW_CLASS"}),  # no digit
        ("1234567890!", {"PW_CLASS"}),  # no letter
        ("Bomnal20271", {"PW_CLASS"}),  # no special character
        ("Bomnal! 2027", {"PW_CLASS"}),  # a blank
        ("Bomnal!2027\t", {"PW_CLASS"}),
        ("Bomnal!2027\u3000", {"PW_CLASS"}),  # an ideographic space
        ("Bomnal!2027\x00", {"PW_CLASS"}),
        ("봄날에는산책을!2027", {"PW_CLASS"}),  # Hangul is welcome but is no Latin letter
        ("봄날Spring!2027", set()),
        ("Ｂｏｍｎａｌ！２０２７", set()),  # full-width: the same characters, typed in another mode
        ("Bomnal٣!٤٥٦", {"PW_CLASS"}),  # Arabic-Indic digits are no digits here
        ("Hanbit!2027", {"PW_CONTAINS_ID"}),
        ("xxHANBITxx!1", {"PW_CONTAINS_ID"}),
        ("Password!1", {"PW_COMMON"}),
        ("qwer1234!@#$", {"PW_COMMON"}),
        ("hanbit", {"PW_LENGTH", "PW_CLASS", "PW_CONTAINS_ID"}),
    ],
)
def test_a_new_password_meets_the_policy_or_is_told_everything_it_lacks(password, expected):
    assert codes(password) == expected


def test_the_confirmation_must_be_the_same_characters_not_the_same_bytes():
    composed = "봄날Spring!2027"
    assert codes(composed, unicodedata.normalize("NFD", composed)) == set()
    assert codes("Bomnal!2027", "Bomnal!2028") == {"PW_MISMATCH"}


async def change(auth, headers, **body):
    full = {"current_password": PASSWORD, "new_password": NEW, "confirm_password": NEW} | body
    return await auth.client.post("/api/v1/auth/password", json=full, headers=headers)


async def test_everything_wrong_with_a_change_is_told_at_once(auth):
    await auth.account()
    answer = await change(
        auth,
        await auth.bearer(),
        current_password="Wrong#12345",
        new_password="maru",
        confirm_password="mari",
    )
    assert code_of(answer) == (422, "VALIDATION_FAILED")
    assert codes_in(answer) == {
        "PW_CURRENT_WRONG", "PW_LENGTH", "PW_CLASS", "PW_CONTAINS_ID", "PW_MISMATCH",
    }  # fmt: skip


async def test_the_new_password_must_not_be_the_current_one(auth):
    await auth.account()
    answer = await change(
        auth, await auth.bearer(), new_password=PASSWORD, confirm_password=PASSWORD
    )
    assert codes_in(answer) == {"PW_UNCHANGED"}


async def test_a_first_login_opens_the_password_change_and_nothing_else(auth):
    institution = await auth.institution()
    account = await auth.account(password="maru", must_change=True, institution=institution)
    login = await auth.log_in(password="maru")
    body = login.json()
    assert (body["pwd_change"], body["scope"], body["refresh_token"]) == (
        True, "password:change", None,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    page = await auth.client.get("/api/v1/auth/password", headers=headers)
    assert page.json() == {
        "login_id": "maru",
        "name": "시험",
        "institution_name": "시험대학교",
        "contact_phone": None,
        "must_change": True,
        "min_length": 10,
        "max_length": 20,
    }
    without_phone = await change(auth, headers, current_password="maru")
    assert codes_in(without_phone) == {"CONTACT_REQUIRED"}
    changed = await change(auth, headers, current_password="maru", contact_phone="02-6050-0000")
    assert changed.status_code == 204
    assert (await auth.reload(Institution, institution.id)).phone == "02-6050-0000"
    assert not (await auth.reload(Account, account.id)).must_change_password
    assert (await auth.log_in(password=NEW)).json()["pwd_change"] is False
    assert code_of(await auth.log_in(password="maru")) == (400, "LOGIN_FAILED")


async def test_a_token_that_must_change_its_password_opens_no_other_route(auth):
    """Every route of the service, as the document lists them (M-002)."""
    await auth.account(must_change=True)
    headers = await auth.bearer()
    tried = 0
    for path, verbs in auth.app.openapi()["paths"].items():
        for verb, operation in verbs.items():
            if not operation.get("security") or path == "/api/v1/auth/password":
                continue
            path_filled = path.replace("{", "").replace("}", "")
            answer = await auth.client.request(verb, path_filled, headers=headers)
            assert code_of(answer) == (403, "PASSWORD_CHANGE_REQUIRED"), (verb, path)
            tried += 1
    assert tried >= 3


async def test_a_change_ends_all_sessions_and_all_tokens(auth):
    await auth.account()
    elsewhere = (await auth.log_in()).json()
    headers = await auth.bearer()
    assert (await change(auth, headers)).status_code == 204
    assert code_of(await auth.refresh(elsewhere["refresh_token"])) == (400, "REFRESH_REFUSED")
    feed = await auth.runtime._revoked_after(0)
    account_id = next(iter(feed["min_pv"])).removeprefix("sub:")
    assert feed["min_pv"] == {f"sub:{account_id}": 2}
    auth.runtime.verifier.revocations.apply(feed["min_pv"])
    for stale in (headers, {"Authorization": f"Bearer {elsewhere['access_token']}"}):
        answer = await auth.client.get("/api/v1/auth/password", headers=stale)
        assert code_of(answer) == (401, "TOKEN_REVOKED")


async def test_guessing_the_current_password_with_a_stolen_token_is_slowed_too(auth):
    await auth.account()
    headers = await auth.bearer()
    answers = [await change(auth, headers, current_password=f"Wrong#{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
