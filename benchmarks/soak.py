"""Whether anything grows while an installation works: memory, open files, connections.

    python -m benchmarks.soak [--minutes 10] [--workers 6]

Clients read, write, log in, ask for what is not there and leave in the middle of answers, all
through the gateway. Every process is looked at every few seconds. The first third of the time is
for getting warm; what the last third holds above the second has grown. One JSON line. `make bench`
runs it only when asked for by name.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg

from deploy.local.postgres import Cluster
from deploy.local.stack import Stack, stack
from services.auth.demo import LOGINS
from tests.exchange.conftest import listing_body

SAMPLE_SECONDS = 5.0
TOKEN_SECONDS = 60.0
MIB_GOAL, FILES_GOAL, CONNECTIONS_GOAL = 8.0, 8, 4
MANY = dict.fromkeys(("LIMIT_LOGIN", "LIMIT_PUBLIC", "LIMIT_USER"), "1000000/60")
CALCULATION = {"field": "TECH_TRANSFER", "amount_won": 50_000_000}


class Client:
    """One user, who logs in again every minute and never stops."""

    def __init__(self, http: aiohttp.ClientSession, url: str, seen: Counter[str]) -> None:
        self._http = http
        self._url = url
        self._seen = seen
        self._token = ""
        self._until = 0.0

    async def work(self) -> None:
        while True:
            for step in (self._log_in, self._read, self._write, self._miss, self._leave):
                try:
                    self._seen[await step()] += 1
                except (aiohttp.ClientError, TimeoutError) as error:
                    self._seen[type(error).__name__] += 1
                await asyncio.sleep(0.02)

    async def _log_in(self) -> str:
        if time.monotonic() < self._until:
            return "token kept"
        login, password = next(item[:2] for item in LOGINS if item[0] == "hanbit")
        form = {"grant_type": "password", "client_id": "portal", "username": login}
        url = f"{self._url}/api/v1/auth/token"
        async with self._http.post(url, data=form | {"password": password}) as answer:
            self._token = (await answer.json()).get("access_token", "")
        self._until = time.monotonic() + TOKEN_SECONDS
        return f"login {answer.status}"

    async def _ask(self, method: str, path: str, **send: Any) -> str:
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": uuid4().hex}
        async with self._http.request(method, self._url + path, headers=headers, **send) as answer:
            await answer.read()
        return f"{method} {answer.status}"

    async def _read(self) -> str:
        await self._ask("GET", "/api/v1/accrual/ledger/account")
        return await self._ask("GET", "/api/v1/exchange/listings")

    async def _write(self) -> str:
        await self._ask("POST", "/api/v1/accrual/criteria/calculate", json=CALCULATION)
        return await self._ask("POST", "/api/v1/exchange/listings", json=listing_body())

    async def _miss(self) -> str:
        return await self._ask("GET", f"/api/v1/grants/programmes/{uuid4()}")

    async def _leave(self) -> str:
        answer = await self._http.get(f"{self._url}/openapi.json")
        answer.close()  # without a byte of its body read: the connection is cut
        return "left"


def processes_of(installation: Stack) -> dict[str, int]:
    """The Python processes by name; the server is looked at from inside."""
    known = installation.data.read_status()["processes"]
    return {name: item["pid"] for name, item in known.items() if name != "postgres" and item["pid"]}


def look_at(pid: int) -> tuple[float, int]:
    """MiB resident and open files of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def connections_of(cluster: Cluster) -> int:
    with psycopg.connect(cluster.superuser_url().replace("+psycopg", "")) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchone()
        assert row is not None
        return int(row[0])


def grown(samples: list[float]) -> float:
    third = len(samples) // 3
    return statistics.median(samples[-third:]) - statistics.median(samples[third : 2 * third])


async def measure(installation: Stack, minutes: float, workers: int) -> dict[str, Any]:
    cluster = Cluster(installation.data.postgres_dir)
    seen: Counter[str] = Counter()
    memory: dict[str, list[float]] = defaultdict(list)
    files: dict[str, list[float]] = defaultdict(list)
    connections: list[float] = []
    before = processes_of(installation)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as http:
        clients = [
            asyncio.create_task(Client(http, installation.gateway_url, seen).work())
            for _ in range(workers)
        ]
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            await asyncio.sleep(SAMPLE_SECONDS)
            for name, pid in before.items():
                mib, count = look_at(pid)
                memory[name].append(mib)
                files[name].append(count)
            connections.append(await asyncio.to_thread(connections_of, cluster))
        for client in clients:
            client.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*clients)
    assert processes_of(installation) == before, "a process was started again"
    print(f"{'process':<18}{'MiB':>8}{'grown':>8}{'files':>8}{'grown':>8}")
    for name in before:
        print(
            f"{name:<18}{memory[name][-1]:8.1f}{grown(memory[name]):+8.1f}"
            f"{files[name][-1]:8.0f}{grown(files[name]):+8.0f}"
        )
    print(f"connections of the database: {connections[-1]:.0f}, {grown(connections):+.0f}")
    print(", ".join(f"{what}: {count}" for what, count in sorted(seen.items())))
    return {
        "requests": sum(seen.values()),
        "answers": dict(sorted(seen.items())),
        "mib_grown_most": round(max(map(grown, memory.values())), 1),
        "files_grown_most": max(map(grown, files.values())),
        "connections_grown": grown(connections),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=6)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="sanhak-soak-") as directory,
        stack(Path(directory) / "data", env=MANY) as installation,
    ):
        found = asyncio.run(measure(installation, options.minutes, options.workers))
    good = (
        found["mib_grown_most"] <= MIB_GOAL
        and found["files_grown_most"] <= FILES_GOAL
        and found["connections_grown"] <= CONNECTIONS_GOAL
    )
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"benchmark": "soak", "minutes": options.minutes, "load": load, **found}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
