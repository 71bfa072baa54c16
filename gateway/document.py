"""One OpenAPI document of the four services'."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import aiohttp
import orjson
import structlog

from gateway.routes import RouteTable
from gateway.upstream import Upstream
from shared.problems import Problem, catalogue

log = structlog.get_logger()

# A service writes its document when first asked, which takes seconds on a busy machine.
FETCH_SECONDS = 20.0
WHOLE_SECONDS = 60.0
PARTIAL_SECONDS = 5.0
MAX_DOCUMENT = 8 * 2**20
_REF = "#/components/"

Json = dict[str, Any]


class Document:
    """Fetched when asked for and remembered for a minute, or seconds while a service is away."""

    def __init__(self, services: Mapping[str, Upstream], routes: RouteTable) -> None:
        self._services = services
        self._routes = routes
        self._bytes = b""
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self) -> bytes:
        async with self._lock:
            if time.monotonic() > self._until:
                names = list(self._services)
                found = await asyncio.gather(*(self._fetch(name) for name in names))
                documents = {
                    name: document
                    for name, document in zip(names, found, strict=True)
                    if document is not None
                }
                missing = [name for name in names if name not in documents]
                self._bytes = orjson.dumps(merge(documents, missing, self._routes))
                self._until = time.monotonic() + (PARTIAL_SECONDS if missing else WHOLE_SECONDS)
        return self._bytes

    async def _fetch(self, name: str) -> Json | None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                answer = await self._services[name].ask("GET", "/openapi.json", [])
                with closing(answer):
                    body = await answer.content.read(MAX_DOCUMENT)
                    while chunk := await answer.content.read(MAX_DOCUMENT):
                        body += chunk
                    document = orjson.loads(body) if answer.status == 200 else None
                    return document if isinstance(document, dict) else None
        except (Problem, aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("document_not_reachable", service=name, error=repr(error))
            return None


def merge(documents: Mapping[str, Json], missing: list[str], routes: RouteTable) -> Json:
    """The paths the gateway forwards, with the components they use.

    Components that differ between services get the service's name in front. `x-missing-services`
    names the services whose document could not be had.
    """
    merged: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Sanhak Mileage · 산학 마일리지",
            "version": "1",
            "description": "마일리지 적립, 거래소, 지원사업 API. "
            "Accrual, exchange and grant programmes.",
        },
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {},
        "x-problems": _problems(documents),
    }
    if missing:
        merged["x-missing-services"] = missing
    for service, document in documents.items():
        paths = {
            path: {verb: _tagged(operation, service) for verb, operation in verbs.items()}
            for path, verbs in document.get("paths", {}).items()
            if _is_public(path, routes)
        }
        used = _used_components(paths, document.get("components", {}))
        renamed = _place(used, merged["components"], service)
        merged["paths"].update(_with_references(paths, renamed))
        merged["tags"] += _tags(paths)
    return merged


def _problems(documents: Mapping[str, Json]) -> list[Json]:
    """What services and gateway answer when something is wrong, by code."""
    found = {item["code"]: item for item in catalogue()}
    for document in documents.values():
        found |= {item["code"]: item for item in document.get("x-problems", ())}
    return [found[code] for code in sorted(found)]


def _tags(paths: Json) -> list[Json]:
    """The headings in the order they come up."""
    names = [tag for verbs in paths.values() for one in verbs.values() for tag in one["tags"]]
    return [{"name": name} for name in dict.fromkeys(names)]


def _is_public(path: str, routes: RouteTable) -> bool:
    return any(routes.find(method, path) is not None for method in ("GET", "POST"))


def _tagged(operation: Json, service: str) -> Json:
    """The operation under headings that begin with its service."""
    tags = [tag for tag in operation.get("tags", ()) if tag != service]
    return {**operation, "tags": [f"{service} · {tag}" for tag in tags] or [service]}


def _references(part: Any) -> set[tuple[str, str]]:
    """Every `(section, name)` of the components that `part` refers to."""
    if isinstance(part, dict):
        found = set().union(*(_references(value) for value in part.values()))
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REF):
            section, _, name = reference.removeprefix(_REF).partition("/")
            found.add((section, name))
        for requirement in part.get("security") or ():
            if isinstance(requirement, dict):
                found |= {("securitySchemes", name) for name in requirement}
        return found
    if isinstance(part, list):
        return set().union(*(_references(item) for item in part))
    return set()


def _used_components(paths: Json, components: Json) -> dict[tuple[str, str], Any]:
    used: dict[tuple[str, str], Any] = {}
    waiting = _references(paths)
    while waiting:
        section, name = key = waiting.pop()
        if key not in used and name in components.get(section, {}):
            used[key] = components[section][name]
            waiting |= _references(used[key])
    return used


def _place(
    used: Mapping[tuple[str, str], Any], components: Json, service: str
) -> dict[tuple[str, str], str]:
    """Put the components into the merged document; returns the new names of the renamed.

    One that refers to a renamed one differs from its namesake as well, hence the repetition.
    """
    renamed: dict[tuple[str, str], str] = {}
    while True:
        clashing = [
            key
            for key, value in used.items()
            if key not in renamed
            and key[1] in components.get(key[0], {})
            and components[key[0]][key[1]] != _with_references(value, renamed)
        ]
        if not clashing:
            break
        for section, name in clashing:
            renamed[section, name] = f"{service.capitalize()}{name}"
    for (section, name), value in used.items():
        placed = renamed.get((section, name), name)
        components.setdefault(section, {})[placed] = _with_references(value, renamed)
    return renamed


def _with_references(part: Any, renamed: Mapping[tuple[str, str], str]) -> Any:
    if isinstance(part, dict):
        changed = {key: _with_references(value, renamed) for key, value in part.items()}
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REF):
            section, _, name = reference.removeprefix(_REF).partition("/")
            if (section, name) in renamed:
                changed["$ref"] = f"{_REF}{section}/{renamed[section, name]}"
        if isinstance(part.get("security"), list):
            changed["security"] = [
                {renamed.get(("securitySchemes", name), name): item[name] for name in item}
                for item in part["security"]
            ]
        return changed
    if isinstance(part, list):
        return [_with_references(item, renamed) for item in part]
    return part
