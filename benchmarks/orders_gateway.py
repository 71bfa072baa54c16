"""What an order costs through the gateway, every process real, beside the bare writes it needs.

    python -m benchmarks.orders_gateway [--orders 200] [--rounds 3] [--at-once 8]

A whole installation (gateway, auth, accrual, exchange, workers, PostgreSQL with fsync on) shares
this machine with the client. Two lines run in turn, and medians are compared:

- `bare`: the exchange's rows of an order, by psycopg in two transactions (`benchmarks.orders`), on
  a database of its own in the same PostgreSQL;
- `gateway`: `POST /api/v1/exchange/orders` at the gateway, its mileage held by the real ledger.

The ratio within one run means something; absolute numbers only on a quiet machine. One JSON line.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import uvloop
from psycopg import sql
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.engine import make_url

from benchmarks.orders import LISTINGS, Bare, listings_of, rate, slot
from deploy.demo.client import User
from deploy.local.postgres import Cluster
from deploy.local.stack import Stack, stack
from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import ISSUANCE, NewTransfer
from services.auth.demo import DEMO_PASSWORD
from shared import migrations
from shared.db import Database
from tests.exchange.conftest import listing_body

EXCHANGE = "/api/v1/exchange"
NO_LIMIT = {"LIMIT_USER": "1000000/60", "LIMIT_PUBLIC": "1000000/60", "LOG_LEVEL": "ERROR"}
PLENTY = 10_000_000


class Gateway:
    """One buyer of the demo, ordering at the listings of one university."""

    def __init__(self, http: aiohttp.ClientSession, installation: Stack) -> None:
        self.http, self.installation = http, installation
        self.seller = self._token("hanbit")
        self.buyer = self._token("9998100015")
        self.listings: list[str] = []

    def _token(self, login: str) -> str:
        with User(self.installation.gateway_url, login, DEMO_PASSWORD) as user:
            return str(user.sign_in()["access_token"])

    async def prepare(self) -> None:
        me = await self._ask("GET", "/api/v1/auth/me", self.buyer)
        accrual = Database(self.installation.database_url("accrual"))
        async with accrual.sessions.begin() as session:
            given = NewTransfer(
                id=uuid4(),
                debit_account=ISSUANCE,
                credit_account=UUID(me["institution_id"]),
                amount=PLENTY,
                kind="accrual",
            )
            await ledger.post_transfers(session, [given])
        await accrual.close()
        always = [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)]
        body = listing_body(calendar={"weekly": always, "exceptions": []})
        for _ in range(LISTINGS):
            made = await self._ask("POST", f"{EXCHANGE}/listings", self.seller, body)
            self.listings.append(made["id"])
            await self._ask("POST", f"{EXCHANGE}/listings/{made['id']}/publish", self.seller)

    async def order(self, number: int) -> None:
        listing, start = slot(number)
        end = slot(number + LISTINGS)[1]
        wish = {
            "listing_id": self.listings[listing],
            "starts_at": start.isoformat(),
            "ends_at": end.isoformat(),
            "mileage": 30,
        }
        order = await self._ask("POST", f"{EXCHANGE}/orders", self.buyer, wish)
        assert order["settlement"] == "held", order

    async def _ask(self, method: str, path: str, token: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()


async def bare_database(cluster: Cluster, installation: Stack) -> str:
    """A database like the exchange's, with the same listings; where it is."""
    cluster.create_database("bench_bare")
    migrations.upgrade("exchange", cluster.superuser_url("bench_bare"))
    exchange = _conninfo(installation.database_url("exchange"))
    bare = _conninfo(cluster.superuser_url("bench_bare"))
    async with (
        AsyncConnectionPool(exchange, min_size=1, open=False) as source,
        AsyncConnectionPool(bare, min_size=1, open=False) as target,
        source.connection() as reading,
        target.connection() as writing,
    ):
        rows = await (await reading.execute("SELECT to_json(l)::text FROM listing l")).fetchall()
        copy = sql.SQL("INSERT INTO listing SELECT * FROM json_populate_record(NULL::listing, %s)")
        for row in rows:
            await writing.execute(copy, row)
    return bare


def _conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def measure(installation: Stack, args: Any) -> dict[str, Any]:
    cluster = Cluster(installation.data.postgres_dir)
    async with aiohttp.ClientSession(installation.gateway_url) as http:
        gateway = Gateway(http, installation)
        await gateway.prepare()
        conninfo = await bare_database(cluster, installation)
        async with AsyncConnectionPool(conninfo, min_size=args.at_once, open=False) as pool:
            bare = Bare(pool, await listings_of(pool))
            lines: dict[str, Callable[[int], Awaitable[None]]] = {
                "bare": bare.order,
                "gateway": gateway.order,
            }
            found: dict[str, list[float]] = {name: [] for name in lines}
            first = itertools.count(step=args.orders)
            for turn in range(args.rounds + 1):
                numbers = next(first)
                for name, order in lines.items():
                    figure = await rate(order, numbers, args)
                    if turn:  # the first turn warms up
                        found[name].append(figure)
    medians = {name: statistics.median(figures) for name, figures in found.items()}
    return {
        "benchmark": "orders_gateway",
        **{f"{name}_per_s": round(figure, 1) for name, figure in medians.items()},
        "ratio": round(medians["gateway"] / medians["bare"], 3),
        "orders": args.orders,
        "rounds": args.rounds,
        "at_once": args.at_once,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sanhak-bench-") as name:
        directory = Path(name)
        with (
            stack(directory, env=NO_LIMIT) as installation,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            print(json.dumps(runner.run(measure(installation, args))))


if __name__ == "__main__":
    main()
