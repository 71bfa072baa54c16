"""Replacing every replica under load: how many requests notice.

    python -m benchmarks.rolling [--workers 8] [--drain 3]

A whole installation, in front of it two gateways, behind them two replicas of the exchange, each
pair under one name. Clients read listings and make new ones, without ever repeating a request,
while each of the four processes is told to stop (SIGTERM), ends, and is started again. What
answered otherwise than 200 or 201, or not at all, has failed. In the end one replica is killed, to
see that the clients would notice. One JSON line.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks._names import resolver
from deploy.demo.client import User
from deploy.local import ports
from deploy.local.child import ROOT
from deploy.local.stack import Stack, stack
from deploy.local.table import SERVICES, Table
from services.auth.demo import LOGINS
from tests.exchange.conftest import listing_body

ADDRESSES = ("127.0.0.1", "127.0.0.2")
LISTINGS = "/api/v1/exchange/listings"
MANY = dict.fromkeys(("LIMIT_LOGIN", "LIMIT_PUBLIC", "LIMIT_USER"), "1000000/60")


@dataclass
class Replica:
    """One process of a pair."""

    name: str
    argv: list[str]
    env: Mapping[str, str]
    url: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv, cwd=ROOT, env=dict(self.env), stdout=output, stderr=output
            )

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as http:
            for _ in range(3_000):
                try:
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
        raise RuntimeError(f"{self.name} is not ready:\n{self.log.read_text()[-2_000:]}")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, 60)


@dataclass
class Load:
    """Clients that never repeat a request, and what became of each."""

    url: str
    token: str
    took: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def work(self, http: aiohttp.ClientSession) -> None:
        while True:
            for method in ("GET", "POST"):
                began = time.perf_counter()
                failure = await self._ask(http, method)
                self.took.append(time.perf_counter() - began)
                if failure is not None:
                    self.failures.append(f"{method} {failure}")
                await asyncio.sleep(0.05)

    async def _ask(self, http: aiohttp.ClientSession, method: str) -> str | None:
        send: dict[str, Any] = {}
        if method == "POST":
            send = {
                "json": listing_body(),
                "headers": {
                    "Authorization": f"Bearer {self.token}",
                    "Idempotency-Key": uuid4().hex,
                },
            }
        try:
            async with http.request(method, self.url + LISTINGS, **send) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return repr(error)
        good = answer.status == (200 if method == "GET" else 201)
        return None if good else f"{answer.status} {body[:200].decode(errors='replace')}"

    def cut(self) -> tuple[list[float], list[str]]:
        """What happened since the last cut."""
        taken = self.took, self.failures
        self.took, self.failures = [], []
        return taken


def pairs(installation: Stack, drain: float) -> tuple[list[Replica], list[Replica], str]:
    """Two replicas of the exchange, two gateways, and the name of those."""
    names = ("gateway", *SERVICES)
    port_of = {name: int(installation.url_of(name).rpartition(":")[2]) for name in names}
    databases = {service: installation.database_url(service) for service in SERVICES}
    table = Table(installation.data, port_of, databases)
    env = {spec.name: dict(spec.env) for spec in (*table.services(), table.gateway())}
    inner, outer = ports.free_ports(2)
    logs = installation.data.log_dir

    def replica(name: str, argv: list[str], address: str, port: int, **more: str) -> Replica:
        own = env[name] | {"HOST": address, "PORT": str(port), "DRAIN_SECONDS": str(drain), **more}
        log = logs / f"{name}-{address}.log"
        return Replica(f"{name} {address}", argv, own, f"http://{address}:{port}", log)

    exchange = [sys.executable, "-m", "services.exchange", "serve"]
    gateway = [sys.executable, "-m", "benchmarks._names", f"exchange.test={','.join(ADDRESSES)}"]
    behind = {"EXCHANGE_URL": f"http://exchange.test:{inner}", **MANY}
    return (
        [replica("exchange", exchange, address, inner) for address in ADDRESSES],
        [replica("gateway", gateway, address, outer, **behind) for address in ADDRESSES],
        f"http://gateway.test:{outer}",
    )


@asynccontextmanager
async def running(replicas: list[Replica]) -> AsyncIterator[None]:
    try:
        for replica in replicas:
            replica.start()
        await asyncio.gather(*(replica.ready() for replica in replicas))
        yield
    finally:
        for replica in replicas:
            if replica.process is not None and replica.process.poll() is None:
                replica.process.kill()
                replica.process.wait()


async def measure(installation: Stack, workers: int, drain: float) -> dict[str, Any]:
    login, password = next(item[:2] for item in LOGINS if item[0] == "hanbit")
    with User(installation.gateway_url, login, password) as user:
        token = user.sign_in()["access_token"]
    exchanges, gateways, url = pairs(installation, drain)
    load = Load(url, token)
    found: dict[str, Any] = {"phases": {}}
    names = resolver({"gateway.test": list(ADDRESSES)})
    connector = aiohttp.TCPConnector(resolver=names(), keepalive_timeout=15, limit=0)
    async with (
        running([*exchanges, *gateways]),
        aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(30)) as http,
    ):
        # Its silent repetition of GET would hide what we look for.
        http._retry_connection = False  # noqa: SLF001  # there is no other way
        clients = [asyncio.create_task(load.work(http)) for _ in range(workers)]

        async def phase(name: str) -> None:
            took, failures = load.cut()
            found["phases"][name] = {
                "requests": len(took),
                "failed": len(failures),
                "p50_ms": round(statistics.median(took) * 1000, 1),
                "p99_ms": round(sorted(took)[len(took) * 99 // 100] * 1000, 1),
            }
            print(f"{name:<24}", *(f"{value:>9}" for value in found["phases"][name].values()))
            for failure in failures[:5]:
                print(f"    {failure[:160]}")

        print(f"{'phase':<24}  requests    failed    p50 ms    p99 ms")
        await asyncio.sleep(5)
        await phase("nothing happens")
        for replica in (*exchanges, *gateways):
            code = await replica.stop()
            if code not in {0, -signal.SIGTERM}:
                raise RuntimeError(f"{replica.name} ended with {code}")
            replica.start()
            await replica.ready()
            await asyncio.sleep(2)
            await phase(f"{replica.name}")
        await exchanges[0].stop(signal.SIGKILL)
        await asyncio.sleep(2)
        await phase("one killed, for control")
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    restarts = [
        value for name, value in found["phases"].items() if name[:8] in {"exchange", "gateway "}
    ]
    found["requests"] = sum(value["requests"] for value in restarts)
    found["failed"] = sum(value["failed"] for value in restarts)
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--drain", type=float, default=3.0)
    options = parser.parse_args()
    load_before = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="sanhak-rolling-") as directory,
        stack(Path(directory) / "data") as installation,
    ):
        found = asyncio.run(measure(installation, options.workers, options.drain))
    print(json.dumps({"bench": "rolling", "load": round(load_before, 1), **found}))
    return 0 if found["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
