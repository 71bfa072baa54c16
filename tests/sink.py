"""Somebody's server on this machine, which webhooks are sent to, and the worker that sends them."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from sqlalchemy import text

from shared.runtime import Runtime
from shared.webhooks.jobs import deliver_webhook


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


@asynccontextmanager
async def open_sink() -> AsyncIterator[Sink]:
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


def signed_by(secret: str, message: dict[str, Any]) -> bool:
    """A receiver's own check of what it was sent, written from the specification."""
    headers = message["headers"]
    signed = b".".join(
        (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), message["body"])
    )
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split(" ")


async def send_due(runtime: Runtime) -> int:
    """Send whatever is due, as the worker would; how many."""
    async with runtime.sessions.begin() as session:
        due = await session.execute(
            text(
                "DELETE FROM procrastinate_jobs WHERE task_name = 'webhooks.deliver'"
                " AND status = 'todo' AND coalesce(scheduled_at, now()) <= now()"
                " RETURNING id, args"
            )
        )
        jobs = sorted(due, key=lambda job: job.id)
    for job in jobs:
        await deliver_webhook(runtime, job.args["delivery_id"])
    return len(jobs)
