"""One's own account and sessions."""

from tests.auth.conftest import PASSWORD, claims_of, code_of, codes_in

ME = "/api/v1/auth/me"
SESSIONS = "/api/v1/auth/sessions"
PERSON = {"name": "박하늘", "department": None, "phone": "02-6050-0000"}


async def test_the_own_account_tells_the_portal_what_to_show(auth):
    await auth.account(email="maru@hanbit.example")
    answer = await auth.client.get(ME, headers=await auth.bearer())
    body = answer.json()
    assert (body["login_id"], body["role"], body["is_lead"]) == ("maru", "university", True)
    assert (body["institution_name"], body["institution_kind"]) == ("시험대학교", "university")
    assert (body["fields"], body["second_factor"]) == (None, False)
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"


async def test_a_new_mail_address_takes_the_password_and_the_old_one_is_told(auth):
    await auth.account(email="old@hanbit.example")
    headers = await auth.bearer() | {"If-Match": '"1"'}
    body = PERSON | {"email": "new@hanbit.example"}
    for password in ({}, {"current_password": "Wrong#12345"}):
        refused = await auth.client.put(ME, json=body | password, headers=headers)
        assert codes_in(refused) == {"PW_CURRENT_WRONG"}
    done = await auth.client.put(ME, json=body | {"current_password": PASSWORD}, headers=headers)
    assert (done.status_code, done.json()["email"]) == (200, "new@hanbit.example")
    await auth.run_jobs()
    assert [letter["To"] for letter in auth.mail()] == ["old@hanbit.example"]


async def test_a_name_is_changed_without_the_password_but_not_over_a_newer_version(auth):
    await auth.account()
    headers = await auth.bearer()
    done = await auth.client.put(ME, json=PERSON, headers=headers | {"If-Match": '"1"'})
    assert done.json()["name"] == "박하늘"
    stale = await auth.client.put(ME, json=PERSON, headers=headers | {"If-Match": '"1"'})
    assert code_of(stale) == (412, "STALE")
    malformed = await auth.client.put(
        ME, json=PERSON | {"phone": "전화", "email": "x"}, headers=headers | {"If-Match": '"2"'}
    )
    assert {item["field"] for item in malformed.json()["errors"]} == {"phone", "email"}


async def test_sessions_are_listed_and_ended_one_by_one(auth):
    await auth.account()
    phone, laptop = (await auth.log_in()).json(), await auth.log_in()
    headers = {"Authorization": f"Bearer {laptop.json()['access_token']}"}
    items = (await auth.client.get(SESSIONS, headers=headers)).json()["items"]
    assert [item["current"] for item in items] == [True, False]
    other = items[1]["id"]
    assert (await auth.client.delete(f"{SESSIONS}/{other}", headers=headers)).status_code == 204
    assert code_of(await auth.refresh(phone["refresh_token"])) == (400, "REFRESH_REFUSED")
    assert (await auth.refresh(laptop.json()["refresh_token"])).status_code == 200
    feed = await auth.runtime._revoked_after(0)
    assert set(feed["min_pv"]) == {f"sid:{other}"}


async def test_all_other_sessions_end_and_the_current_one_stays(auth):
    await auth.account()
    others = [(await auth.log_in()).json() for _ in range(3)]
    current = await auth.log_in()
    headers = {"Authorization": f"Bearer {current.json()['access_token']}"}
    assert (await auth.client.post(f"{SESSIONS}/end-others", headers=headers)).status_code == 204
    for other in others:
        assert code_of(await auth.refresh(other["refresh_token"])) == (400, "REFRESH_REFUSED")
    assert (await auth.refresh(current.json()["refresh_token"])).status_code == 200


async def test_somebody_elses_session_does_not_exist(auth):
    await auth.account()
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    theirs = claims_of(await auth.log_in("bom"))["sid"]
    headers = await auth.bearer()
    answer = await auth.client.delete(f"{SESSIONS}/{theirs}", headers=headers)
    assert code_of(answer) == (404, "NOT_FOUND")
