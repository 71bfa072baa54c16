"""Metrics of a process, in Prometheus' format on a port of their own that nothing public leads to.

Labels are route templates, job names and states: sets that the code bounds. Never a path, an
account, an institution or anything else a caller chose; `tests/shared/test_metrics.py` holds us to
it.
"""

import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Protocol

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

log = structlog.get_logger()

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CLASSES = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBE_INTERVAL_SECONDS = 5.0

Probe = Callable[[], Awaitable[None]]


class Pool(Protocol):
    """What of a connection pool is measured; SQLAlchemy's has it."""

    def checkedout(self) -> int: ...
    def checkedin(self) -> int: ...


class Durations(Collector):
    """A histogram for event loops. The library's own takes a lock for every bucket, because it is
    made for threads: with it the gateway would spend 2 % of a request on counting it."""

    def __init__(self, name: str, about: str, labels: tuple[str, ...]) -> None:
        self._family = (name, about, labels)
        self._bounds = [*map(floatToGoString, (*SECONDS, float("inf")))]
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, labels: tuple[str, ...], seconds: float) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * len(self._bounds)
            self._sums[labels] = 0.0
        counts[bisect_left(SECONDS, seconds)] += 1
        self._sums[labels] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        name, about, labels = self._family
        family = HistogramMetricFamily(name, about, labels=labels)
        for values, counts in self._counts.items():
            buckets = list(zip(self._bounds, accumulate(counts), strict=True))
            family.add_metric(values, buckets, self._sums[values])
        yield family


class Metrics:
    """The instruments of one process. Recording is cheap and always on; nothing is published
    before `published` is entered."""

    def __init__(self, process: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Durations(
            "http_server_request_duration_seconds",
            "Requests answered, by route template; 499: the client left, 0xx: never answered.",
            ("service", "method", "route", "status"),
        )
        self.registry.register(self._requests)
        self.under_way = 0
        active = self.gauge("http_server_active_requests", "Requests under way.", "service")
        active.labels(process).set_function(lambda: self.under_way)
        self._jobs_run = Histogram(
            "job_duration_seconds",
            "Runs of background jobs, by how they ended.",
            ("service", "job", "outcome"),
            buckets=(*SECONDS, 60.0, 300.0),
            registry=self.registry,
        )
        self._failed_probes = Counter(
            "metrics_probe_failures",
            "Times a number could not be had when it was asked for.",
            ("service", "probe"),
            registry=self.registry,
        )
        self._process = process
        self._probes: dict[str, Probe] = {}
        self._probed_at = float("-inf")

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` must be a template or a name from our own tables."""
        known = method if method in METHODS else "other"
        status_class = "499" if status == 499 else CLASSES[status // 100]
        self._requests.observe((self._process, known, route, status_class), seconds)

    def job(self, name: str, outcome: str, seconds: float) -> None:
        self._jobs_run.labels(self._process, name, outcome).observe(seconds)

    def watch_pool(self, pool: Pool, most: int) -> None:
        """Show how much of a pool of database connections is in use, of `most`."""
        size = Gauge(
            "db_client_connections",
            "Connections to the database.",
            ("service", "state"),
            registry=self.registry,
        )
        size.labels(self._process, "used").set_function(pool.checkedout)
        size.labels(self._process, "idle").set_function(pool.checkedin)
        size.labels(self._process, "max").set(most)

    def gauge(self, name: str, about: str, *labels: str) -> Gauge:
        """A gauge for a probe to set."""
        return Gauge(name, about, labels, registry=self.registry)

    def counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def probe(self, name: str, ask: Probe) -> None:
        """Have `ask` set its gauges when somebody wants the numbers, every few seconds at most."""
        self._probes[name] = ask

    async def render(self, accept: str = "") -> tuple[bytes, str]:
        """The numbers and their content type, in the format the asker prefers."""
        if time.monotonic() - self._probed_at > PROBE_INTERVAL_SECONDS:
            self._probed_at = time.monotonic()
            for name, ask in self._probes.items():
                try:
                    await ask()
                except Exception as error:  # noqa: BLE001  # the other numbers matter all the more
                    log.warning("metrics_probe_failed", probe=name, error=repr(error))
                    self._failed_probes.labels(self._process, name).inc()
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    @asynccontextmanager
    async def published(self, host: str, port: int | None) -> AsyncIterator[None]:
        """Answer `GET /metrics` on `host:port` while open, and `/healthz` for processes that have
        no other port; without a port, nothing."""
        if port is None:
            yield
            return
        # Here, because processes without the port need not load a web server for it.
        from aiohttp import web

        async def answer(request: web.Request) -> web.Response:
            body, content_type = await self.render(request.headers.get("Accept", ""))
            return web.Response(body=body, headers={"Content-Type": content_type})

        async def alive(_request: web.Request) -> web.Response:
            return web.json_response({"status": "ok"})

        app = web.Application()
        app.router.add_get("/metrics", answer)
        app.router.add_get("/healthz", alive)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield
        finally:
            await runner.cleanup()
