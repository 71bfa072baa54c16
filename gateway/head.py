"""Request heads: what is refused, what is forwarded, and what is put in its place.

A path is either forwarded byte for byte or refused; it is never normalised, so what was
authorised is what is sent.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import chain
from typing import NamedTuple

from gateway.errors import BadPath, BadRequestHead, HeadersTooLarge, TargetTooLong
from shared.problems import MethodNotAllowed

RawHeaders = list[tuple[bytes, bytes]]

MAX_TARGET = 4 * 2**10
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 2**10

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Characters of RFC 3986 paths. Of the encoded ones not those that a server behind us could take
# for a separator, a dot segment or the end of a string: %2F %5C %2E, %00–%1F, %7F.
_PATH = re.compile(
    rb"(?:/(?!\.{1,2}(?:/|$))"
    rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]++|%(?!2[EeFf]|5[Cc]|7[Ff]|[01])[0-9A-Fa-f]{2})++)*+/?"
)
_QUERY = re.compile(rb"[!$-~\"]*+")

# At most one line of each; two would let us and a service see different requests.
_SINGLE = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization"}
)
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"expect",  # answered here
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_REPLACED = frozenset(
    {b"content-length", b"host", b"forwarded", b"via", b"traceparent", b"x-request-id"}
)
# Names that somewhere, behind some proxy, mean who is calling or what was really asked for.
# No service of ours reads them; none shall ever see one from outside.
_CLAIMS_TO_KNOW = re.compile(
    rb"x-(?:account|act|auth|client|forward|institution|internal|org|original|real|remote|rewrite"
    rb"|role|scope|service|subject|tenant|trace|user|http-method|method).*|true-client-ip"
    rb"|cf-connecting-ip|remote-.*|.*_.*"
)
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_HOST = re.compile(rb"[A-Za-z0-9._\-\[\]:]{1,255}")
_PLAIN_CONNECTION = frozenset({b"keep-alive", b"close"})


@dataclass(slots=True)
class Head:
    """A request head that has passed. `target` is the raw path and query, `fields` the headers by
    lower-case name; `length` the announced body size, None for a chunked or an absent body."""

    method: str
    path: str
    target: str
    fields: dict[bytes, bytes]
    raw: RawHeaders
    length: int | None
    has_body: bool

    @property
    def has_repeats(self) -> bool:
        return len(self.fields) < len(self.raw)


def read_head(
    method: str, path: bytes, query: bytes, raw: RawHeaders, fields: dict[bytes, bytes]
) -> Head:
    """`fields` is `raw` by name. Raises `BadPath`, `BadRequestHead`, `TargetTooLong`,
    `HeadersTooLarge` or `MethodNotAllowed`."""
    if len(path) + len(query) >= MAX_TARGET:
        raise TargetTooLong
    if len(raw) > MAX_HEADERS or len(b"".join(chain.from_iterable(raw))) > MAX_HEADER_BYTES:
        raise HeadersTooLarge
    if method not in METHODS:
        raise MethodNotAllowed
    if not _PATH.fullmatch(path) or (query and not _QUERY.fullmatch(query)):
        raise BadPath
    if len(fields) < len(raw):
        _refuse_repeated(raw)
    if not _HOST.fullmatch(fields.get(b"host", b"")):
        raise BadRequestHead(reason="Host")
    length, has_body = _framing(fields)
    text = path.decode()
    target = f"{text}?{query.decode()}" if query else text
    return Head(method, text, target, fields, raw, length, has_body)


def _refuse_repeated(raw: RawHeaders) -> None:
    seen = set()
    for name, _ in raw:
        if name in _SINGLE and name in seen:
            raise BadRequestHead(reason=f"repeated {name.decode()}")
        seen.add(name)


def _framing(fields: dict[bytes, bytes]) -> tuple[int | None, bool]:
    """The announced length of the body, and whether there is one."""
    announced = fields.get(b"content-length")
    coding = fields.get(b"transfer-encoding")
    if announced is None and coding is None:
        return None, False
    if b"upgrade" in fields:
        # The parser would take the body for bytes of the other protocol.
        raise BadRequestHead(reason="Upgrade with a body")
    if coding is not None:
        if announced is not None or coding.lower() != b"chunked":
            raise BadRequestHead(reason="Transfer-Encoding")
        return None, True
    assert announced is not None
    if not announced.isdigit() or len(announced) > 18:
        raise BadRequestHead(reason="Content-Length")
    return int(announced), int(announced) > 0


_names: dict[bytes, bytes] = {}


def _line_start(name: bytes) -> bytes:
    """`name: `, or nothing when the header stays here. Remembered."""
    if len(_names) > 1_000:
        _names.clear()
    stays = name in _HOP_BY_HOP or name in _REPLACED or _CLAIMS_TO_KNOW.fullmatch(name)
    _names[name] = start = b"" if stays else name + b": "
    return start


def forwarded_headers(head: Head) -> list[bytes]:
    """The lines of the client's headers without those that end here, byte for byte. What tells of
    the body is not among them: whoever sends it frames it."""
    named = _named_by_connection(head)
    kept: list[bytes] = []
    for name, value in head.raw:
        start = _names[name] if name in _names else _line_start(name)
        if start and name not in named:
            if not value.isascii():
                _refuse_other_encodings(value)
            kept.append(start + value + b"\r\n")
    return kept


def _refuse_other_encodings(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise BadRequestHead(reason="header bytes") from error


def _named_by_connection(head: Head) -> frozenset[bytes]:
    if head.fields.get(b"connection", b"close") in _PLAIN_CONNECTION and not head.has_repeats:
        return _PLAIN_CONNECTION
    lines = b",".join([value for name, value in head.raw if name == b"connection"])
    return frozenset([part.strip().lower() for part in lines.split(b",")])


def request_id(head: Head, otherwise: str) -> str:
    given = head.fields.get(b"x-request-id")
    return given.decode() if given is not None and _TOKEN.fullmatch(given) else otherwise


class Origin(NamedTuple):
    """Where a request comes from, as far as we can know: the client's address, the scheme and
    host it used."""

    address: str
    scheme: str
    host: str

    @property
    def caller(self) -> str:
        """What is counted as one caller: an IPv4 address, or the first half of an IPv6 address,
        since who has one of those has all that begin like it."""
        if ":" not in self.address:
            return self.address
        address = IPv6Address(self.address)
        return str(address.ipv4_mapped or IPv6Address(address.packed[:8] + bytes(8)))


class Origins:
    """Reads the origin from the socket; behind trusted proxies from what they say."""

    def __init__(self, trusted: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._trusted = trusted

    def of(self, head: Head, peer: str, scheme: str) -> Origin:
        host = head.fields[b"host"].decode()
        if not self._trusted or not self._trusts(peer):
            return Origin(peer, scheme, host)
        lines = b",".join([value for name, value in head.raw if name == b"x-forwarded-for"])
        address = peer
        for hop in reversed([hop.strip() for hop in lines.decode("latin-1").split(",")]):
            if not _is_address(hop):
                break  # nothing further left can be believed
            address = hop
            if not self._trusts(hop):
                break
        said_scheme = head.fields.get(b"x-forwarded-proto", b"").decode("latin-1")
        said_host = head.fields.get(b"x-forwarded-host", b"")
        return Origin(
            address,
            said_scheme if said_scheme in {"http", "https"} else scheme,
            said_host.decode() if _HOST.fullmatch(said_host) else host,
        )

    def _trusts(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed.version == net.version and parsed in net for net in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
