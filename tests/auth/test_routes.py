"""Every route of the service: with no token, a foreign one, one that lacks the permission, and
one of another institution. The routes are taken from the document, so a new one is tested too."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from services.auth.accounts.models import Passkey
from services.auth.clients.models import ClientSecret
from services.auth.institutions.models import Campus
from shared.clock import utc_now
from shared.tokens import AUDIENCE
from tests.auth.conftest import PASSWORD, claims_of, code_of
from tests.conftest import ISSUER

PUBLIC = {
    ("post", "/api/v1/auth/token"),
    ("post", "/api/v1/auth/token/revoke"),
    ("post", "/api/v1/auth/token/introspect"),  # asks for client credentials instead
    ("post", "/api/v1/auth/activation"),
    ("post", "/api/v1/auth/activation/check"),
    ("post", "/api/v1/auth/reset-requests"),
    ("post", "/api/v1/auth/passkeys/challenge"),
    ("get", "/.well-known/jwks.json"),
    ("get", "/.well-known/oauth-authorization-server"),
}
# Readable without a token; one that is sent has to be good all the same.
OPTIONAL = {
    ("get", "/api/v1/auth/notices"),
    ("get", "/api/v1/auth/notices/{notice_id}"),
    ("get", "/api/v1/auth/notices/{notice_id}/attachments/{file_id}"),
}


def operations(app, *, without=frozenset(), ids=None):
    """(verb, path with made-up ids) of every operation that is not public."""
    for path, verbs in app.openapi()["paths"].items():
        for verb in verbs:
            if (verb, path) not in PUBLIC | without:
                yield verb, fill(path, ids or {})


def fill(path, ids):
    return re.sub(r"\{(\w+)\}", lambda match: str(ids.get(match[1], uuid4())), path)


async def token_of_ours(auth, *scope, **more):
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(uuid4()),
        "client_id": "portal",
        "scope": " ".join(scope),
        "role": "university",
        "institution_id": str(uuid4()),
        "institution_kind": "university",
        "pv": 1,
        **more,
    }
    token = await auth.runtime.keys.sign(claims, lifetime=timedelta(minutes=5), now=utc_now())
    return {"Authorization": f"Bearer {token}"}


async def test_no_route_opens_without_a_token(auth):
    tried = 0
    for verb, path in operations(auth.app, without=OPTIONAL):
        answer = await auth.client.request(verb, path)
        assert code_of(answer) == (401, "TOKEN_REQUIRED"), (verb, path)
        tried += 1
    assert tried > 60


async def test_no_route_opens_with_a_token_somebody_else_signed(auth, tokens):
    headers = tokens.headers("accounts:admin", "institutions:admin", "institutions:resolve")
    for verb, path in operations(auth.app):
        answer = await auth.client.request(verb, path, headers=headers)
        assert code_of(answer) == (401, "TOKEN_INVALID"), (verb, path)


async def test_no_route_opens_with_a_token_of_ours_that_lacks_the_permission(auth):
    headers = await token_of_ours(auth, "nothing:at-all")
    for verb, path in operations(auth.app, without=OPTIONAL):
        answer = await auth.client.request(verb, path, headers=headers)
        assert code_of(answer) == (403, "PERMISSION_DENIED"), (verb, path)


@pytest.mark.parametrize("more", [{"aud": "accrual"}, {"iss": "http://elsewhere.invalid"}])
async def test_no_route_opens_with_a_token_for_somebody_else(auth, more):
    headers = await token_of_ours(auth, "accounts:admin", **more)
    for verb, path in operations(auth.app):
        answer = await auth.client.request(verb, path, headers=headers)
        assert code_of(answer) == (401, "TOKEN_INVALID"), (verb, path)


async def test_nothing_of_another_institution_exists_for_a_lead(auth):
    """Real ids of one university, asked for by the lead of another, on every route with an id."""
    mine = await auth.account()
    login = await auth.log_in()
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    client = await auth.client.post(
        "/api/v1/auth/clients",
        json={"name": "학사", "scopes": ["accrual:read"]},
        headers=headers,
    )
    async with auth.runtime.sessions.begin() as session:
        campus = Campus(institution_id=mine.institution_id, name="본교", capital_area=False)
        passkey = Passkey(
            account_id=mine.id,
            name="노트북",
            credential_id=b"id",
            public_key=b"key",
            sign_count=0,
            synced=False,
        )
        session.add_all([campus, passkey])
    secret = client.json()["secret"]
    ids = {
        "account_id": mine.id,
        "institution_id": mine.institution_id,
        "client_id": secret["client_id"],
        "secret_id": secret["secret"]["id"],
        "campus_id": campus.id,
        "session_id": claims_of(login)["sid"],
        "passkey_id": passkey.id,
    }
    assert await auth.reload(ClientSecret, ids["secret_id"])
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    stranger = await auth.bearer("bom") | {"If-Match": '"1"'}
    tried = 0
    for path, verbs in auth.app.openapi()["paths"].items():
        if not set(re.findall(r"\{(\w+)\}", path)) & set(ids):
            continue
        for verb in verbs:
            answer = await auth.client.request(
                verb, fill(path, ids), headers=stranger, json=BODIES.get(path.split("/")[-1], {})
            )
            # 403: the operator's routes. Never a success, never a hint that it exists.
            assert answer.status_code in {403, 404}, (verb, path, answer.text)
            tried += 1
    assert tried > 20


# A body that passes the schema, so that the answer tells about the object and not the input.
_PERSON = {"name": "박하늘"}
_TERMS = {"name": "학사", "scopes": ["accrual:read"]}
BODIES = {
    "{account_id}": _PERSON,
    "fields": {"fields": []},
    "reveal": {"purpose": "업무 확인"},
    "remove": {"current_password": PASSWORD},
    "{client_id}": _TERMS,
    "{campus_id}": {"name": "본교", "capital_area": True},
}


async def test_every_route_that_needs_no_token_is_one_we_know(auth):
    for path, verbs in auth.app.openapi()["paths"].items():
        for verb, operation in verbs.items():
            assert bool(operation.get("security")) != ((verb, path) in PUBLIC), (verb, path)


async def test_internal_routes_are_closed_to_people_and_to_services_without_the_scope(auth):
    await auth.account()
    person = await auth.bearer()
    service = await auth.service_headers("gateway", "revocations:read")
    for headers, path, verb in (
        (person, "/internal/revocations", "get"),
        (person, "/internal/institutions/resolve", "post"),
        (person, "/internal/institutions/lookup", "post"),
        (service, "/internal/institutions/resolve", "post"),
        (service, "/internal/institutions/lookup", "post"),
        (person, "/internal/letters", "post"),
        (service, "/internal/letters", "post"),
    ):
        answer = await auth.client.request(verb, path, headers=headers)
        assert code_of(answer) == (403, "PERMISSION_DENIED"), path
    assert (await auth.client.get("/internal/revocations", headers=service)).json() == {
        "min_pv": {},
        "last": 0,
    }


async def test_a_service_token_is_no_person(auth):
    headers = await auth.service_headers("accrual", "institutions:resolve")
    answer = await auth.client.get("/api/v1/auth/password", headers=headers)
    assert code_of(answer) == (403, "PERMISSION_DENIED")


async def test_every_operation_has_a_name_of_its_own_and_a_korean_summary(auth):
    document = auth.app.openapi()
    listed = [op for verbs in document["paths"].values() for op in verbs.values()]
    names = [operation["operationId"] for operation in listed]
    assert len(names) == len(set(names))
    for operation in listed:
        assert re.search("[가-힣]", operation["summary"]) or "JWKS" in operation["summary"]
