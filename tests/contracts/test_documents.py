"""What the OpenAPI documents of all services promise."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.openapi import service_document
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
