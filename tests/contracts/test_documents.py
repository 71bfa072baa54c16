"""What the OpenAPI documents of all services promise, and what holds for every route."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from deploy.openapi import service_document, unopened
from gateway.routes import SERVICES

# A cell holds whatever an office typed; what is too large is a finding on that cell.
FREE = {"RowIn/properties/cells/additionalProperties/anyOf/1"}


@pytest.fixture(params=SERVICES)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return service_document(request.param)


def test_every_number_a_client_sends_is_bounded(document: dict[str, Any]) -> None:
    """A number beyond what the database can hold would be a crash instead of an answer."""
    unbounded = {
        place
        for operations in document["paths"].values()
        for operation in operations.values()
        for sent in ("parameters", "requestBody")
        for place in _unbounded(operation.get(sent, {}), document, operation["operationId"], ())
    }
    assert not {place for place in unbounded if not any(place.endswith(free) for free in FREE)}


def _unbounded(
    node: Any, document: dict[str, Any], place: str, above: tuple[str, ...]
) -> Iterator[str]:
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _unbounded(item, document, f"{place}/{number}", above)
    elif isinstance(node, dict):
        name = node.get("$ref", "").rpartition("/")[2]
        if name and name not in above:
            schema = document["components"]["schemas"][name]
            yield from _unbounded(schema, document, name, (*above, name))
        if node.get("type") == "integer" and not node.keys() & {"maximum", "exclusiveMaximum"}:
            yield place
        for key, value in node.items():
            if key not in {"default", "example", "examples"}:
                yield from _unbounded(value, document, f"{place}/{key}", above)


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_is_sent_through_a_thread(service: str) -> None:
    """FastAPI runs every plain function among routes and dependencies in a thread of its own: for
    the few lines they hold, that costs many times what they do."""
    called = {call for route in _routes(unopened(service)) for call in _calls(route.dependant)}
    assert len(called) > 50
    assert not {call for call in called if not _on_the_loop(call)}


def _routes(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif included := getattr(route, "original_router", None):
            yield from _routes(included)


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for one in dependant.dependencies:
        yield from _calls(one)


def _on_the_loop(call: Callable[..., Any]) -> bool:
    made = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(made) or inspect.isasyncgenfunction(made)
