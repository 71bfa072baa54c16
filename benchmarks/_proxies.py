"""Proxies to compare the gateway with: the same filter of headers and nothing else, on the
gateway's own client library, on httpx2, and on httpx, from which that descends, where it is
installed.

Run by `benchmarks/gateway.py`: `python -m benchmarks._proxies LIBRARY PORT SERVICE_URL`.
"""

import importlib
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import httpx2
import uvicorn

from gateway.exchange import ANSWER, Headers, Receive, Scope, Send
from gateway.forward import answer_headers
from gateway.head import Head, forwarded_headers
from gateway.protocol import WholeAnswers
from gateway.upstream import Answer, Lines, Upstream, upstreams


class Minimal:
    """Forwards everything; knows no limits, no policy, no token, no log."""

    def __init__(self, client: str, url: str) -> None:
        self._client = client
        self._url = url
        self._upstream: Upstream
        self._http: httpx2.AsyncClient  # or httpx', which is the same to look at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        raw = scope["headers"]
        target = scope["raw_path"].decode()
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode()
        fields = dict(raw)
        has_body = b"content-length" in fields or b"transfer-encoding" in fields
        head = Head(scope["method"], target, target, fields, raw, None, has_body)
        headers = forwarded_headers(head)
        headers.append(
            (
                f"X-Forwarded-For: {scope['client'][0]}\r\n"
                f"X-Forwarded-Proto: {scope['scheme']}\r\n"
                f"X-Forwarded-Host: {fields[b'host'].decode()}\r\n"
                f"X-Request-ID: {secrets.token_hex(16)}\r\n"
                f"traceparent: 00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01\r\n"
            ).encode()
        )
        body = _body(receive) if has_body else None
        if self._client == "aiohttp":
            answer = await self._upstream.ask(head.method, target, headers, body)
            with closing(answer):
                await self._answer(scope, send, answer)
            scope["extensions"].clear()  # see `Exchange.finish`
        else:
            request = self._http.build_request(
                head.method, self._url + target, headers=_pairs(headers), content=body
            )
            response = await self._http.send(request, stream=True)
            try:
                raw_headers = tuple(response.headers.raw)
                await _pass_on(send, response.status_code, raw_headers, response.aiter_raw())
            finally:
                await response.aclose()

    async def _answer(self, scope: Scope, send: Send, answer: Answer) -> None:
        """As the gateway does: in one piece, when all of it is there."""
        content = answer.content
        if content.is_eof():
            headers = answer_headers(answer.raw_headers, answer.status)[0]
            scope["extensions"][ANSWER](answer.status, headers, content.read_nowait())
        else:
            await _pass_on(send, answer.status, answer.raw_headers, content.iter_any())

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        library = httpx2 if self._client == "aiohttp" else importlib.import_module(self._client)
        limits = library.Limits(max_connections=256, max_keepalive_connections=256)
        async with (
            upstreams({"service": self._url}, limit=256) as found,
            library.AsyncClient(limits=limits, trust_env=False, timeout=30) as self._http,
        ):
            self._upstream = found["service"]
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def _pass_on(
    send: Send, status: int, raw: tuple[tuple[bytes, bytes], ...], chunks: AsyncIterator[bytes]
) -> None:
    headers: Headers = answer_headers(raw, status)[0]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _pairs(lines: Lines) -> list[tuple[bytes, bytes]]:
    parts = (line.partition(b": ") for line in b"".join(lines).split(b"\r\n") if line)
    return [(name, value) for name, _, value in parts]


def main(client: str, port: str, url: str) -> None:
    app: Any = Minimal(client, url)
    uvicorn.run(
        app,
        port=int(port),
        loop="uvloop",
        http=WholeAnswers,
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
