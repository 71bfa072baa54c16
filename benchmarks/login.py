"""How many logins a second the auth service gives, beside what the hashing alone allows.

    python -m benchmarks.login [--rounds 3] [--seconds 4] [--connections 8]

The bound is argon2id at our cost in as many threads as there are cores; a login cannot be faster.
Rounds alternate between the bound and real logins over HTTP, so that whatever else the machine does
hits both alike, and medians are compared. The load runs on the same cores as the service: the ratio
is what a machine that does both would see, and a lower bound for one that does not.

During the logins another route is asked all the time: a crowd at the door must not slow those who
are inside. And wrong passwords of known ids are timed against unknown ids, turn by turn: a
difference would tell strangers who has an account.
"""

import argparse
import asyncio
import itertools
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from argon2 import PasswordHasher
from sqlalchemy import create_engine, insert

from deploy.local.ports import free_ports
from deploy.local.postgres import Cluster
from services.auth.accounts.models import Account
from services.auth.accounts.passwords import LANES, MEMORY_KIB, PASSES, Passwords
from services.auth.institutions.models import Institution
from services.auth.vault import Vault

ACCOUNTS = 200
PROBES = 100
PASSWORD = "Garam#2026x"
PEPPER, KEY = secrets.token_urlsafe(32), secrets.token_urlsafe(32)


def raw_per_second(threads_count: int, seconds: float) -> float:
    """Verifications a second by the C library at our cost, with nothing around them."""
    hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
    stored = hasher.hash(PASSWORD)
    done = [0] * threads_count
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        while time.perf_counter() < until:
            hasher.verify(stored, PASSWORD)
            done[place] += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(threads_count)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


async def logins_per_second(
    url: str, seconds: float, connections: int
) -> tuple[float, list[float]]:
    """Logins a second, and how long another route took meanwhile (in seconds, sorted)."""
    done = 0
    numbers = itertools.count()
    until = time.perf_counter() + seconds

    async with aiohttp.ClientSession(url) as http:

        async def log_in() -> None:
            nonlocal done
            while time.perf_counter() < until:
                form = {
                    "grant_type": "password",
                    "client_id": "portal",
                    "username": f"user{next(numbers) % ACCOUNTS}",
                    "password": PASSWORD,
                }
                async with http.post("/api/v1/auth/token", data=form) as answer:
                    assert answer.status == 200, await answer.text()
                done += 1

        began = time.perf_counter()
        bystander = asyncio.create_task(latencies(http, seconds))
        await asyncio.gather(*(log_in() for _ in range(connections)))
        return done / (time.perf_counter() - began), await bystander


async def latencies(http: aiohttp.ClientSession, seconds: float) -> list[float]:
    times = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        async with http.get("/.well-known/jwks.json") as answer:
            await answer.read()
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.01)
    return sorted(times)


async def quiet_latencies(url: str, seconds: float) -> list[float]:
    async with aiohttp.ClientSession(url) as http:
        return await latencies(http, seconds)


async def refusal_times(url: str) -> tuple[float, float]:
    """Median seconds of a refusal for a known id with a wrong password, and for an unknown id.

    Each id is tried once: a second wrong try would be slowed on purpose.
    """
    known, unknown = [], []
    async with aiohttp.ClientSession(url) as http:
        for number in range(PROBES):
            for login_id, times in ((f"user{number}", known), (f"nobody{number}", unknown)):
                form = {
                    "grant_type": "password",
                    "client_id": "portal",
                    "username": login_id,
                    "password": "Wrong#2026x",
                }
                began = time.perf_counter()
                async with http.post("/api/v1/auth/token", data=form) as answer:
                    await answer.read()
                    assert answer.status == 400, answer.status
                times.append(time.perf_counter() - began)
    return statistics.median(known), statistics.median(unknown)


@contextmanager
def service(stored: str) -> Iterator[str]:
    """A running auth service with accounts to log in as; gives its address."""
    with tempfile.TemporaryDirectory(prefix="sanhak-bench-") as directory:
        cluster = Cluster.start(Path(directory) / "pg", durable=False)
        try:
            database = cluster.ensure_service_databases(["auth"])["auth"]
            [port] = free_ports(1)
            env = os.environ | {
                "DATABASE_URL_AUTH": database,
                "CLIENT_SECRET_AUTH": secrets.token_urlsafe(32),
                "PASSWORD_PEPPER": PEPPER,
                "KEY_ENCRYPTION_KEY": KEY,
                "FILES_URL": (Path(directory) / "files").as_uri(),
                "PORT": str(port),
                "LOG_LEVEL": "WARNING",
            }
            command = [sys.executable, "-m", "services.auth"]
            subprocess.run([*command, "prepare"], env=env, check=True)
            add_accounts(database, stored)
            process = subprocess.Popen([*command, "serve"], env=env)
            try:
                asyncio.run(wait_ready(f"http://127.0.0.1:{port}"))
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait()
        finally:
            cluster.stop()


def add_accounts(database: str, stored: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        row = insert(Institution).values(kind="university", name="측정대학교")
        institution_id = connection.execute(row.returning(Institution.id)).scalar_one()
        rows = [
            {
                "login_id": f"user{number}",
                "institution_id": institution_id,
                "role": "university",
                "name": "측정",
                "password": stored,
                "must_change_password": False,
            }
            for number in range(ACCOUNTS)
        ]
        connection.execute(insert(Account), rows)
    engine.dispose()


async def wait_ready(url: str) -> None:
    async with aiohttp.ClientSession(url) as http:
        for _ in range(300):
            try:
                async with http.get("/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise SystemExit("the auth service does not get ready")


def p99_ms(times: list[float]) -> float:
    return round(times[int(len(times) * 0.99)] * 1_000, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    passwords = Passwords(Vault(peppers=[PEPPER], encryption_keys=[KEY]))
    stored = asyncio.run(passwords.hash(PASSWORD))
    raw, logins, ratios, crowded = [], [], [], []
    with service(stored) as url:
        quiet = asyncio.run(quiet_latencies(url, given.seconds))
        for number in range(given.rounds):
            raw.append(raw_per_second(passwords.threads, given.seconds))
            rate, times = asyncio.run(logins_per_second(url, given.seconds, given.connections))
            logins.append(rate)
            ratios.append(rate / raw[-1])
            crowded += times
            print(f"round {number + 1}: argon2 {raw[-1]:.1f}/s, logins {rate:.1f}/s")
        known, unknown = asyncio.run(refusal_times(url))
    result = {
        "benchmark": "login",
        "threads": passwords.threads,
        "argon2_per_second": round(statistics.median(raw), 1),
        "logins_per_second": round(statistics.median(logins), 1),
        "ratio": round(statistics.median(ratios), 2),
        "refusal_ms_known_id": round(known * 1_000, 1),
        "refusal_ms_unknown_id": round(unknown * 1_000, 1),
        "bystander_p99_ms_quiet": p99_ms(quiet),
        "bystander_p99_ms_crowded": p99_ms(sorted(crowded)),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
