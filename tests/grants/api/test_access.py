"""Every route asks for a token, and for the right one."""

import re
from uuid import uuid4

import pytest

from services.grants.app import create_app

PUBLIC = {
    ("get", "/api/v1/grants/programmes"),
    ("get", "/api/v1/grants/programmes/{programme_id}"),
    ("get", "/api/v1/grants/programmes/{programme_id}/rules"),
    ("get", "/api/v1/grants/certification/public/institutions"),
    ("get", "/api/v1/grants/certification/public/certificates/{number}"),
    ("get", "/api/v1/grants/forms/{code}/{version}"),
}


@pytest.fixture
def routes(runtime) -> list[tuple[str, str]]:
    paths = create_app(runtime.settings, runtime).openapi()["paths"]
    return [(verb, path) for path, verbs in paths.items() for verb in verbs]


def filled(path: str) -> str:
    return re.sub(r"{[^}]+}", lambda _match: str(uuid4()), path.replace("{version}", "1"))


async def test_every_route_needs_a_token(client, routes):
    for verb, path in routes:
        if (verb, path) not in PUBLIC:
            answer = await client.request(verb, filled(path))
            assert answer.status_code == 401, (verb, path)


async def test_every_route_refuses_a_token_without_its_permission(client, routes, tokens):
    headers = tokens.headers("something:else", institution_id=uuid4())
    for verb, path in routes:
        if (verb, path) not in PUBLIC:
            answer = await client.request(verb, filled(path), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED"), path


async def test_the_public_routes_are_public(client):
    for _verb, path in PUBLIC:
        assert (await client.get(filled(path))).status_code in (200, 404)
