"""Who is let through: the coarse check of tokens, rate limits and origins."""

import asyncio

import httpx2
import pytest

from tests.gateway.servers import running_gateway

PRIVATE = "/api/v1/accrual/applications"
PUBLIC = "/api/v1/accrual/criteria"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PRIVATE),
        ("POST", PRIVATE),
        ("DELETE", PUBLIC),
        ("GET", "/api/v1/auth/accounts"),
        ("OPTIONS", PRIVATE),
    ],
)
async def test_without_a_token_only_public_routes_open(client, echo, method, path):
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_REQUIRED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert echo.seen == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PUBLIC),
        ("GET", "/api/v1/exchange/listings/7"),
        ("GET", "/api/v1/grants/programmes"),
        ("GET", "/api/v1/grants/forms/keco-2020/1"),
        ("GET", "/api/v1/auth/notices"),
        ("GET", "/api/v1/accrual/certificates/verify/ABC"),
        ("GET", "/api/v1/accrual/ledger/checkpoint"),
        ("POST", "/api/v1/auth/token"),
        ("GET", "/.well-known/oauth-authorization-server"),
    ],
)
async def test_public_routes_need_no_token(client, method, path):
    assert (await client.request(method, path)).status_code == 200


@pytest.mark.parametrize("path", [PRIVATE, PUBLIC])
@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"lifetime": -60}, "TOKEN_EXPIRED"),
        ({"iss": "http://elsewhere"}, "TOKEN_INVALID"),
        ({"aud": "accrual"}, "TOKEN_INVALID"),
        (None, "TOKEN_INVALID"),
    ],
)
async def test_a_bad_token_is_refused_even_where_none_is_needed(
    client, echo, tokens, path, claims, code
):
    token = "nonsense" if claims is None else tokens.make(**claims)
    answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert echo.seen == []


async def test_a_good_token_passes_and_the_service_gets_it_too(client, echo, tokens):
    headers = tokens.headers("accrual:read")
    answer = await client.get(PRIVATE, headers=headers)
    assert answer.status_code == 200
    assert dict(echo.seen[-1]["headers"])["authorization"] == headers["Authorization"]


async def test_client_credentials_for_the_token_endpoint_pass(client, echo):
    answer = await client.post("/api/v1/auth/token", auth=("partner", "secret"), data={"a": "b"})
    assert answer.status_code == 200
    assert dict(echo.seen[-1]["headers"])["authorization"].startswith("Basic ")


async def test_basic_credentials_open_nothing_else(client):
    assert (await client.get(PRIVATE, auth=("partner", "secret"))).status_code == 401


async def test_keys_and_revocations_come_from_the_auth_service(echo, echo_url, tokens):
    """Without a key source of the test's own: everything over HTTP, as in production."""
    headers = tokens.headers("accrual:read", sub="0199-account")
    with running_gateway(echo_url) as real:
        async with httpx2.AsyncClient(base_url=real.url, trust_env=False) as client:
            assert (await client.get(PRIVATE, headers=headers)).status_code == 200
            echo.revoked["sub:0199-account"] = 2
            for _ in range(50):
                answer = await client.get(PRIVATE, headers=headers)
                if answer.status_code != 200:
                    break
                await asyncio.sleep(0.1)
            assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_REVOKED")


