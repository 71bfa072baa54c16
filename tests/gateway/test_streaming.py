"""Bodies go through as they come, in both directions, within their limits and in little memory."""

import asyncio
import gc
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.conftest import ISSUER
from tests.gateway.servers import (
    PATIENCE,
    SECRET,
    body_of,
    connection,
    header_lines,
    read_all,
    say,
    status_of,
)

ROOT = Path(__file__).parents[2]
MIB = 2**20
UPLOAD = "/api/v1/accrual/applications/1/evidence"
JSON = "/api/v1/accrual/applications"


def data(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


async def pieces(size: int, piece: int = 65536) -> AsyncIterator[bytes]:
    whole = data(size)
    for start in range(0, size, piece):
        yield whole[start : start + piece]


@pytest.mark.parametrize("size", [0, 1, 65536, 1_000_000, 8 * MIB])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_arrives_whole(client, tokens, size, chunked):
    content = pieces(size) if chunked else data(size)
    answer = await client.post(UPLOAD, content=content, headers=tokens.headers())
    assert answer.status_code == 200
    assert answer.json()["size"] == size
    assert answer.json()["sha256"] == hashlib.sha256(data(size)).hexdigest()


async def test_a_request_without_a_body_gets_none(client, tokens):
    for method in ("POST", "PUT", "DELETE", "GET"):
        answer = await client.request(method, JSON, headers=tokens.headers())
        assert (answer.status_code, answer.json()["size"]) == (200, 0)
        assert "transfer-encoding" not in dict(answer.json()["headers"])


async def test_a_body_reaches_the_service_before_it_is_complete(gateway, tokens):
    """The service answers early, so it has the beginning while the rest is still unsent."""
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(post(f"{JSON}/early", tokens, b"Content-Length: 500000") + data(100_000))
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 409


def post(path: str, tokens, *lines: bytes) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tokens.make()}\r\n".encode()
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
    )


