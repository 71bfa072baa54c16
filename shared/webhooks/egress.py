"""The one place that connects to an address somebody else chose.

The name is resolved here, every address it has must be public, and the connection goes to the
address that was checked: a name that answers differently a moment later gains nothing. No
redirects, no proxies, bounded time, a bounded answer.
"""

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx2

from shared.webhooks.errors import TargetRefused
from shared.webhooks.signing import is_public

TIMEOUT_SECONDS = 20
MAX_ANSWER_BYTES = 1_000
_TIMEOUT = httpx2.Timeout(15.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt: a status and the beginning of its body, or an error."""

    status: int | None
    body: str
    error: str | None
    ms: int

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def check_target(url: str, *, private: bool) -> SplitResult:
    """The parts of an address we might send to. Raises `TargetRefused`.

    `private` allows plain HTTP and addresses inside, for development and closed networks.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetRefused("malformed") from error
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise TargetRefused("https only")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise TargetRefused("a host without credentials is needed")
    if port == 0 or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise TargetRefused("malformed")
    if not private and _is_literal(parts.hostname) and not is_public(parts.hostname):
        raise TargetRefused("not a public address")
    return parts


async def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> Answer:
    """One attempt. Never raises for what the other side does or fails to do."""
    started = time.monotonic()

    def outcome(status: int | None = None, body: str = "", error: str | None = None) -> Answer:
        return Answer(status, body, error, round((time.monotonic() - started) * 1000))

    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status, text = await _post(url, body, headers, private=private)
    except TargetRefused as error:
        return outcome(error=f"refused: {error}")
    except TimeoutError:
        return outcome(error="timeout")
    except (httpx2.HTTPError, OSError, ValueError) as error:
        return outcome(error=type(error).__name__)
    return outcome(status, text)


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], *, private: bool
) -> tuple[int, str]:
    parts = check_target(url, private=private)
    host = parts.hostname or ""
    address = await _resolve(host, parts.port or (443 if parts.scheme == "https" else 80), private)
    target = httpx2.URL(url).copy_with(host=address)
    request_headers = {**headers, "Host": parts.netloc}
    async with (
        httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False, follow_redirects=False) as client,
        client.stream(
            "POST",
            target,
            content=body,
            headers=request_headers,
            extensions={"sni_hostname": host},
        ) as response,
    ):
        return response.status_code, await _beginning(response)


async def _resolve(host: str, port: int, private: bool) -> str:
    """An address of the host, after looking at all of them."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TargetRefused("unknown host") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(map(is_public, addresses)):
        raise TargetRefused("not a public address")
    return addresses[0]


async def _beginning(response: httpx2.Response) -> str:
    seen = b""
    async with aclosing(response.aiter_raw(MAX_ANSWER_BYTES)) as chunks:
        async for chunk in chunks:
            seen += chunk
            if len(seen) >= MAX_ANSWER_BYTES:
                break
    return seen[:MAX_ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", " ")


def _is_literal(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True
