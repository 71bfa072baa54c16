"""The services behind the gateway: connections, a bound on requests under way, and one question
asked so that it is never repeated where a repetition could do harm.

aiohttp's connector and parser are used without its `ClientSession`, which spends a third of the
time on what a proxy must not have: redirects, cookies, default headers, silent repetitions. A
request that is there as a whole is written by us in one piece; one that still streams in is sent by
aiohttp's writer, which knows about back pressure.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from gateway.errors import BrokenUpstream, UpstreamBusy
from shared.problems import UpstreamUnavailable

CONNECT_SECONDS = 2.0
KEEP_IDLE_SECONDS = 15.0  # shorter than a service keeps a connection: we close first
READ_BUFFER = 64 * 2**10
MAX_ANSWER_HEADERS = 200
MAX_ANSWER_LINE = 16 * 2**10
REPEATABLE = frozenset({"GET", "HEAD"})
# Waiting for answers is watched from outside, for all requests at once; see `exchange.Watch`.
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)

_EXPECT_BODIES = frozenset({"POST", "PUT", "PATCH"})

Body = AsyncIterator[bytes] | bytes | None
Lines = list[bytes]
"""Header lines as they are sent, each with its end; several may stand in one item."""


class Answer(Protocol):
    """What a service answered: its head, and its body, which may still be coming."""

    @property
    def status(self) -> int: ...
    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]: ...
    @property
    def content(self) -> aiohttp.StreamReader: ...

    def close(self) -> None:
        """Give the connection up; nothing, when the body was read to its end."""


class Connection(ResponseHandler):
    """Knows whether any byte of an answer arrived; failures carry it as `answer_began`."""

    answer_began = False

    def data_received(self, data: bytes) -> None:
        self.answer_began = True
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        exc.answer_began = self.answer_began  # type: ignore[attr-defined]
        super().set_exception(exc, *cause)

    def resume_reading(self, resume_parser: bool = True) -> None:
        # Called after every piece that was read, though reading is rarely paused.
        if self._reading_paused:
            super().resume_reading(resume_parser)


class WholeAnswer:
    """An answer to a request that was written in one piece."""

    __slots__ = ("_connection", "content", "raw_headers", "status")

    def __init__(
        self,
        connection: aiohttp.connector.Connection,
        status: int,
        raw_headers: tuple[tuple[bytes, bytes], ...],
        content: aiohttp.StreamReader,
    ) -> None:
        self._connection = connection
        self.status = status
        self.raw_headers = raw_headers
        self.content = content
        content.on_eof(connection.release)

    def close(self) -> None:
        self._connection.close()


class Request(aiohttp.ClientRequest):
    """Sends the headers it is given and nothing of the library's own."""

    def update_headers(self, headers: Any) -> None:
        self.headers = headers

    def update_host(self, url: URL) -> None: ...

    def update_auto_headers(self, skip_auto_headers: Any) -> None: ...

    def update_cookies(self, cookies: Any) -> None: ...

    def update_content_encoding(self, data: Any) -> None: ...

    def update_auth(self, auth: Any, trust_env: bool = False) -> None: ...


