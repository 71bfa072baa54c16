"""How many logins a second the auth service gives, beside what the hashing alone allows.

    python -m benchmarks.login [--rounds 3] [--seconds 4] [--connections 8]

The bound is argon2id at our cost in as many threads as there are cores, by the library as it comes.
Rounds alternate between the bound and real logins over HTTP, so that whatever else the machine does
hits both alike, and medians are compared. Two ratios:

`ratio`            logins a second to hashes a second, on the clock. Client, service and database
                   share the cores, and the client's part counts against us; so it does as little
                   as can be: a thread for every connection, requests made beforehand, bytes in and
                   bytes out, nothing read but the status and the length.
`processor_ratio`  the processor's time of one bare hash to that of one login, by the auth process
                   and all of the database together, whatever they did meanwhile. What others do on
                   the machine changes it little, and the client is not in it.

The service keeps the memory of its hashes in huge pages, as wherever we start it.

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
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from argon2 import PasswordHasher
from sqlalchemy import create_engine, insert

from deploy.local.ports import answers_ok, free_ports
from deploy.local.postgres import Cluster
from deploy.local.table import tuning
from services.auth.accounts.models import Account
from services.auth.accounts.passwords import LANES, MEMORY_KIB, PASSES, Passwords
from services.auth.institutions.models import Institution
from services.auth.vault import Vault

ACCOUNTS = 200
PROBES = 100
PASSWORD = "Garam#2026x"
PEPPER, KEY = secrets.token_urlsafe(32), secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Running:
    """A service to ask, and the processes whose work its answers are."""

    port: int
    auth: int
    postmaster: int

    def processor_seconds(self) -> float:
        """What auth and the database have used so far, backends that ended included."""
        used = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    pid, parent = int(entry.name), int(fields[1])
                    if pid in {self.auth, self.postmaster} or parent == self.postmaster:
                        used += sum(map(int, fields[11:15]))
        return used / os.sysconf("SC_CLK_TCK")


class Connection:
    """One that is kept, and asked one thing at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> int:
        """The status of the answer, which has been read to its end."""
        self._socket.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            more = self._socket.recv(65_536)
            assert more, "the service hung up"
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        missing = int(length.split(b"\r\n", 1)[0]) - len(body)
        while missing > 0:
            missing -= len(self._socket.recv(65_536))
        return int(head[9:12])

    def close(self) -> None:
        self._socket.close()


