"""What the worker does: the job that finishes a request, and the schedules."""

import httpx2
from sqlalchemy import text

from services.exchange import jobs
from shared.idempotency import purge_keys
from tests.exchange.conftest import World


async def silent(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("no answer")


async def make_due(world: World) -> int:
    """The jobs that wait for their time; from now on they are due."""
    async with world.sessions.begin() as session:
        due = await session.execute(
            text(
                "UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 second' "
                "WHERE status = 'todo' AND task_name = 'orders.drive'"
            )
        )
        return due.rowcount


async def work(world: World) -> None:
    await jobs.jobs.work(world.runtime, world.runtime.settings.database_url, wait=False)


async def settlement(world: World, order: dict) -> str:
    return (await world.buyer.get(f"/orders/{order['id']}")).json()["settlement"]


async def test_the_worker_finishes_what_the_request_could_not(world: World):
    listing = await world.listing()
    world.network.to_ledger = silent
    order = (await world.buyer.post("/orders", world.wish(listing))).json()
    assert order["settlement"] == "holding"
    world.network.to_ledger = world.ledger.deliver
    assert await make_due(world) == 1
    await work(world)
    assert await settlement(world, order) == "held"
    assert await world.ledger.held(world.buyer.id) == 30


async def test_a_job_the_ledger_does_not_answer_stays_to_be_tried_again(world: World):
    listing = await world.listing()
    world.network.to_ledger = silent
    order = (await world.buyer.post("/orders", world.wish(listing))).json()
    await make_due(world)
    await work(world)
    assert await settlement(world, order) == "holding"
    world.network.to_ledger = world.ledger.deliver
    assert await make_due(world) == 1
    await work(world)
    assert await settlement(world, order) == "held"


async def test_the_schedules_run_on_the_runtime_alone(world: World):
    await world.settled()
    await jobs.sweep_orders(world.runtime)
    await jobs.reconcile_orders(world.runtime)
    shown = (await world.operator.get("/reconciliation")).json()
    assert (shown["checked"], shown["differences"]) == (1, [])


async def test_keys_are_forgotten_when_their_time_is_over_and_not_before(world: World):
    for _ in range(2):
        await world.order()
    async with world.sessions.begin() as session:
        keys = sorted(await session.scalars(text("SELECT key FROM idempotency_key")))
        for key, days in ((keys[0], 8), (keys[1], 6)):
            aged = "UPDATE idempotency_key SET created_at = now() - :age * interval '1 day'"
            await session.execute(text(f"{aged} WHERE key = :key"), {"age": days, "key": key})
    await purge_keys(world.runtime)
    async with world.sessions() as session:
        kept = sorted(await session.scalars(text("SELECT key FROM idempotency_key")))
    assert kept == keys[1:]
