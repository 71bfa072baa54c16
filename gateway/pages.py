"""What the gateway serves itself: the portal's build, the API documentation, and a front page where
no portal was built. All of it is read when the process starts: a path is looked up among the names
found then, so none leads anywhere else. Everything the pages need comes from this origin."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import structlog

from gateway.exchange import Headers
from gateway.page import Page
from gateway.portal_build import read_build

log = structlog.get_logger()

_OWN = Path(__file__).parent / "pages"
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Headers = [
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", _POLICY),
]
# First segments under which no address of the portal can lie: what is missing there is missing.
_NOT_THE_PORTALS = frozenset(
    {"_app", "api", "docs", "fonts", "healthz", "internal", "metrics", "openapi.json", "readyz"}
)


class Pages:
    """By path. The portal finds its way by the address: whoever asks for a page, and not for a
    file, gets its index for every path that nothing else claims."""

    def __init__(self, build: Path) -> None:
        self._by_path = _own_pages()
        self._index: Page | None = None
        portal = read_build(build)
        if portal is None:
            log.warning("portal_not_built", looked_in=str(build), to_build_it="make portal")
            return
        self._by_path |= portal.files
        self._by_path["/"] = self._index = portal.index

    def find(self, method: str, path: str, fields: Mapping[bytes, bytes]) -> Page | None:
        page = self._by_path.get(path)
        if page is not None or self._index is None or method not in {"GET", "HEAD"}:
            return page
        first = path[1:].partition("/")[0]
        if first in _NOT_THE_PORTALS or first.startswith("."):
            return None
        return self._index if b"text/html" in fields.get(b"accept", b"") else None


def _own_pages() -> dict[str, Page]:
    """Swagger UI comes from the package that carries it, found without importing it."""
    spec = importlib.util.find_spec("fastapi_offline")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    swagger = Path(spec.submodule_search_locations[0]) / "static"
    files = {
        "/": _OWN / "index.html",
        "/docs": _OWN / "docs.html",
        "/docs/docs.js": _OWN / "docs.js",
        "/docs/errors": _OWN / "errors.html",
        "/docs/errors.js": _OWN / "errors.js",
        "/docs/swagger-ui-bundle.js": swagger / "swagger-ui-bundle.js",
        "/docs/swagger-ui.css": swagger / "swagger-ui.css",
        "/favicon.ico": swagger / "favicon.png",
    }
    return {path: Page.of(file, file.read_bytes(), _HEADERS) for path, file in files.items()}
