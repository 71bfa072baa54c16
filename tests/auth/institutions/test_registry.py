"""The register: companies by number (M-008, M-055), the operator's entries, suspension."""

import asyncio

import pytest

from services.auth.accounts.rules import Role
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import homepage_label, plain_company_name
from tests.auth.conftest import code_of, codes_in

BRN, OTHER = "9998100015", "9998600024"
INSTITUTIONS = "/api/v1/auth/institutions"


@pytest.fixture
async def operator(auth):
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    return await auth.bearer("operator")


@pytest.fixture
async def lead(auth):
    await auth.account()
    return await auth.bearer()


def entry(**more):
    return {"kind": "company", "name": "한마루정밀 주식회사", "brn": BRN} | more


async def enter(auth, headers, **more):
    return await auth.client.post(INSTITUTIONS, json=entry(**more), headers=headers)


@pytest.mark.parametrize(
    "name", ["㈜한마루 정밀", "(주)한마루정밀", "한마루정밀주식회사", "한마루정밀  주식회사"]
)
def test_a_company_is_the_same_under_any_writing_of_its_legal_form(name):
    assert plain_company_name(name) == plain_company_name("한마루정밀 주식회사")


@pytest.mark.parametrize(
    ("homepage", "label"),
    [
        ("www.korea.ac.kr", "korea"),
        ("https://www.hanbit.example/ko/main", "hanbit"),
        ("hanbit.example", "hanbit"),
        ("", ""),
    ],
)
def test_the_old_convention_takes_the_id_from_the_homepage(homepage, label):
    assert homepage_label(homepage) == label


async def test_a_differing_name_is_a_warning_and_both_names_are_shown(auth, lead):
    await auth.institution("company", "한마루정밀 주식회사", brn=BRN)

    async def check(brn, name):
        body = {"brn": brn, "name": name}
        answer = await auth.client.post("/api/v1/auth/companies/check", json=body, headers=lead)
        return answer.json()

    same = await check("999-81-00015", "㈜한마루정밀")
    assert same["findings"] == []
    other = await check(BRN, "한마음정밀")
    assert [(f["code"], f["level"]) for f in other["findings"]] == [
        ("COMPANY_NAME_DIFFERS", "warning")
    ]
    assert other["shown_name"] == "한마음정밀 (한마루정밀 주식회사)"
    wrong = await check("1048203900", "어디")
    assert [(f["code"], f["level"]) for f in wrong["findings"]] == [("BRN_CHECKSUM", "error")]
    unknown = await check(OTHER, "새 회사")
    assert (unknown["institution_id"], unknown["findings"]) == (None, [])
    await auth.institution("company", "쉬는 회사", brn=OTHER, status="dormant")
    dormant = await check(OTHER, "쉬는회사")
    assert [(f["code"], f["level"]) for f in dormant["findings"]] == [
        ("COMPANY_NOT_ACTIVE", "warning")
    ]


async def test_the_register_refuses_bad_and_taken_numbers_and_companies_without_one(auth, operator):
    assert (await enter(auth, operator)).status_code == 201
    assert codes_in(await enter(auth, operator)) == {"BRN_TAKEN"}
    assert codes_in(await enter(auth, operator, brn="1048203900")) == {"BRN_CHECKSUM"}
    assert codes_in(await enter(auth, operator, brn=None)) == {"BRN_REQUIRED"}
    university = await enter(auth, operator, kind="university", name="한빛대학교", brn=None)
    assert university.status_code == 201


