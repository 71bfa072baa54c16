"""The jobs behind webhooks: one attempt, what a dead process left, and forgetting."""

from datetime import timedelta
from uuid import UUID

from shared.clock import utc_now
from shared.jobs import Jobs
from shared.runtime import Runtime
from shared.webhooks import sending
from shared.webhooks.settings import WebhookSettings


def add_webhook_jobs(jobs: Jobs) -> None:
    jobs.task(sending.DELIVER_TASK)(deliver_webhook)
    jobs.task("webhooks.resume", every="*/5 * * * *")(resume_webhooks)
    jobs.task("webhooks.purge", every="31 3 * * *")(purge_webhooks)


async def deliver_webhook(runtime: Runtime, delivery_id: str) -> None:
    settings = runtime.settings
    assert isinstance(settings, WebhookSettings)
    await sending.deliver(
        runtime.sessions,
        UUID(delivery_id),
        key=settings.webhook_signing_key,
        private=settings.webhook_private_targets,
    )


async def resume_webhooks(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await sending.resume_overdue(session, now=utc_now())


async def purge_webhooks(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await sending.purge(session, before=utc_now() - timedelta(days=sending.KEPT_DAYS))
