"""W3C trace context: one trace id from the gateway through every service a request touches."""

import re
import secrets

from shared.logs import trace_id

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def trace_id_of(traceparent: str) -> str | None:
    """The trace id of a well-formed `traceparent` header, else None."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return match[1]


def new_trace_id() -> str:
    return secrets.token_hex(16)


def traceparent() -> str:
    """A header value that continues the current trace, with a span id of its own."""
    return f"00-{trace_id.get() or new_trace_id()}-{secrets.token_hex(8)}-01"