async def test_a_merged_company_is_linked_and_keeps_its_own_entry(auth, operator, lead):
    old = (await enter(auth, operator)).json()
    await enter(auth, operator, name="푸른소재 주식회사", brn=OTHER)

    async def merge(into, seen):
        return await auth.client.post(
            f"{INSTITUTIONS}/{old['id']}/merge",
            json={"into_brn": into},
            headers=operator | {"If-Match": f'"{seen}"'},
        )

    for impossible in (BRN, "1048203590"):
        assert codes_in(await merge(impossible, 1)) == {"MERGE_TARGET"}
    assert (await merge(OTHER, 1)).json()["status"] == "closed"
    company = (await auth.client.get(f"/api/v1/auth/companies/{BRN}", headers=lead)).json()
    assert company["merged_into"] == {"brn": OTHER, "name": "푸른소재 주식회사"}
    check = await auth.client.post(
        "/api/v1/auth/companies/check",
        json={"brn": BRN, "name": "한마루정밀"},
        headers=lead,
    )
    assert [f["code"] for f in check.json()["findings"]] == ["COMPANY_MERGED"]
    service = await auth.service_headers("accrual", "institutions:resolve")
    resolved = await auth.client.post(
        "/internal/institutions/resolve",
        json={"companies": [{"brn": BRN, "name": ""}]},
        headers=service,
    )
    [item] = resolved.json()["items"]
    assert (item["institution_id"], item["status"]) == (old["id"], "closed")
    assert item["merged_into"] is not None


class Mergers:
    def __init__(self, auth, headers):
        self.auth, self.headers = auth, headers
        self.ids = {}

    async def enter(self, *numbers):
        for brn in numbers:
            entered = await enter(self.auth, self.headers, name=f"회사 {brn}", brn=brn)
            self.ids[brn] = entered.json()["id"]

    async def merge(self, brn, into):
        return await self.auth.client.post(
            f"{INSTITUTIONS}/{self.ids[brn]}/merge",
            json={"into_brn": into},
            headers=self.headers | {"If-Match": '"1"'},
        )


async def test_after_several_mergers_the_company_that_goes_on_is_named(auth, operator, lead):
    mergers = Mergers(auth, operator)
    third = "9998800033"
    await mergers.enter(BRN, OTHER, third)
    assert (await mergers.merge(BRN, OTHER)).status_code == 200
    assert (await mergers.merge(OTHER, third)).status_code == 200
    assert codes_in(await mergers.merge(third, BRN)) == {"MERGE_TARGET"}  # it would be a circle
    for brn in (BRN, OTHER):
        shown = (await auth.client.get(f"/api/v1/auth/companies/{brn}", headers=lead)).json()
        assert shown["merged_into"]["brn"] == third
        assert shown["name"] == f"회사 {brn}"  # linked, never rewritten


async def test_two_companies_merged_into_each_other_at_once_make_no_circle(auth, operator):
    mergers = Mergers(auth, operator)
    await mergers.enter(BRN, OTHER)
    answers = await asyncio.gather(mergers.merge(BRN, OTHER), mergers.merge(OTHER, BRN))
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_a_company_becomes_part_of_companies_only(auth, operator):
    mergers = Mergers(auth, operator)
    await mergers.enter(BRN)
    await auth.institution("iacf", "한빛대학교산학협력단", brn=OTHER)
    assert codes_in(await mergers.merge(BRN, OTHER)) == {"MERGE_TARGET"}


async def test_a_correction_cannot_make_another_kind_of_institution(auth, operator):
    """The accounts would keep roles that the new kind does not have."""
    company = (await enter(auth, operator)).json()
    university = (await enter(auth, operator, kind="university", name="한빛대", brn=None)).json()
    await enter(auth, operator, name="푸른소재", brn=OTHER)

    async def correct(known, **more):
        return await auth.client.put(
            f"{INSTITUTIONS}/{known['id']}",
            json=entry(**more),
            headers=operator | {"If-Match": '"1"'},
        )

    assert codes_in(await correct(company, kind="agency")) == {"KIND_FIXED"}
    assert codes_in(await correct(company, brn=OTHER)) == {"BRN_TAKEN"}
    small = {"kind": "iacf", "brn": None, "company_size": "small"}
    assert codes_in(await correct(university, **small)) == {"COMPANY_FIELD_ONLY"}
    assert (await correct(university, kind="iacf", brn=None)).json()["kind"] == "iacf"


async def test_a_company_is_shown_with_its_representative_masked(auth, operator, lead):
    entered = await enter(auth, operator, ceo_name="최산하", company_size="small", industry="기계")
    async with auth.runtime.sessions.begin() as session:
        row = await session.get(Institution, entered.json()["id"])
        row.manager_name, row.manager_department, row.address = "박하늘", "총무팀", "서울특별시"
    company = (await auth.client.get(f"/api/v1/auth/companies/{BRN}", headers=lead)).json()
    assert (company["ceo_name"], company["company_size"]) == ("최*하", "small")
    assert (company["manager_name"], company["manager_department"]) == ("박*늘", "총무팀")
    assert company["registry_checked_at"] is not None
    assert (company["address"], company["industry"]) == ("서울특별시", "기계")
    missing = await auth.client.get(f"/api/v1/auth/companies/{OTHER}", headers=lead)
    assert code_of(missing) == (404, "NOT_FOUND")


