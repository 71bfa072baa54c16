"""What a running process of a service holds: database, identity, files. The same for the web
process, the worker and the commands, so a job handler has whatever a route has."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import psycopg
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import QueuePool

from shared.app import Check, Note, create_app, problem_response
from shared.db import Database
from shared.files import Files
from shared.http import Identity, RevocationFeed
from shared.idempotency import Replayed
from shared.jobs import watch_backlog
from shared.metrics import Metrics
from shared.problems import FindingKind, Invalid, UpstreamUnavailable
from shared.settings import ServiceSettings
from shared.tokens import AUDIENCE, KeySource, TokenVerifier
from shared.tracing import spans_of

log = structlog.get_logger()


class Runtime:
    """Open it (`async with runtime.open()`) before use.

    `keys` and `revocation_feed` are where token keys and revocations come from: the auth service,
    unless the process is the auth service. `transport` replaces the network towards other
    services, for tests.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        keys: KeySource | None = None,
        revocation_feed: RevocationFeed | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.database = Database(
            settings.database_url,
            pool_size=settings.database_pool_size,
            application_name=name,
            password_file=settings.database_password_file,
        )
        self.sessions = self.database.sessions
        self.identity = Identity(
            name,
            auth_url=settings.auth_url,
            secret=settings.client_secret.get_secret_value(),
            transport=transport,
            revocation_feed=revocation_feed,
        )
        self.metrics = Metrics(name)
        self.spans = spans_of(name, settings)
        pool = self.database.engine.pool
        assert isinstance(pool, QueuePool)
        self.metrics.watch_pool(pool, most=2 * settings.database_pool_size)
        watch_backlog(self.metrics, name, self.sessions)
        self.files = Files(settings.files_url.rstrip("/") + f"/{name}")
        self.verifier = TokenVerifier(
            keys or self.identity.keys,
            issuer=settings.token_issuer,
            audiences=frozenset({AUDIENCE, name}),
            revocations=self.identity.revocations,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        settings = self.settings
        try:
            async with (
                self.identity.running(),
                self.metrics.published(settings.host, settings.metrics_port),
            ):
                yield
        finally:
            await self.database.close()
            if self.spans is not None:
                await asyncio.to_thread(self.spans.close)


def service_app(
    runtime: Runtime,
    *,
    title: str,
    routers: Sequence[APIRouter],
    state: Mapping[str, Any] | None = None,
    checks: Mapping[str, Check] | None = None,
    notes: Mapping[str, Note] | None = None,
) -> FastAPI:
    """The web application of a service. `state` is what its routes find on `app.state`; `checks`
    and `notes` as for `create_app`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with runtime.open():
            yield

    app = create_app(
        runtime.name,
        title=title,
        routers=routers,
        lifespan=lifespan,
        checks={"database": runtime.database.ready, **(checks or {})},
        notes=notes,
        metrics=runtime.metrics,
        spans=runtime.spans,
    )
    app.state.runtime = runtime
    app.state.sessions = runtime.sessions
    app.state.verifier = runtime.verifier
    app.state.files = runtime.files
    for name, value in (state or {}).items():
        setattr(app.state, name, value)
    app.add_exception_handler(Replayed, _on_replayed)
    app.add_exception_handler(DBAPIError, _on_database_error)
    app.add_exception_handler(psycopg.OperationalError, _on_driver_error)
    app.add_exception_handler(PoolExhausted, _on_exhausted_pool)
    return app


async def _on_replayed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Replayed)
    return error.response()


NUL_CHARACTER = FindingKind(
    "NUL_CHARACTER", ko="쓸 수 없는 문자(NUL)가 있습니다.", en="There is a NUL character."
)
JSON_NUMBER = FindingKind(
    "JSON_NUMBER",
    ko="저장할 수 없는 수(NaN, 무한대)가 있습니다.",
    en="There is a number that cannot be stored (NaN, infinity).",
)
# Conditions that pass by themselves: lock timeout, deadlock, shutdown, too many connections.
_PASSING = ("55P03", "40P01", "40001", "57P", "53", "08")


async def _on_database_error(request: Request, error: Exception) -> Response:
    """A database that is busy or away is 503, to be tried again; anything else is our fault, but
    for what a request's JSON may say and no database stores: a NUL (as text it never gets as far
    as the server), NaN and the infinite numbers."""
    assert isinstance(error, DBAPIError)
    sqlstate = getattr(error.orig, "sqlstate", None)
    if isinstance(error, DataError) and sqlstate in (None, "22P05"):
        return problem_response(request, Invalid(errors=[NUL_CHARACTER.at("")]))
    if sqlstate == "22P02" and "type json" in str(error.orig):
        return problem_response(request, Invalid(errors=[JSON_NUMBER.at("")]))
    if error.connection_invalidated or sqlstate is None or sqlstate.startswith(_PASSING):
        return _busy(request)
    raise error


async def _on_driver_error(request: Request, _error: Exception) -> Response:
    """The same for what was asked of the driver itself (`Database.ask`)."""
    return _busy(request)


async def _on_exhausted_pool(request: Request, _error: Exception) -> Response:
    """More requests than connections, for longer than the pool lets them wait."""
    log.warning("pool_exhausted")
    return _busy(request)


def _busy(request: Request) -> Response:
    problem = UpstreamUnavailable(service="database", headers={"Retry-After": "1"})
    return problem_response(request, problem)
