"""Where requests go, and that their target arrives byte for byte or not at all."""

import pytest

from gateway.routes import MIB, RouteTable
from tests.gateway.servers import json_of, say, status_of

HEAD = b" HTTP/1.1\r\nHost: sanhak.example\r\nConnection: close\r\n"


def request(target: bytes, *lines: bytes, method: bytes = b"GET") -> bytes:
    return method + b" " + target + HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/accrual/criteria",
        "/api/v1/accrual/criteria/",
        "/api/v1/accrual/criteria?a=b&c=%2F%00&d=//../x",
        "/api/v1/exchange/listings/%ec%82%b0%ed%95%99?q=%EC%82%B0",
        "/api/v1/grants/programmes/a;b=c,d:e@f!$&'()*+=~_-",
        "/api/v1/exchange/listings/%41%20%25",
        "/api/v1/exchange/listings/a..b/.c/..d",
        "/.well-known/oauth-authorization-server",
    ],
)
async def test_a_target_reaches_the_service_byte_for_byte(gateway, echo, target):
    answer = await say(gateway.port, request(target.encode()))
    assert status_of(answer) == 200
    seen = echo.seen[-1]
    assert seen["path"] + ("?" + seen["query"] if seen["query"] else "") == target


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accrual//criteria",
        "//api/v1/accrual/criteria",
        "/api/v1/accrual/./criteria",
        "/api/v1/accrual/x/../criteria",
        "/api/v1/accrual/criteria/..",
        "/api/v1/accrual/%2e%2e/%2e%2e/internal/ledger",
        "/api/v1/accrual/criteria%2Fx",
        "/api/v1/accrual/criteria%2fx",
        "/api/v1/accrual/criteria%5cx",
        "/api/v1/accrual/criteria%00",
        "/api/v1/accrual/criteria%0d%0aX:1",
        "/api/v1/accrual/criteria%7f",
        "/api/v1/accrual/criteria%zz",
        "/api/v1/accrual/criteria%2",
        "/api/v1/accrual/crit\\eria",
        "/api/v1/accrual/crit|eria",
        '/api/v1/accrual/crit"eria',
        "/api/v1/accrual/criteria#x",
        "/api/v1/accrual/criteria?a=b#x",
    ],
)
async def test_a_path_with_two_readings_is_refused_before_any_service_sees_it(gateway, echo, path):
    answer = await say(gateway.port, request(path.encode()))
    assert status_of(answer) == 400
    assert json_of(answer)["code"] in {"BAD_PATH", "BAD_REQUEST"}
    assert echo.seen == []


async def test_raw_bytes_beyond_ascii_in_the_target_are_refused(gateway, echo):
    for target in ("/api/v1/accrual/criteria/산학", "/api/v1/accrual/criteria?q=산학"):
        answer = await say(gateway.port, request(target.encode()))
        assert status_of(answer) == 400
    assert echo.seen == []


@pytest.mark.parametrize(
    "target",
    [
        b"http://elsewhere.example/api/v1/accrual/criteria",
        b"*",
        b"elsewhere.example:443",
        b"api/v1/accrual/criteria",
    ],
)
async def test_only_targets_that_are_paths_are_served(gateway, echo, target):
    answer = await say(gateway.port, request(target))
    assert status_of(answer) == 400
    assert echo.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/internal/revocations",
        "/internal/ledger/holds",
        "/api/v1/internal/ledger",
        "/api/v1/unknown/things",
        "/api/v1/accrual",
        "/api/v2/accrual/criteria",
        "/api/v1",
        "/api/v1/",
        "/metrics",
        "/x",
    ],
)
async def test_what_is_not_in_the_table_is_not_found(gateway, echo, tokens, path):
    bearer = b"Authorization: Bearer " + tokens.make("ledger:transfer").encode()
    answer = await say(gateway.port, request(path.encode(), bearer))
    assert (status_of(answer), json_of(answer)["code"]) == (404, "NOT_FOUND")
    assert echo.seen == []


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"PROPFIND", b"PURGE"])
async def test_unusual_methods_never_reach_a_service(gateway, echo, method):
    answer = await say(gateway.port, request(b"/api/v1/accrual/criteria", method=method))
    assert status_of(answer) in {400, 405}
    assert echo.seen == []


async def test_each_service_gets_its_own_paths():
    table = RouteTable()
    for service in ("auth", "accrual", "exchange", "grants"):
        route = table.find("GET", f"/api/v1/{service}/things/1")
        assert route is not None
        assert (route.service, route.public, route.max_body) == (service, False, MIB)


@pytest.mark.parametrize(
    ("method", "path", "public", "max_body"),
    [
        ("POST", "/api/v1/auth/token", True, MIB // 16),
        ("GET", "/api/v1/auth/token", False, MIB),
        ("GET", "/api/v1/accrual/criteria/2022", True, MIB),
        ("PUT", "/api/v1/accrual/criteria/2022", False, MIB),
        ("GET", "/api/v1/accrual/criteriax", False, MIB),
        ("GET", "/api/v1/exchange/listings", True, MIB),
        ("POST", "/api/v1/exchange/listings", False, MIB),
        ("POST", "/api/v1/accrual/applications/1/evidence", False, 12 * MIB),
        ("GET", "/api/v1/accrual/applications/1/evidence", False, MIB),
        ("POST", "/api/v1/accrual/intake/batches", False, 256 * MIB),
    ],
)
async def test_the_table_says_who_may_send_what(method, path, public, max_body):
    route = RouteTable().find(method, path)
    assert route is not None
    assert (route.public, route.max_body) == (public, max_body)
