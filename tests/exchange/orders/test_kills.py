"""A process that dies at any step of a promise: the next one finishes it, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.exchange.orders import driver, once, reconciliation
from shared.clock import utc_now
from tests.exchange.conftest import Actor, World
from tests.exchange.ledger import RealLedger

STEPS = (
    "before the ledger is asked",
    "while the request is on its way",
    "while the answer is on its way",
    "before the answer is written",
    "before the answer is committed",
    "after the answer is committed",
)


class Died(BaseException):
    """The process ends here."""


@pytest.fixture
def ledger(world: World) -> RealLedger:
    return world.ledger


def kill(world: World, real: RealLedger, monkeypatch: Any, step: str) -> None:
    """Arrange for the next request to die at a step of its promise."""
    apply = driver.apply

    async def lost(request):
        raise Died

    async def answer_lost(request):
        await real.deliver(request)
        raise Died

    async def die(*_: Any, **__: Any) -> Any:
        raise Died

    async def apply_then_die(*args: Any) -> None:
        await apply(*args)
        raise Died  # inside the transaction, so that it rolls back

    match step:
        case "before the ledger is asked":
            monkeypatch.setattr(once, "ask", die)
        case "while the request is on its way":
            world.network.to_ledger = lost
        case "while the answer is on its way":
            world.network.to_ledger = answer_lost
        case "before the answer is written":
            monkeypatch.setattr(driver, "apply", die)
        case "before the answer is committed":
            monkeypatch.setattr(driver, "apply", apply_then_die)
        case _:
            monkeypatch.setattr(once, "_perform", _and_then_die(once._perform))


def _and_then_die(perform: Callable[..., Any]) -> Callable[..., Any]:
    async def performed(*args: Any) -> None:
        await perform(*args)
        raise Died

    return performed


async def revive(world: World, real: RealLedger, monkeypatch: Any) -> None:
    monkeypatch.undo()
    world.network.to_ledger = real.deliver
    await driver.sweep(world.sessions, world.app.state.ledger, now=utc_now() + timedelta(minutes=2))


async def hold(world: World) -> tuple[Actor, str, Any]:
    return world.buyer, "/orders", world.wish(await world.listing(), mileage=60)


async def void(world: World) -> tuple[Actor, str, Any]:
    order = await world.order(mileage=60)
    return world.seller, f"/orders/{order['id']}/decline", {"reason": "점검"}


async def post(world: World) -> tuple[Actor, str, Any]:
    order = await world.completed(mileage=60, actual=1)
    await world.pay(order)
    return world.seller, f"/orders/{order['id']}/settle", None


async def reversal(world: World) -> tuple[Actor, str, Any]:
    order = await world.settled(mileage=60)
    return world.seller, f"/orders/{order['id']}/refund", {"mileage": 25, "reason": "환불"}


# What the buyer's and the seller's accounts (balance, held) come to when it is done once.
CASES = [
    (hold, "held", (10_000, 60), (0, 0)),
    (void, "released", (10_000, 0), (0, 0)),
    (post, "settled", (9_970, 0), (30, 0)),
    (reversal, "settled", (9_965, 0), (35, 0)),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("promise", "rest", "buyer", "seller"), CASES)
async def test_a_death_at_any_step_is_mended_by_the_next_worker(
    world: World,
    ledger: RealLedger,
    monkeypatch,
    step: str,
    promise: Callable[[World], Any],
    rest: str,
    buyer: tuple[int, int],
    seller: tuple[int, int],
):
    who, path, body = await promise(world)
    kill(world, ledger, monkeypatch, step)
    with pytest.raises(Died):
        await who.post(path, body, key="k")
    await revive(world, ledger, monkeypatch)
    assert await ledger.account(world.buyer.id) == buyer
    assert await ledger.account(world.seller.id) == seller
    # The client that never heard an answer asks again under its key and gets one.
    again = await who.post(path, body, key="k")
    assert again.is_success
    assert again.json()["settlement"] == rest
    assert (await who.get("/orders")).json()["total"] == 1
    assert await ledger.account(world.buyer.id) == buyer
    report = await reconciliation.reconcile(world.sessions, world.app.state.ledger, now=utc_now())
    assert (report.checked, report.differences) == (1, [])


async def test_ten_workers_on_one_promise_move_points_once(world: World, ledger: RealLedger):
    import asyncio

    who, path, body = await post(world)
    good = world.network.to_ledger

    async def lost(request):
        import httpx2

        raise httpx2.ConnectError("lost")

    world.network.to_ledger = lost
    settling = await who.post(path, body)
    assert settling.json()["settlement"] == "posting"
    world.network.to_ledger = good
    order_id = settling.json()["id"]
    await asyncio.gather(
        *(driver.drive(world.sessions, world.app.state.ledger, order_id) for _ in range(10))
    )
    assert await ledger.account(world.seller.id) == (30, 0)


async def test_overspending_at_once_is_impossible(world: World, ledger: RealLedger):
    """Forty requests for 60 points each on a balance of 1,000: sixteen fit."""
    import asyncio

    await ledger.leave(world.buyer.id, 1_000)
    listings = [await world.listing() for _ in range(4)]
    from tests.exchange.conftest import monday

    wishes = [
        world.wish(
            listing,
            mileage=60,
            starts_at=(monday(2 + week)).isoformat(),
            ends_at=(monday(2 + week) + timedelta(hours=2)).isoformat(),
        )
        for listing in listings
        for week in range(10)
    ]
    answers = await asyncio.gather(*(world.buyer.post("/orders", wish) for wish in wishes))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(422)) == (16, 24)
    assert await ledger.account(world.buyer.id) == (1_000, 960)
    refused = next(answer.json() for answer in answers if answer.status_code == 422)
    assert refused["errors"][0]["code"] == "INSUFFICIENT"
