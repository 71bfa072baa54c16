"""What a transfer costs: our posting functions beside hand-written ones and pgledger's way.

    python -m benchmarks.ledger [--rounds 3] [--seconds 4] [--only single,issue,batch,growth,http]

One run, one embedded PostgreSQL with fsync on, a database per ledger, 8 clients by pgbench from
the server's own wheel. Rounds go through all ledgers in turn, so that whatever else the machine
does hits them alike, and medians are compared. Ratios within one run mean something, absolute
numbers only on a quiet machine. Beside the rate stands the server's CPU per transfer, which other
programs disturb less. Afterwards every book is proven to balance, and our chains to be whole.

PGLEDGER_SQL names a file with the real pgledger, to stand beside our rendering of its way.
LEDGER_BENCH_ENTRIES (default 1000000) is how far the growth run goes: the ledger is filled through
our own batches, and a copy of it as it was with 100,000 entries takes turns with the full one.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import orjson
import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from deploy.local.postgres import SUPERUSER, Cluster, binary
from services.accrual.ledger.rules import ISSUANCE
from services.accrual.ledger.verification import verify
from shared import migrations
from shared.db import Database

SQL = Path(__file__).parent / "sql"
CLIENTS = 8
BATCH = 1_000
FILL = 10_000
SMALL = 100_000
ACCOUNTS = 1_000
HOT = 10
OPENING = 10**12
HTTP_PORT = 8992
ISSUER = "http://benchmark.invalid"

PAIR = """
\\set payer random(1, {accounts})
\\set payee 1 + (:payer + random(0, {accounts} - 2)) % {accounts}
"""
PAIRS = """(
    SELECT payer, 1 + (payer + floor(random() * ({accounts} - 1))::bigint) % {accounts} AS payee
    FROM (SELECT 1 + floor(random() * {accounts})::bigint AS payer
          FROM generate_series(1, {number})) AS payers) AS pair"""


@dataclass(frozen=True)
class Book:
    """A ledger to be measured: its database, the SQL of one call, and the proof of its books."""

    name: str
    database: str
    single: str
    many: str = ""
    proof: str = ""


REQUEST = """ROW(gen_random_uuid(), 'posted', 'exchange', bench_account({payer}),
    bench_account({payee}), 1, NULL, NULL, NULL, NULL, NULL, NULL, 'order', NULL, NULL
    )::transfer_request"""
OURS = Book(
    "ours",
    "bench_ours",
    """SELECT post_transfer(gen_random_uuid(), 'exchange', bench_account(:payer),
        bench_account(:payee), 1, NULL, NULL, NULL, 'order', NULL, NULL)""",
    f"SELECT post_transfers(array_agg({REQUEST.format(payer='payer', payee='payee')})) FROM ",
)
HANDWRITTEN = Book(
    "handwritten",
    "bench_handwritten",
    "SELECT post_one(gen_random_uuid(), bench_account(:payer), bench_account(:payee), 1)",
    """SELECT post_many(array_agg(gen_random_uuid()), array_agg(bench_account(payer)),
        array_agg(bench_account(payee)), array_agg(1::bigint)) FROM """,
    """SELECT count(*) FROM account LEFT JOIN (
            SELECT account_id, sum(amount) AS amount, count(*) AS number FROM entry GROUP BY 1
        ) AS e ON e.account_id = id
        WHERE balance <> {opening} + coalesce(amount, 0) OR version <> coalesce(number, 0)""",
)
PGLEDGER_LIKE = Book(
    "pgledger's way",
    "bench_pgledger_like",
    """SELECT count(*) FROM create_transfers(ARRAY[ROW('a_' || :payer::bigint,
        'a_' || :payee::bigint, 1)::movement])""",
    proof="""SELECT count(*) FROM accounts LEFT JOIN (
            SELECT account_id, sum(amount) AS amount FROM entries GROUP BY 1) AS e
        ON e.account_id = accounts.id WHERE balance <> coalesce(amount, 0)""",
)
PGLEDGER = Book(
    "pgledger",
    "bench_pgledger",
    """SELECT count(*) FROM pgledger_create_transfer('a_' || :payer::bigint,
        'a_' || :payee::bigint, 1)""",
    proof="""SELECT count(*) FROM pgledger_accounts AS a LEFT JOIN (
            SELECT account_id, sum(amount) AS amount FROM pgledger_entries GROUP BY 1) AS e
        ON e.account_id = a.id WHERE balance <> coalesce(amount, 0)""",
)

# Issuing: ours from the account without a row, by hand from a row that every posting updates.
OUR_ISSUING = replace(
    OURS,
    name="ours, issuing",
    single=f"""SELECT post_transfer(gen_random_uuid(), 'accrual', '{ISSUANCE}',
        bench_account(:payee), 1, NULL, 'RESEARCH', NULL, NULL, NULL, NULL)""",
)
ISSUING_BY_HAND = replace(
    HANDWRITTEN,
    name="handwritten, issuing",
    single="SELECT post_one(gen_random_uuid(), bench_account(0), bench_account(:payee), 1)",
)

BALANCE = Book(
    "our balance",
    "bench_ours",
    "SELECT available, held, debt FROM account WHERE id = bench_account(:payer)",
)
AS_OF = Book(
    "our balance as of",
    "bench_ours",
    """SELECT balance FROM entry WHERE account_id = bench_account(:payer) AND version = (
        SELECT version_at(bench_account(:payer), now() - interval '20 seconds'))""",
)

BENCH_ACCOUNT = """
    CREATE FUNCTION bench_account(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN ('10000000-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid
"""


class Bench:
    """The server, and what was measured on it."""

    def __init__(self, cluster: Cluster, *, seconds: float, rounds: int) -> None:
        self.cluster = cluster
        self.seconds = seconds
        self.rounds = rounds
        self.results: list[dict[str, Any]] = []
        self.verdicts: dict[str, dict[str, float]] = {}
        self._created: set[str] = set()

    def connect(self, database: str) -> psycopg.Connection[Any]:
        url = self.cluster.url(database).replace("postgresql+psycopg", "postgresql")
        return psycopg.connect(url, autocommit=True)

    def create(self, book: Book) -> None:
        self.cluster.create_database(book.database)
        self._created.add(book.name)

    def execute(self, book: Book, *scripts: str) -> None:
        if book.name not in self._created:
            self.create(book)
        with self.connect(book.database) as connection:
            for script in scripts:
                connection.execute(script)

    def judge(self, what: str, ratio: float, goal: float) -> None:
        self.verdicts[what] = {"ratio": round(ratio, 2), "goal": goal}

    def measure(
        self, scenario: str, runs: Iterable[tuple[Book, str, int]], *, seconds: float | None = None
    ) -> dict[str, float]:
        """Interleaved rounds of (book, SQL, transfers a call); the median rates, by book."""
        runs = list(runs)
        found: dict[str, list[tuple[float, float]]] = {book.name: [] for book, _, _ in runs}
        for _ in range(self.rounds):
            for book, statement, size in runs:
                found[book.name].append(self.round(book, statement, size, seconds or self.seconds))
        rates = {}
        for name, pairs in found.items():
            rate, cpu = (statistics.median(part) for part in zip(*pairs, strict=True))
            rates[name] = rate
            self.results.append(
                {"scenario": scenario, "ledger": name, "per_s": round(rate), "cpu_us": round(cpu)}
            )
        return rates

    def round(self, book: Book, statement: str, size: int, seconds: float) -> tuple[float, float]:
        """Transfers per second, and the server's CPU in µs for each."""
        before = self._cpu_s()
        said = self.call(book, statement, "-T", str(round(seconds)))
        spent = self._cpu_s() - before
        calls = int(_find(r"actually processed: (\d+)", said))
        rate = float(_find(r"tps = ([\d.]+)", said))
        return rate * size, spent / max(1, calls * size) * 1e6

    def call(self, book: Book, statement: str, *until: str) -> str:
        """Let all clients send the statement again and again; what pgbench says of it."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(statement)
            script.flush()
            arguments = [
                binary("pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1",
                *until, "-f", script.name,
                "-h", str(self.cluster.socket_dir), "-U", SUPERUSER, book.database,
            ]  # fmt: skip
            _, environment = self.cluster.psql_command(book.database)
            done = subprocess.run(
                arguments, capture_output=True, text=True, check=True, env=environment
            )
        return done.stdout

    def _cpu_s(self) -> float:
        """User and system time of the server and all it started, in seconds."""
        time.sleep(0.2)  # until the clients' processes have been reaped
        postmaster = int((self.cluster.pgdata / "postmaster.pid").read_text().split("\n", 1)[0])
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, fields = int(stat.parent.name), stat.read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if pid == postmaster or int(fields[1]) == postmaster:
                # The postmaster's sum holds those of its children that have ended.
                ticks += sum(map(int, fields[11:15] if pid == postmaster else fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def prove(self, books: Iterable[Book]) -> None:
        """Every balance is the sum of its entries; of ours, every hash and digest is right too."""
        for book in books:
            if book is OURS:
                asyncio.run(self._verify())
                continue
            with self.connect(book.database) as connection:
                wrong = connection.execute(book.proof.format(opening=OPENING)).fetchone()
            if wrong != (0,):
                sys.exit(f"The books of {book.name} do not balance: {wrong}")

    async def _verify(self) -> None:
        database = Database(self.cluster.url(OURS.database))
        started = time.perf_counter()
        async with database.sessions() as session:
            report = await verify(session)
        await database.close()
        if not report.ok:
            sys.exit(f"Our ledger is broken: {report.broken}")
        rate = round(report.entries / (time.perf_counter() - started))
        self.results.append({"scenario": "verify, entries", "ledger": OURS.name, "per_s": rate})


def _find(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    if match is None:
        sys.exit(f"pgbench said something unexpected:\n{output}")
    return match[1]


def one(book: Book, accounts: int) -> tuple[Book, str, int]:
    """A call that posts one transfer between two of so many accounts."""
    return book, PAIR.format(accounts=accounts) + " ".join(book.single.split()) + ";\n", 1


def many(book: Book, accounts: int, size: int = BATCH) -> tuple[Book, str, int]:
    """A call that posts a batch of transfers."""
    statement = book.many + PAIRS.format(accounts=accounts, number=size)
    return book, " ".join(statement.split()) + ";\n", size


def prepare(bench: Bench) -> tuple[Book, list[Book]]:
    """All ledgers with their accounts; the pgledger to compare with, and all of them."""
    bench.create(OURS)
    migrations.upgrade("accrual", bench.cluster.url(OURS.database))
    bench.execute(OURS, BENCH_ACCOUNT)
    bench.execute(HANDWRITTEN, (SQL / "handwritten.sql").read_text(), BENCH_ACCOUNT)
    bench.execute(
        OURS,
        f"SELECT post_transfers(array_agg(ROW(gen_random_uuid(), 'posted', 'accrual', "
        f"'{ISSUANCE}', bench_account(n), {OPENING}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
        f"NULL, NULL)::transfer_request)) FROM generate_series(1, {ACCOUNTS}) AS n",
    )
    bench.execute(
        HANDWRITTEN,
        f"INSERT INTO account (id, balance) SELECT bench_account(n), {OPENING} "
        f"FROM generate_series(0, {ACCOUNTS}) AS n",
    )
    bench.execute(
        PGLEDGER_LIKE,
        (SQL / "pgledger_like.sql").read_text(),
        "INSERT INTO accounts (id, name, currency) SELECT 'a_' || n, n, 'P' "
        f"FROM generate_series(1, {ACCOUNTS}) AS n",
    )
    books = [OURS, HANDWRITTEN, PGLEDGER_LIKE]
    if real := os.environ.get("PGLEDGER_SQL"):
        bench.execute(
            PGLEDGER,
            Path(real).read_text(),
            "INSERT INTO pgledger_accounts (id, name, currency, allow_negative_balance, "
            "allow_positive_balance, created_at, updated_at) "
            f"SELECT 'a_' || n, n, 'P', true, true, now(), now() "
            f"FROM generate_series(1, {ACCOUNTS}) AS n",
        )
        books.append(PGLEDGER)
    for book in books:
        bench.execute(book, "VACUUM ANALYZE")
    return books[-1], books


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", default="single,issue,batch,growth,http")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        cluster = Cluster.start(Path(folder) / "pg", durable=True)
        try:
            bench = Bench(cluster, seconds=chosen.seconds, rounds=chosen.rounds)
            pgledger, books = prepare(bench)
            run(bench, pgledger, books, set(chosen.only.split(",")))
            bench.prove(books)
            report(bench)
        finally:
            cluster.stop()


def run(bench: Bench, pgledger: Book, books: list[Book], only: set[str]) -> None:
    if "single" in only:
        single = bench.measure("single", [one(book, ACCOUNTS) for book in books])
        bench.judge("single / pgledger", single[OURS.name] / single[pgledger.name], 2.5)
        bench.judge("single / handwritten", single[OURS.name] / single[HANDWRITTEN.name], 0.9)
        hot = bench.measure("single, 10 hot accounts", [one(book, HOT) for book in books])
        bench.judge("10 hot accounts / 1,000, single", hot[OURS.name] / single[OURS.name], 0.4)
    if "issue" in only:
        books = [OUR_ISSUING, ISSUING_BY_HAND, OURS]
        issued = bench.measure("issuing", [one(book, ACCOUNTS) for book in books])
        bench.judge(
            "issuing / issuing from a kept balance",
            issued[OUR_ISSUING.name] / issued[ISSUING_BY_HAND.name],
            2.0,
        )
        bench.judge("issuing / single", issued[OUR_ISSUING.name] / issued[OURS.name], 1.0)
    if {"single", "batch"} <= only:
        batch = bench.measure("batch of 1,000", [many(OURS, ACCOUNTS), many(HANDWRITTEN, ACCOUNTS)])
        bench.judge("batch / pgledger single", batch[OURS.name] / single[pgledger.name], 9.0)
        bench.judge("batch / handwritten", batch[OURS.name] / batch[HANDWRITTEN.name], 0.8)
        hot = bench.measure("batch, 10 hot accounts", [many(OURS, HOT), many(HANDWRITTEN, HOT)])
        bench.judge("10 hot accounts / 1,000, batch", hot[OURS.name] / batch[OURS.name], 1.0)

    if "growth" in only:
        growth(bench)
    if "http" in only:
        http(bench)


def growth(bench: Bench) -> None:
    """Whether posting and reading stay as fast while the ledger grows."""
    most = int(os.environ.get("LEDGER_BENCH_ENTRIES", "1000000"))
    grow(bench, SMALL)
    copy = f"{OURS.database}_{SMALL}"
    with bench.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {copy} TEMPLATE {OURS.database}")
    grow(bench, most)
    runs = []
    for book in (OURS, BALANCE, AS_OF):
        runs += [one(replace(book, name=_sized(book, SMALL), database=copy), ACCOUNTS)]
        runs += [one(replace(book, name=_sized(book, most)), ACCOUNTS)]
    rates = bench.measure("growth", runs)
    for book in (OURS, BALANCE):  # as of an instant: halving, once more for every doubling
        ratio = rates[_sized(book, most)] / rates[_sized(book, SMALL)]
        bench.judge(f"{most:,} entries / {SMALL:,}, {book.name}", ratio, 1 / 1.3)
    rows = {row["ledger"]: row for row in bench.results if row["scenario"] == "growth"}
    for book in (OURS, BALANCE):
        ratio = rows[_sized(book, SMALL)]["cpu_us"] / rows[_sized(book, most)]["cpu_us"]
        bench.judge(f"the same by CPU, {book.name}", ratio, 1 / 1.3)


def _sized(book: Book, entries: int) -> str:
    return f"{book.name}, {entries:,}"


def grow(bench: Bench, entries: int) -> None:
    """Fill our ledger up to so many entries through our own batches, ten times as large and without
    waiting for the disk."""
    with bench.connect(OURS.database) as connection:
        connection.execute(f"ALTER DATABASE {OURS.database} SET synchronous_commit = off")
        while True:
            found = connection.execute("SELECT sum(version)::bigint FROM account").fetchone()
            assert found is not None
            missing = entries - found[0]
            if missing <= 0:
                break
            size = FILL if missing > 20 * FILL * CLIENTS else BATCH
            calls = max(1, round(missing / 2 / size / CLIENTS))
            bench.call(*many(OURS, ACCOUNTS, size)[:2], "-t", str(calls))
        connection.execute(f"ALTER DATABASE {OURS.database} RESET synchronous_commit")
        connection.execute("VACUUM ANALYZE")


def http(bench: Bench) -> None:
    """Batches through the service's HTTP interface, beside the same batches in SQL."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "b", "alg": "ES256"}
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": "accrual", "sub": "bench", "client_id": "exchange", "iat": now,
        "exp": now + 3600, "jti": "1", "scope": "ledger:transfer", "pv": 1,
    }  # fmt: skip
    headers = {"kid": "b", "typ": "at+jwt"}
    token = jwt.encode(claims, key, algorithm="ES256", headers=headers)
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ledger_http", str(HTTP_PORT)],
        env=os.environ
        | {
            "DATABASE_URL_ACCRUAL": bench.cluster.url(OURS.database),
            "CLIENT_SECRET_ACCRUAL": "only-for-this-benchmark-000000000",
            "TOKEN_ISSUER": ISSUER,
            "BENCH_JWK": json.dumps(public),
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        sql, wire = [], []
        for _ in range(bench.rounds):
            sql.append(bench.round(*many(OURS, ACCOUNTS), bench.seconds)[0])
            wire.append(asyncio.run(post_for(token, bench.seconds)))
    finally:
        server.terminate()
        server.wait()
    for name, rates in (("batch by SQL", sql), ("batch by HTTP", wire)):
        rate = round(statistics.median(rates))
        bench.results.append({"scenario": name, "ledger": OURS.name, "per_s": rate})
    bench.judge("HTTP / SQL, batches", statistics.median(wire) / statistics.median(sql), 0.6)


async def post_for(token: str, seconds: float) -> float:
    """Transfers per second posted by `CLIENTS` connections in batches of `BATCH`."""
    url = f"http://127.0.0.1:{HTTP_PORT}"
    accounts = [f"10000000-0000-4000-8000-{number:012x}" for number in range(1, ACCOUNTS + 1)]

    def batch() -> bytes:
        pairs = (random.sample(accounts, 2) for _ in range(BATCH))
        return orjson.dumps(
            {
                "transfers": [
                    {
                        "id": uuid.uuid4(),
                        "institution_id": payer,
                        "to_institution_id": payee,
                        "amount": 1,
                        "kind": "exchange",
                        "reference": "order",
                    }
                    for payer, payee in pairs
                ]
            }
        )

    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with aiohttp.ClientSession(url, headers=headers) as session:
        while True:
            try:
                async with session.get("/healthz"):
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        deadline = time.perf_counter() + seconds
        started, posted = time.perf_counter(), 0

        async def client() -> None:
            nonlocal posted
            while time.perf_counter() < deadline:
                async with session.post("/internal/ledger/transfers", data=batch()) as answer:
                    posted += (await answer.json())["posted"]

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return posted / (time.perf_counter() - started)


def report(bench: Bench) -> None:
    print(f"{'scenario':<28}{'ledger':<31}{'transfers/s':>12}{'CPU µs each':>13}")
    for row in bench.results:
        cpu = row.get("cpu_us", "")
        print(f"{row['scenario']:<28}{row['ledger']:<31}{row['per_s']:>12,}{cpu:>13}")
    print()
    for name, verdict in bench.verdicts.items():
        mark = "ok" if verdict["ratio"] >= verdict["goal"] else "MISSED"
        print(f"{name:<48}{verdict['ratio']:>8.2f}  goal {verdict['goal']:.2f}  {mark}")
    print(json.dumps({"results": bench.results, "verdicts": bench.verdicts}))


if __name__ == "__main__":
    main()
