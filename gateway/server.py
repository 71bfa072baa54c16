"""Runs the gateway under uvicorn: readiness goes first, then the listening socket, then the
requests under way get their time."""

import asyncio
import gc
import signal
import time
from types import FrameType

import uvicorn
import uvloop

from gateway.app import Gateway
from gateway.protocol import GuardedProtocol
from gateway.settings import Settings
from shared import logs

FINISH_SECONDS = 25


class DrainingServer(uvicorn.Server):
    """On the first signal the gateway stops being ready; it stops serving `drain_seconds` later,
    when whoever sends it requests has noticed. A second signal does not wait."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._exit_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        drain_seconds = self._gateway.settings.drain_seconds
        if self._exit_at is None and drain_seconds > 0 and sig == signal.SIGTERM:
            self._captured_signals.append(sig)
            self._gateway.drain()
            self._exit_at = time.monotonic() + drain_seconds
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        return await super().on_tick(counter)


def server(gateway: Gateway) -> DrainingServer:
    settings = gateway.settings

    class Protocol(GuardedProtocol):
        max_connections = settings.max_connections

    config = uvicorn.Config(
        gateway,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        proxy_headers=False,  # the gateway itself decides whom it believes
        server_header=False,
        access_log=False,
        log_config=None,
        backlog=2048,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    return DrainingServer(config, gateway)


def run(settings: Settings) -> None:
    logs.configure("gateway", settings.log_level)
    # Requests leave no cycles behind; by default the collector would look for some 20 times a
    # second, in everything that was ever imported.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server(Gateway(settings)).serve())
