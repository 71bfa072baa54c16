"""TCP ports of the loopback address: which are taken, which are free, and asking over HTTP."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping

from deploy.local.errors import LocalError

HOST = "127.0.0.1"
PROBE_TIMEOUT_S = 2.0


def refuse_busy(ports: Mapping[str, int]) -> None:
    """Raises `LocalError` that names every port (by its user) that somebody listens on."""
    busy = [f"port {port} ({name})" for name, port in ports.items() if not _is_free(port)]
    if busy:
        raise LocalError(
            f"{', '.join(busy)} on {HOST} is in use. Stop what listens there, "
            "or choose others with --port (make run PORT=8100)."
        )


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


async def answers_ok(port: int, path: str) -> bool:
    """Whether a GET is answered with 200. An HTTP library would take longer to import."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.split(b" ")[1:2] == [b"200"]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection of a former run that lingers does not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
