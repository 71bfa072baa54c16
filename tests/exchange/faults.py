"""A network that loses, delays and repeats, seeded so that a failure can be played again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

Deliver = Callable[[httpx2.Request], Awaitable[httpx2.Response]]


class FaultyWire:
    """Between the exchange and the ledger. `rate` is the share of requests that meet a fault."""

    def __init__(self, deliver: Deliver, *, seed: int, rate: float) -> None:
        self._deliver = deliver
        self._random = random.Random(seed)
        self.rate = rate
        self.met: dict[str, int] = {}
        self._late: set[asyncio.Task[Any]] = set()

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self._random.random() >= self.rate:
            return await self._deliver(request)
        fault = self._random.choice(
            [self._lost, self._answer_lost, self._late_delivery, self._twice, self._busy]
        )
        self.met[fault.__name__] = self.met.get(fault.__name__, 0) + 1
        return await fault(request)

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
