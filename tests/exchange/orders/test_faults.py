"""Orders against the real ledger over a bad wire, with requests and workers killed at random.

In the end no slot, hold or point is lost, doubled or stuck. `EXCHANGE_FAULT_ORDERS` and
`EXCHANGE_FAULT_SEED` make the run longer or play another one; `EXCHANGE_FAULT_REPORT` names a file
for the table of faults, steps and outcomes.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

import shared.http
from services.exchange.listings.models import Slot
from services.exchange.orders import driver, reconciliation
from services.exchange.orders.models import Movement, Order
from services.exchange.orders.rules import LIVE, Settlement
from shared.clock import utc_now
from tests.exchange.conftest import Actor, World, monday
from tests.exchange.faults import FAULTS, FaultyWire, Matrix
from tests.exchange.ledger import RealLedger

ORDERS = int(os.environ.get("EXCHANGE_FAULT_ORDERS", "40"))
SEED = int(os.environ.get("EXCHANGE_FAULT_SEED", "1"))
REPORT = os.environ.get("EXCHANGE_FAULT_REPORT")
AT_ONCE = 12
GIVEN = 5_000
PATIENCE = 1_000  # how often a client asks again; far more than the faults can explain
KILLED = 0.15  # the share of requests whose process dies at some point of them
KILL = "process killed"
REST = {Settlement.SETTLED, Settlement.RELEASED, Settlement.REFUNDED}


class Storm:
    """Buyers who order, sellers who answer, sweeps that tidy: all at once, on a bad wire."""

    def __init__(self, world: World, ledger: RealLedger, wire: FaultyWire) -> None:
        self.world, self.ledger, self.wire = world, ledger, wire
        self.random = random.Random(SEED)
        self.buyers = [world.actor("company", f"기업 {n}") for n in range(7)]
        # The last one is refused whenever it has not got enough left.
        self.given = {buyer.id: GIVEN for buyer in self.buyers[:-1]} | {self.buyers[-1].id: 20}
        self.listings: list[dict[str, Any]] = []
        self.seen: Counter[str] = Counter()

    async def prepare(self) -> None:
        for buyer_id, points in self.given.items():
            await self.ledger.give(buyer_id, points)
        for _ in range(max(4, ORDERS // 25)):  # so that most find a free time
            self.listings.append(await self.world.listing())

    async def run(self, orders: int) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        stop = asyncio.Event()

        async def one() -> None:
            async with gate:
                await self.life()

        sweepers = [asyncio.create_task(self.keep_sweeping(stop)) for _ in range(2)]
        await asyncio.gather(*(one() for _ in range(orders)))
        stop.set()
        await asyncio.gather(*sweepers)

    async def life(self) -> None:
        buyer, seller = self.random.choice(self.buyers), self.world.seller
        start = monday(self.random.randint(2, 12)) + timedelta(
            days=self.random.randint(0, 4), hours=self.random.randint(0, 7)
        )
        wish = self.world.wish(
            self.random.choice(self.listings),
            starts_at=start.isoformat(),
            ends_at=(start + timedelta(hours=self.random.randint(1, 2))).isoformat(),
            mileage=self.random.choice([0, 1, 15, 30]),
        )
        order = await self.insist(buyer, "/orders", wish)
        if order is None:
            return
        path = f"/orders/{order['id']}"
        fate = self.random.random()
        reason = {"reason": "시험"}
        if fate < 0.2:
            await self.insist(buyer, f"{path}/cancel", reason)
        elif fate < 0.35:
            await self.insist(seller, f"{path}/decline", reason)
        elif fate < 0.4:
            return  # nobody ever answers it
        elif await self.insist(seller, f"{path}/accept") is None:
            return
        elif fate < 0.5:
            await self.insist(buyer, f"{path}/cancel", reason)
        elif fate < 0.55:
            await self.insist(seller, f"{path}/call-off", reason)
        elif await self.insist(seller, f"{path}/start") is not None:
            await self.finish(buyer, seller, path, order, fate)

    async def finish(
        self, buyer: Actor, seller: Actor, path: str, order: dict[str, Any], fate: float
    ) -> None:
        actual = self.random.randint(0, order["quantity"])
        done = await self.insist(seller, f"{path}/complete", {"actual_quantity": actual})
        if done is None or actual == 0:
            return
        if fate < 0.65:
            await self.insist(buyer, f"{path}/dispute", {"reason": "시험"})
            charged = self.random.choice([0, done["charged_won"] // 2])
            verdict = {"charged_won": charged, "reason": "시험"}
            done = await self.insist(self.world.operator, f"{path}/dispute/resolve", verdict)
            if done is None or charged == 0:
                return
        payment = {
            "amount_won": done["cash_due_won"],
            "method": "transfer",
            "paid_on": "2026-01-02",
            "reference": "시험",
        }
        await self.insist(seller, f"{path}/payments", payment)
        settled = await self.insist(seller, f"{path}/settle")
        if settled is not None and fate > 0.85 and done["mileage_charged"]:
            back = {"mileage": self.random.randint(1, done["mileage_charged"]), "reason": "시험"}
            if self.random.random() < 0.5:
                back = {
                    "mileage": done["mileage_charged"],
                    "cash_won": done["cash_due_won"],
                    "reason": "시험",
                }
            await self.insist(seller, f"{path}/refund", back)

    async def insist(self, who: Actor, path: str, body: Any = None) -> dict[str, Any] | None:
        """Ask under one key until there is an answer, as a good client does after a lost line."""
        key = f"key-{self.random.getrandbits(64)}"
        _, _, order, step = f"{path}//".split("/", 3)
        kills = 0
        for _ in range(PATIENCE):
            answer = await self.perhaps_killed(who.post(path, body, key=key))
            kills += answer is None
            if answer is None or answer.status_code >= 500:
                continue
            code = "ok" if answer.is_success else answer.json()["code"]
            self.seen[f"{path.rsplit('/', 1)[-1]}: {code}"] += 1
            if answer.status_code == 409 and await self.wait_for_rest(path, code):
                continue
            for _ in range(kills):
                made = order or (answer.json()["id"] if answer.is_success else None)
                self.wire.matrix.note(KILL, step.strip("/") or "request", made)
            return answer.json() if answer.is_success else None
        raise AssertionError(f"no answer to {path}")

    async def wait_for_rest(self, path: str, code: str) -> bool:
        """Whether a conflict passes by itself: the ledger has not answered for the last step."""
        if code != "STATE_CONFLICT":
            return False
        order = (await self.world.operator.get("/".join(path.split("/")[:3]))).json()
        if order["settlement"] in {"holding", "posting", "refunding"}:
            await asyncio.sleep(0.05)
            return True
        return False

    async def perhaps_killed(self, call: Awaitable[Any]) -> Any:
        """The call's answer; None when its process was killed on the way, wherever it was."""
        if self.random.random() >= KILLED:
            return await call
        task = asyncio.ensure_future(call)
        await asyncio.wait([task], timeout=self.random.uniform(0, 0.06))
        task.cancel()
        with suppress(asyncio.CancelledError):
            return await task
        return None

    async def keep_sweeping(self, stop: asyncio.Event) -> None:
        """A worker that collides with the requests: to it every promise is stale at once."""
        while not stop.is_set():
            await self.perhaps_killed(self.sweep())
            await asyncio.sleep(0.2)

    async def sweep(self, *, minutes: int = 60) -> None:
        """A round of the schedule, on a clock far enough ahead to be impatient."""
        await driver.sweep(
            self.world.sessions,
            self.world.app.state.ledger,
            now=utc_now() + timedelta(minutes=minutes),
        )

    async def come_to_rest(self) -> None:
        await self.wire.quiet()
        # Later each time: what just failed was put off by a minute.
        for minutes in range(62, 162, 2):
            await self.sweep(minutes=minutes)
            async with self.world.sessions() as session:
                waiting = (
                    await session.execute(
                        select(Movement.order_id, Movement.kind, Movement.try_after).where(
                            Movement.state == "intended"
                        )
                    )
                ).all()
            if not waiting:
                return
        raise AssertionError(f"promises are stuck: {waiting}")


