"""One request and its answer on their way through, and the clock that watches all of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from random import randbytes
from typing import Any

import orjson

from gateway.head import METHODS, Head, Origin
from gateway.routes import Route
from shared.problems import Lang, Problem
from shared.tokens import Claims
from shared.tracing import Span, Spans, trace_id_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Extensions of a scope, of our own server. ABORT drops the connection and what is not yet sent;
# ANSWER sends an answer that is there as a whole in one piece, or says that it cannot; LEFT tells
# whether the client is gone, which otherwise only a task that waits for it would learn.
ABORT = "gateway.abort"
ANSWER = "gateway.answer"
LEFT = "gateway.left"

CLOSE = (b"connection", b"close")

SECURITY_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class ClientGone(Exception):  # noqa: N818  # nobody is left to tell
    """The client closed its connection before it had the whole answer."""


class Exchange:
    """What the gateway knows about one request. Lives as long as the answer takes."""

    head: Head | None = None
    origin: Origin | None = None
    route: Route | None = None
    claims: Claims | None = None
    caller = ""  # whom requests are counted for: an account, or an address without one
    span: Span | None = None
    status = 0
    body_read = False
    answering = False
    finished = False
    stopped_by: Exception | None = None

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        loop: asyncio.AbstractEventLoop,
        spans: Spans | None = None,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.task: asyncio.Task[Any] | None = asyncio.current_task(loop)
        self.method: str = scope["method"]
        self.path: bytes = scope["raw_path"]
        self.fields: dict[bytes, bytes] = dict(scope["headers"])
        given = self.fields.get(b"traceparent")
        if spans is None:
            known = trace_id_of(given.decode("latin-1")) if given is not None else None
            # Unlike any other; that it could be guessed harms nobody.
            random = randbytes(24).hex()  # noqa: S311
            self.trace = self.request_id = known or random[:32]
            self.traceparent = f"00-{self.trace}-{random[32:]}-01"
        else:
            self.span = spans.begin("request", "server", (given or b"").decode("latin-1"))
            self.trace = self.request_id = self.span.trace
            self.traceparent = self.span.traceparent
        self.began = time.perf_counter()  # the loop's own clock stands still within a turn
        self.started = self.touched = now = loop.time()
        self.deadline = now + 120
        # On every answer: trace, CORS, rate limit.
        self.extra: Headers = [(b"x-trace-id", self.trace.encode())]

    def stop(self, why: Exception) -> None:
        """End this exchange from outside its own task: `why` is raised inside it."""
        if not self.finished and self.stopped_by is None and self.task is not None:
            self.stopped_by = why
            self.task.cancel()

    def client_has_left(self) -> bool:
        left = self.scope["extensions"].get(LEFT)
        return left is not None and left()

    def finish(self) -> None:
        self.finished = True
        # They know the connection and it knows them: left alone, only the collector would end that.
        self.scope["extensions"].clear()
        if self.span is not None:
            self._end_span(self.span)

    def _end_span(self, span: Span) -> None:
        name = self.route.name if self.route else "gateway"
        span.end(
            f"{self.method if self.method in METHODS else 'HTTP'} {name}",
            failed=self.status >= 500 or self.status == 0,
            attributes={"http.route": name, "http.response.status_code": self.status},
        )

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """An answer of the gateway itself."""
        self.answering = True
        self.status = status
        headers = [*headers, *self.extra]
        if status not in {204, 304}:  # those have no body, not even an empty one
            headers.append((b"content-length", b"%d" % len(body)))
        await self.send_whole(status, headers, b"" if self.method == "HEAD" else body)

    async def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """`body` is as long as `headers` say, unless it is not to be sent."""
        at_once = self.scope["extensions"].get(ANSWER)
        if at_once is None or not at_once(status, headers, body):
            await self.send({"type": "http.response.start", "status": status, "headers": headers})
            await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, problem: Problem) -> None:
        headers = problem_headers(problem)
        await self.answer(problem.status, headers, self._problem_body(problem))

    def _problem_body(self, problem: Problem) -> bytes:
        english = self.fields.get(b"accept-language", b"").lower().startswith(b"en")
        lang: Lang = "en" if english else "ko"
        path = self.path.decode("latin-1")
        return orjson.dumps(problem.to_dict(lang, instance=path, trace_id=self.trace))


def problem_headers(problem: Problem) -> Headers:
    return [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        *SECURITY_HEADERS,
    ]


class Watch:
    """Looks at every exchange under way a few times a second: ends those that are too slow, and
    those whose client has left. One task for all, so a quick request pays nothing."""

    INTERVAL_SECONDS = 0.2

    def __init__(self, *, idle_seconds: float, late: Callable[[Exchange], Problem]) -> None:
        self._idle_seconds = idle_seconds
        self._late = late
        self.under_way: set[Exchange] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.INTERVAL_SECONDS)
            now = loop.time()
            for exchange in tuple(self.under_way):
                self._look_at(exchange, now)

    def _look_at(self, exchange: Exchange, now: float) -> None:
        if now > exchange.deadline or now > exchange.touched + self._idle_seconds:
            exchange.stop(self._late(exchange))
        elif exchange.body_read and exchange.client_has_left():
            exchange.stop(ClientGone())
