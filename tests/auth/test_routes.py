"""Every route of the service: with no token, a foreign one, one that lacks the permission."""

import pytest

from tests.auth.conftest import code_of

PUBLIC = {
    ("post", "/api/v1/auth/token"),
    ("post", "/api/v1/auth/token/revoke"),
    ("post", "/api/v1/auth/activation"),
    ("post", "/api/v1/auth/activation/check"),
    ("post", "/api/v1/auth/reset-requests"),
    ("get", "/.well-known/jwks.json"),
    ("get", "/.well-known/oauth-authorization-server"),
}


def operations(app):
    for path, verbs in app.openapi()["paths"].items():
        for verb in verbs:
            if (verb, path) not in PUBLIC:
                yield verb, path.replace("{", "").replace("}", "")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (None, (401, "TOKEN_REQUIRED")),
        ({}, (401, "TOKEN_INVALID")),  # signed by somebody else
    ],
)
async def test_no_route_opens_without_a_token_of_ours(auth, tokens, claims, expected):
    headers = None if claims is None else tokens.headers("institutions:resolve", "accounts:admin")
    for verb, path in operations(auth.app):
        assert code_of(await auth.client.request(verb, path, headers=headers)) == expected, path


async def test_every_public_route_is_one_we_know(auth):
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


async def test_a_token_for_another_service_is_refused_here(auth):
    answer = await auth.service_token("exchange", "accrual", "ledger:transfer")
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    refused = await auth.client.get("/internal/revocations", headers=headers)
    assert code_of(refused) == (401, "TOKEN_INVALID")
