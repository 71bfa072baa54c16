"""What the OpenAPI documents of all services promise."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

# A cell holds whatever an office typed; what is too large is a finding on that cell.
FREE = {"RowIn/properties/cells/additionalProperties/anyOf/1"}


@pytest.fixture(params=["auth", "accrual", "exchange", "grants"])
def document(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    service = request.param
    secret = "x" * 43
    for name, value in {
        f"DATABASE_URL_{service.upper()}": "postgresql+psycopg://nobody@nowhere/none",
        f"CLIENT_SECRET_{service.upper()}": secret,
        "FILES_URL": "memory:///",
        "KEY_ENCRYPTION_KEY": secret,
        "PASSWORD_PEPPER": secret,
    }.items():
        monkeypatch.setenv(name, value)
    settings = importlib.import_module(f"services.{service}.settings").Settings()
    app = importlib.import_module(f"services.{service}.app").create_app(settings)
    described: dict[str, Any] = app.openapi()
    return described


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
