"""Exchange and accrual as real processes, killed with SIGKILL while orders run between them.

In the end every order has come to its end, no point is held, no slot is taken, and both books add
up. `KILL_ORDERS`, `KILL_SECONDS` and `KILL_SEED` make the run longer or play another one.
"""

import asyncio
import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import structlog
from sqlalchemy import text

from deploy.demo.client import User
from deploy.local.stack import Stack
from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import ISSUANCE, NewTransfer
from services.auth.demo import DEMO_PASSWORD
from shared.clock import SEOUL, utc_now
from shared.db import Database
from shared.jobs import enqueue

ORDERS = int(os.environ.get("KILL_ORDERS", "16"))
SECONDS = float(os.environ.get("KILL_SECONDS", "8"))  # as long as there are kills, at least
SEED = int(os.environ.get("KILL_SEED", "1"))
AT_ONCE = 4
VICTIMS = ("exchange", "exchange-worker", "accrual")
PATIENCE_S = 90.0
GIVEN = 100_000
EXCHANGE = "/api/v1/exchange"


log = structlog.get_logger()


class Party:
    """Somebody with a login, who repeats a request under its key until it is answered."""

    def __init__(self, http: httpx2.AsyncClient, token: str, institution: str) -> None:
        self.http, self.institution = http, UUID(institution)
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> dict[str, Any]:
        return await self._until_answered("GET", path)

    async def post(self, path: str, body: Any = None, *, of: tuple[int, ...] = ()) -> Any:
        """The answer; None for a final refusal, which must be one of the statuses `of`."""
        return await self._until_answered("POST", path, body, of=of)

    async def _until_answered(
        self, method: str, path: str, body: Any = None, *, of: tuple[int, ...] = ()
    ) -> Any:
        headers = self.headers | ({"Idempotency-Key": uuid4().hex} if method == "POST" else {})
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(httpx2.TransportError):
                answer = await self.http.request(method, path, headers=headers, json=body)
                if answer.is_success:
                    return answer.json()
                if answer.status_code < 500 and not await self._passes(path, answer):
                    assert answer.status_code in of, f"{path}: {answer.text}"
                    return None
            await asyncio.sleep(0.3)
        raise AssertionError(f"no answer to {method} {path}")

    async def _passes(self, path: str, answer: httpx2.Response) -> bool:
        """Whether a conflict ends by itself: the ledger has not answered for the last step."""
        if answer.status_code != 409 or answer.json()["code"] != "STATE_CONFLICT":
            return False
        order = await self.get("/".join(path.split("/")[:6]))
        return order["settlement"] in {"holding", "posting", "refunding"}