class Upstream:
    """One service: where it is, and how many requests it has under way."""

    def __init__(self, name: str, url: str, connector: aiohttp.TCPConnector, limit: int) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self._host = str(URL(self.url).host_port_subcomponent)
        self._host_line = f" HTTP/1.1\r\nHost: {self._host}\r\n".encode()
        self._prefix = URL(self.url).raw_path.rstrip("/")
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        # Where to, for the connector: it asks for nothing else that a request knows.
        self._somewhere = Request("GET", URL(self.url), headers=CIMultiDict(), loop=self._loop)
        self._limit = limit
        self._share = max(limit // 8, 8)
        self._callers: list[str] = []  # of what is under way; short, and rarely looked through

    @property
    def under_way(self) -> int:
        return len(self._callers)

    def enter(self, caller: str) -> None:
        """Count a request in; `leave` counts it out. Raises `UpstreamBusy` when full, and from half
        full for a caller that has an eighth of the room: nobody shuts the others out by asking
        slowly."""
        callers = self._callers
        if len(callers) >= self._limit // 2 and (
            len(callers) >= self._limit or callers.count(caller) >= self._share
        ):
            raise UpstreamBusy(service=self.name, headers={"Retry-After": "1"})
        callers.append(caller)

    def leave(self, caller: str) -> None:
        self._callers.remove(caller)

    async def ask(
        self,
        method: str,
        target: str,
        headers: Lines,
        body: Body = None,
        length: int | None = None,
    ) -> Answer:
        """The answer's head; its body is still to be read. `target` is sent byte for byte, and so
        are `headers`, which say nothing of the body: its framing is ours. `length` is that of a
        body that streams, if it was announced.

        GET and HEAD are asked once more when the connection broke before any byte of an answer:
        a service may close an idle connection in the moment we use it. Nothing else is repeated.
        Raises `UpstreamUnavailable` or `BrokenUpstream`.
        """
        may_repeat = method in REPEATABLE and body is None
        while True:
            try:
                if body is None or isinstance(body, bytes):
                    return await self._ask_whole(method, target, headers, body)
                return await self._ask_streaming(method, target, headers, body, length)
            except (aiohttp.ClientConnectorError, TimeoutError) as error:
                raise UpstreamUnavailable(
                    service=self.name, headers={"Retry-After": "2"}
                ) from error
            except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
                if may_repeat and not getattr(error, "answer_began", True):
                    may_repeat = False
                    continue
                raise BrokenUpstream(service=self.name) from error

    async def _ask_whole(
        self, method: str, target: str, headers: Lines, body: bytes | None
    ) -> Answer:
        head = [method.encode(), b" ", self._prefix.encode(), target.encode(), self._host_line]
        head += headers
        if body is not None:
            head.append(b"Content-Length: %d\r\n\r\n" % len(body))
            head.append(body)
        else:
            head.append(b"Content-Length: 0\r\n\r\n" if method in _EXPECT_BODIES else b"\r\n")
        connection = await self._connector.connect(self._somewhere, [], TIMEOUT)
        try:
            protocol = connection.protocol
            assert protocol is not None
            _expect(protocol, method)
            if protocol.transport is None:
                raise aiohttp.ClientConnectionResetError("closed in the meantime")
            protocol.transport.write(b"".join(head))
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:
                message, content = await protocol.read()
        except BaseException:
            connection.close()
            raise
        return WholeAnswer(connection, message.code, message.raw_headers, content)

    async def _ask_streaming(
        self,
        method: str,
        target: str,
        headers: Lines,
        body: AsyncIterator[bytes],
        length: int | None,
    ) -> Answer:
        url = URL(self.url + target, encoded=True)
        fields: CIMultiDict[str] = CIMultiDict()
        for line in b"".join(headers).decode().split("\r\n")[:-1]:
            name, _, value = line.partition(": ")
            fields.add(name, value)
        fields["Host"] = self._host
        if length is not None:
            fields["Content-Length"] = str(length)
        request = Request(method, url, headers=fields, data=body, loop=self._loop)
        connection = await self._connector.connect(request, [], TIMEOUT)
        try:
            assert connection.protocol is not None
            _expect(connection.protocol, method)
            response = await request.send(connection)
            try:
                return await response.start(connection)
            except BaseException:
                response.close()  # ends the sending of a body as well
                raise
        except BaseException:
            connection.close()
            raise


def _expect(protocol: ResponseHandler, method: str) -> None:
    """Have the connection take what comes next for the answer to a new request."""
    assert isinstance(protocol, Connection)
    protocol.answer_began = False
    protocol.set_response_params(
        skip_payload=method == "HEAD",
        read_until_eof=True,
        auto_decompress=False,
        read_bufsize=READ_BUFFER,
        max_line_size=MAX_ANSWER_LINE,
        max_field_size=MAX_ANSWER_LINE,
        max_headers=MAX_ANSWER_HEADERS,
    )


@asynccontextmanager
async def upstreams(urls: Mapping[str, str], *, limit: int) -> AsyncIterator[dict[str, Upstream]]:
    """The services by name, sharing one pool of connections."""
    connector = aiohttp.TCPConnector(
        limit=0,
        limit_per_host=limit,
        keepalive_timeout=KEEP_IDLE_SECONDS,
        ttl_dns_cache=10,
    )
    # A private name, guarded by a test: there is no other way to learn whether an answer began.
    factory = partial(Connection, loop=asyncio.get_running_loop())
    connector._factory = factory  # type: ignore[assignment]  # noqa: SLF001
    async with connector:
        yield {name: Upstream(name, url, connector, limit) for name, url in urls.items()}
    await asyncio.sleep(0)  # a turn of the loop, in which the connections really close
