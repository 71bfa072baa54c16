"""Whether this process can do its work, and how the services behind it are."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing

import aiohttp
import structlog

from gateway.upstream import Upstream
from shared.problems import Problem

log = structlog.get_logger()

PROBE_SECONDS = 2.0
REMEMBERED_SECONDS = 1.0


class Health:
    """`has_keys`: whether tokens can be verified, trying to get the keys if not.

    A service that is away does not make the gateway unready: it would only take the other three
    with it. The report names it."""

    def __init__(
        self, services: Mapping[str, Upstream], has_keys: Callable[[], Awaitable[bool]]
    ) -> None:
        self._services = services
        self._has_keys = has_keys
        self._report: dict[str, str] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()
        self.draining = False

    async def ready(self) -> tuple[int, dict[str, object]]:
        """Status and body of `/readyz`."""
        services = await self._ask_services()
        own = {
            "keys": "ok" if await self._has_keys() else "failed",
            **({"draining": "yes"} if self.draining else {}),
        }
        if set(own.values()) != {"ok"}:
            status = "not ready"
        elif set(services.values()) != {"ok"}:
            status = "degraded"
        else:
            status = "ready"
        body: dict[str, object] = {"status": status, "checks": own, "services": services}
        return (503 if status == "not ready" else 200), body

    async def _ask_services(self) -> dict[str, str]:
        """Asked at most once a second, however often we are asked."""
        async with self._lock:
            if time.monotonic() - self._asked_at > REMEMBERED_SECONDS:
                names = list(self._services)
                states = await asyncio.gather(*(self._ask(name) for name in names))
                report = dict(zip(names, states, strict=True))
                if report != self._report:
                    log.info("services_changed", **report)
                self._report = report
                self._asked_at = time.monotonic()
        return self._report

    async def _ask(self, name: str) -> str:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                answer = await self._services[name].ask("GET", "/readyz", [])
                with closing(answer):
                    return "ok" if answer.status == 200 else "not ready"
        except (Problem, aiohttp.ClientError, TimeoutError):
            return "not reachable"
