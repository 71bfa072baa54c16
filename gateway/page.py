"""One file as it is served: its representations, and which of them a client is sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.exchange import Exchange, Headers

_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".ico": b"image/x-icon",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".webmanifest": b"application/manifest+json",
    ".woff2": b"font/woff2",
}
_NEVER = frozenset({b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"})


@dataclass(frozen=True, slots=True)
class Representation:
    body: bytes
    headers: Headers
    etag: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """`encoded`: smaller forms of the same by content coding, the preferred one first."""

    plain: Representation
    encoded: tuple[tuple[bytes, Representation], ...] = ()

    @classmethod
    def of(
        cls,
        file: Path,
        body: bytes,
        headers: Headers,
        encoded: Mapping[bytes, bytes] | None = None,
    ) -> Self:
        """`encoded` has the bodies by coding. The type is told by the name, and by nothing else."""
        kind = _TYPES.get(file.suffix, b"application/octet-stream")
        headers = [(b"content-type", kind), *headers]
        if encoded:
            headers.append((b"vary", b"accept-encoding"))
        forms = [
            (coding, _representation(form, [*headers, (b"content-encoding", coding)]))
            for coding, form in (encoded or {}).items()
        ]
        return cls(_representation(body, headers), tuple(forms))

    async def answer(self, exchange: Exchange) -> None:
        chosen = self._for(exchange.fields.get(b"accept-encoding", b""))
        known = exchange.fields.get(b"if-none-match", b"")
        if known == b"*" or chosen.etag in known:
            await exchange.answer(304, chosen.headers, b"")
        else:
            await exchange.answer(200, chosen.headers, chosen.body)

    def _for(self, accepted: bytes) -> Representation:
        if self.encoded and accepted:
            codings = _codings(accepted)
            for coding, form in self.encoded:
                if coding in codings:
                    return form
        return self.plain


def _representation(body: bytes, headers: Headers) -> Representation:
    """The tag is of the bytes that are sent: forms of one file have different ones."""
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    return Representation(body, [*headers, (b"etag", etag)], etag)


def _codings(accepted: bytes) -> set[bytes]:
    """The names in `Accept-Encoding` that are not ruled out. `*` is not taken for any of them."""
    parts = [part.partition(b";") for part in accepted.lower().split(b",")]
    return {name.strip() for name, _, q in parts if q.replace(b" ", b"") not in _NEVER}
