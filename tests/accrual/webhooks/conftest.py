"""A partner's server on this machine, and a partner who listens."""

import asyncio
from typing import Any

import pytest
from aiohttp import web


class Sink:
    """Collects what it is sent, and answers what a test tells it to."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append({"headers": dict(request.headers), "body": body})
        status = self.statuses.pop(0) if self.statuses else 200
        headers = {"Location": self.url} if status == 302 else {}
        return web.Response(status=status, text="answer", headers=headers)


@pytest.fixture
async def sink():
    made = Sink()
    application = web.Application()
    application.router.add_post("/hook", made.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    made.url = f"http://127.0.0.1:{port}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def listening(world_of, sink):
    """A world whose webhooks may go to this machine."""
    world = await world_of(webhook_private_targets=True)

    async def run_jobs() -> int:
        """Send whatever is due, as the worker would; how many."""
        from services.accrual.jobs import deliver_webhook

        jobs = await world.sql(
            "SELECT id, args FROM procrastinate_jobs WHERE task_name = 'webhooks.deliver'"
            " AND status = 'todo' AND coalesce(scheduled_at, now()) <= now() ORDER BY id"
        )
        for job in jobs:
            await world.change("DELETE FROM procrastinate_jobs WHERE id = :id", id=job.id)
            await deliver_webhook(world.runtime, job.args["delivery_id"])
        await asyncio.sleep(0)
        return len(jobs)

    world.run_jobs = run_jobs
    return world
