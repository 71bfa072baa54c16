"""Rate limits: so many requests a caller may make in a fixed window of time, by class.

The headers are those of the IETF draft (`RateLimit-Policy`, `RateLimit`), and `Retry-After`.
"""

import time
from dataclasses import dataclass
from typing import Self

import structlog
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from gateway.exchange import Headers
from shared.problems import TooManyRequests

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    requests: int
    seconds: int

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """From `requests/seconds`. Raises `ValueError`."""
        requests, _, seconds = text.partition("/")
        limit = cls(name, int(requests), int(seconds))
        if limit.requests < 1 or limit.seconds < 1:
            raise ValueError(f"the limit {name} must be positive: {text}")
        return limit


class LocalCounters:
    """Counts in this process. A window is a dictionary, thrown away as a whole when it is over:
    nothing to expire, one addition a request. (The in-memory storage of `limits` walks through
    all its keys on every hit.)"""

    MAX_KEYS = 200_000

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, dict[str, int]]] = {}

    def add(self, limit: Limit, window: int, key: str) -> int:
        """Count one request; how many it makes in this window."""
        current, counts = self._windows.get(limit.name) or (-1, {})
        if current != window or len(counts) >= self.MAX_KEYS:
            counts = {}
            self._windows[limit.name] = (window, counts)
        used = counts[key] = counts.get(key, 0) + 1
        return used


class SharedCounters:
    """Counts in Valkey, for several gateways. When it is away each process counts for itself:
    a limit protects, it must not be what makes the system unreachable."""

    def __init__(self, url: str) -> None:
        self._storage = RedisStorage(
            f"async+{url}", wrap_exceptions=True, socket_timeout=0.5, socket_connect_timeout=0.5
        )
        self._local = LocalCounters()
        self._failing = False

    async def add(self, limit: Limit, window: int, key: str) -> int:
        try:
            used = await self._storage.incr(f"{limit.name}/{window}/{key}", limit.seconds)
        except StorageError as error:
            if not self._failing:  # once per outage
                log.warning("rate_limit_counters_not_reachable", error=repr(error))
            self._failing = True
            return self._local.add(limit, window, key)
        self._failing = False
        return used

    async def close(self) -> None:
        client = self._storage.bridge.storage  # type: ignore[attr-defined]  # of each real bridge
        await client.aclose()


class Limiter:
    """Without `shared` counters this process counts for itself, and waits for nobody."""

    def __init__(self, limits: dict[str, Limit], shared: SharedCounters | None = None) -> None:
        self._limits = limits
        self._local = LocalCounters()
        self._shared = shared
        self._policies = {
            name: (b"ratelimit-policy", f'"{name}";q={limit.requests};w={limit.seconds}'.encode())
            for name, limit in limits.items()
        }

    async def admit(self, name: str, key: str) -> Headers:
        """The headers that tell the caller where it stands. Raises `TooManyRequests`."""
        limit = self._limits[name]
        window, gone = divmod(int(time.time()), limit.seconds)
        seconds_left = limit.seconds - gone
        if self._shared is None:
            left = limit.requests - self._local.add(limit, window, key)
        else:
            left = limit.requests - await self._shared.add(limit, window, key)
        if left < 0:
            raise TooManyRequests(
                headers={
                    "Retry-After": str(seconds_left),
                    "RateLimit-Policy": self._policies[name][1].decode(),
                    "RateLimit": f'"{name}";r=0;t={seconds_left}',
                }
            )
        where = f'"{name}";r={left};t={seconds_left}'.encode()
        return [self._policies[name], (b"ratelimit", where)]

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.close()
