"""Partner systems: secrets shown once, replaced without a gap, and shut within seconds."""

import pytest
from sqlalchemy import text, update

from services.auth.accounts.rules import Role
from services.auth.clients.models import Client
from services.auth.institutions.models import Institution
from tests.auth.conftest import claims_of, code_of, codes_in

CLIENTS = "/api/v1/auth/clients"
TERMS = {"name": "학사 시스템", "scopes": ["accrual:push", "accrual:read"]}


class Partner:
    def __init__(self, auth, headers, registered):
        self.auth, self.headers = auth, headers
        self.id = registered["client"]["id"]
        self.secret = registered["secret"]["client_secret"]
        self.path = f"{CLIENTS}/{self.id}"

    async def token(self, secret=None, scope="", address=""):
        return await self.auth.client.post(
            "/api/v1/auth/token",
            data={"grant_type": "client_credentials", "scope": scope},
            auth=(self.id, secret or self.secret),
            headers={"X-Forwarded-For": address} if address else None,
        )

    async def call(self, verb, path="", *, seen=None, headers=None, **options):
        sent = dict(headers or self.headers)
        if seen is not None:
            sent["If-Match"] = f'"{seen}"'
        return await self.auth.client.request(verb, self.path + path, headers=sent, **options)


async def register(auth, headers, **more):
    return await auth.client.post(CLIENTS, json=TERMS | more, headers=headers)


@pytest.fixture
async def lead(auth):
    await auth.account()
    return await auth.bearer()


@pytest.fixture
async def partner(auth, lead):
    answer = await register(auth, lead)
    assert answer.status_code == 201, answer.text
    return Partner(auth, lead, answer.json())


async def test_a_partner_gets_a_token_of_its_institution_for_a_quarter_of_an_hour(auth, partner):
    answer = await partner.token()
    claims = claims_of(answer)
    assert (answer.json()["expires_in"], claims["aud"]) == (900, "mileage-api")
    assert (claims["sub"], claims["client_id"], claims["role"]) == (
        partner.id, partner.id, "partner",
    )  # fmt: skip
    row = await auth.reload(Client, partner.id)
    assert claims["institution_id"] == str(row.institution_id)
    assert claims["scope"] == "accrual:push accrual:read"
    assert "test_mode" not in claims
    narrowed = claims_of(await partner.token(scope="accrual:push"))
    assert narrowed["scope"] == "accrual:push"
    wider = await partner.token(scope="accrual:push ledger:read")
    assert code_of(wider) == (400, "OAUTH_SCOPE_NOT_ALLOWED")


async def test_the_secret_is_shown_once_and_stored_as_a_digest(auth, partner):
    assert partner.secret.startswith("mlk_live_")
    shown = (await partner.call("get")).json()
    assert partner.secret not in str(shown)
    assert shown["secrets"][0]["hint"] == partner.secret[-4:]
    async with auth.runtime.sessions() as session:
        stored = await session.scalar(
            text("SELECT string_agg(s::text, '') FROM client_secret s WHERE client_id = :id"),
            {"id": partner.id},
        )
    assert partner.secret not in stored
    assert partner.secret.encode().hex() not in stored


async def test_a_secret_is_replaced_without_a_gap(partner):
    renewed = (await partner.call("post", "/secrets", json={})).json()["client_secret"]
    assert renewed != partner.secret
    assert (await partner.token()).status_code == 200
    assert (await partner.token(renewed)).status_code == 200
    third = await partner.call("post", "/secrets", json={})
    assert code_of(third) == (409, "TOO_MANY_SECRETS")
    old, new = (await partner.call("get")).json()["secrets"]
    assert (old["expires_at"] is not None, new["expires_at"]) == (True, None)
    assert (await partner.call("delete", f"/secrets/{old['id']}")).status_code == 204
    assert code_of(await partner.token()) == (401, "OAUTH_CLIENT_INVALID")
    assert (await partner.token(renewed)).status_code == 200


async def test_a_leaked_secret_can_be_replaced_at_once(partner):
    renewed = await partner.call("post", "/secrets", json={"overlap_hours": 0})
    assert code_of(await partner.token()) == (401, "OAUTH_CLIENT_INVALID")
    assert (await partner.token(renewed.json()["client_secret"])).status_code == 200


async def test_a_withdrawn_secret_takes_its_tokens_along(auth, partner):
    claims = claims_of(await partner.token())
    [secret] = (await partner.call("get")).json()["secrets"]
    await partner.call("delete", f"/secrets/{secret['id']}")
    feed = await auth.runtime._revoked_after(0)
    assert claims["pv"] < feed["min_pv"][f"client:{partner.id}"]