class World:
    def __init__(self, stack: Stack, seller: Party, buyer: Party) -> None:
        self.stack, self.seller, self.buyer = stack, seller, buyer
        self.random = random.Random(SEED)
        self.accrual = Database(stack.database_url("accrual"))
        self.exchange = Database(stack.database_url("exchange"))
        self.listing = ""
        self.kills: Counter[str] = Counter()
        self._hours = itertools.count()

    async def prepare(self) -> None:
        async with self.accrual.sessions.begin() as session:
            given = NewTransfer(
                id=uuid4(),
                debit_account=ISSUANCE,
                credit_account=self.buyer.institution,
                amount=GIVEN,
                kind="accrual",
            )
            await ledger.post_transfers(session, [given])
        body = {
            "kind": "equipment",
            "use_mode": "direct",
            "unit": "hour",
            "title": f"중단 시험용 현미경 {uuid4().hex[:6]}",
            "description": "언제든 멈출 수 있는 장비",
            "location": "공동실험관 101호",
            "price_won": 200_000,
            "max_quantity": 10,
            "terms": "장비 사용 수칙을 지킵니다.",
            "cancellation": {
                "free_until_hours": 1,
                "late_fee_percent": 0,
                "no_show_fee_percent": 0,
            },
            "lead_time_hours": 0,
            "calendar": {
                "weekly": [
                    {"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(7)
                ],
                "exceptions": [],
            },
        }
        self.listing = (await self.seller.post(f"{EXCHANGE}/listings", body))["id"]
        await self.seller.post(f"{EXCHANGE}/listings/{self.listing}/publish")

    async def life(self) -> None:
        """One order, from the wish to one of its ends."""
        day = (utc_now() + timedelta(days=2)).astimezone(SEOUL).date()
        start = datetime.combine(day, time_of_day(), SEOUL) + timedelta(hours=next(self._hours))
        wish = {
            "listing_id": self.listing,
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(hours=1)).isoformat(),
            "mileage": self.random.choice([1, 30, 60]),
        }
        buyer, seller = self.buyer, self.seller
        order = await buyer.post(f"{EXCHANGE}/orders", wish)
        path = f"{EXCHANGE}/orders/{order['id']}"
        fate = self.random.choice(["cancel", "decline", "call-off", "settle", "settle", "refund"])
        reason = {"reason": "시험"}
        if fate == "cancel":
            await buyer.post(f"{path}/cancel", reason)
            return
        if fate == "decline":
            await seller.post(f"{path}/decline", reason)
            return
        await seller.post(f"{path}/accept")
        if fate == "call-off":
            await seller.post(f"{path}/call-off", reason)
            return
        await seller.post(f"{path}/start")
        done = await seller.post(f"{path}/complete", {"actual_quantity": 1})
        paid = {
            "amount_won": done["cash_due_won"],
            "method": "transfer",
            "paid_on": utc_now().astimezone(SEOUL).date().isoformat(),
            "reference": "시험",
        }
        await seller.post(f"{path}/payments", paid)
        await seller.post(f"{path}/settle")
        if fate == "refund":
            await seller.post(f"{path}/refund", {"mileage": 1, "reason": "시험"})

    async def keep_killing(self, orders_done: asyncio.Event) -> None:
        """One of the processes after the other, each at a moment of its own."""
        until = time.monotonic() + SECONDS
        while not orders_done.is_set():
            await asyncio.sleep(self.random.uniform(0.2, 1.5))
            if time.monotonic() > until and set(self.kills) == set(VICTIMS):
                return
            name = self.random.choice(VICTIMS)
            pid = self.stack.pid_of(name)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.kills[name] += 1

    async def come_to_rest(self) -> None:
        """The worker sees through what is left; asked to do so at once instead of in a minute."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            async with self.exchange.sessions.begin() as session:
                waiting = await session.scalar(
                    text("SELECT count(*) FROM movement WHERE state = 'intended'")
                )
                if not waiting:
                    return
                await session.execute(
                    text("UPDATE movement SET try_after = now() WHERE state = 'intended'")
                )
                await enqueue(session, "orders.sweep", once="orders.sweep")
            await asyncio.sleep(1)
        raise AssertionError(f"{waiting} promises are stuck")

    async def account(self, institution: UUID) -> tuple[int, int]:
        async with self.accrual.sessions() as session:
            found = await ledger.account(session, institution)
        return found.balance, found.held

    async def orders(self) -> list[Any]:
        async with self.exchange.sessions() as session:
            rows = await session.execute(
                text(
                    "SELECT use, settlement, coalesce(mileage_charged, 0) AS charged,"
                    " mileage_refunded AS refunded FROM exchange_order WHERE listing_id = :listing"
                ),
                {"listing": self.listing},
            )
            return list(rows)

    async def slots(self) -> int:
        async with self.exchange.sessions() as session:
            found = await session.scalar(
                text(
                    "SELECT count(*) FROM slot JOIN exchange_order o ON o.id = slot.order_id"
                    " WHERE o.listing_id = :listing"
                ),
                {"listing": self.listing},
            )
            return int(found or 0)

    async def told(self) -> tuple[int, int]:
        """How many events the orders had, and how many notifications came of them, once the worker
        has delivered every one."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            async with self.exchange.sessions() as session:
                found = await session.execute(
                    text(
                        "SELECT count(*) AS events, count(e.delivered_at) AS delivered,"
                        " (SELECT count(*) FROM notification n JOIN exchange_order o"
                        "  ON o.id = n.order_id WHERE o.listing_id = :listing) AS notifications"
                        " FROM outbox_event e JOIN exchange_order o ON o.id = e.subject_id"
                        " WHERE o.listing_id = :listing"
                    ),
                    {"listing": self.listing},
                )
                row = found.one()
            if row.events == row.delivered:
                return row.events, row.notifications
            await asyncio.sleep(1)
        raise AssertionError("events are not delivered")

    async def reconciled(self) -> list[Any]:
        """The differences of a reconciliation by the worker, begun from now on."""
        now = utc_now()
        async with self.exchange.sessions.begin() as session:
            await enqueue(session, "orders.reconcile")
        for _ in range(int(PATIENCE_S)):
            async with self.exchange.sessions() as session:
                found = await session.execute(
                    text("SELECT differences FROM reconciliation WHERE started_at > :now"),
                    {"now": now},
                )
                report = found.first()
            if report is not None:
                return list(report.differences)
            await asyncio.sleep(1)
        raise AssertionError("the worker does not reconcile")


@pytest.fixture
async def world(installation: Stack | None) -> AsyncIterator[World]:
    if installation is None:
        pytest.skip("these processes are not ours to kill")
    gateway = installation.gateway_url
    async with httpx2.AsyncClient(base_url=gateway, timeout=20, trust_env=False) as http:
        parties = []
        for login in ("hanbit", "9998100015"):
            with User(gateway, login, DEMO_PASSWORD) as user:
                token = user.sign_in()["access_token"]
                parties.append(Party(http, token, user.get("/api/v1/auth/me")["institution_id"]))
        made = World(installation, *parties)
        await made.prepare()
        yield made
        await made.accrual.close()
        await made.exchange.close()


async def test_killed_processes_lose_no_slot_hold_or_point(world: World):
    before = [await world.account(party.institution) for party in (world.buyer, world.seller)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await world.life()

    done = asyncio.Event()
    killer = asyncio.create_task(world.keep_killing(done))
    try:
        await asyncio.gather(*(one() for _ in range(ORDERS)))
        if set(world.kills) != set(VICTIMS):
            await killer
    finally:
        done.set()
        await killer
    await world.come_to_rest()

    orders = await world.orders()
    assert len(orders) == ORDERS
    assert {order.settlement for order in orders} <= {"released", "settled", "refunded"}
    assert {order.settlement for order in orders} >= {"released", "settled"}
    moved = sum(order.charged - order.refunded for order in orders)
    assert moved > 0
    after = [await world.account(party.institution) for party in (world.buyer, world.seller)]
    assert after == [
        (before[0][0] - moved, before[0][1]),
        (before[1][0] + moved, before[1][1]),
    ]
    assert await world.slots() == 0
    assert await world.reconciled() == []
    events, notifications = await world.told()
    assert notifications == 2 * events > 0
    with User(world.stack.gateway_url, "operator", DEMO_PASSWORD) as operator:
        assert operator.post("/api/v1/accrual/ledger/verify")["ok"] is True
    log.info("survived", orders=len(orders), kills=dict(world.kills))
