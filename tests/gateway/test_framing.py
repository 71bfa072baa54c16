"""Requests that could be read in two ways, are too large, or take too long to be asked."""

import asyncio
import os
import socket

import pytest

from gateway.protocol import GuardedProtocol
from tests.gateway.servers import (
    PATIENCE,
    connection,
    header_lines,
    json_of,
    read_all,
    running_gateway,
    say,
    status_of,
    until,
)

PATH = b"/api/v1/accrual/criteria"
GET = b"GET " + PATH + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
POST = b"POST /api/v1/accrual/criteria/calculate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        POST + b"Content-Length: 5, 5\r\n\r\nhello",
        POST + b"Content-Length: +5\r\n\r\nhello",
        POST + b"Content-Length: 0x5\r\n\r\nhello",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nz\r\nhello\r\n0\r\n\r\n",
        POST + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 5\r\n\r\nhello",
        GET + b"Host: y\r\n\r\n",
        GET + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
        GET + b"X : y\r\n\r\n",
        GET + b"X: a\r\n b\r\n\r\n",
        GET + b"X: a\x00b\r\n\r\n",
        GET + b"X: \xff\xfe\r\n\r\n",
        GET + b"X: a\nY: b\r\n\r\n",
        GET.replace(b"\r\n", b"\n") + b"\n",
        GET.replace(b"Host: x\r\n", b"") + b"\r\n",
        GET.replace(b"Host: x", b"Host: x/y@z") + b"\r\n",
        GET.replace(b"HTTP/1.1", b"HTTP/2.0") + b"\r\n",
        GET.replace(b"HTTP/1.1", b"HTTP/0.9") + b"\r\n",
        POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"GET " + PATH + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_a_request_with_two_readings_is_refused_and_no_service_sees_it(
    gateway, echo, request_bytes
):
    answer = await say(gateway.port, request_bytes)
    assert status_of(answer) == 400
    assert header_lines(answer, b"content-type") == [b"application/problem+json"]
    assert json_of(answer)["code"] == "BAD_REQUEST"
    assert json_of(answer)["trace_id"] == header_lines(answer, b"x-trace-id")[0].decode()
    assert echo.seen == []


async def test_what_follows_a_refused_request_is_never_taken_for_another(gateway, echo):
    smuggled = b"GET /api/v1/accrual/criteria/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    for lines in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 5\r\n\r\n",
    ):
        answer = await say(gateway.port, POST + lines + smuggled)
        assert answer.count(b"HTTP/1.1 ") == 1
    assert echo.seen == []


async def test_an_upgrade_is_answered_as_if_it_had_not_been_asked_for(gateway, echo):
    lines = b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    answer = await say(gateway.port, GET.replace(b"Connection: close\r\n", b"") + lines + GET)
    assert status_of(answer) == 200
    assert answer.count(b"HTTP/1.1 ") == 1  # what follows is of the other protocol, if anything
    assert header_lines(answer, b"connection") == [b"close"]
    names = {name for name, _ in echo.seen[-1]["headers"]}
    assert not names & {"upgrade", "connection"}


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        (b"X: " + b"a" * 33_000 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
        (b"X: " + b"a" * 1_000_000 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
        (b"".join(b"X%d: a\r\n" % n for n in range(101)), 431, "HEADERS_TOO_LARGE"),
        (b"".join(b"X%d: %s\r\n" % (n, b"a" * 400) for n in range(90)), 431, "HEADERS_TOO_LARGE"),
    ],
)
async def test_headers_have_a_limit(gateway, echo, lines, status, code):
    answer = await say(gateway.port, GET + lines + b"\r\n")
    assert (status_of(answer), json_of(answer)["code"]) == (status, code)
    assert echo.seen == []


@pytest.mark.parametrize("size", [5_000, 1_000_000])
async def test_targets_have_a_limit(gateway, echo, size):
    request_bytes = GET.replace(PATH, PATH + b"?q=" + b"a" * size) + b"\r\n"
    answer = await say(gateway.port, request_bytes)
    assert (status_of(answer), json_of(answer)["code"]) == (414, "TARGET_TOO_LONG")
    assert echo.seen == []


async def test_large_but_allowed_heads_pass(gateway, echo):
    lines = b"".join(b"X%d: %s\r\n" % (n, b"a" * 300) for n in range(90))
    target = PATH + b"?q=" + b"a" * 4_000
    answer = await say(gateway.port, GET.replace(PATH, target) + lines + b"\r\n")
    assert status_of(answer) == 200


