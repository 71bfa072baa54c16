"""Runs an ASGI application under uvicorn: the same settings for every process."""

from typing import Any

import uvicorn

from shared import logs


def serve(app: Any, *, name: str, host: str, port: int, log_level: str) -> None:
    """Run an ASGI application until told to stop; requests under way get 25 s to finish."""
    logs.configure(name, log_level)
    uvicorn.run(
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
        timeout_graceful_shutdown=25,
    )
