"""One JSON line per request, in the shape of every other log line, written in batches: the
general logging pipeline costs more than forwarding does, and a line made alone costs three times
what it does among others."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.exchange import Exchange
from shared.tokens import Claims

MAX_WAITING = 256

# When, trace, request id, method, route, status, seconds, claims, address. Never the path, which
# may hold names or numbers of people; the trace leads to the rest.
Entry = tuple[float, str, str, str, str, int, float, Claims | None, str | None]


class AccessLog:
    """`write` gets whole lines. Call `flush` now and then and at the end: a process that is killed
    loses what waited. Where lines cannot be written, as on a full disk, they are dropped; requests
    are answered all the same."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write
        self._waiting: list[Entry] = []

    def add(self, exchange: Exchange, route: str, seconds: float) -> None:
        status, address = exchange.status, None
        if status in {401, 429} and exchange.origin is not None:
            address = exchange.origin.address  # to find who tries doors
        self._waiting.append(
            (
                time.time(),
                exchange.trace,
                exchange.request_id,
                exchange.method,
                route,
                status,
                seconds,
                exchange.claims,
                address,
            )
        )
        if len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            lines = b"".join([_line(*entry) for entry in self._waiting])
            self._waiting.clear()
            with suppress(OSError):
                (self._write or sys.stdout.write)(lines.decode())


def _line(
    at: float,
    trace: str,
    request_id: str,
    method: str,
    route: str,
    status: int,
    seconds: float,
    claims: Claims | None,
    address: str | None,
) -> bytes:
    event: dict[str, Any] = {
        "event": "request",
        "level": "info",
        "timestamp": datetime.fromtimestamp(at, UTC),
        "process": "gateway",
        "trace_id": trace,
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    if request_id != trace:
        event["request_id"] = request_id
    if claims is not None:
        event["sub"] = claims.sub
        event["client_id"] = claims.client_id
    if address is not None:
        event["address"] = address
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
