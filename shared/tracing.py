"""W3C trace context: one trace id from the gateway through every service a request touches.

Spans are recorded only where OTEL_EXPORTER_OTLP_ENDPOINT says who wants them (`shared.telemetry`);
elsewhere the id alone travels, and nothing of OpenTelemetry's is loaded.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol, Self

from shared.logs import trace_id
from shared.settings import ProcessSettings

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

Kind = Literal["server", "client", "consumer"]


class Span(Protocol):
    """One step of a trace, while it lasts. `trace` and `id` are its own, in hexadecimal;
    `traceparent` is what tells the next step of them."""

    @property
    def trace(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def traceparent(self) -> str: ...

    def child(self, name: str, kind: Kind) -> Self: ...

    def end(
        self,
        name: str | None = None,
        *,
        failed: bool,
        attributes: Mapping[str, str | int] | None = None,
    ) -> None:
        """Over: with a better name, if there is one by now, and what there is to tell. Never a
        path, an account or anything else a caller chose."""


class Spans(Protocol):
    """Where a process records what it does."""

    def begin(self, name: str, kind: Kind, traceparent: str | None = None) -> Span: ...
    def close(self) -> None:
        """Hand over what is left. Blocks, for seconds if nobody takes it."""


current_span: ContextVar[Span | None] = ContextVar("span", default=None)


def spans_of(process: str, settings: ProcessSettings) -> Spans | None:
    if not settings.otlp_endpoint:
        return None
    # Here, because whoever does not ask for spans need not load what makes them.
    from shared.telemetry import OtlpSpans

    return OtlpSpans(process, settings.otlp_endpoint, share=settings.trace_share)


def trace_id_of(traceparent: str) -> str | None:
    """The trace id of a well-formed `traceparent` header, else None."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return match[1]


def new_trace_id() -> str:
    return secrets.token_hex(16)


def traceparent() -> str:
    """A header value that continues the current trace: from the current span, if one is recorded,
    else with a span id of its own."""
    span = current_span.get()
    if span is not None:
        return span.traceparent
    return f"00-{trace_id.get() or new_trace_id()}-{secrets.token_hex(8)}-01"


@contextmanager
def client_span(name: str) -> Iterator[None]:
    """What is asked of another process in here is a step of its own; nothing outside of a trace
    that is recorded."""
    parent = current_span.get()
    if parent is None:
        yield
        return
    span = parent.child(name, "client")
    token = current_span.set(span)
    failed = True
    try:
        yield
        failed = False
    finally:
        current_span.reset(token)
        span.end(failed=failed)