@pytest.fixture
async def storm(world: World, monkeypatch) -> Storm:
    monkeypatch.setattr(shared.http, "ATTEMPTS", 1)  # the storm itself asks again
    monkeypatch.setattr(driver, "TRY_AGAIN_AFTER", timedelta(0))  # nobody here waits a minute
    wire = FaultyWire(world.ledger.deliver, seed=SEED, rate=0.3, matrix=Matrix())
    world.network.to_ledger = wire
    made = Storm(world, world.ledger, wire)
    await made.prepare()
    return made


async def test_no_slot_hold_or_point_is_lost_doubled_or_stuck(storm: Storm):
    await storm.run(ORDERS)
    await storm.come_to_rest()
    await assert_books_agree(storm)
    # Nobody answers what is left: after the last deadline every point is free again.
    world = storm.world
    for days in (4, 120, 121):
        await driver.sweep(
            world.sessions, world.app.state.ledger, now=utc_now() + timedelta(days=days)
        )
    await assert_books_agree(storm)
    async with world.sessions() as session:
        open_uses = await session.scalar(
            select(func.count()).where(Order.use.in_(["requested", "accepted"]))
        )
    assert open_uses == 0
    assert {fault for fault, _ in storm.wire.matrix.times} == {*FAULTS, KILL}
    table = storm.wire.matrix.table(await outcomes(storm))
    if REPORT:
        await asyncio.to_thread(Path(REPORT).write_text, f"{table}\n")
    assert all(line.endswith("| 0 |") for line in table.splitlines()[2:]), table


async def outcomes(storm: Storm) -> dict[str, str]:
    """What became of each order; of those the ledger refused, that."""
    async with storm.world.sessions() as session:
        rows = await session.execute(select(Order.id, Order.use, Order.settlement))
    return {str(id_): "refused" if use == "refused" else state for id_, use, state in rows}


async def assert_books_agree(storm: Storm) -> None:
    """Our orders and the ledger's accounts, added up independently, say the same."""
    world = storm.world
    async with world.sessions() as session:
        orders = (await session.scalars(select(Order))).all()
        slots = set(await session.scalars(select(Slot.order_id)))
    assert slots == {order.id for order in orders if order.use in LIVE}
    moved: Counter[UUID] = Counter()
    held: Counter[UUID] = Counter()
    for order in orders:
        assert order.settlement in REST | {Settlement.HELD, Settlement.DISPUTED}, order.id
        if order.settlement in {Settlement.SETTLED, Settlement.REFUNDED}:
            moved[order.buyer_id] += (order.mileage_charged or 0) - order.mileage_refunded
        elif order.settlement not in REST:
            held[order.buyer_id] += order.mileage
    for buyer in storm.buyers:
        assert await storm.ledger.account(buyer.id) == (
            storm.given[buyer.id] - moved[buyer.id],
            held[buyer.id],
        )
    assert await storm.ledger.account(world.seller.id) == (sum(moved.values()), 0)
    assert await storm.ledger.books_balance()
    report = await reconciliation.reconcile(world.sessions, world.app.state.ledger, now=utc_now())
    assert report.differences == []
