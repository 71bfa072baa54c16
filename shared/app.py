"""The web application every process builds on: problems, trace, health. Knows no database."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.logs import trace_id
from shared.metrics import Metrics
from shared.problems import (
    Finding,
    FindingKind,
    Invalid,
    Lang,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    catalogue,
)
from shared.schemas import ProblemOut
from shared.tracing import Spans, current_span, new_trace_id, trace_id_of

log = structlog.get_logger()

Check = Callable[[], Awaitable[None]]
Note = Callable[[], Awaitable[Any]]
MAX_BODY_BYTES = 16 * 2**20
PROBLEM = "application/problem+json"
HEALTH = frozenset({"/healthz", "/readyz"})

FIELD_REQUIRED = FindingKind("FIELD_REQUIRED", ko="필수 항목입니다.", en="This field is required.")
FIELD_UNKNOWN = FindingKind("FIELD_UNKNOWN", ko="알 수 없는 항목입니다.", en="Unknown field.")
FIELD_INVALID = FindingKind(
    "FIELD_INVALID", ko="형식이 올바르지 않습니다: {reason}", en="Not valid: {reason}"
)


def create_app(
    name: str,
    *,
    title: str,
    routers: Sequence[APIRouter],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    checks: Mapping[str, Check],
    notes: Mapping[str, Note] | None = None,
    metrics: Metrics,
    spans: Spans | None = None,
) -> FastAPI:
    """One application: its routers, health routes, and a single place that renders problems.

    `checks` are what `/readyz` asks, by name; one that raises makes the process not ready. `notes`
    are what it tells besides: facts that are the same in every process, so that taking this one
    out of service would mend nothing.
    """

    def operation_id(route: APIRoute) -> str:
        return f"{name}_{route.name}"

    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        max_body_size=MAX_BODY_BYTES,
        responses={
            "4XX": {"model": ProblemOut, "description": "Problem (RFC 9457)"},
            "5XX": {"model": ProblemOut, "description": "Problem (RFC 9457)"},
        },
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for router in routers:
        app.include_router(router)
    app.include_router(_health(checks, notes or {}))
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(TraceAndLog, metrics=metrics, spans=spans)
    app.state.draining = False
    _document_problems(app)
    return app


def _document_problems(app: FastAPI) -> None:
    """Put the problems into the OpenAPI document, for the page their `type` leads to."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document["x-problems"] = catalogue()
        for operations in document["paths"].values():
            for operation in operations.values():
                for status in ("4XX", "5XX"):  # FastAPI writes the media type of the good answer
                    [described] = operation["responses"][status]["content"].values()
                    operation["responses"][status]["content"] = {PROBLEM: described}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def language(request: Request) -> Lang:
    """English if the client's first choice is English, else Korean."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "ko"


def problem_response(request: Request, problem: Problem) -> Response:
    return JSONResponse(
        problem.to_dict(language(request), instance=request.url.path, trace_id=trace_id.get()),
        status_code=problem.status,
        headers=problem.headers,
        media_type=PROBLEM,
    )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(request, error)


async def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request, Invalid(errors=[_finding(item) for item in error.errors()]))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known: dict[int, type[Problem]] = {404: NotFound, 405: MethodNotAllowed, 413: PayloadTooLarge}
    problem = known.get(error.status_code, Invalid if error.status_code < 500 else Problem)()
    problem.headers.update(error.headers or {})
    return problem_response(request, problem)


def _finding(item: Mapping[str, Any]) -> Finding:
    source, *path = item["loc"]
    pointer = "".join(f"/{part}" for part in path) if source == "body" else f"?{path[-1]}"
    field = next((part for part in reversed(path) if isinstance(part, str)), None)
    kind = {"missing": FIELD_REQUIRED, "extra_forbidden": FIELD_UNKNOWN}.get(item["type"])
    if kind is not None:
        return kind.at(pointer, field=field)
    return FIELD_INVALID.at(pointer, field=field, reason=item["msg"])


def _health(checks: Mapping[str, Check], notes: Mapping[str, Note]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready(request: Request) -> JSONResponse:
        report: dict[str, str] = {}
        if request.app.state.draining:
            report["draining"] = "yes"
        for name, check in checks.items():
            try:
                await check()
                report[name] = "ok"
            except Exception as error:  # noqa: BLE001  # readiness reports any failure
                log.warning("not_ready", check=name, error=repr(error))
                report[name] = "failed"
        good = set(report.values()) <= {"ok"}
        body: dict[str, Any] = {"status": "ready" if good else "not ready", "checks": report}
        if notes:
            body["notes"] = {name: await _noted(name, note) for name, note in notes.items()}
        return JSONResponse(body, status_code=200 if good else 503)

    return router


async def _noted(name: str, note: Note) -> Any:
    try:
        return await note()
    except Exception as error:  # noqa: BLE001  # a note never decides
        log.warning("note_not_available", note=name, error=repr(error))
        return None


class TraceAndLog:
    """Continue the caller's trace, write one access line, count, and keep private answers out of
    caches.

    Plain ASGI: a BaseHTTPMiddleware would run the endpoint in another task and buffer streams.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, spans: Spans | None = None) -> None:
        self.app = app
        self.metrics = metrics
        self.spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("traceparent", "")
        span = None
        if self.spans is not None and scope["path"] not in HEALTH:
            span = self.spans.begin(scope["method"], "server", given)
        current = span.trace if span else trace_id_of(given) or new_trace_id()
        token = trace_id.set(current)
        span_token = current_span.set(span)
        started = time.perf_counter()
        status = 500
        started_answer = False
        self.metrics.under_way += 1

        async def send_marked(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                started_answer = True
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                headers["x-trace-id"] = current
                if scope["app"].state.draining:
                    headers["connection"] = "close"  # the next request goes to another process
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception as error:
            # Here and not in an exception handler, which would run outside of the trace.
            log.error("request_crashed", route=_route(scope), exc_info=error)
            if started_answer:
                raise  # the client must see a broken answer, never a short one that looks whole
            crash = problem_response(Request(scope), Problem())
            await crash(scope, receive, send_marked)
        finally:
            self.metrics.under_way -= 1
            if scope["path"] not in HEALTH:
                method, route = scope["method"], _route(scope)
                seconds = time.perf_counter() - started
                self.metrics.request(method, route, status, seconds)
                log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                )
            trace_id.reset(token)
            current_span.reset(span_token)
            if span is not None:
                span.end(
                    f"{scope['method']} {_route(scope)}",
                    failed=status >= 500,
                    attributes={"http.route": _route(scope), "http.response.status_code": status},
                )


def _route(scope: Scope) -> str:
    """The route's template, never the path: paths may hold names and numbers of people."""
    return getattr(scope.get("route"), "path", None) or "unmatched"
