"""A network that misbehaves on demand: a proxy between two parties, with toxics named as in
Toxiproxy (latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data).

    async with FaultProxy.before("127.0.0.1", 8002) as proxy:
        proxy.add(latency(0.2))
        ...
        proxy.heal()

Toxics act on what flows downstream, from the server to the client, unless told otherwise. They
are looked at chunk by chunk, so connections that are open already meet them too.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Stream = Literal["downstream", "upstream"]
CHUNK = 64 * 2**10


@dataclass(frozen=True)
class Toxic:
    """`latency` and `slow_close` delay by `seconds`; `timeout` and `reset_peer` let nothing pass
    any more and end the connection after them (`timeout` of 0: never)."""

    kind: Literal[
        "latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"
    ]
    seconds: float = 0.0
    bytes: int = 0
    stream: Stream = "downstream"


def latency(seconds: float, stream: Stream = "downstream") -> Toxic:
    return Toxic("latency", seconds=seconds, stream=stream)


def bandwidth(bytes_per_second: int, stream: Stream = "downstream") -> Toxic:
    return Toxic("bandwidth", bytes=bytes_per_second, stream=stream)


def slow_close(seconds: float) -> Toxic:
    return Toxic("slow_close", seconds=seconds)


def timeout(seconds: float, stream: Stream = "downstream") -> Toxic:
    return Toxic("timeout", seconds=seconds, stream=stream)


def reset_peer(seconds: float = 0.0, stream: Stream = "downstream") -> Toxic:
    return Toxic("reset_peer", seconds=seconds, stream=stream)


def slicer(size: int, seconds: float = 0.0, stream: Stream = "downstream") -> Toxic:
    return Toxic("slicer", bytes=size, seconds=seconds, stream=stream)


def limit_data(size: int, stream: Stream = "downstream") -> Toxic:
    return Toxic("limit_data", bytes=size, stream=stream)


class Ended(Exception):  # noqa: N818  # a toxic's doing
    """The connection is to end here; `reset` says how."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


@dataclass
class FaultProxy:
    """Accepts connections and passes bytes both ways, through whatever toxics are in place."""

    connect: Callable[[], object]
    toxics: list[Toxic] = field(default_factory=list)
    accepted: int = 0
    address: str = ""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def before(cls, host: str, port: int) -> AsyncIterator["FaultProxy"]:
        """In front of a TCP server; `address` is `host:port`."""
        proxy = cls(lambda: asyncio.open_connection(host, port))
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with proxy._running(server):
            yield proxy

    @classmethod
    @asynccontextmanager
    async def before_socket(cls, path: Path, own: Path) -> AsyncIterator["FaultProxy"]:
        """In front of a Unix socket; `address` is the proxy's own."""
        proxy = cls(lambda: asyncio.open_unix_connection(path))
        server = await asyncio.start_unix_server(proxy._serve, own)
        proxy.address = str(own)
        async with proxy._running(server):
            yield proxy

    def add(self, *toxics: Toxic) -> None:
        self.toxics += toxics

    def heal(self) -> None:
        self.toxics.clear()

    def cut(self) -> None:
        """End every connection there is, as a restart of the server would."""
        for writer in tuple(self._open):
            writer.transport.abort()

    @asynccontextmanager
    async def _running(self, server: asyncio.Server) -> AsyncIterator[None]:
        try:
            yield
        finally:
            server.close()
            self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        there_reader, there = await self.connect()  # type: ignore[misc]
        both = {writer, there}
        self._open |= both
        flows = [
            asyncio.create_task(self._flow(reader, there, "upstream")),
            asyncio.create_task(self._flow(there_reader, writer, "downstream")),
        ]
        try:
            await asyncio.gather(*flows)
        except Ended as end:
            for one in both:
                if end.reset:
                    _reset_on_close(one)
        except OSError:
            pass
        finally:
            for flow in flows:
                flow.cancel()
            for one in both:
                with suppress(RuntimeError, OSError):  # the loop may be closing
                    one.close()
            self._open -= both

    async def _flow(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: Stream
    ) -> None:
        passed = 0
        while True:
            data = await reader.read(CHUNK)
            mine = [toxic for toxic in self.toxics if toxic.stream == stream]
            if not data:
                for toxic in mine:
                    if toxic.kind == "slow_close":
                        await asyncio.sleep(toxic.seconds)
                if writer.can_write_eof():
                    writer.write_eof()
                return
            for toxic in mine:
                data = await _endure(toxic, data, passed)
            passed += len(data)
            sliced = next((toxic for toxic in mine if toxic.kind == "slicer"), None)
            size = sliced.bytes if sliced else len(data)
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await writer.drain()
                if sliced:
                    await asyncio.sleep(sliced.seconds)
            if any(toxic.kind == "limit_data" and passed >= toxic.bytes for toxic in mine):
                raise Ended(reset=False)


async def _endure(toxic: Toxic, data: bytes, passed: int) -> bytes:
    """What is left of a chunk, after the time the toxic takes. Raises `Ended`."""
    if toxic.kind == "latency":
        await asyncio.sleep(toxic.seconds)
    elif toxic.kind == "bandwidth":
        await asyncio.sleep(len(data) / toxic.bytes)
    elif toxic.kind == "limit_data":
        return data[: max(0, toxic.bytes - passed)]
    elif toxic.kind in {"timeout", "reset_peer"}:
        await asyncio.sleep(toxic.seconds or (0 if toxic.kind == "reset_peer" else 10**6))
        raise Ended(reset=toxic.kind == "reset_peer")
    return data


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Make closing a reset (RST): what is still under way is lost."""
    raw = writer.get_extra_info("socket")
    if raw.family != socket.AF_UNIX:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