async def test_pipelined_requests_are_answered_in_order(gateway, echo):
    first = GET.replace(PATH, PATH + b"/slow").replace(b"Connection: close\r\n", b"")
    answer = await say(gateway.port, first + b"\r\n" + GET.replace(PATH, PATH + b"/2") + b"\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.index(b'{"slow":true}') < answer.index(PATH + b"/2")


async def test_many_requests_sent_ahead_of_a_slow_answer_take_no_memory(gateway, echo):
    """Each would be some kilobytes here for its 40 bytes there."""
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    first = GET.replace(PATH, PATH + b"/never").replace(b"Connection: close\r\n", b"")
    async with asyncio.timeout(6 * PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(first + b"\r\n")
        mine = await _the_one_from(
            writer.get_extra_info("sockname"), gateway.server.server_state.connections
        )
        await until(lambda: mine.cycle is not None)
        writer.write(head * 6_000)
        assert await read_all(reader) == b""  # nobody's turn to be told: closed
    assert len(mine.pipeline) <= GuardedProtocol.max_pipelined


async def test_a_client_of_http_1_0_gets_what_has_a_length_and_nothing_it_would_misread(
    gateway, echo
):
    old = GET.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Connection: close\r\n", b"")
    answer = await say(gateway.port, old + b"\r\n")
    assert status_of(answer) == 200
    assert header_lines(answer, b"content-length")
    answer = await say(gateway.port, old.replace(PATH, PATH + b"/big") + b"\r\n")
    assert (status_of(answer), json_of(answer)["code"]) == (505, "HTTP_VERSION_TOO_OLD")


async def test_a_malformed_second_request_does_not_pose_as_the_first_ones_answer(gateway, echo):
    first = GET.replace(PATH, PATH + b"/slow").replace(b"Connection: close\r\n", b"")
    answer = await say(gateway.port, first + b"\r\n" + b"nonsense\r\n\r\n")
    assert b"400 Bad Request" not in answer


async def test_a_connection_serves_many_requests(gateway, echo):
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        for number in range(3):
            writer.write(
                b"POST /api/v1/accrual/criteria/calculate HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 1\r\n\r\n%d" % number
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert status_of(head) == 200
            await reader.readexactly(int(header_lines(head, b"content-length")[0]))
    assert len(echo.seen) == 3


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


async def test_trailers_do_not_become_headers(gateway, echo):
    trailers = b"X-Forwarded-For: 203.0.113.9\r\nIdempotency-Key: 7\r\nAuthorization: Bearer x\r\n"
    answer = await say(gateway.port, CHUNKED + trailers + b"\r\n")
    assert status_of(answer) == 200
    names = dict(echo.seen[-1]["headers"])
    assert not {"idempotency-key", "authorization"} & set(names)
    assert names["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(
    "beginning", [CHUNKED + b"X: ", CHUNKED[:-3] + b"2;x=", CHUNKED + b"X: 1\r\n" * 9_000]
)
async def test_what_is_neither_head_nor_body_ends_soon(gateway, echo, beginning):
    """An endless trailer or chunk extension, which the parser would collect in memory."""
    sent = 0
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(beginning)
        reading = asyncio.create_task(read_all(reader))
        while not reading.done() and sent < 64 * 2**20:
            writer.write(b"a" * 65536)
            sent += 65536
            await asyncio.sleep(0.001)
        assert reading.done()
    assert sent < 8 * 2**20
    assert echo.seen == []


async def test_heads_and_bodies_sent_apart_never_add_up_to_a_refusal(gateway, echo):
    """As most clients send them, request after request on one connection."""
    head = POST.replace(b"Connection: close", b"Connection: keep-alive")
    head += b"X: " + b"a" * 1_500 + b"\r\nContent-Length: 2\r\n\r\n"
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        for _ in range(40):
            writer.write(head)
            await writer.drain()
            await asyncio.sleep(0.005)
            writer.write(b"{}")
            answer = await reader.readuntil(b"\r\n\r\n")
            assert status_of(answer) == 200
            (length,) = header_lines(answer, b"content-length")
            await reader.readexactly(int(length))
    assert len(echo.seen) == 40


async def test_an_answer_nobody_reads_does_not_keep_the_connection(gateway, monkeypatch):
    monkeypatch.setattr(GuardedProtocol, "unread_seconds", 0.3)
    connections = gateway.server.server_state.connections
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (_, writer):
        writer.transport.pause_reading()
        mine = await _the_one_from(writer.get_extra_info("sockname"), connections)
        # The kernel takes little, so that the end of the answer has to wait in the gateway.
        with socket.socket(fileno=os.dup(mine.transport.get_extra_info("socket").fileno())) as its:
            its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        writer.write(GET.replace(PATH, b"/docs/swagger-ui-bundle.js") + b"\r\n")
        for _ in range(50):
            await asyncio.sleep(0.1)
            if mine not in connections:
                break
        assert mine not in connections


async def _the_one_from(address: tuple[str, int], connections: set) -> GuardedProtocol:
    while True:
        for found in tuple(connections):
            if found.client == address:
                return found
        await asyncio.sleep(0.02)


@pytest.fixture
def impatient(monkeypatch):
    """Request heads must arrive within a moment."""
    monkeypatch.setattr(GuardedProtocol, "head_seconds", 0.4)
    monkeypatch.setattr(GuardedProtocol, "linger_seconds", 0.4)


async def test_a_head_that_trickles_in_is_cut_off(gateway, echo, impatient):
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        trickle = asyncio.create_task(_trickle(writer, GET + b"X: " + b"a" * 10_000))
        answer = await read_all(reader)
        trickle.cancel()
    assert (status_of(answer), json_of(answer)["code"]) == (408, "REQUEST_TIMEOUT")
    assert echo.seen == []


async def _trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
    for byte in data:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("beginning", [b"", b"\r\n", b"\r\n\r\n"])
async def test_a_connection_that_asks_nothing_is_closed(gateway, impatient, beginning):
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(beginning)
        assert await read_all(reader) == b""


async def test_line_ends_between_requests_do_not_keep_a_connection_open(gateway, impatient):
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(GET.replace(b"Connection: close\r\n", b"") + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\r\n")
        await read_all(reader)


async def test_a_slow_answer_is_not_taken_for_a_slow_head(gateway, echo, impatient):
    slow = GET.replace(PATH, PATH + b"/slow") + b"\r\n"
    assert status_of(await say(gateway.port, slow)) == 200


async def test_connections_beyond_the_limit_are_told_so(echo_url, tokens):
    with running_gateway(echo_url, tokens, max_connections=2) as small:
        async with connection(small.port), connection(small.port):
            await asyncio.sleep(0.1)
            answer = await say(small.port, GET + b"\r\n")
            assert (status_of(answer), json_of(answer)["code"]) == (503, "TOO_MANY_CONNECTIONS")
            assert header_lines(answer, b"retry-after")
