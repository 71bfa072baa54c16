"""Which other origins' front ends may call: an exact list, never a pattern."""

from gateway.exchange import Headers
from gateway.head import Head

_ACCEPTED = (
    b"Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    b"Range, traceparent, tracestate, X-Request-ID, X-Requested-With"
)
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", _ACCEPTED),
    (b"access-control-max-age", b"600"),
]
_EXPOSED = (
    b"Content-Disposition, ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, "
    b"Retry-After, WWW-Authenticate, X-Request-ID, X-Trace-ID"
)
_VARY = (b"vary", b"Origin")


class Cors:
    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, head: Head) -> Headers:
        """What every answer to this request must carry."""
        if not self._origins:
            return []
        origin = head.fields.get(b"origin", b"")
        if origin not in self._origins:
            return [_VARY]
        return [
            _VARY,
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", _EXPOSED),
        ]

    def preflight(self, head: Head) -> Headers | None:
        """The answer's own headers if OPTIONS is a browser asking whether it may ask, else
        None."""
        if b"access-control-request-method" not in head.fields:
            return None
        return _PREFLIGHT if head.fields.get(b"origin", b"") in self._origins else []
