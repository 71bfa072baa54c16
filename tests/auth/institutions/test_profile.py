"""An institution's own profile (M-005) and its campuses."""

import pytest
from sqlalchemy import select

from services.auth.accounts.rules import Role
from services.auth.audit.models import AuditEvent
from services.auth.institutions.models import Institution
from tests.auth.conftest import code_of, codes_in

PROFILE = {
    "postcode": "04513",
    "address": "서울특별시 중구 예시로 1",
    "phone": "02-6050-0000",
    "university_code": "A001",
    "admin_name": "김바다",
    "admin_phone": "02-6050-0001",
    "admin_email": "sea@hanbit.example",
    "manager_name": "박하늘",
    "manager_department": "산학협력팀",
    "manager_phone": "02-6050-0002",
    "manager_mobile": "010-6050-0002",
    "manager_email": "sky@hanbit.example",
}
OWN = "/api/v1/auth/institution"


@pytest.fixture
async def lead(auth):
    await auth.account()
    return await auth.bearer()


async def save(auth, headers, body, seen=1):
    return await auth.client.put(OWN, json=body, headers=headers | {"If-Match": f'"{seen}"'})


async def test_a_lead_keeps_every_field_of_the_profile(auth, lead):
    saved = await save(auth, lead, PROFILE)
    assert saved.status_code == 200
    shown = (await auth.client.get(OWN, headers=lead)).json()
    assert {name: shown[name] for name in PROFILE} == PROFILE
    assert shown["version"] == 2


async def test_the_fields_with_a_star_are_obligatory_and_malformed_ones_named(auth, lead):
    empty = await save(auth, lead, {})
    assert {item["field"] for item in empty.json()["errors"]} == {
        "postcode", "address", "manager_department", "manager_mobile",
    }  # fmt: skip
    bad = PROFILE | {"postcode": "0451", "manager_mobile": "전화번호", "admin_email": "sea"}
    refused = await save(auth, lead, bad)
    assert {item["field"] for item in refused.json()["errors"]} == {
        "postcode", "manager_mobile", "admin_email",
    }  # fmt: skip


async def test_a_change_is_on_record_with_what_changed_and_people_masked(auth, lead):
    await save(auth, lead, PROFILE)
    await save(auth, lead, PROFILE | {"manager_name": "이구름", "postcode": "04514"}, seen=2)
    async with auth.runtime.sessions() as session:
        events = (
            await session.scalars(
                select(AuditEvent)
                .where(AuditEvent.action == "institution.profile_changed")
                .order_by(AuditEvent.id)
            )
        ).all()
    assert events[1].before == {"manager_name": "박*늘", "postcode": "04513"}
    assert events[1].after == {"manager_name": "이*름", "postcode": "04514"}


async def test_a_stale_save_changes_nothing(auth, lead):
    await save(auth, lead, PROFILE)
    assert code_of(await save(auth, lead, PROFILE)) == (412, "STALE")


async def test_only_companies_have_the_fields_of_companies(auth, lead):
    refused = await save(auth, lead, PROFILE | {"ceo_name": "최산", "company_size": "small"})
    assert codes_in(refused) == {"COMPANY_FIELD_ONLY"}
    company = await auth.institution("company", "한마루정밀", brn="9998100015")
    await auth.account("9998100015", role=Role.COMPANY, institution=company)
    headers = await auth.bearer("9998100015")
    done = await save(auth, headers, PROFILE | {"ceo_name": "최산", "company_size": "small"})
    assert (done.status_code, done.json()["ceo_name"]) == (200, "최산")


async def test_a_sub_account_reads_the_profile_and_cannot_change_it(auth):
    institution = await auth.institution()
    parent = await auth.account(institution=institution)
    await auth.account(
        "maru_01", role=Role.SUB_ACCOUNT, institution=institution, parent_id=parent.id
    )
    headers = await auth.bearer("maru_01")
    assert (await auth.client.get(OWN, headers=headers)).status_code == 200
    assert code_of(await save(auth, headers, PROFILE)) == (403, "PERMISSION_DENIED")


async def test_campuses_say_where_they_lie_and_other_services_are_told(auth, lead):
    own = (await auth.client.get(OWN, headers=lead)).json()
    base = f"{OWN}/campuses"

    async def post(name, capital_area):
        body = {"name": name, "capital_area": capital_area}
        return await auth.client.post(base, json=body, headers=lead)

    assert (await post("서울캠퍼스", True)).status_code == 201
    second = await post("오송캠퍼스", False)
    assert codes_in(await post("서울캠퍼스", False)) == {"CAMPUS_TAKEN"}
    path = f"{base}/{second.json()['id']}"
    moved = {"name": "세종캠퍼스", "capital_area": False, "postcode": "30100"}
    assert (await auth.client.put(path, json=moved, headers=lead)).json()["postcode"] == "30100"
    service = await auth.service_headers("grants", "institutions:resolve")
    answer = await auth.client.post(
        "/internal/institutions/lookup", json={"ids": [own["id"]]}, headers=service
    )
    assert answer.json()["items"][0]["campuses"] == [
        {"name": "서울캠퍼스", "capital_area": True},
        {"name": "세종캠퍼스", "capital_area": False},
    ]
    assert (await auth.client.delete(path, headers=lead)).status_code == 204
    listed = (await auth.client.get(base, headers=lead)).json()["items"]
    assert [item["name"] for item in listed] == ["서울캠퍼스"]


async def test_another_institutions_campus_does_not_exist(auth, lead):
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    body = {"name": "봄캠퍼스", "capital_area": False}
    theirs = await auth.client.post(f"{OWN}/campuses", json=body, headers=await auth.bearer("bom"))
    path = f"{OWN}/campuses/{theirs.json()['id']}"
    assert code_of(await auth.client.put(path, json=body, headers=lead)) == (404, "NOT_FOUND")
    assert code_of(await auth.client.delete(path, headers=lead)) == (404, "NOT_FOUND")


async def test_the_directory_shows_members_without_numbers_or_people(auth, lead):
    await auth.institution("company", "한마루정밀", brn="9998100015", ceo_name="최산")
    await auth.institution("company", "닫힌회사", brn="9998600024", status="closed")
    answer = await auth.client.get("/api/v1/auth/directory?kind=company", headers=lead)
    [item] = answer.json()["items"]
    assert item == {
        "id": item["id"], "kind": "company", "name": "한마루정밀", "capital_area": False,
    }  # fmt: skip
    assert await auth.reload(Institution, item["id"])
