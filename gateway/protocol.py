"""uvicorn's HTTP/1.1 protocol, with what the outermost server needs and uvicorn leaves open: a
time and a size for request heads, refusals as problems, an end for requests nobody reads."""

import asyncio
from functools import partial
from itertools import chain
from typing import Any, ClassVar

import orjson
import structlog
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.errors import (
    BadRequestHead,
    HeadersTooLarge,
    RequestTimeout,
    TargetTooLong,
    TooManyConnections,
)
from gateway.exchange import ABORT, ANSWER, CLOSE, LEFT, problem_headers
from gateway.head import MAX_HEADER_BYTES, MAX_TARGET
from shared.problems import Problem
from shared.tracing import new_trace_id

log = structlog.get_logger()

# All that a header's value may hold: no controls but the tabulator.
_OF_VALUES = bytes([9, *range(32, 127), *range(128, 256)])


class WholeAnswers(HttpToolsProtocol):
    """Lets an application hand over head and body at once: uvicorn writes twice, and looks at each
    header twice."""

    def on_headers_complete(self) -> None:
        extensions: dict[str, Any] = {}
        self.scope["extensions"] = extensions
        super().on_headers_complete()
        # The request's task was made just now, and has not run yet.
        extensions[ANSWER] = partial(self._answer, self.cycle)
        extensions[ABORT] = self.transport.abort
        extensions[LEFT] = partial(getattr, self.cycle, "disconnected")

    def _answer(
        self,
        cycle: RequestResponseCycle,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> bool:
        """Names must be names in lower case, and `body` as long as the headers say."""
        if cycle.response_started or cycle.disconnected or self.flow.write_paused:
            return False
        if CLOSE in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers = [*headers, CLOSE]
        lines = b"%b: %b\r\n" * len(headers) % tuple(chain.from_iterable(headers))
        if lines.translate(None, _OF_VALUES) != b"\r\n" * len(headers):
            return False  # more than the ends of lines: uvicorn knows how to refuse it
        date = [b"%b: %b\r\n" % header for header in cycle.default_headers]
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self.transport.write(b"".join((STATUS_LINE[status], *date, lines, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True


class GuardedProtocol(WholeAnswers):
    """Hands on requests whose head came in time, in bounds and in a form that has one meaning."""

    head_seconds: ClassVar[float] = 10.0
    linger_seconds: ClassVar[float] = 5.0  # for a body that is refused: else no one reads why
    unread_seconds: ClassVar[float] = 30.0  # for the end of an answer that the client leaves lying
    max_connections: ClassVar[int] = 4096
    max_pipelined: ClassVar[int] = 32  # heads that were read ahead; each is some kilobytes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._refusal: Problem | None = None
        self._deaf = False
        self._body_came = False
        self._idle_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(TooManyConnections(headers={"Retry-After": "5"}))
            return
        self._guard = self.loop.call_later(self.head_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._drop_guard()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._body_came = False
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEADER_BYTES + MAX_TARGET:
                self._refuse(HeadersTooLarge() if self.headers else TargetTooLong())
                return
        cycle: RequestResponseCycle | None = self.cycle
        if self._in_head or cycle is None or cycle.response_complete:
            # uvicorn ended its own timer when the first byte came.
            if self._guard is None and not self.transport.is_closing():
                self._guard = self.loop.call_later(self.head_seconds, self._too_slow)
        else:
            if self._guard is not None:
                self._drop_guard()
            if cycle.more_body:
                self._count_idle(len(data))

    def _count_idle(self, size: int) -> None:
        """Bytes of a body that are no body: the parser would collect an endless trailer."""
        self._idle_bytes = 0 if self._body_came else self._idle_bytes + size
        if self._idle_bytes > MAX_HEADER_BYTES:
            self._refuse(HeadersTooLarge())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        # uvicorn hands on neither the host of an absolute target nor a fragment.
        if self.url[:1] != b"/" or b"#" in self.url:
            self._refusal = BadRequestHead(reason="target")
            raise self._refusal  # the parser stops, and `send_400_response` is called
        if len(self.pipeline) >= self.max_pipelined:
            raise BadRequestHead(reason="pipelining")  # it is nobody's turn: only closes
        super().on_headers_complete()
        # uvicorn would put trailers among the headers, behind the back of whoever read those.
        self.headers = []
        self._in_head = False
        self._body_came = True  # the head ends here, and none of it counts as idle

    def on_body(self, body: bytes) -> None:
        self._body_came = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._guard is not None:
            self._drop_guard()
            if not self._is_serving():  # a refused body has been read to its end
                self._guard = self.loop.call_later(self.timeout_keep_alive, self._close)

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        cycle = self.cycle
        if self.transport.is_closing():
            self._close()
        elif cycle.response_complete and cycle.more_body:
            self._drop_guard()
            self._guard = self.loop.call_later(self.linger_seconds, self._close)

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this for whatever the parser refused."""
        self._refuse(self._refusal or BadRequestHead(reason="HTTP"))

    def _unsupported_upgrade_warning(self) -> None:
        """Answered as if nobody had asked for another protocol; what follows is not read."""
        self._deaf = True
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _is_serving(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _refuse(self, problem: Problem) -> None:
        """Answer outside any exchange and close. While another request of this connection is
        being answered nothing can be said: the client would take it for that answer."""
        self._deaf = True
        own_turn = not self._is_serving() or (
            not self._in_head and not self.pipeline and not self.cycle.response_started
        )
        if own_turn and not self.transport.is_closing():
            trace = new_trace_id()
            body = orjson.dumps(problem.to_dict("ko", instance="", trace_id=trace))
            headers = [
                *problem_headers(problem),
                (b"content-length", b"%d" % len(body)),
                (b"x-trace-id", trace.encode()),
                (b"connection", b"close"),
            ]
            lines = [name + b": " + value + b"\r\n" for name, value in headers]
            head = STATUS_LINE[problem.status] + b"".join(lines)
            self.transport.write(head + b"\r\n" + body)
            log.info("request_refused", code=problem.code, trace_id=trace)
        self._close()

    def _too_slow(self) -> None:
        self._guard = None
        if self._is_serving():  # the head of the next request can wait as long as this one
            self._guard = self.loop.call_later(self.head_seconds, self._too_slow)
        elif self._in_head:
            self._refuse(RequestTimeout())
        else:
            self._close()

    def _drop_guard(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None

    def _close(self) -> None:
        """Close when everything is sent; soon, even if the other side does not read it."""
        self._drop_guard()
        if not self.transport.is_closing():
            self.transport.close()
        self._guard = self.loop.call_later(self.unread_seconds, self.transport.abort)
