"""Reads what `npm run build` made of `gateway/portal`: files by path, with the headers that tell a
browser how long each may be kept and what a page of the portal may do."""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gateway.exchange import Headers
from gateway.page import Page

_INDEX = "index.html"
# The portal's build has some 7 MB, most of it fonts, and is held in memory.
MAX_BYTES = 48 * 2**20

# Smaller forms that the build wrote beside a file, the preferred one first.
_CODINGS = {b"br": ".br", b"gzip": ".gz"}

# The name of a file here holds a digest of its content.
_IMMUTABLE = b"public, max-age=31536000, immutable"
_FONT = b"public, max-age=2592000"
_ASK = b"no-cache"

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)

# Evidence is shown from blobs that the portal fetched with its token.
_POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PERMISSIONS = (
    b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
    b"magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), "
    b"publickey-credentials-create=(self), publickey-credentials-get=(self)"
)
_OF_ALL: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


@dataclass(frozen=True, slots=True)
class Build:
    """`files` by the path they are asked for by; the index is not among them."""

    index: Page
    files: dict[str, Page]


def read_build(directory: Path) -> Build | None:
    """None if there is no build. Raises `ValueError` for one that is not the portal's."""
    index = directory / _INDEX
    if not index.is_file():
        return None
    found = [
        path
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.resolve() == directory.resolve() / path.relative_to(directory)
    ]
    size = sum(path.stat().st_size for path in found)
    if size > MAX_BYTES:
        raise ValueError(f"{directory} holds {size} bytes; the portal's build is smaller.")
    forms = {path.with_name(path.name + end) for path in found for end in _CODINGS.values()}
    files = {
        "/" + quote(path.relative_to(directory).as_posix(), safe="/-._~!$&'()*+,;=:@"): _file(
            path, directory
        )
        for path in found
        if path != index and path not in forms
    }
    body = index.read_bytes()
    return Build(Page.of(index, body, _index_headers(body), _smaller(index)), files)


def _file(path: Path, directory: Path) -> Page:
    parts = path.relative_to(directory).parts
    if parts[:2] == ("_app", "immutable"):
        keep = _IMMUTABLE
    elif path.suffix == ".woff2":
        keep = _FONT
    else:
        keep = _ASK
    # Opened as a page of its own, a file does nothing.
    alone = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
    headers = [(b"cache-control", keep), alone, *_OF_ALL]
    return Page.of(path, path.read_bytes(), headers, _smaller(path))


def _smaller(path: Path) -> dict[bytes, bytes]:
    forms = {coding: path.with_name(path.name + end) for coding, end in _CODINGS.items()}
    return {coding: form.read_bytes() for coding, form in forms.items() if form.is_file()}


def _index_headers(body: bytes) -> Headers:
    """The script that starts the portal stands in its page: the policy lets in exactly that one."""
    digests = [hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(body)]
    scripts = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return [
        (b"cache-control", _ASK),
        (b"vary", b"accept"),  # who asks for something else than a page is told that there is none
        (b"content-security-policy", _POLICY.format(scripts=scripts).encode()),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", _PERMISSIONS),
        *_OF_ALL,
    ]
