"""The few pages the gateway serves itself: the API documentation and a front page. Everything
they need comes from this origin."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from gateway.exchange import Headers

_OWN = Path(__file__).parent / "pages"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".png": b"image/png",
}


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    headers: Headers
    etag: bytes


def load_pages() -> dict[str, Page]:
    """By path. Swagger UI comes from the package that carries it, found without importing it."""
    spec = importlib.util.find_spec("fastapi_offline")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    swagger = Path(spec.submodule_search_locations[0]) / "static"
    return {
        "/": _page(_OWN / "index.html"),
        "/docs": _page(_OWN / "docs.html"),
        "/docs/docs.js": _page(_OWN / "docs.js"),
        "/docs/errors": _page(_OWN / "errors.html"),
        "/docs/errors.js": _page(_OWN / "errors.js"),
        "/docs/swagger-ui-bundle.js": _page(swagger / "swagger-ui-bundle.js"),
        "/docs/swagger-ui.css": _page(swagger / "swagger-ui.css"),
        "/favicon.ico": _page(swagger / "favicon.png"),
    }


def _page(path: Path) -> Page:
    body = path.read_bytes()
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    headers = [
        (b"content-type", _TYPES[path.suffix]),
        (b"cache-control", b"no-cache"),
        (b"etag", etag),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"content-security-policy", _PAGE_POLICY),
    ]
    return Page(body, headers, etag)
