"""A network that loses, delays and repeats, seeded so that a failure can be played again, and the
record of what met which order."""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2

Deliver = Callable[[httpx2.Request], Awaitable[httpx2.Response]]

OUTCOMES = ("settled", "refunded", "released", "held", "refused")


class Matrix:
    """Which fault met which step of which order, how often, and what became of those orders."""

    def __init__(self) -> None:
        self.times: Counter[tuple[str, str]] = Counter()
        self.orders: dict[tuple[str, str], set[str]] = {}

    def note(self, fault: str, step: str, order: str | None) -> None:
        self.times[fault, step] += 1
        if order is not None:
            self.orders.setdefault((fault, step), set()).add(order)

    def table(self, outcomes: Mapping[str, str]) -> str:
        """Markdown: a row for each fault and step; `outcomes` are the final states of orders. An
        order that is not among them, or in no state of rest, counts as stuck."""
        head = ("fault", "step", "times", "orders", *OUTCOMES, "stuck")
        lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        for (fault, step), times in sorted(self.times.items()):
            met = self.orders.get((fault, step), set())
            ends = Counter(outcomes.get(order, "stuck") for order in met)
            stuck = sum(count for end, count in ends.items() if end not in OUTCOMES)
            cells = (fault, step, times, len(met), *(ends[end] for end in OUTCOMES), stuck)
            lines.append("| " + " | ".join(map(str, cells)) + " |")
        return "\n".join(lines)


class FaultyWire:
    """Between the exchange and the ledger. `rate` is the share of requests that meet a fault."""

    def __init__(self, deliver: Deliver, *, seed: int, rate: float, matrix: Matrix) -> None:
        self._deliver = deliver
        self._random = random.Random(seed)
        self.rate = rate
        self.matrix = matrix
        self._order_of: dict[str, str] = {}  # by the id of a hold or of a transfer
        self._faults = itertools.cycle(FAULTS)  # each has its turn; whom it meets is chance
        self._late: set[asyncio.Task[Any]] = set()

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        step, order = self._about(request)
        if self._random.random() >= self.rate:
            return await self._deliver(request)
        name = next(self._faults)
        self.matrix.note(name, step, order)
        return await FAULTS[name](self, request)

    def _about(self, request: httpx2.Request) -> tuple[str, str | None]:
        """What is asked of the ledger, and for which order."""
        parts = request.url.path.split("/")[3:]
        if request.method == "GET":
            return "look", self._order_of.get(parts[-1])
        body = json.loads(request.content)
        if parts == ["holds"]:
            self._order_of[body["id"]] = body["reference"]
        target = body.get("transfer_id") or (parts[1] if len(parts) > 1 else body["id"])
        order = self._order_of.get(target)
        if order is not None:
            self._order_of[body["id"]] = order
        return {"holds": "hold", "reversals": "reversal"}.get(parts[-1], parts[-1]), order

    async def _lost(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("the request is lost")

    async def _answer_lost(self, request: httpx2.Request) -> httpx2.Response:
        await self._deliver(request)
        raise httpx2.ReadTimeout("the answer is lost")

    async def _late_delivery(self, request: httpx2.Request) -> httpx2.Response:
        """The caller hears nothing; what it asked arrives when it may have asked the reverse."""

        async def arrive() -> None:
            await asyncio.sleep(self._random.uniform(0.05, 1.5))
            await self._deliver(request)

        task = asyncio.create_task(arrive())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        raise httpx2.ReadTimeout("the request is still on its way")

    async def _twice(self, request: httpx2.Request) -> httpx2.Response:
        both = await asyncio.gather(self._deliver(request), self._deliver(request))
        return self._random.choice(both)

    async def _busy(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503, json={"code": "UPSTREAM_UNAVAILABLE"})

    async def quiet(self) -> None:
        """No more faults, and everything late has arrived."""
        self.rate = 0.0
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)


FAULTS: Mapping[str, Callable[[FaultyWire, httpx2.Request], Awaitable[httpx2.Response]]] = {
    "request lost": FaultyWire._lost,
    "answer lost": FaultyWire._answer_lost,
    "request late, after others": FaultyWire._late_delivery,
    "request twice": FaultyWire._twice,
    "ledger busy (503)": FaultyWire._busy,
}