async def test_a_disabled_client_gets_no_token_until_it_is_enabled(auth, partner):
    claims = claims_of(await partner.token())
    assert (await partner.call("post", "/disable", seen=1)).json()["enabled"] is False
    assert code_of(await partner.token()) == (401, "OAUTH_CLIENT_INVALID")
    feed = await auth.runtime._revoked_after(0)
    assert claims["pv"] < feed["min_pv"][f"client:{partner.id}"]
    assert code_of(await partner.call("post", "/disable", seen=2)) == (409, "STATE_CONFLICT")
    await partner.call("post", "/enable", seen=2)
    assert claims_of(await partner.token())["pv"] >= feed["min_pv"][f"client:{partner.id}"]


async def test_a_client_with_addresses_is_known_only_there(partner):
    body = TERMS | {"addresses": ["203.0.113.0/28", "2001:db8::/64"]}
    assert (await partner.call("put", seen=1, json=body)).status_code == 200
    for address in ("203.0.113.9", "2001:db8::7"):
        assert (await partner.token(address=address)).status_code == 200
    for address in ("203.0.113.99", "2001:db9::7", ""):
        assert code_of(await partner.token(address=address)) == (401, "OAUTH_CLIENT_INVALID")


async def test_what_a_partner_cannot_have_is_named_all_at_once(auth, lead):
    answer = await register(
        auth,
        lead,
        scopes=["accrual:push", "accrual:review", "ledger:adjust"],
        addresses=["203.0.113.5/28", "x", "10.0.0.1"],
    )
    found = [(item["code"], item["pointer"]) for item in answer.json()["errors"]]
    assert found == [
        ("SCOPE_REFUSED", "/scopes"),
        ("SCOPE_REFUSED", "/scopes"),
        ("ADDRESS_INVALID", "/addresses/0"),
        ("ADDRESS_INVALID", "/addresses/1"),
    ]


async def test_a_client_in_test_mode_says_so_in_every_token(auth, lead):
    registered = (await register(auth, lead, test_mode=True)).json()
    partner = Partner(auth, lead, registered)
    assert partner.secret.startswith("mlk_test_")
    assert claims_of(await partner.token())["test_mode"] is True


async def test_partners_of_a_suspended_institution_stay_outside(auth, partner):
    async with auth.runtime.sessions.begin() as session:
        await session.execute(update(Institution).values(status="suspended"))
    assert code_of(await partner.token()) == (401, "OAUTH_CLIENT_INVALID")


async def test_a_partner_can_act_for_nobody_and_for_no_other_audience(auth, partner):
    for form in ({"acting_for": "accrual"}, {"audience": "accrual"}):
        answer = await auth.client.post(
            "/api/v1/auth/token",
            data={"grant_type": "client_credentials", **form},
            auth=(partner.id, partner.secret),
        )
        assert code_of(answer) == (400, "OAUTH_SCOPE_NOT_ALLOWED")


async def test_a_partner_token_is_no_person(auth, partner):
    headers = {"Authorization": f"Bearer {(await partner.token()).json()['access_token']}"}
    for path in ("/api/v1/auth/me", "/api/v1/auth/accounts", CLIENTS, "/api/v1/auth/password"):
        answer = await auth.client.get(path, headers=headers)
        assert code_of(answer) == (403, "PERMISSION_DENIED"), path


async def test_another_institutions_client_does_not_exist_but_the_operator_sees_all(auth, partner):
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    stranger = await auth.bearer("bom")
    assert (await auth.client.get(CLIENTS, headers=stranger)).json()["items"] == []
    for verb, path, options in (
        ("get", "", {}),
        ("put", "", {"json": TERMS, "seen": 1}),
        ("post", "/disable", {"seen": 1}),
        ("post", "/enable", {"seen": 1}),
        ("post", "/secrets", {"json": {}}),
        ("delete", "/secrets/0199aa00-0000-7000-8000-000000000000", {}),
    ):
        answer = await partner.call(verb, path, headers=stranger, **options)
        assert code_of(answer) == (404, "NOT_FOUND"), (verb, path)
    own = await auth.reload(Client, partner.id)
    foreign = await register(auth, stranger, institution_id=str(own.institution_id))
    assert code_of(foreign) == (404, "NOT_FOUND")
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    operator = await auth.bearer("operator")
    listed = (await auth.client.get(CLIENTS, headers=operator)).json()["items"]
    assert [item["id"] for item in listed] == [partner.id]


async def test_our_own_services_are_no_partners_to_be_managed(auth):
    center = await auth.institution("operator", "운영센터")
    await auth.account("operator", role=Role.OPERATOR, institution=center)
    operator = await auth.bearer("operator")
    answer = await auth.client.get(f"{CLIENTS}/accrual", headers=operator)
    assert code_of(answer) == (404, "NOT_FOUND")
    refused = await register(auth, operator)  # the operator's own institution gets none
    assert codes_in(refused) == {"SCOPE_REFUSED"}
