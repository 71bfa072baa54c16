"""Real servers for the gateway's tests: uvicorn in a thread of its own, or bare sockets that
misbehave on purpose; and a client that sends exactly the bytes it is given."""

import asyncio
import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from gateway.app import Gateway
from gateway.server import server as gateway_server
from gateway.settings import Settings
from tests.conftest import ISSUER

SECRET = "test-secret-of-thirty-two-characters!"
PATIENCE = 10.0


@contextlib.contextmanager
def running(server: uvicorn.Server) -> Iterator[int]:
    """The server in a thread, and its port."""

    async def serve() -> None:
        await server.serve()
        for left in list(server.server_state.connections):
            left.transport.abort()
        await asyncio.sleep(0.01)  # turns of the loop, in which the last connections close

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    deadline = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if server.started:
            break
        deadline.wait(0.01)
    assert server.started
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def uvicorn_of(app: Any) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            port=0,
            log_config=None,
            access_log=False,
            http="httptools",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            proxy_headers=False,
        )
    )


@contextlib.contextmanager
def running_gateway(
    upstream: str | dict[str, str], keys: Any = None, routes: Any = None, **settings: Any
) -> Iterator["RunningGateway"]:
    """A gateway whose services are all at one address, or each at its own; without a portal,
    unless `portal_build` says where one is."""
    settings.setdefault("portal_build", Path("/nowhere"))
    if isinstance(upstream, str):
        upstream = dict.fromkeys(("auth", "accrual", "exchange", "grants"), upstream)
    lines: list[str] = []
    gateway = Gateway(
        Settings(
            client_secret=SECRET,
            port=0,
            token_issuer=ISSUER,
            **{f"{name}_url": url for name, url in upstream.items()},
            **settings,
        ),
        keys=keys,
        routes=routes,
        write_log=lines.append,
    )
    server = gateway_server(gateway)
    server.config.timeout_graceful_shutdown = 2
    with running(server) as port:
        yield RunningGateway(gateway, server, port, lines)


@dataclass
class RunningGateway:
    gateway: Gateway
    server: uvicorn.Server
    port: int
    lines: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in "".join(self.lines).splitlines()]


@dataclass
class Echo:
    """Stands for the four services: answers with what it was asked, and a few paths specially.

    As the auth service it publishes `jwk` and `revoked`, which the gateway follows over HTTP.
    """

    jwk: dict[str, Any]
    seen: list[dict[str, Any]] = field(default_factory=list)
    revoked: dict[str, int] = field(default_factory=dict)
    gone: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        name = scope["path"].rstrip("/").rpartition("/")[2]
        name = name.replace("-", "_").removesuffix(".json")
        special = getattr(self, f"_{name}", self._echo)
        await special(scope, receive, send)

    async def _echo(self, scope: Any, receive: Any, send: Any) -> None:
        size, digest = 0, hashlib.sha256()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # never a complete request
            chunk = message.get("body", b"")
            size += len(chunk)
            digest.update(chunk)
            more = message.get("more_body", False)
        record = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [[n.decode(), v.decode("latin-1")] for n, v in scope["headers"]],
            "size": size,
            "sha256": digest.hexdigest(),
        }
        self.seen.append(record)
        await answer(send, 200, json.dumps(record).encode())

    async def _token(self, scope: Any, receive: Any, send: Any) -> None:
        """The gateway itself gets a token; what others send is echoed."""
        basic = b"Basic " + base64.b64encode(f"gateway:{SECRET}".encode())
        if dict(scope["headers"]).get(b"authorization") == basic:
            await answer(send, 200, b'{"access_token":"of-the-gateway","expires_in":300}')
        else:
            await self._echo(scope, receive, send)

    async def _revocations(self, scope: Any, receive: Any, send: Any) -> None:
        body = {"min_pv": self.revoked, "last": len(self.revoked)}
        await answer(send, 200, json.dumps(body).encode())

    async def _jwks(self, scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, json.dumps({"keys": [self.jwk]}).encode())

    async def _readyz(self, scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, b'{"status":"ready"}')

    async def _cookies(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; HttpOnly")]
        await answer(send, 200, b"{}", headers)

    async def _gzip(self, scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, GZIPPED, [(b"content-encoding", b"gzip")])

    async def _no_content(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _not_modified(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"etag", b'"7"')]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _redirect(self, scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 307, b"", [(b"location", b"/elsewhere?a=%2F")])

    async def _big(self, scope: Any, receive: Any, send: Any) -> None:
        await stream(send, receive, self.gone, (b"x" * 65536 for _ in range(3200)))

    async def _events(self, scope: Any, receive: Any, send: Any) -> None:
        """Server-sent events: one, then silence until the client leaves."""
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    async def _never(self, scope: Any, receive: Any, send: Any) -> None:
        """No answer at all until the client leaves."""
        self.seen.append({"path": scope["path"]})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    async def _slow(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1.0)
        await answer(send, 200, b'{"slow":true}')

    async def _early(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuses before it has read the body."""
        await answer(send, 409, b'{"early":true}')


GZIPPED = bytes.fromhex("1f8b08000000000000034bcc4b54c84e2d07000d2c6d1b07000000")


async def answer(
    send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *(headers or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def stream(send: Any, receive: Any, gone: threading.Event, chunks: Iterator[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watching = asyncio.create_task(watch())
    for chunk in chunks:
        if gone.is_set():
            return
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    watching.cancel()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def bare_server(handler: Handler) -> AsyncIterator[str]:
    """An upstream that speaks raw bytes; every connection is closed when `handler` returns."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never became so")


async def say(port: int, request: bytes) -> bytes:
    """Send these bytes; everything that comes back until the other side closes."""
    async with asyncio.timeout(PATIENCE), connection(port) as (reader, writer):
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            await writer.drain()
        return await read_all(reader)


async def read_all(reader: asyncio.StreamReader) -> bytes:
    got = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            got += chunk
    return got


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def header_lines(answer: bytes, name: bytes) -> list[bytes]:
    head = answer.partition(b"\r\n\r\n")[0]
    pairs = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    return [value for key, _, value in pairs if key.lower() == name.lower()]


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def json_of(answer: bytes) -> Any:
    return json.loads(body_of(answer))