@pytest.mark.parametrize(
    ("path", "limit"), [(JSON, MIB), (UPLOAD, 12 * MIB), ("/api/v1/auth/token", MIB // 16)]
)
async def test_a_body_over_the_routes_limit_is_refused(client, echo, tokens, path, limit):
    headers = tokens.headers()
    announced = await client.post(path, content=data(limit + 1), headers=headers)
    counted = await client.post(path, content=pieces(limit + 1), headers=headers)
    for answer in (announced, counted):
        assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert echo.seen == []  # a cut body never looked complete
    assert (await client.post(path, content=data(limit), headers=headers)).status_code == 200


async def test_a_body_nobody_reads_is_not_read_for_ever(gateway, tokens):
    async with asyncio.timeout(3 * PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(post(JSON, tokens, b"Content-Length: 900000000"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert status_of(head) == 413
        await reader.readexactly(int(header_lines(head, b"content-length")[0]))
        assert await read_all(reader) == b""  # closed from the other side


async def test_a_refused_client_is_not_asked_to_send_its_body(gateway, tokens):
    asking = post(JSON, tokens, b"Expect: 100-continue", b"Content-Length: 5")
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        writer.write(asking)
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 100
        writer.write(b"hello")
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 200
    async with asyncio.timeout(PATIENCE), connection(gateway.port) as (reader, writer):
        token = next(line for line in asking.split(b"\r\n") if line.startswith(b"Authorization"))
        writer.write(asking.replace(token + b"\r\n", b""))
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 401


async def test_answers_without_a_body_stay_so(gateway, tokens):
    for name, status in (("no-content", 204), ("not-modified", 304)):
        get = post(f"{JSON}/{name}", tokens, b"Connection: close").replace(b"POST", b"GET", 1)
        answer = await say(gateway.port, get)
        assert (status_of(answer), body_of(answer)) == (status, b"")
        assert header_lines(answer, b"transfer-encoding") == []
    assert header_lines(answer, b"etag") == [b'"7"']


async def test_head_tells_the_length_and_sends_nothing(gateway, tokens):
    get = post(f"{JSON}/gzip", tokens, b"Connection: close")
    answer = await say(gateway.port, get.replace(b"POST", b"HEAD", 1))
    assert (status_of(answer), body_of(answer)) == (200, b"")
    assert header_lines(answer, b"content-length") == [b"27"]


async def test_redirects_and_compressed_bodies_are_passed_on_untouched(gateway, tokens):
    answer = await say(gateway.port, post(f"{JSON}/redirect", tokens, b"Connection: close"))
    assert status_of(answer) == 307
    assert header_lines(answer, b"location") == [b"/elsewhere?a=%2F"]
    answer = await say(gateway.port, post(f"{JSON}/gzip", tokens, b"Connection: close"))
    assert header_lines(answer, b"content-encoding") == [b"gzip"]
    assert body_of(answer)[:3] == b"\x1f\x8b\x08"


async def test_a_long_answer_arrives_whole(client, tokens):
    size = 0
    async with client.stream("GET", f"{JSON}/big", headers=tokens.headers()) as answer:
        async for chunk in answer.aiter_raw():
            size += len(chunk)
    assert size == 200 * MIB


async def test_an_event_arrives_when_it_is_sent_and_leaving_ends_the_stream(client, echo, tokens):
    async with asyncio.timeout(PATIENCE):
        async with client.stream("GET", f"{JSON}/events", headers=tokens.headers()) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            assert await anext(answer.aiter_raw()) == b"data: 1\n\n"
            assert not echo.gone.is_set()
        assert await asyncio.to_thread(echo.gone.wait, 5)


@pytest.mark.parametrize("name", ["never", "big"])
async def test_a_client_that_leaves_frees_the_service(gateway, echo, tokens, name):
    """Waiting for the first byte, or not reading a long answer: the service notices within 1 s."""
    get = post(f"{JSON}/{name}", tokens).replace(b"POST", b"GET", 1)
    async with connection(gateway.port) as (_, writer):
        writer.write(get)
        await asyncio.sleep(0.3)
        writer.transport.abort()
    assert await asyncio.to_thread(echo.gone.wait, 5)


async def test_a_client_that_leaves_while_sending_never_makes_a_complete_request(
    gateway, echo, tokens
):
    for line in (b"Content-Length: 800000", b"Transfer-Encoding: chunked"):
        async with connection(gateway.port) as (_, writer):
            writer.write(post(JSON, tokens, line) + b"20000\r\n" + data(0x20000) + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)
    await asyncio.sleep(0.3)
    assert echo.seen == []


@pytest.fixture(scope="module")
def process(echo_url: str) -> Iterator[tuple[int, str]]:
    """`python -m gateway` as it runs in production: its process id and address."""
    names = ("AUTH_URL", "ACCRUAL_URL", "EXCHANGE_URL", "GRANTS_URL")
    env = dict.fromkeys(names, echo_url) | {
        "CLIENT_SECRET_GATEWAY": SECRET,
        "TOKEN_ISSUER": ISSUER,
        "PORT": str(free_port()),
        "PATH": os.environ["PATH"],
        "DRAIN_SECONDS": "2",
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "gateway"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{env['PORT']}"
    try:
        wait_until_ready(url)
        yield running.pid, url
    finally:
        running.kill()
        running.wait()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str) -> None:
    import time

    with httpx2.Client(trust_env=False) as client:
        for _ in range(100):
            try:
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    raise AssertionError("the gateway does not get ready")


def resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
async def test_bodies_pass_in_flat_memory(process, tokens):
    pid, url = process
    port = int(url.rpartition(":")[2])
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:

        async def upload(chunked: bool) -> None:
            content = pieces(10 * MIB) if chunked else data(10 * MIB)
            answer = await client.post(UPLOAD, content=content, headers=tokens.headers())
            assert answer.status_code == 200

        await upload(False)
        before = resident_kib(pid)
        for chunked in (False, True, False, True):
            await upload(chunked)
        assert resident_kib(pid) - before < 8 * 1024
    get = post(f"{JSON}/big", tokens).replace(b"POST", b"GET", 1)
    async with connection(port) as (reader, writer):
        writer.write(get)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1.5)  # 200 MB on offer, and nobody reads
        assert resident_kib(pid) - before < 8 * 1024
        writer.transport.abort()


async def test_told_to_stop_it_is_first_not_ready_then_finishes_what_it_has(process, tokens):
    """The last test of this module: it ends the process."""
    pid, url = process
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        slow = asyncio.create_task(client.get(f"{JSON}/slow", headers=tokens.headers()))
        await asyncio.sleep(0.3)
        os.kill(pid, signal.SIGTERM)
        await asyncio.sleep(0.3)
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["draining"]) == (503, "yes")
        assert ready.headers["connection"] == "close"
        still = await client.get(JSON, headers=tokens.headers())
        assert still.status_code == 200
        assert (await slow).json() == {"slow": True}
        late = asyncio.create_task(client.get(f"{JSON}/slow", headers=tokens.headers()))
        await asyncio.sleep(1.0)
        assert (await late).json() == {"slow": True}
        for _ in range(100):
            try:
                await client.get("/healthz")
            except httpx2.TransportError:
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail("the gateway does not stop")


async def test_a_request_that_is_over_is_forgotten_without_the_collector(client, tokens):
    """What hung together in a circle would lie about until the collector comes, which is rare."""

    def known() -> int:
        return sum(isinstance(thing, RequestResponseCycle) for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = known()
        for _ in range(20):
            assert (await client.get(JSON, headers=tokens.headers())).status_code == 200
            assert (await client.get("/nothing")).status_code == 404
            assert (await client.get(JSON)).status_code == 401
        assert known() - before < 20  # the last ones may not be quite over
    finally:
        gc.enable()
