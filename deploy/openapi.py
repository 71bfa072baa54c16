"""`python -m deploy.openapi`: the merged document of all services, for the types of the portal.

Nothing runs and nothing is connected to. What only tells (descriptions, examples) is left out, so
that the document changes when the contract does, and only then.
"""

import hashlib
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import orjson
from fastapi import FastAPI

from gateway.document import merge
from gateway.routes import SERVICES, RouteTable

Json = dict[str, Any]
_TELLING = {"description", "summary", "title", "example", "examples", "tags"}
_NAMED = {"properties", "paths", "schemas", "parameters", "responses", "content", "headers"}
"""Maps from names to things: a property may well be called `description`."""
_SECRET = "x" * 43


def document() -> Json:
    """OpenAPI 3.1, without words."""
    merged = merge({name: service_document(name) for name in SERVICES}, [], RouteTable())
    bare: Json = _bare({key: merged[key] for key in ("openapi", "paths", "components")})
    return bare | {"info": {"title": "Sanhak Mileage", "version": "1"}}


def fingerprint(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def written() -> bytes:
    """The same bytes for the same contract."""
    return orjson.dumps(document(), option=orjson.OPT_SORT_KEYS)


def service_document(service: str) -> Json:
    """What the service itself answers at `/openapi.json`."""
    return unopened(service).openapi()


def unopened(service: str) -> FastAPI:
    """The application of a service, to be looked at: it is connected to nothing."""
    with patch.dict(os.environ, _environment(service)):
        settings = importlib.import_module(f"services.{service}.settings").Settings()
        app: FastAPI = importlib.import_module(f"services.{service}.app").create_app(settings)
    return app


def _environment(service: str) -> Mapping[str, str]:
    """Settings without defaults; nothing is opened with them."""
    return {
        f"DATABASE_URL_{service.upper()}": "postgresql+psycopg://nobody@nowhere/none",
        f"CLIENT_SECRET_{service.upper()}": _SECRET,
        "FILES_URL": "memory:///",
        "KEY_ENCRYPTION_KEY": _SECRET,
        "PASSWORD_PEPPER": _SECRET,
    }


def _bare(part: Any, *, named: bool = False) -> Any:
    if isinstance(part, dict):
        return {
            key: _bare(value, named=not named and key in _NAMED and isinstance(value, dict))
            for key, value in part.items()
            if named or key not in _TELLING
        }
    return [_bare(item) for item in part] if isinstance(part, list) else part


if __name__ == "__main__":
    sys.stdout.buffer.write(written())
