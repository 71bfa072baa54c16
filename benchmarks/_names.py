"""Runs the gateway where one name stands for two addresses, as a service's name does in front of
its replicas. Names of this machine stand for one each, so aiohttp is given a resolver that knows.

    python -m benchmarks._names exchange.test=127.0.0.1,127.0.0.2
"""

import sys
from typing import Any

import aiohttp.connector
from aiohttp.resolver import ThreadedResolver


def resolver(known: dict[str, list[str]]) -> type[ThreadedResolver]:
    class Resolver(ThreadedResolver):
        async def resolve(self, host: str, port: int = 0, *args: Any, **more: Any) -> Any:
            if host not in known:
                return await super().resolve(host, port, *args, **more)
            found = []
            for address in known[host]:
                found += await super().resolve(address, port, *args, **more)
            return found

    return Resolver


if __name__ == "__main__":
    name, _, addresses = sys.argv[1].partition("=")
    aiohttp.connector.DefaultResolver = resolver({name: addresses.split(",")})  # type: ignore[misc]
    from gateway.server import run
    from gateway.settings import Settings

    run(Settings())
