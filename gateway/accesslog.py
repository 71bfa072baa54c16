"""One JSON line per request, in the shape of every other log line, written in batches: the
general logging pipeline costs more than forwarding does."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.exchange import Exchange

MAX_WAITING = 256


class AccessLog:
    """`write` gets whole lines. Call `flush` now and then and at the end."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write
        self._lines: list[bytes] = []

    def add(self, exchange: Exchange) -> None:
        # Never the path, which may hold names or numbers of people; the trace leads to the rest.
        route, claims = exchange.route, exchange.claims
        event: dict[str, Any] = {
            "event": "request",
            "level": "info",
            "timestamp": datetime.now(UTC),
            "process": "gateway",
            "trace_id": exchange.trace,
            "method": exchange.method,
            "route": route.name if route else "gateway",
            "status": exchange.status,
            "ms": round((time.perf_counter() - exchange.began) * 1000, 1),
        }
        if exchange.request_id is not exchange.trace:
            event["request_id"] = exchange.request_id
        if claims is not None:
            event["sub"] = claims.sub
            event["client_id"] = claims.client_id
        if exchange.status in {401, 429} and exchange.origin is not None:
            event["address"] = exchange.origin.address  # to find who tries doors
        self._lines.append(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        if len(self._lines) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            (self._write or sys.stdout.write)(b"".join(self._lines).decode())
            self._lines.clear()
