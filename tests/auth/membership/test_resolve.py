"""Companies by business number: found, registered once, or refused with every finding."""

import asyncio

import pytest
from sqlalchemy import func, select

from services.auth.accounts.models import Account
from services.auth.accounts.rules import Role
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import brn_finding
from tests.auth.conftest import code_of

KNOWN, NEW = "1048203590", "9998100015"
RESOLVE = "/internal/institutions/resolve"


@pytest.fixture
async def resolve(auth):
    headers = await auth.service_headers("accrual", "institutions:resolve")

    async def call(*companies: tuple[str, str], create: bool = True):
        body = {"companies": [{"brn": b, "name": n} for b, n in companies], "create": create}
        return await auth.client.post(RESOLVE, json=body, headers=headers)

    return call


@pytest.mark.parametrize(
    ("brn", "code"),
    [
        ("1048203590", None),
        ("9998100015", None),
        ("1048203900", "BRN_CHECKSUM"),
        ("104820359", "BRN_LENGTH"),
        ("10482035900", "BRN_LENGTH"),
        ("104-82-0359", "BRN_LENGTH"),
        ("１０４８２０３５９０", "BRN_LENGTH"),
        ("1048203590\n", "BRN_LENGTH"),
        ("", "BRN_LENGTH"),
        ("0000000000", "BRN_COMPONENT"),
        ("1000000009", "BRN_COMPONENT"),
        ("1040012345", "BRN_COMPONENT"),
        ("1048200006", "BRN_COMPONENT"),
    ],
)
def test_a_business_number_is_checked_by_length_parts_and_check_digit(brn, code):
    kind = brn_finding(brn)
    assert (kind.code if kind else None) == code


async def test_an_unknown_company_is_registered_with_an_account_named_by_its_number(auth, resolve):
    answer = await resolve((NEW, "  한마루정밀   주식회사 "))
    [item] = answer.json()["items"]
    assert (item["name"], item["created"], item["status"]) == (
        "한마루정밀 주식회사",
        True,
        "active",
    )
    async with auth.runtime.sessions() as session:
        account = (await session.scalars(select(Account))).one()
    assert (account.login_id, account.role, account.password) == (NEW, "company", None)
    again = (await resolve((NEW, "다른 이름"))).json()["items"]
    assert again == [item | {"created": False}]  # the first name stays


async def test_a_company_enters_by_its_number_where_the_old_convention_is_kept(auth_with):
    auth = await auth_with(initial_credential="legacy")
    headers = await auth.service_headers("accrual", "institutions:resolve")
    body = {"companies": [{"brn": NEW, "name": "한마루정밀"}], "create": True}
    await auth.client.post(RESOLVE, json=body, headers=headers)
    login = await auth.log_in("999-81-00015", NEW)
    assert (login.json()["scope"], login.json()["pwd_change"]) == ("password:change", True)


async def test_elsewhere_a_company_has_no_password_until_the_operator_hands_out_a_link(
    auth, resolve
):
    await resolve((NEW, "한마루정밀"))
    assert code_of(await auth.log_in(NEW, NEW)) == (400, "LOGIN_FAILED")
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    operator = await auth.bearer("operator")
    found = await auth.client.get(f"/api/v1/auth/accounts?q={NEW}", headers=operator)
    path = f"/api/v1/auth/accounts/{found.json()['items'][0]['id']}/reset"
    given = (await auth.client.post(path, headers=operator)).json()
    body = {
        "token": given["link"].partition("#token=")[2],
        "new_password": "Bomnal!2027",
        "confirm_password": "Bomnal!2027",
        "contact_phone": "02-6050-0000",
    }
    assert (await auth.client.post("/api/v1/auth/activation", json=body)).status_code == 200
    assert "exchange:buy" in (await auth.log_in(NEW, "Bomnal!2027")).json()["scope"].split()


async def test_without_create_unknown_numbers_are_left_out(auth, resolve):
    await auth.institution("company", "아는 회사", brn=KNOWN)
    answer = await resolve((NEW, ""), (KNOWN, "달리 적은 이름"), create=False)
    assert [(item["brn"], item["name"]) for item in answer.json()["items"]] == [
        (KNOWN, "아는 회사")
    ]


async def test_hyphens_are_understood_and_repetitions_answered_once(resolve):
    answer = await resolve(("104-82-03590", "가"), (KNOWN, "나"))
    assert [item["brn"] for item in answer.json()["items"]] == [KNOWN]


async def test_every_malformed_company_is_reported_at_once(resolve):
    answer = await resolve((KNOWN, ""), ("123", "가"), ("1048203900", "나"))
    assert code_of(answer) == (422, "VALIDATION_FAILED")
    assert [(item["pointer"], item["code"]) for item in answer.json()["errors"]] == [
        ("/companies/0/name", "NAME_REQUIRED"),
        ("/companies/1/brn", "BRN_LENGTH"),
        ("/companies/2/brn", "BRN_CHECKSUM"),
    ]


async def test_twenty_callers_with_the_same_new_companies_register_each_once(auth, resolve):
    numbers = [KNOWN, NEW, "9998600024", "9998800033"]
    answers = await asyncio.gather(
        *(
            resolve(*[(brn, "같은 회사") for brn in numbers[:: 1 if n % 2 else -1]])
            for n in range(20)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    created = [item for answer in answers for item in answer.json()["items"] if item["created"]]
    assert sorted(item["brn"] for item in created) == sorted(numbers)
    ids = {(item["brn"], item["institution_id"]) for a in answers for item in a.json()["items"]}
    assert len(ids) == 4
    async with auth.runtime.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Institution)) == 4
        assert await session.scalar(select(func.count()).select_from(Account)) == 4


async def test_lookup_tells_what_other_services_need_to_know(auth):
    headers = await auth.service_headers("grants", "institutions:resolve")
    one = await auth.institution("university", "새벽대학교", capital_area=True)
    unknown = "0199aa00-0000-7000-8000-000000000000"
    answer = await auth.client.post(
        "/internal/institutions/lookup", json={"ids": [str(one.id), unknown]}, headers=headers
    )
    assert answer.json() == {
        "items": [
            {
                "institution_id": str(one.id),
                "kind": "university",
                "name": "새벽대학교",
                "brn": None,
                "status": "active",
                "capital_area": True,
                "campuses": [],
            }
        ]
    }
