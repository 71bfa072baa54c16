"""Sub-accounts and staff (M-006): the id rule, field permissions with history, and who may."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from services.auth.accounts.models import Account, OneTimeCredential
from services.auth.accounts.rules import Role, field_changes, is_staff_id
from services.auth.masking import masked_email, masked_name, masked_phone
from shared.clock import utc_now
from tests.auth.conftest import PASSWORD, claims_of, code_of, codes_in

ACCOUNTS = "/api/v1/auth/accounts"
PERSON = {
    "name": "박하늘",
    "department": "현장실습지원센터",
    "phone": "02-6050-0001",
    "mobile": "010-6050-0001",
    "email": "sky@hanbit.example",
}


class Lead:
    """A lead account and what it does."""

    def __init__(self, auth, headers):
        self.auth, self.headers = auth, headers

    async def call(self, verb, path="", *, seen=None, **options):
        headers = self.headers | ({"If-Match": f'"{seen}"'} if seen is not None else {})
        return await self.auth.client.request(verb, ACCOUNTS + path, headers=headers, **options)

    async def proof(self, login_id):
        answer = await self.call("post", "/login-id-checks", json={"login_id": login_id})
        return answer.json()["proof"]

    async def open(self, login_id, **more):
        body = PERSON | {"login_id": login_id, "proof": await self.proof(login_id)} | more
        return await self.call("post", json=body)

    async def opened(self, login_id="maru_01", **more):
        answer = await self.open(login_id, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["account"]


@pytest.fixture
async def lead(auth):
    await auth.account()
    return Lead(auth, await auth.bearer())


@pytest.mark.parametrize(
    ("login_id", "good"),
    [
        ("korea_01", True),
        ("korea1", True),
        ("korea_abc", True),
        ("koreaabc", True),
        ("korea", False),
        ("korea_", False),
        ("korea__1", False),
        ("korea_a_b", False),
        ("korea-1", False),
        ("corea_1", False),
        ("xkorea_1", False),
        ("korea_가", False),
        ("korea_" + "1" * 26, True),
        ("korea_" + "1" * 27, False),
        ("korea_1\n", False),
    ],
)
def test_an_id_is_derived_from_the_parents(login_id, good):
    assert is_staff_id(login_id, "korea") is good


async def test_a_lead_opens_a_sub_account_that_enters_by_link_and_sees_its_fields(auth, lead):
    answer = await lead.open("maru_01", fields=[{"field": "PRACTICE", "enabled": True}])
    body = answer.json()
    assert (body["account"]["role"], body["account"]["activated"]) == ("sub_account", False)
    link = body["credential"]["link"]
    assert link.startswith("http://tests.invalid/activate#token=")
    assert body["credential"]["sent_to"] == "sk***@hanbit.example"
    open_for = datetime.fromisoformat(body["credential"]["expires_at"]) - utc_now()
    assert timedelta(hours=71) < open_for < timedelta(hours=73)
    await auth.run_jobs()
    assert "72시간" in auth.mail()[0].get_content()
    assert code_of(await auth.log_in("maru_01", "maru_01")) == (400, "LOGIN_FAILED")
    activation = {
        "token": link.partition("#token=")[2],
        "new_password": "Bomnal!2027",
        "confirm_password": "Bomnal!2027",
    }
    done = await auth.client.post("/api/v1/auth/activation", json=activation)
    assert done.json() == {"login_id": "maru_01"}
    claims = claims_of(await auth.log_in("maru_01", "Bomnal!2027"))
    assert (claims["fields"], claims["role"]) == (["PRACTICE"], "sub_account")


async def test_saving_without_a_duplicate_check_is_refused(lead):
    body = PERSON | {"login_id": "maru_01"}
    assert codes_in(await lead.call("post", json=body)) == {"DUP_CHECK_REQUIRED"}
    other = body | {"proof": await lead.proof("maru_02")}
    assert codes_in(await lead.call("post", json=other)) == {"DUP_CHECK_REQUIRED"}
    underived = other | {"login_id": "bom_01"}
    assert codes_in(await lead.call("post", json=underived)) == {"LOGIN_ID_RULE"}


async def test_the_duplicate_check_says_why_an_id_cannot_be_had(lead):
    await lead.opened("maru_01")
    checks = {}
    for typed in ("maru_01", "MARU_02", "bom_01"):
        answer = await lead.call("post", "/login-id-checks", json={"login_id": typed})
        checks[typed] = answer.json()
    assert (checks["maru_01"]["code"], checks["maru_01"]["proof"]) == ("LOGIN_ID_TAKEN", None)
    assert (checks["MARU_02"]["login_id"], checks["MARU_02"]["available"]) == ("maru_02", True)
    assert checks["bom_01"]["code"] == "LOGIN_ID_RULE"
    assert "maru_01" in checks["bom_01"]["message"]


async def test_ten_people_saving_the_same_checked_id_make_one_account(lead):
    proof = await lead.proof("maru_01")
    body = PERSON | {"login_id": "maru_01", "proof": proof}
    answers = await asyncio.gather(*(lead.call("post", json=body) for _ in range(10)))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(422)) == (1, 9)
    refused = [answer for answer in answers if answer.status_code == 422]
    assert all(codes_in(answer) == {"LOGIN_ID_TAKEN"} for answer in refused)


async def test_the_id_of_a_removed_account_is_never_given_again(lead):
    account = await lead.opened("maru_01")
    assert (await lead.call("post", f"/{account['id']}/remove")).status_code == 204
    assert (await lead.call("get", f"/{account['id']}")).status_code == 404
    assert (await lead.call("get")).json()["items"] == []
    assert codes_in(await lead.open("maru_01")) == {"LOGIN_ID_TAKEN"}


async def test_permissions_are_switched_and_taken_away_and_the_history_stays(auth, lead):
    account = await lead.opened(fields=[{"field": "PRACTICE", "enabled": True}])
    path = f"/{account['id']}"
    steps = [
        [{"field": "PRACTICE", "enabled": False}, {"field": "HIRING", "enabled": True}],
        [{"field": "HIRING", "enabled": True}],
        [{"field": "HIRING", "enabled": True}],
    ]
    for fields in steps:
        version = (await lead.call("get", path)).json()["version"]
        answer = await lead.call("put", f"{path}/fields", seen=version, json={"fields": fields})
        assert answer.json()["fields"] == sorted(fields, key=lambda item: item["field"])
    history = (await lead.call("get", f"{path}/field-history")).json()["items"]
    assert [(item["field"], item["change"]) for item in reversed(history)] == [
        ("PRACTICE", "added"),
        ("HIRING", "added"),
        ("PRACTICE", "off"),
        ("PRACTICE", "removed"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE field_permission_event SET change = 'on'",
        "DELETE FROM field_permission_event",
        "TRUNCATE field_permission_event",
    ],
)
async def test_the_history_of_permissions_cannot_be_rewritten(auth, lead, statement):
    await lead.opened(fields=[{"field": "PRACTICE", "enabled": True}])
    with pytest.raises(DBAPIError, match="append-only"):
        async with auth.runtime.sessions.begin() as session:
            await session.execute(text(statement))


def test_the_history_tells_of_a_permission_that_was_given_switched_off():
    assert field_changes({}, {"HIRING": False}) == [("HIRING", "added"), ("HIRING", "off")]
    assert field_changes({"HIRING": False}, {"HIRING": True}) == [("HIRING", "on")]
    assert field_changes({"HIRING": True}, {"HIRING": True}) == []


async def test_a_changed_permission_reaches_the_tokens_without_logging_anyone_out(auth, lead):
    account = await lead.opened(fields=[{"field": "PRACTICE", "enabled": True}])
    reset = (await lead.call("post", f"/{account['id']}/reset")).json()
    await auth.client.post(
        "/api/v1/auth/activation",
        json={
            "token": reset["link"].partition("#token=")[2],
            "new_password": "Bomnal!2027",
            "confirm_password": "Bomnal!2027",
        },
    )
    login = (await auth.log_in("maru_01", "Bomnal!2027")).json()
    version = (await lead.call("get", f"/{account['id']}")).json()["version"]
    fields = {"fields": [{"field": "RESEARCH", "enabled": True}]}
    await lead.call("put", f"/{account['id']}/fields", seen=version, json=fields)
    feed = await auth.runtime._revoked_after(0)
    stale = feed["min_pv"][f"sub:{account['id']}"]
    renewed = claims_of(await auth.refresh(login["refresh_token"]))
    assert (renewed["pv"], renewed["fields"]) == (stale, ["RESEARCH"])


async def test_the_same_field_twice_and_fields_for_company_staff_are_refused(auth, lead):
    twice = [{"field": "HIRING", "enabled": True}, {"field": "HIRING", "enabled": False}]
    assert codes_in(await lead.open("maru_01", fields=twice)) == {"FIELD_TWICE"}
    company = await auth.institution("company", "한마루정밀", brn="9998100015")
    await auth.account("9998100015", role=Role.COMPANY, institution=company)
    boss = Lead(auth, await auth.bearer("9998100015"))
    refused = await boss.open("9998100015_01", fields=twice[:1])
    assert codes_in(refused) == {"FIELDS_NOT_HERE"}
    staff = await boss.opened("9998100015_01")
    assert (staff["role"], staff["fields"]) == ("company", [])


async def test_two_people_editing_at_once_do_not_overwrite_each_other(lead):
    account = await lead.opened()
    path = f"/{account['id']}"
    first = await lead.call("put", path, seen=account["version"], json=PERSON | {"name": "가나다"})
    second = await lead.call("put", path, seen=account["version"], json=PERSON | {"name": "라마바"})
    assert (first.status_code, code_of(second)) == (200, (412, "STALE"))
    blind = await lead.call("put", path, json=PERSON)
    assert code_of(blind) == (428, "PRECONDITION_REQUIRED")


async def test_another_leads_account_does_not_exist(auth, lead):
    account = await lead.opened()
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    stranger = Lead(auth, await auth.bearer("bom"))
    for verb, path, options in (
        ("get", "", {}),
        ("put", "", {"json": PERSON, "seen": 1}),
        ("put", "/fields", {"json": {"fields": []}, "seen": 1}),
        ("get", "/field-history", {}),
        ("post", "/reveal", {"json": {"purpose": "업무 확인"}}),
        ("post", "/disable", {}),
        ("post", "/enable", {}),
        ("post", "/remove", {}),
        ("post", "/reset", {}),
        ("post", "/unlock", {}),
        ("post", "/end-sessions", {}),
    ):
        answer = await stranger.call(verb, f"/{account['id']}{path}", **options)
        assert code_of(answer) == (404, "NOT_FOUND"), (verb, path)
    assert (await stranger.call("get")).json()["items"] == []
    own = (await auth.reload(Account, account["id"])).parent_id
    assert code_of(await lead.call("get", f"/{own}")) == (404, "NOT_FOUND")  # not under himself


async def test_sub_accounts_manage_nobody(auth, lead):
    account = await lead.opened()
    async with auth.runtime.sessions.begin() as session:
        row = await session.get(Account, account["id"])
        row.password, row.must_change_password = auth.password_hash, False
    sub = Lead(auth, await auth.bearer("maru_01"))
    assert code_of(await sub.call("get")) == (403, "PERMISSION_DENIED")
    assert code_of(await sub.call("post", json=PERSON)) == (403, "PERMISSION_DENIED")


async def test_a_disabled_account_is_out_until_it_is_enabled(auth, lead):
    account = await lead.opened()
    async with auth.runtime.sessions.begin() as session:
        row = await session.get(Account, account["id"])
        row.password, row.must_change_password = auth.password_hash, False
    login = (await auth.log_in("maru_01")).json()
    assert (await lead.call("post", f"/{account['id']}/disable")).json()["status"] == "disabled"
    assert code_of(await auth.log_in("maru_01")) == (400, "ACCOUNT_DISABLED")
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    again = await lead.call("post", f"/{account['id']}/disable")
    assert code_of(again) == (409, "STATE_CONFLICT")
    await lead.call("post", f"/{account['id']}/enable")
    assert (await auth.log_in("maru_01")).status_code == 200


# --- the operator -----------------------------------------------------------------------------


@pytest.fixture
async def operator(auth):
    institution = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=institution)
    return Lead(auth, await auth.bearer("operator"))


async def test_the_operator_opens_leads_of_the_roles_an_institution_can_have(auth, operator):
    university = await auth.institution("iacf", "한빛대학교산학협력단")
    agency = await auth.institution("agency", "가온산업진흥원")

    async def open_lead(institution, login_id, role):
        return await auth.client.post(
            f"/api/v1/auth/institutions/{institution.id}/accounts",
            json=PERSON | {"login_id": login_id, "role": role},
            headers=operator.headers,
        )

    assert (await open_lead(university, "hanbit", "university")).status_code == 201
    assert (await open_lead(agency, "officer", "agency_officer")).status_code == 201
    assert (await open_lead(agency, "evaluator1", "evaluator")).status_code == 201
    center = await auth.institution("operator", "심사센터")
    reviewer = await open_lead(center, "reviewer", "reviewer")
    assert (reviewer.status_code, reviewer.json()["account"]["role"]) == (201, "reviewer")
    # The operator certifies (M-061) with officers and a committee of its own.
    assert (await open_lead(center, "certifier", "agency_officer")).status_code == 201
    assert (await open_lead(center, "member", "evaluator")).status_code == 201
    assert codes_in(await open_lead(center, "auditor", "auditor")) == {"ROLE_NOT_HERE"}
    assert codes_in(await open_lead(university, "reviewer2", "reviewer")) == {"ROLE_NOT_HERE"}
    assert codes_in(await open_lead(university, "Hanbit", "company")) == {
        "ROLE_NOT_HERE",
        "LOGIN_ID_TAKEN",
    }
    assert codes_in(await open_lead(university, "1abc", "university")) == {"LOGIN_ID_FORM"}


async def test_an_officer_sees_the_active_evaluators_of_the_own_agency(auth, operator):
    agency = await auth.institution("agency", "가온산업진흥원")
    other = await auth.institution("agency", "나루산업진흥원")
    await auth.account("officer", role=Role.AGENCY_OFFICER, institution=agency)
    for login_id, institution in (("judge1", agency), ("judge2", agency), ("judge3", other)):
        await auth.account(login_id, role=Role.EVALUATOR, institution=institution)
    headers = await auth.bearer("officer")
    url = "/api/v1/auth/evaluators"

    async def ids() -> set[str]:
        answer = await auth.client.get(url, headers=headers)
        return {item["id"] for item in answer.json()["items"]}

    mine = {
        (await auth.client.get("/api/v1/auth/me", headers=await auth.bearer(login))).json()["id"]
        for login in ("judge1", "judge2")
    }
    assert await ids() == mine
    gone, *left = mine
    await operator.call("post", f"/{gone}/disable", json={"reason": "임기 만료"})
    assert await ids() == set(left)
    assert (await auth.client.get(url, headers=operator.headers)).status_code == 403


async def test_the_operator_sees_masked_people_unless_a_purpose_is_stated(auth, operator, lead):
    account = await lead.opened()
    seen = (await operator.call("get", f"/{account['id']}")).json()
    assert (seen["name"], seen["mobile"], seen["email"]) == (
        "박*늘", "010-****-0001", "sk***@hanbit.example",
    )  # fmt: skip
    listed = (await operator.call("get", "?q=maru_01")).json()["items"]
    assert [item["name"] for item in listed] == ["박*늘"]
    vague = await operator.call("post", f"/{account['id']}/reveal", json={"purpose": "음"})
    assert vague.status_code == 422
    full = await operator.call(
        "post", f"/{account['id']}/reveal", json={"purpose": "서류 보완 안내 전화"}
    )
    assert full.json() == PERSON


async def test_the_operator_cannot_shut_himself_out(auth, operator):
    me = (await auth.client.get("/api/v1/auth/me", headers=operator.headers)).json()
    for measure in ("disable", "remove", "reset", "end-sessions"):
        answer = await operator.call("post", f"/{me['id']}/{measure}")
        assert code_of(answer) == (409, "OWN_ACCOUNT"), measure


async def test_a_reset_takes_everything_from_the_former_user(auth, operator):
    account = await auth.account(email="old@hanbit.example")
    login = (await auth.log_in()).json()
    credential = (await operator.call("post", f"/{account.id}/reset")).json()
    assert code_of(await auth.log_in()) == (400, "LOGIN_FAILED")
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    assert credential["sent_to"] == "ol***@hanbit.example"


@pytest.fixture
async def legacy(auth_with):
    """An installation that keeps the old convention, with a lead at work."""
    auth = await auth_with(initial_credential="legacy", initial_credential_hours=24)
    await auth.account()
    return Lead(auth, await auth.bearer())


async def test_where_the_old_convention_is_kept_the_first_password_is_the_id(legacy):
    """It opens the choice of a password and nothing else, however often somebody begins anew."""
    auth = legacy.auth
    opened = (await legacy.open("maru_01")).json()
    assert (opened["credential"]["link"], opened["credential"]["password_is_login_id"]) == (
        None, True,
    )  # fmt: skip
    for _ in range(2):
        login = await auth.log_in("maru_01", "maru_01")
        assert (login.json()["scope"], login.json()["pwd_change"]) == ("password:change", True)
    assert code_of(await auth.log_in("maru_01", "maru_02")) == (400, "LOGIN_FAILED")
    chosen = {"current_password": "maru_01", "new_password": "Bomnal!2027"}
    changed = await auth.client.post(
        "/api/v1/auth/password",
        json=chosen | {"confirm_password": "Bomnal!2027"},
        headers={"Authorization": f"Bearer {login.json()['access_token']}"},
    )
    assert changed.status_code == 204, changed.text
    assert code_of(await auth.log_in("maru_01", "maru_01")) == (400, "LOGIN_FAILED")
    assert (await auth.log_in("maru_01", "Bomnal!2027")).json()["pwd_change"] is False


async def test_an_id_as_the_first_password_expires_and_a_reset_renews_it(legacy):
    auth = legacy.auth
    opened = (await legacy.open("maru_01")).json()
    expires_at = datetime.fromisoformat(opened["credential"]["expires_at"])
    created_at = datetime.fromisoformat(opened["account"]["created_at"])
    assert timedelta(hours=23) < expires_at - created_at < timedelta(hours=25)
    async with auth.runtime.sessions.begin() as session:
        earlier = OneTimeCredential.expires_at - timedelta(hours=24)
        await session.execute(update(OneTimeCredential).values(expires_at=earlier))
    assert code_of(await auth.log_in("maru_01", "maru_01")) == (400, "LOGIN_FAILED")
    await legacy.call("post", f"/{opened['account']['id']}/reset")
    assert (await auth.log_in("maru_01", "maru_01")).json()["pwd_change"] is True


async def test_the_operator_unlocks_an_account_for_every_place_at_once(auth, operator):
    account = await auth.account()
    for n in range(5):
        await auth.log_in(password=f"Wrong#{n}", address="192.0.2.1")
        await auth.log_in(password=f"Wrong#{n}", address="192.0.2.2")
    assert code_of(await auth.log_in(address="192.0.2.1")) == (429, "LOGIN_THROTTLED")
    await operator.call("post", f"/{account.id}/unlock")
    for address in ("192.0.2.1", "192.0.2.2"):
        assert (await auth.log_in(password=PASSWORD, address=address)).status_code == 200


def test_names_and_numbers_are_masked_so_that_lists_show_who_is_meant_and_no_more():
    assert [masked_name(name) for name in ("홍길동", "남궁옥분", "이황", "김", "")] == [
        "홍*동", "남**분", "이*", "김", "",
    ]  # fmt: skip
    assert masked_phone("010-1234-5678") == "010-****-5678"
    assert masked_phone("0212345678") == "021***5678"
    assert masked_phone(None) is None
    assert masked_email("ab@x.example") == "ab***@x.example"
