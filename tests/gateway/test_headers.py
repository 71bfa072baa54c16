"""Which headers pass, which end here, and which the gateway sets."""

import pytest

from tests.gateway.servers import header_lines, json_of, running_gateway, say, status_of

GET = b"GET /api/v1/accrual/criteria HTTP/1.1\r\nHost: sanhak.example\r\nConnection: close\r\n"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def forwarded(port: int, *lines: bytes) -> dict[str, list[str]]:
    """The headers the service got for a GET with these lines."""
    answer = await say(port, GET + b"".join(line + b"\r\n" for line in lines) + b"\r\n")
    assert status_of(answer) == 200, answer
    found: dict[str, list[str]] = {}
    for name, value in json_of(answer)["headers"]:
        found.setdefault(name, []).append(value)
    return found


async def test_ordinary_headers_pass_unchanged(gateway):
    seen = await forwarded(
        gateway.port,
        b"Accept-Language: en-GB",
        b'Cookie: a=b; c=%20"d"',
        b"Cookie: e=f",
        b"Idempotency-Key: 7",
        b'If-Match: "3"',
        b"X-Requested-With: fetch",
        "X-Name: 산학".encode(),
        b"tracestate: a=b",
    )
    assert seen["accept-language"] == ["en-GB"]
    assert seen["cookie"] == ['a=b; c=%20"d"', "e=f"]
    assert seen["idempotency-key"] == ["7"]
    assert seen["if-match"] == ['"3"']
    assert seen["x-requested-with"] == ["fetch"]
    assert seen["x-name"][0].encode("latin-1").decode() == "산학"
    assert seen["tracestate"] == ["a=b"]


async def test_nothing_is_added_that_the_client_did_not_say(gateway):
    seen = await forwarded(gateway.port)
    assert set(seen) == {
        "host",
        "traceparent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
    }


async def test_hop_by_hop_headers_and_those_connection_names_end_here(gateway):
    seen = await forwarded(
        gateway.port,
        b"Connection: X-Secret, keep-alive",
        b"Connection: X-Other",
        b"X-Secret: 1",
        b"X-Other: 1",
        b"Keep-Alive: timeout=5",
        b"TE: trailers",
        b"Trailer: X",
        b"Proxy-Authorization: Basic eA==",
        b"Proxy-Connection: keep-alive",
        b"HTTP2-Settings: x",
        b"Expect: something",
    )
    assert not set(seen) & {
        "connection",
        "x-secret",
        "x-other",
        "keep-alive",
        "te",
        "trailer",
        "proxy-authorization",
        "proxy-connection",
        "http2-settings",
        "expect",
    }


async def test_headers_that_claim_to_know_the_caller_never_reach_a_service(gateway):
    names = (
        "X-User-Id", "X-User", "X-Org-Id", "X-Account", "X-Role", "X-Institution-Id",
        "X-Auth-Request-User", "X-Remote-User", "X-Authenticated-User", "X-Forwarded-User",
        "X-Internal-Call", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP",
        "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix",
        "Remote-User", "X_User_Id", "Content_Length", "Forwarded", "Via", "X-Trace-Id",
    )  # fmt: skip
    seen = await forwarded(gateway.port, *(f"{name}: admin".encode() for name in names))
    assert not {name.lower() for name in names} & set(seen)
    assert "admin" not in {value for values in seen.values() for value in values}


async def test_the_forwarding_headers_are_ours_alone(gateway):
    seen = await forwarded(
        gateway.port,
        b"X-Forwarded-For: 203.0.113.9",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: evil.example",
    )
    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["http"]
    assert seen["x-forwarded-host"] == ["sanhak.example"]
    assert seen["host"] == [gateway.gateway.settings.accrual_url.removeprefix("http://")]


@pytest.fixture(scope="module")
def behind_proxy(echo_url, tokens):
    with running_gateway(
        echo_url, tokens, trusted_proxies="127.0.0.0/8, 10.0.0.0/8"
    ) as running_one:
        yield running_one


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b"198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what stands left of a stranger is his word
        (b"203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (b"203.0.113.9, nonsense, 10.1.2.3", "10.1.2.3"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"nonsense", "127.0.0.1"),
    ],
)
async def test_trusted_proxies_say_where_a_request_comes_from(behind_proxy, said, believed):
    seen = await forwarded(
        behind_proxy.port,
        b"X-Forwarded-For: " + said,
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: portal.example",
    )
    assert seen["x-forwarded-for"] == [believed]
    assert seen["x-forwarded-proto"] == ["https"]
    assert seen["x-forwarded-host"] == ["portal.example"]


async def test_a_trace_is_continued_and_named_in_the_answer(gateway):
    lines = f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nX-Request-ID: my-request_1\r\n\r\n"
    answer = await say(gateway.port, GET + lines.encode())
    headers = dict(json_of(answer)["headers"])
    version, trace, span, flags = headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != "00f067aa0ba902b7"
    assert headers["x-request-id"] == "my-request_1"
    assert header_lines(answer, b"x-trace-id") == [TRACE.encode()]
    assert header_lines(answer, b"x-request-id") == [b"my-request_1"]


@pytest.mark.parametrize(
    "line",
    [
        b"traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        b"traceparent: nonsense",
        b"X-Request-ID: " + b"a" * 65,
        b"X-Request-ID: a b",
        "X-Request-ID: 가".encode(),
    ],
)
async def test_an_unusable_trace_or_request_id_is_replaced(gateway, line):
    seen = await forwarded(gateway.port, line)
    trace = seen["traceparent"][0].split("-")[1]
    assert len(trace) == 32
    assert set(trace) != {"0"}
    assert seen["x-request-id"] == [trace]


async def test_answers_keep_what_the_service_said_once_and_lose_what_is_of_the_hop(client, gateway):
    answer = await say(gateway.port, GET.replace(b"/criteria", b"/criteria/cookies") + b"\r\n")
    assert header_lines(answer, b"set-cookie") == [b"a=1; Path=/", b"b=2; HttpOnly"]
    for name in (b"date", b"content-length", b"content-type", b"x-trace-id", b"x-request-id"):
        assert len(header_lines(answer, name)) == 1
    assert header_lines(answer, b"server") == []
    assert header_lines(answer, b"connection") == [b"close"]


async def test_every_answer_forbids_what_a_browser_should_not_do(gateway):
    for target in (b"/criteria", b"/nothing-here"):
        answer = await say(gateway.port, GET.replace(b"/criteria", target) + b"\r\n")
        assert header_lines(answer, b"x-content-type-options") == [b"nosniff"]
        assert header_lines(answer, b"referrer-policy") == [b"no-referrer"]
        assert header_lines(answer, b"content-security-policy") == [
            b"default-src 'none'; frame-ancestors 'none'"
        ]
        assert header_lines(answer, b"strict-transport-security") == []


async def test_in_production_browsers_are_told_to_stay_with_https(echo_url, tokens):
    with running_gateway(echo_url, tokens, environment="production") as strict:
        answer = await say(strict.port, GET + b"\r\n")
    assert header_lines(answer, b"strict-transport-security")