async def test_the_operator_searches_by_name_number_kind_and_state(auth, operator):
    await enter(auth, operator)
    await enter(auth, operator, name="푸른소재 주식회사", brn=OTHER, status="dormant")

    async def names(query):
        answer = await auth.client.get(f"{INSTITUTIONS}?{query}", headers=operator)
        return [item["name"] for item in answer.json()["items"]]

    assert await names("q=한마루") == ["한마루정밀 주식회사"]
    assert await names("q=99986") == ["푸른소재 주식회사"]
    assert await names("status=dormant") == ["푸른소재 주식회사"]
    assert await names("kind=operator&kind=ministry") == ["운영센터"]
    assert await names("q=%25") == []  # a percent sign is a percent sign


async def test_a_correction_needs_the_version_that_was_seen(auth, operator):
    old = (await enter(auth, operator)).json()
    path = f"{INSTITUTIONS}/{old['id']}"
    body = entry(name="한마루테크 주식회사", status="dormant")
    blind = await auth.client.put(path, json=body, headers=operator)
    assert code_of(blind) == (428, "PRECONDITION_REQUIRED")
    done = await auth.client.put(path, json=body, headers=operator | {"If-Match": '"1"'})
    assert (done.json()["name"], done.json()["status"]) == ("한마루테크 주식회사", "dormant")
    assert done.json()["registry_checked_at"] is not None


async def test_the_operator_sees_people_masked_unless_a_purpose_is_stated(auth, operator):
    people = {"manager_name": "박하늘", "manager_mobile": "01060500001"}
    found = await auth.institution(name="한빛대학교", **people)
    path = f"{INSTITUTIONS}/{found.id}"
    shown = (await auth.client.get(path, headers=operator)).json()
    assert (shown["manager_name"], shown["manager_mobile"]) == ("박*늘", "010****0001")
    body = {"purpose": "보완 요청 안내"}
    full = await auth.client.post(f"{path}/reveal", json=body, headers=operator)
    assert {name: full.json()[name] for name in people} == people


async def test_a_suspended_institution_is_out_within_seconds_and_back_when_reinstated(
    auth, operator
):
    account = await auth.account()
    login = (await auth.log_in()).json()
    path = f"{INSTITUTIONS}/{account.institution_id}"

    async def measure(verb, seen):
        return await auth.client.post(
            f"{path}/{verb}",
            json={"reason": "허위 실적 조사"},
            headers=operator | {"If-Match": f'"{seen}"'},
        )

    assert (await measure("suspend", 1)).status_code == 204
    assert code_of(await measure("suspend", 2)) == (409, "STATE_CONFLICT")
    assert code_of(await auth.log_in()) == (400, "ACCOUNT_DISABLED")
    assert code_of(await auth.refresh(login["refresh_token"])) == (400, "REFRESH_REFUSED")
    feed = await auth.runtime._revoked_after(0)
    assert feed["min_pv"] == {f"sub:{account.id}": 2}
    assert (await measure("reinstate", 2)).status_code == 204
    assert (await auth.log_in()).status_code == 200


async def test_the_operator_cannot_suspend_his_own_institution(auth, operator):
    own = (await auth.client.get("/api/v1/auth/institution", headers=operator)).json()
    answer = await auth.client.post(
        f"{INSTITUTIONS}/{own['id']}/suspend",
        json={"reason": "실수"},
        headers=operator | {"If-Match": '"1"'},
    )
    assert code_of(answer) == (409, "OWN_ACCOUNT")


async def test_the_register_is_the_operators_alone(auth, lead):
    for verb, path in (("get", ""), ("post", ""), ("get", "/import/template")):
        answer = await auth.client.request(verb, INSTITUTIONS + path, headers=lead)
        assert code_of(answer) == (403, "PERMISSION_DENIED"), path
