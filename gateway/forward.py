"""Forwarding: the request to its service, the answer back, both streamed, nothing reshaped."""

import asyncio
import re
from collections.abc import AsyncIterator

import aiohttp
import structlog

from gateway.errors import BrokenUpstream, VersionTooOld
from gateway.exchange import SECURITY_HEADERS, ClientGone, Exchange, Headers
from gateway.head import forwarded_headers
from gateway.upstream import Answer, Body, Upstream
from shared.problems import PayloadTooLarge

log = structlog.get_logger()

# Of the service's connection, or set by us.
_STAYS = frozenset(
    {
        b"connection",
        b"date",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"server",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-id",
        b"x-trace-id",
    }
)
_OURS = frozenset(name for name, _ in SECURITY_HEADERS)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_SPECIAL = _STAYS | _OURS | _FRAMING
_BODILESS = frozenset({204, 304})
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_names: dict[bytes, bytes] = {}  # of headers, as services write them, that simply pass or do not


class AnswerBroken(Exception):  # noqa: N818  # an event, not a mistake of ours
    """The service's answer ended early; the client must not take it for whole."""


async def forward(exchange: Exchange, upstream: Upstream) -> None:
    """Ask `upstream` and pass its answer on.

    Raises what `Upstream.ask` does and `PayloadTooLarge` while nothing has been answered yet,
    `AnswerBroken` afterwards.
    """
    head, origin, route = exchange.head, exchange.origin, exchange.route
    assert head is not None
    assert origin is not None
    assert route is not None
    if head.length is not None and head.length > route.max_body:
        raise PayloadTooLarge
    headers = forwarded_headers(head)
    headers.append(
        (
            f"X-Forwarded-For: {origin.address}\r\nX-Forwarded-Proto: {origin.scheme}\r\n"
            f"X-Forwarded-Host: {origin.host}\r\nX-Request-ID: {exchange.request_id}\r\n"
            f"traceparent: {exchange.traceparent}\r\n"
        ).encode()
    )
    upstream.enter(exchange.caller)
    response = None
    try:
        body = await _body(exchange, route.max_body) if head.has_body else None
        exchange.body_read = body is None or isinstance(body, bytes)
        response = await upstream.ask(exchange.method, head.target, headers, body, head.length)
        await _answer(exchange, response, upstream.name)
    finally:
        upstream.leave(exchange.caller)
        if response is not None:
            response.close()  # nothing, when the body was read to its end


async def _body(exchange: Exchange, limit: int) -> Body:
    """The body: as bytes when it has arrived as a whole, else as it arrives."""
    first, more = await _chunk(exchange)
    if len(first) > limit:
        raise PayloadTooLarge
    return _rest(exchange, first, limit) if more else first


async def _rest(exchange: Exchange, first: bytes, limit: int) -> AsyncIterator[bytes]:
    """Runs in aiohttp's writer, so what goes wrong stops the exchange instead of being raised."""
    received = len(first)
    yield first
    try:
        more = True
        while more:
            chunk, more = await _chunk(exchange)
            received += len(chunk)
            if received > limit:
                raise PayloadTooLarge
            if chunk:
                yield chunk
    except (ClientGone, PayloadTooLarge) as error:
        exchange.stop(error)
        raise  # so that aiohttp does not end the body as if it were complete
    exchange.body_read = True


async def _chunk(exchange: Exchange) -> tuple[bytes, bool]:
    message = await exchange.receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    exchange.touched = asyncio.get_running_loop().time()
    return message.get("body", b""), message.get("more_body", False)


async def _answer(exchange: Exchange, response: Answer, service: str) -> None:
    status = response.status
    headers, framing = answer_headers(response.raw_headers, status)
    bodiless = status in _BODILESS or exchange.method == "HEAD"
    if status < 200 or not (framing or bodiless):
        # An answer that ends with its connection cannot be told from one cut short.
        raise BrokenUpstream(service=service)
    headers += exchange.extra
    if not (framing.isdigit() or bodiless) and exchange.scope["http_version"] == "1.0":
        raise VersionTooOld  # it knows no chunks, so that a cut answer would look complete
    content = response.content
    exchange.answering = True
    exchange.status = status
    if content.is_eof() and framing.isdigit() and content.exception() is None:
        # All of it is there, as it is of almost every answer.
        body = content.read_nowait()
        if body and framing != b"%d" % len(body):
            raise AnswerBroken  # two lengths: the parser believed the other one
        await exchange.send_whole(status, headers, body)
        return
    send, loop = exchange.send, asyncio.get_running_loop()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    more = True
    while more:
        try:
            chunk = await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerBroken from error
        more = not content.at_eof()
        await send({"type": "http.response.body", "body": chunk, "more_body": more})
        exchange.touched = loop.time()


def answer_headers(raw: tuple[tuple[bytes, bytes], ...], status: int) -> tuple[Headers, bytes]:
    """What is passed on, and what says where the answer ends: a length, or a transfer coding."""
    kept: Headers = []
    special: Headers = []
    for name, value in raw:
        passed = _names[name] if name in _names else _passed_name(name)
        if passed:
            kept.append((passed, value))
        else:
            special.append((name.lower(), value))
    framing = b""
    own = SECURITY_HEADERS
    for name, value in special:
        if name in _FRAMING:
            framing = value
            # One of a body that is not sent would have the server wait for it.
            if name == b"content-length" and status not in _BODILESS:
                kept.append((name, value))
        elif name in _OURS:
            own = [item for item in own if item[0] != name]  # the service knows better
            kept.append((name, value))
        elif name == b"connection" and value.lower() not in {b"keep-alive", b"close"}:
            named = {part.strip().lower() for part in value.split(b",")}
            kept = [item for item in kept if item[0] not in named]
    return kept + own, framing


def _passed_name(name: bytes) -> bytes:
    """In lower case, or empty for a header that needs a look, or is none. Remembered."""
    lower = name.lower()
    if len(_names) > 1_000:
        _names.clear()
    _names[name] = passed = b"" if lower in _SPECIAL or not _NAME.fullmatch(lower) else lower
    return passed