def login_request(login_id: str, password: str) -> bytes:
    form = {
        "grant_type": "password",
        "client_id": "portal",
        "username": login_id,
        "password": password,
    }
    body = urlencode(form).encode()
    return (
        b"POST /api/v1/auth/token HTTP/1.1\r\nHost: auth\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body


LOGINS = [login_request(f"user{number}", PASSWORD) for number in range(ACCOUNTS)]
BYSTANDER = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: auth\r\n\r\n"


@dataclass(frozen=True)
class Rate:
    """How many a second, and the processor's milliseconds of one."""

    per_second: float
    processor_ms: float


def bare_hashes(threads_count: int, seconds: float) -> Rate:
    """Verifications by the C library at our cost, with nothing around them."""
    hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
    stored = hasher.hash(PASSWORD)
    done = [0] * threads_count
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        while time.perf_counter() < until:
            hasher.verify(stored, PASSWORD)
            done[place] += 1

    began, spent = time.perf_counter(), time.process_time()
    at_once([partial(work, place) for place in range(threads_count)])
    elapsed, spent = time.perf_counter() - began, time.process_time() - spent
    return Rate(sum(done) / elapsed, spent / sum(done) * 1_000)


def logins(running: Running, seconds: float, connections: int) -> tuple[Rate, list[float]]:
    """Logins, and how long another route took meanwhile (in seconds, sorted)."""
    done = [0] * connections
    numbers = itertools.count()
    until = time.perf_counter() + seconds
    latencies: list[float] = []

    def log_in(place: int) -> None:
        with closing(Connection(running.port)) as connection:
            while time.perf_counter() < until:
                status = connection.ask(LOGINS[next(numbers) % ACCOUNTS])
                assert status == 200, status
                done[place] += 1

    began, spent = time.perf_counter(), running.processor_seconds()
    everybody = [partial(log_in, place) for place in range(connections)]
    at_once([*everybody, lambda: latencies.extend(bystander(running, seconds))])
    elapsed, spent = time.perf_counter() - began, running.processor_seconds() - spent
    return Rate(sum(done) / elapsed, spent / sum(done) * 1_000), latencies


def bystander(running: Running, seconds: float) -> list[float]:
    times = []
    until = time.perf_counter() + seconds
    with closing(Connection(running.port)) as connection:
        while time.perf_counter() < until:
            began = time.perf_counter()
            assert connection.ask(BYSTANDER) == 200
            times.append(time.perf_counter() - began)
            time.sleep(0.01)
    return sorted(times)


def at_once(works: list[Callable[[], object]]) -> None:
    """Each in a thread of its own; raises what one of them raises."""
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()


def refusal_times(running: Running) -> tuple[float, float]:
    """Median seconds of a refusal for a known id with a wrong password, and for an unknown id.

    Each id is tried once: a second wrong try would be slowed on purpose.
    """
    known: list[float] = []
    unknown: list[float] = []
    with closing(Connection(running.port)) as connection:
        for number in range(PROBES):
            for login_id, times in ((f"user{number}", known), (f"nobody{number}", unknown)):
                request = login_request(login_id, "Wrong#2026x")
                began = time.perf_counter()
                assert connection.ask(request) == 400
                times.append(time.perf_counter() - began)
    return statistics.median(known), statistics.median(unknown)


@contextmanager
def service(stored: str) -> Iterator[Running]:
    """A running auth service with accounts to log in as."""
    with tempfile.TemporaryDirectory(prefix="sanhak-bench-") as directory:
        cluster = Cluster.start(Path(directory) / "pg", durable=False)
        try:
            database = cluster.ensure_service_databases(["auth"])["auth"]
            [port] = free_ports(1)
            env = (
                os.environ
                | {
                    "DATABASE_URL_AUTH": database,
                    "CLIENT_SECRET_AUTH": secrets.token_urlsafe(32),
                    "PASSWORD_PEPPER": PEPPER,
                    "KEY_ENCRYPTION_KEY": KEY,
                    "FILES_URL": (Path(directory) / "files").as_uri(),
                    "PORT": str(port),
                    "LOG_LEVEL": "WARNING",
                }
                | tuning("auth")
            )
            command = [sys.executable, "-m", "services.auth"]
            subprocess.run([*command, "prepare"], env=env, check=True)
            add_accounts(database, stored)
            process = subprocess.Popen([*command, "serve"], env=env)
            try:
                wait_ready(port)
                postmaster = int((cluster.pgdata / "postmaster.pid").read_text().split()[0])
                yield Running(port, process.pid, postmaster)
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


def wait_ready(port: int) -> None:
    for _ in range(600):
        if asyncio.run(answers_ok(port, "/readyz")):
            return
        time.sleep(0.1)
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
    bare: list[Rate] = []
    ours: list[Rate] = []
    crowded: list[float] = []
    with service(stored) as running:
        quiet = bystander(running, given.seconds)
        for number in range(given.rounds):
            bare.append(bare_hashes(passwords.threads, given.seconds))
            rate, times = logins(running, given.seconds, given.connections)
            ours.append(rate)
            crowded += times
            print(
                f"round {number + 1}: argon2 {bare[-1].per_second:.1f}/s, "
                f"{bare[-1].processor_ms:.1f} ms each; logins {rate.per_second:.1f}/s, "
                f"{rate.processor_ms:.1f} ms each"
            )
        known, unknown = refusal_times(running)
    pairs = list(zip(ours, bare, strict=True))
    result = {
        "benchmark": "login",
        "threads": passwords.threads,
        "argon2_per_second": median(one.per_second for one in bare),
        "logins_per_second": median(one.per_second for one in ours),
        "ratio": median(one.per_second / bound.per_second for one, bound in pairs),
        "processor_ms_a_hash": median(one.processor_ms for one in bare),
        "processor_ms_a_login": median(one.processor_ms for one in ours),
        "processor_ratio": median(bound.processor_ms / one.processor_ms for one, bound in pairs),
        "refusal_ms_known_id": round(known * 1_000, 1),
        "refusal_ms_unknown_id": round(unknown * 1_000, 1),
        "bystander_p99_ms_quiet": p99_ms(quiet),
        "bystander_p99_ms_crowded": p99_ms(sorted(crowded)),
    }
    print(json.dumps(result))


def median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)


if __name__ == "__main__":
    main()
