"""Runs the gateway under uvicorn: readiness goes first, then the listening socket, then the
requests under way get their time."""

import asyncio
import gc

import uvicorn
import uvloop

from gateway.app import Gateway
from gateway.protocol import GuardedProtocol
from gateway.settings import Settings
from shared import logs
from shared.serve import FINISH_SECONDS, DrainingServer


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
    return DrainingServer(config, drain_seconds=settings.drain_seconds, drain=gateway.drain)


def run(settings: Settings) -> None:
    logs.configure("gateway", settings.log_level)
    # Requests leave no cycles behind; by default the collector would look for some 20 times a
    # second, in everything that was ever imported.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server(Gateway(settings)).serve())
