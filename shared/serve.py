"""Runs an ASGI application under uvicorn: every process set up, and brought to its end, alike."""

import asyncio
import gc
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
import uvloop

from shared import logs

FINISH_SECONDS = 25


class DrainingServer(uvicorn.Server):
    """On SIGTERM `drain` is called, which makes the process not ready; it stops serving
    `drain_seconds` later, when whoever sends it requests has noticed. A second signal does not
    wait, and neither does SIGINT."""

    def __init__(
        self, config: uvicorn.Config, *, drain_seconds: float, drain: Callable[[], object]
    ) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._drain = drain
        self._exit_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._exit_at is None and self._drain_seconds > 0 and sig == signal.SIGTERM:
            self._captured_signals.append(sig)
            self._drain()
            self._exit_at = time.monotonic() + self._drain_seconds
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        return await super().on_tick(counter)


def serve(
    app: Any, *, name: str, host: str, port: int, log_level: str, drain_seconds: float = 0.0
) -> None:
    """Run a service's application until told to stop; requests under way get 25 s to finish."""
    logs.configure(name, log_level)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        proxy_headers=False,  # only the gateway's own socket tells who is calling
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=75,  # longer than the gateway keeps idle connections
        timeout_graceful_shutdown=FINISH_SECONDS,
    )

    def drain() -> None:
        app.state.draining = True

    server = DrainingServer(config, drain_seconds=drain_seconds, drain=drain)
    # What is there by now stays. To look through all of it takes the collector a tenth of a second
    # in which nobody is answered; and requests leave next to nothing for it to find.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve())
