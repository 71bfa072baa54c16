"""The gateway: one ASGI callable in front of the four services.

It decides whether a request is let through, never what it means: no business rule, no database,
no parsing of bodies, and no header from which a service would believe who is calling. Services
verify every token again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import orjson
import structlog

from gateway.accesslog import AccessLog
from gateway.cors import Cors
from gateway.document import Document
from gateway.errors import BadRequestHead, RequestTimeout, UpstreamTimeout
from gateway.exchange import (
    ABORT,
    CLOSE,
    SECURITY_HEADERS,
    ClientGone,
    Exchange,
    Headers,
    Receive,
    Scope,
    Send,
    Watch,
)
from gateway.forward import AnswerBroken, forward
from gateway.head import Head, Origins, read_head, request_id
from gateway.health import Health
from gateway.limiter import Limit, Limiter, SharedCounters
from gateway.pages import Pages
from gateway.routes import SERVICES, Route, RouteTable
from gateway.settings import Settings
from gateway.upstream import upstreams
from shared.http import Identity
from shared.logs import trace_id
from shared.metrics import Metrics
from shared.problems import MethodNotAllowed, NotFound, Problem, Unauthenticated
from shared.tokens import AUDIENCE, KeySource, TokenVerifier
from shared.tracing import spans_of

log = structlog.get_logger()

UNLOGGED = frozenset({b"/healthz", b"/readyz"})
_BEARER = b"bearer "
_JSON = (b"content-type", b"application/json")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Gateway:
    """Made once per process; everything that needs an event loop is opened by `start`.

    `keys` is where token keys come from: the auth service, except in tests; so are `routes`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        keys: KeySource | None = None,
        routes: RouteTable | None = None,
        write_log: Callable[[str], object] | None = None,
    ) -> None:
        self.settings = settings
        self.identity = Identity(
            "gateway",
            auth_url=settings.auth_url,
            secret=settings.client_secret.get_secret_value(),
        )
        self.verifier = TokenVerifier(
            keys or self.identity.keys,
            issuer=settings.token_issuer,
            audiences=frozenset({AUDIENCE}),
            revocations=self.identity.revocations,
        )
        self._keys = keys or self.identity.keys
        self._routes = routes or RouteTable()
        self._cors = Cors(settings.cors_origins)
        self._origins = Origins(settings.trusted_proxies)
        self._pages = Pages(settings.portal_build)
        self._watch = Watch(idle_seconds=settings.idle_seconds, late=_late)
        self._access_log = AccessLog(write_log)
        self.metrics = Metrics("gateway")
        self._spans = spans_of("gateway", settings)
        self._refused = self.metrics.counter(
            "gateway_refusals", "Requests the gateway answered with a problem of its own.", "code"
        )
        self._stack = AsyncExitStack()
        self._always: Headers = [_HSTS] if settings.environment == "production" else []

    async def start(self) -> None:
        settings = self.settings
        urls = {name: getattr(settings, f"{name}_url") for name in SERVICES}
        self._upstreams = await self._stack.enter_async_context(
            upstreams(urls, limit=settings.max_under_way)
        )
        await self._stack.enter_async_context(self.identity.running())
        self._show_upstreams()
        # On a port of its own: nothing that is published leads there.
        await self._stack.enter_async_context(
            self.metrics.published(settings.host, settings.metrics_port)
        )
        self.health = Health(self._upstreams, self._has_keys)
        self._document = Document(self._upstreams, self._routes)
        shared = settings.valkey_url
        self._limiter = Limiter(
            {
                name: Limit.parse(name, getattr(settings, f"limit_{name}"))
                for name in ("login", "public", "user", "partner")
            },
            SharedCounters(shared) if shared else None,
        )
        self._stack.push_async_callback(self._limiter.close)
        for work in (self._watch.run(), self._flush_log()):
            self._stack.push_async_callback(_cancel, asyncio.create_task(work))

    async def stop(self) -> None:
        try:
            await self._stack.aclose()
        finally:
            self._access_log.flush()
        if self._spans is not None:
            await asyncio.to_thread(self._spans.close)

    def drain(self) -> None:
        """From now on not ready, and asking clients to connect elsewhere; still serving."""
        self.health.draining = True
        self._always = [*self._always, CLOSE]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._lifespan(receive, send)
        return self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        path = scope["raw_path"]
        spans = self._spans if path not in UNLOGGED else None
        exchange = Exchange(scope, receive, send, loop, spans)
        self._watch.under_way.add(exchange)
        self.metrics.under_way += 1
        try:
            await self._answer(exchange)
        except Problem as problem:
            await self._refuse(exchange, problem)
        except (ClientGone, AnswerBroken) as error:
            await self._give_up(exchange, error)
        except asyncio.CancelledError:
            why, task = exchange.stopped_by, exchange.task
            if why is None or task is None or task.uncancel() > 0:
                raise
            if isinstance(why, Problem):
                await self._refuse(exchange, why)
            else:
                await self._give_up(exchange, why)
        except Exception:
            log.exception("request_crashed", route=exchange.route and exchange.route.name)
            await self._refuse(exchange, Problem())
        finally:
            exchange.finish()
            self._watch.under_way.discard(exchange)
            self.metrics.under_way -= 1
            if path not in UNLOGGED:
                seconds = time.perf_counter() - exchange.began
                route = exchange.route.name if exchange.route else "gateway"
                self._access_log.add(exchange, route, seconds)
                self.metrics.request(exchange.method, route, exchange.status, seconds)

    async def _answer(self, exchange: Exchange) -> None:
        scope = exchange.scope
        trace_id.set(exchange.trace)
        extra = exchange.extra
        extra += self._always
        version = scope["http_version"]
        if version != "1.1" and (version != "1.0" or b"transfer-encoding" in exchange.fields):
            raise BadRequestHead(reason="version")
        head = read_head(
            exchange.method,
            exchange.path,
            scope["query_string"],
            scope["headers"],
            exchange.fields,
        )
        exchange.head = head
        exchange.request_id = request_id(head, exchange.trace)
        extra.append((b"x-request-id", exchange.request_id.encode()))
        extra += self._cors.headers(head)
        exchange.origin = self._origins.of(head, (scope["client"] or ("",))[0], scope["scheme"])
        route = self._routes.find(head.method, head.path)
        if route is None:
            await self._answer_itself(exchange, head)
            return
        exchange.route = route
        exchange.deadline = exchange.started + route.max_seconds
        if head.method == "OPTIONS":
            preflight = self._cors.preflight(head)
            if preflight is not None:
                await exchange.answer(204, preflight, b"")
                return
        await self._admit(exchange, head, route)
        await forward(exchange, self._upstreams[route.service])

    async def _admit(self, exchange: Exchange, head: Head, route: Route) -> None:
        """The coarse check of who calls and how often. Raises what the token's verification
        does, `Unauthenticated` or `TooManyRequests`."""
        assert exchange.origin is not None
        limit, caller = route.limit, exchange.origin.caller
        given = head.fields.get(b"authorization", b"")
        if given[:7].lower() == _BEARER:
            token = given[7:].strip().decode("latin-1")
            exchange.claims = claims = await self.verifier.verify(token)
            if limit == "public":
                # A token without a session is a partner system's own.
                limit = "user" if claims.sid is not None else "partner"
                caller = claims.sub
        exchange.caller = caller
        exchange.extra += await self._limiter.admit(limit, caller)
        if exchange.claims is None and not route.public:
            raise Unauthenticated

    async def _answer_itself(self, exchange: Exchange, head: Head) -> None:
        path = head.path
        page = self._pages.find(head.method, path, head.fields)
        if page is None and path not in {"/healthz", "/readyz", "/openapi.json"}:
            raise NotFound
        if head.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})
        if page is not None:
            await page.answer(exchange)
            return
        headers = [_JSON, (b"cache-control", b"no-store"), *SECURITY_HEADERS]
        if path == "/openapi.json":
            await exchange.answer(200, headers, await self._document.get())
            return
        status, body = await self.health.ready() if path == "/readyz" else (200, {"status": "ok"})
        await exchange.answer(status, headers, orjson.dumps(body))

    async def _refuse(self, exchange: Exchange, problem: Problem) -> None:
        if exchange.answering:
            await self._give_up(exchange, problem)
        else:
            self._refused.labels(problem.code).inc()
            await exchange.refuse(problem)

    async def _give_up(self, exchange: Exchange, why: Exception) -> None:
        """Nothing can be said any more: the connection ends before the answer does, so that
        nobody takes it for whole."""
        if isinstance(why, ClientGone):
            exchange.status = exchange.status or 499
            return
        log.warning(
            "answer_broken_off",
            route=exchange.route and exchange.route.name,
            why=repr(why.__cause__ or why),
        )
        abort = exchange.scope["extensions"].get(ABORT)
        if abort is not None:
            abort()
            while (await exchange.receive())["type"] != "http.disconnect":
                pass

    def _show_upstreams(self) -> None:
        under_way = self.metrics.gauge(
            "gateway_upstream_active_requests", "Requests under way at a service.", "service"
        )
        for name, upstream in self._upstreams.items():
            under_way.labels(name).set_function(partial(getattr, upstream, "under_way"))

    async def _has_keys(self) -> bool:
        with suppress(Problem):
            await self._keys.key("")
            return True
        return False

    async def _flush_log(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self._access_log.flush()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except BaseException as error:
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _late(exchange: Exchange) -> Problem:
    """Whose fault it is that nothing moves any more."""
    if exchange.head is not None and exchange.head.has_body and not exchange.body_read:
        return RequestTimeout()
    return UpstreamTimeout(service=exchange.route.service if exchange.route else "gateway")


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
