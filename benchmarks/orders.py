"""What an order costs beside the bare database writes it needs.

    python -m benchmarks.orders [--orders 600] [--rounds 3] [--at-once 8]

One run, one embedded PostgreSQL with fsync on. Three lines run in turn, and medians are compared:

- `bare`: the rows of an order (key, slot, order, history, event, promise, job, answer) written by
  psycopg in the same two transactions, with no application around them;
- `orders`: `POST /orders` in this process, token, rules and all, the ledger answering at once;
- `with_ledger`: the same with the accrual service's real ledger behind it, on its own database.

The ratios within one run mean something; absolute numbers only on a quiet machine. One JSON line.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import uvloop
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.engine import make_url

from deploy.local.postgres import Cluster
from services.exchange.app import create_app
from services.exchange.ids import new_id
from services.exchange.settings import Settings
from shared import logs, migrations
from shared.clock import SEOUL, utc_now
from shared.runtime import Runtime
from tests.conftest import ISSUER, Tokens
from tests.exchange.conftest import API, listing_body
from tests.exchange.ledger import RealLedger

LISTINGS = 40
BUYERS = 20
BUYER = uuid4()
SECRET = "a-secret-of-the-benchmark-and-no-other"


def slot(number: int) -> tuple[int, datetime]:
    """The listing and the hour of the n-th order: no two orders want the same."""
    listing, hour = number % LISTINGS, number // LISTINGS
    first = utc_now().astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    return listing, first + timedelta(days=3, hours=hour)


class Exchange:
    """The service in this process, its buyers and its listings."""

    def __init__(self, runtime: Runtime, tokens: Tokens, ledger: Any) -> None:
        self.runtime, self.tokens, self.ledger = runtime, tokens, ledger
        app = create_app(runtime.settings, runtime)  # type: ignore[arg-type]
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://exchange"
        )
        self.buyers = [uuid4() for _ in range(BUYERS)]
        self.headers = [self._headers("company", one, "exchange:buy") for one in self.buyers]
        self.listings: list[str] = []

    async def prepare(self) -> None:
        for buyer in self.buyers:
            await self.ledger.give(buyer, 1_000_000)
        seller = self._headers("university", uuid4(), "exchange:sell")
        always = [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)]
        body = listing_body(calendar={"weekly": always, "exceptions": []})
        for _ in range(LISTINGS):
            made = await self.client.post(f"{API}/listings", json=body, headers=seller)
            self.listings.append(made.json()["id"])
            await self.client.post(f"{API}/listings/{self.listings[-1]}/publish", headers=seller)

    async def order(self, number: int) -> None:
        listing, start = slot(number)
        wish = {
            "listing_id": self.listings[listing],
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(hours=1)).isoformat(),
            "mileage": 30,
        }
        headers = self.headers[number % BUYERS] | {"Idempotency-Key": uuid4().hex}
        answer = await self.client.post(f"{API}/orders", json=wish, headers=headers)
        assert answer.status_code == 201, answer.text
        assert answer.json()["settlement"] == "held", answer.text

    def _headers(self, kind: str, institution: UUID, *scopes: str) -> dict[str, str]:
        return self.tokens.headers(
            *scopes, institution_id=institution, institution_kind=kind, lifetime=7_200
        )


class Instant:
    """A ledger that says yes at once."""

    async def deliver(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(201, json={})

    async def give(self, institution: UUID, amount: int) -> None:
        pass


class Wire(httpx2.AsyncBaseTransport):
    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        match request.url.path:
            case "/api/v1/auth/token":
                return httpx2.Response(200, json={"access_token": "t", "expires_in": 3_600})
            case "/internal/revocations":
                return httpx2.Response(200, json={"min_pv": {}, "last": 0})
            case "/internal/institutions/lookup":
                ids = json.loads(request.content)["ids"]
                items = [{"institution_id": one, "kind": "x", "name": "기관"} for one in ids]
                return httpx2.Response(200, json={"items": items})
        response: httpx2.Response = await self._ledger.deliver(request)
        return response


class Bare:
    """The same rows without an application."""

    def __init__(self, pool: AsyncConnectionPool, listings: list[tuple[UUID, int]]) -> None:
        self.pool, self.listings = pool, listings

    async def order(self, number: int) -> None:
        listing, start = slot(number)
        listing_id, listing_number = self.listings[listing]
        order, hold, key = new_id(), new_id(), uuid4().hex
        values = {
            "key": key,
            "print": b"\0" * 32,
            "order": order,
            "hold": hold,
            "listing": listing_id,
            "number": listing_number,
            "start": start,
            "end": start + timedelta(hours=1),
            "buyer": BUYER,
            "args": json.dumps({"order_id": str(order), "trace": ""}),
            "body": b"x" * 1_200,
        }
        async with self.pool.connection() as connection:
            for transaction in TRANSACTIONS:
                for statement in transaction:
                    await connection.execute(statement, values, prepare=True)
                await connection.commit()


EVENT = """INSERT INTO order_event (order_id, action, party, actor, detail, use, settlement)
    VALUES (%(order)s, 'request', 'buyer', 'somebody', '{}', 'requested', 'holding')"""
OUTBOX = """INSERT INTO outbox_event (name, subject_id, audience, payload)
    VALUES ('order.requested', %(order)s, ARRAY[%(buyer)s, %(listing)s]::uuid[], '{"number": 1}')"""
TRANSACTIONS = (
    (
        """INSERT INTO idempotency_key (scope, key, fingerprint, body)
           VALUES ('bare', %(key)s, %(print)s, %(print)s)""",
        "SELECT 1 FROM listing WHERE id = %(listing)s FOR NO KEY UPDATE",
        """INSERT INTO slot (order_id, listing_number, starts_at, ends_at)
           VALUES (%(order)s, %(number)s, %(start)s, %(end)s)""",
        """INSERT INTO exchange_order (id, listing_id, listing_title, kind, use_mode, seller_id,
               seller_name, buyer_id, buyer_name, unit, unit_price_won, rate_card_version, quantity,
               fee_won, mileage, starts_at, ends_at, late_fee_percent, no_show_fee_percent, terms,
               use, settlement, lapse_at)
           VALUES (%(order)s, %(listing)s, '전계방출 주사전자현미경', 'equipment', 'direct',
               %(listing)s, '기관', %(buyer)s, '기관', 'hour', 100000, 1, 1, 100000, 30,
               %(start)s, %(end)s, 50, 100, '장비 사용 수칙을 지킵니다.', 'requested',
               'holding', %(start)s)""",
        EVENT,
        OUTBOX,
        """INSERT INTO movement (id, order_id, kind, amount)
           VALUES (%(hold)s, %(order)s, 'hold', 30)""",
        """INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)
           VALUES ('default', 'orders.drive', %(args)s, now() + interval '1 day')""",
    ),
    (
        "SELECT 1 FROM exchange_order WHERE id = %(order)s FOR NO KEY UPDATE",
        "UPDATE movement SET state = 'done', done_at = now() WHERE id = %(hold)s",
        "UPDATE exchange_order SET settlement = 'held', version = 2 WHERE id = %(order)s",
        EVENT,
        OUTBOX,
        """UPDATE idempotency_key SET status = 201, body = %(body)s
           WHERE scope = 'bare' AND key = %(key)s""",
    ),
)


@asynccontextmanager
async def running(
    cluster: Cluster, name: str, tokens: Tokens, files: Path, ledger: Any
) -> AsyncIterator[Exchange]:
    cluster.create_database(name)
    migrations.upgrade("exchange", cluster.url(name))
    settings = Settings(
        database_url=cluster.url(name),
        client_secret=SECRET,  # type: ignore[arg-type]  # pydantic makes it a secret
        files_url=f"file://{files}",
        token_issuer=ISSUER,
    )
    runtime = Runtime("exchange", settings, keys=tokens, transport=Wire(ledger))
    async with runtime.open():
        made = Exchange(runtime, tokens, ledger)
        await made.prepare()
        yield made


async def rate(order: Callable[[int], Awaitable[None]], first: int, args: Any) -> float:
    """Orders a second, so many at once."""
    numbers = iter(range(first, first + args.orders))

    async def worker() -> None:
        for number in numbers:
            await order(number)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(args.at_once)))
    return float(args.orders / (time.perf_counter() - started))


async def measure(cluster: Cluster, directory: Path, args: Any) -> dict[str, Any]:
    tokens = Tokens()
    ledger = await real_ledger(cluster, tokens, directory)
    async with (
        ledger.runtime.open(),
        running(cluster, "bench_orders", tokens, directory, Instant()) as alone,
        running(cluster, "bench_with_ledger", tokens, directory, ledger) as together,
    ):
        conninfo = make_url(cluster.url("bench_orders")).set(drivername="postgresql")
        # Its own database, of the same schema and with the same listings.
        await alone.runtime.database.engine.dispose()
        cluster.create_database("bench_bare", template="bench_orders")
        conninfo = conninfo.set(database="bench_bare")
        pool = AsyncConnectionPool(
            conninfo.render_as_string(hide_password=False), min_size=args.at_once, open=False
        )
        async with pool:
            bare = Bare(pool, await listings_of(pool))
            lines: dict[str, Callable[[int], Awaitable[None]]] = {
                "bare": bare.order,
                "orders": alone.order,
                "with_ledger": together.order,
            }
            found: dict[str, list[float]] = {name: [] for name in lines}
            for turn in range(args.rounds + 1):
                for name, order in lines.items():
                    figure = await rate(order, turn * args.orders, args)
                    if turn:  # the first turn warms up
                        found[name].append(figure)
    medians = {name: statistics.median(figures) for name, figures in found.items()}
    return {
        "benchmark": "orders",
        **{f"{name}_per_s": round(figure, 1) for name, figure in medians.items()},
        "ratio": round(medians["orders"] / medians["bare"], 3),
        "ratio_with_ledger": round(medians["with_ledger"] / medians["bare"], 3),
        "orders": args.orders,
        "rounds": args.rounds,
        "at_once": args.at_once,
    }


async def real_ledger(cluster: Cluster, tokens: Tokens, files: Path) -> RealLedger:
    from services.accrual.settings import Settings as AccrualSettings

    cluster.create_database("bench_ledger")
    migrations.upgrade("accrual", cluster.url("bench_ledger"))
    settings = AccrualSettings(
        database_url=cluster.url("bench_ledger"),
        client_secret=SECRET,  # type: ignore[arg-type]
        files_url=f"file://{files}",
        token_issuer=ISSUER,
    )
    runtime = Runtime("accrual", settings, keys=tokens, transport=Wire(Instant()))
    return RealLedger(runtime, tokens)


async def listings_of(pool: AsyncConnectionPool) -> list[tuple[UUID, int]]:
    async with pool.connection() as connection:
        rows = await connection.execute("SELECT id, number FROM listing ORDER BY number")
        return [(row[0], row[1]) for row in await rows.fetchall()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=8)
    args = parser.parse_args()
    # More hours than can be booked ahead would be refused.
    assert args.orders * (args.rounds + 1) / LISTINGS / 24 < 170, "fewer orders or rounds"
    logs.configure("benchmark", "ERROR")
    with tempfile.TemporaryDirectory(prefix="sanhak-bench-") as name:
        directory = Path(name)
        cluster = Cluster.start(directory / "pg")
        try:
            # The loop that the services run on.
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                print(json.dumps(runner.run(measure(cluster, directory, args))))
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