async def test_without_the_auth_service_a_token_is_not_called_wrong(echo_url, tokens):
    services = dict.fromkeys(("accrual", "exchange", "grants"), echo_url)
    with running_gateway({"auth": "http://127.0.0.1:1", **services}) as alone:
        async with httpx2.AsyncClient(base_url=alone.url, trust_env=False) as client:
            answer = await client.get(PRIVATE, headers=tokens.headers("accrual:read"))
            assert (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
            assert answer.headers["retry-after"]
            assert (await client.get(PUBLIC)).status_code == 200


@pytest.fixture(scope="module")
def strict(echo_url, tokens):
    with running_gateway(
        echo_url,
        tokens,
        limit_login="3/3600",
        limit_public="4/3600",
        limit_user="2/3600",
        limit_partner="5/3600",
    ) as running_one:
        yield running_one


async def statuses(url: str, count: int, method: str, path: str, **options) -> list:
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        return [await client.request(method, path, **options) for _ in range(count)]


async def test_each_class_of_caller_has_its_own_limit(strict, tokens):
    user, other = tokens.headers(sub="a"), tokens.headers(sub="b")
    partner = tokens.headers(sub="p", client_id="p", sid=None)
    for allowed, options in (
        (3, {"method": "POST", "path": "/api/v1/auth/token"}),
        (4, {"method": "GET", "path": PUBLIC}),
        (2, {"method": "GET", "path": PRIVATE, "headers": user}),
        (2, {"method": "GET", "path": PRIVATE, "headers": other}),
        (5, {"method": "GET", "path": PRIVATE, "headers": partner}),
    ):
        answers = await statuses(strict.url, allowed + 2, **options)
        assert [a.status_code for a in answers] == [200] * allowed + [429] * 2


async def test_limits_are_told_in_the_answer(echo_url, tokens):
    with running_gateway(echo_url, tokens, limit_user="2/3600") as running_one:
        answers = await statuses(
            running_one.url, 3, "GET", PRIVATE, headers=tokens.headers(sub="c")
        )
    assert [a.headers["ratelimit-policy"] for a in answers] == ['"user";q=2;w=3600'] * 3
    left = [a.headers["ratelimit"].split(";")[1] for a in answers]
    assert left == ["r=1", "r=0", "r=0"]
    refused = answers[-1]
    assert refused.json()["code"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(refused.headers["retry-after"]) <= 3601


ORIGIN = {"Origin": "https://portal.example"}


async def test_a_listed_origin_may_ask_and_read(client, tokens):
    headers = ORIGIN | {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,if-match",
    }
    preflight = await client.options(PRIVATE, headers=headers)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://portal.example"
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert "If-Match" in preflight.headers["access-control-allow-headers"]
    answer = await client.get(PRIVATE, headers=ORIGIN | tokens.headers())
    assert answer.headers["access-control-allow-origin"] == "https://portal.example"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://portal.example.evil.example",
        "null",
        "http://portal.example",
    ],
)
async def test_any_other_origin_is_told_nothing(client, echo, origin):
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    preflight = await client.options(PRIVATE, headers=headers)
    assert preflight.status_code == 204
    answer = await client.get(PUBLIC, headers={"Origin": origin})
    for got in (preflight, answer):
        assert not [name for name in got.headers if name.startswith("access-control-")]
        assert got.headers["vary"] == "Origin"


async def test_even_a_refusal_can_be_read_by_a_listed_origin(client):
    answer = await client.get(PRIVATE, headers=ORIGIN)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://portal.example"


async def test_a_refusal_speaks_the_callers_language(client):
    korean = await client.get(PRIVATE)
    english = await client.get(PRIVATE, headers={"Accept-Language": "en-US,ko"})
    assert korean.json()["title"] == "로그인이 필요합니다."
    assert english.json()["title"] == "Authentication is required."
    for answer in (korean, english):
        assert answer.json()["trace_id"] == answer.headers["x-trace-id"]
        assert answer.json()["instance"] == PRIVATE


async def test_the_access_log_names_the_route_and_never_the_path_or_the_token(
    client, gateway, tokens
):
    headers = tokens.headers("accrual:read", sub="0199-log")
    secret = "김연구-900101"
    await client.get(f"{PRIVATE}/{secret}?name={secret}", headers=headers)
    for _ in range(50):
        lines = [line for line in gateway.log() if line.get("sub") == "0199-log"]
        if lines:
            break
        await asyncio.sleep(0.1)
    line = lines[0]
    assert (line["event"], line["method"], line["status"]) == ("request", "GET", 200)
    assert (line["route"], line["client_id"], line["process"]) == ("accrual", "portal", "gateway")
    assert len(line["trace_id"]) == 32
    everything = "".join(gateway.lines)
    assert "900101" not in everything
    assert "%EA" not in everything.upper()
    assert headers["Authorization"][10:] not in everything
