"""The reconciler finds what does not agree, and only that."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, text, update

from services.exchange import jobs
from services.exchange.ids import new_id
from services.exchange.listings.models import Slot
from services.exchange.orders import reconciliation
from services.exchange.orders.models import Movement, Order
from shared.clock import utc_now
from tests.exchange.conftest import World


async def reconcile(world: World) -> list[tuple[str, str, str]]:
    report = await reconciliation.reconcile(world.sessions, world.app.state.ledger, now=utc_now())
    return [(each["what"], each["ours"], each["ledger"]) for each in report.differences]


async def readiness(world: World) -> tuple[int, bool | None, int]:
    answer = await world.client.get("/readyz")
    note = answer.json()["notes"]["reconciliation"]
    return answer.status_code, note["agrees"], note["differences"]


async def change(world: World, statement) -> None:
    async with world.sessions.begin() as session:
        await session.execute(statement)


async def test_orders_at_every_stage_agree_with_the_ledger(world: World):
    assert await readiness(world) == (200, None, 0)
    listing = await world.listing()
    declined = await world.order(listing)
    await world.do(world.seller, declined, "decline", {"reason": "점검"})
    settled = await world.settled(mileage=60)
    await world.do(world.seller, settled, "refund", {"mileage": 10, "reason": "환불"})
    disputed = await world.completed(mileage=60)
    await world.do(world.buyer, disputed, "dispute", {"reason": "이의"})
    await world.order(listing)
    await world.ledger.leave(world.rival.id, 0)
    refused = await world.rival.post("/orders", world.wish(await world.listing()))
    assert refused.status_code == 422
    report = await reconciliation.reconcile(world.sessions, world.app.state.ledger, now=utc_now())
    assert (report.checked, report.differences) == (5, [])
    shown = await world.operator.get("/reconciliation")
    assert (shown.json()["checked"], shown.json()["differences"]) == (5, [])
    assert await readiness(world) == (200, True, 0)


async def test_a_hold_the_ledger_lost_is_named_noted_and_put_before_the_operator(world: World):
    order = await world.order()
    await change(world, update(Movement).values(id=new_id()))
    assert await reconcile(world) == [
        ("hold amount", "30", "None"),
        ("hold state", "pending", "None"),
    ]
    # Every replica would have to leave: the others' orders go on.
    assert await readiness(world) == (200, False, 2)
    queue = (await world.operator.get("/attention")).json()["items"]
    assert [(item["why"], item["order"]["id"]) for item in queue] == [
        ("ledger_differs", order["id"])
    ]
    shown = (await world.operator.get("/reconciliation")).json()
    assert {each["order_id"] for each in shown["differences"]} == {order["id"]}
    # The schedule's job fails for it, which is what alarms people.
    with pytest.raises(RuntimeError, match="2 differences"):
        await jobs.reconcile_orders(world.runtime)


async def test_a_difference_is_looked_at_again_until_it_is_mended(world: World):
    order = await world.settled()
    async with world.sessions() as session:
        post_id = await session.scalar(
            text("SELECT id FROM movement WHERE kind = 'post' AND order_id = :id"),
            {"id": order["id"]},
        )
    other = new_id()
    await change(world, update(Movement).where(Movement.id == post_id).values(id=other))
    async with world.sessions.begin() as session:  # as if the order had not changed for long
        await session.execute(update(Order).values(updated_at=utc_now() - timedelta(days=3)))
    assert await reconcile(world) == [("posted amount", "30", "None")]
    assert await reconcile(world) == [("posted amount", "30", "None")]
    await change(world, update(Movement).where(Movement.id == other).values(id=post_id))
    assert await reconcile(world) == []
    assert await readiness(world) == (200, True, 0)


async def test_points_we_think_posted_but_the_ledger_released_are_found(world: World):
    order = await world.completed(mileage=60)
    await change(
        world,
        update(Order).where(Order.id == order["id"]).values(settlement="settled"),
    )
    assert ("hold state", "voided", "pending") in await reconcile(world)


@pytest.mark.parametrize("lost", ["slot", "order"])
async def test_a_slot_without_its_order_is_found_and_the_reverse(world: World, lost):
    order = await world.order(mileage=0)
    if lost == "slot":
        await change(world, delete(Slot))
        assert await reconcile(world) == [("slot", "missing", "")]
    else:
        await change(
            world,
            update(Order)
            .where(Order.id == UUID(order["id"]))
            .values(use="declined", settlement="released"),
        )
        assert await reconcile(world) == [("slot", "kept without a live order", "")]


async def test_an_order_that_moves_while_it_is_compared_is_no_difference(world: World):
    order = await world.order()
    good = world.network.to_ledger

    async def decline_meanwhile(request):
        answer = await good(request)
        if request.method == "GET":
            world.network.to_ledger = good
            await world.do(world.seller, order, "decline", {"reason": "점검"})
            return await good(request)
        return answer

    world.network.to_ledger = decline_meanwhile
    assert await reconcile(world) == []


async def test_a_silent_ledger_gives_no_report_rather_than_half_of_one(world: World):
    from shared.problems import UpstreamUnavailable

    await world.order()

    async def silent(request):
        import httpx2

        raise httpx2.ConnectError("silent")

    world.network.to_ledger = silent
    with pytest.raises(UpstreamUnavailable):
        await reconcile(world)
    assert (await world.operator.get("/reconciliation")).status_code == 404


async def test_more_orders_than_one_batch_are_all_compared(world: World, monkeypatch):
    monkeypatch.setattr(reconciliation, "BATCH", 2)
    for _ in range(5):
        await world.order(await world.listing())
    report = await reconciliation.reconcile(world.sessions, world.app.state.ledger, now=utc_now())
    assert (report.checked, report.differences) == (5, [])
