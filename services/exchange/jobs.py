"""Job handlers and schedules of the exchange service."""

from datetime import timedelta
from uuid import UUID

import structlog

from services.exchange.clients import Ledger
from services.exchange.notifications import service as notifications
from services.exchange.orders import driver, reconciliation
from services.exchange.orders.journal import DRIVE_TASK
from shared.clock import utc_now
from shared.idempotency import add_purge_job
from shared.jobs import Jobs
from shared.runtime import Runtime
from shared.webhooks.jobs import add_webhook_jobs
from shared.webhooks.sending import KEPT_DAYS as MESSAGES_KEPT_DAYS

log = structlog.get_logger()

jobs = Jobs()
add_purge_job(jobs)
add_webhook_jobs(jobs)


@jobs.task(DRIVE_TASK, max_attempts=12)
async def drive_order(runtime: Runtime, order_id: str) -> None:
    """What the request began: see an order's promise to the ledger through."""
    await driver.drive(runtime.sessions, _ledger(runtime), UUID(order_id))


@jobs.task("orders.sweep", every="* * * * *")
async def sweep_orders(runtime: Runtime) -> None:
    """End what lapsed, settle what is due, and take up promises whose job was lost."""
    now = utc_now()
    await driver.sweep(runtime.sessions, _ledger(runtime), now=now)


@jobs.task("orders.reconcile", every="23 * * * *", max_attempts=3)
async def reconcile_orders(runtime: Runtime) -> None:
    """Compare our books with the ledger's; `/readyz` tells of the report, the operator reads it. A
    difference fails the job once it is stored, and a job given up raises the alarm."""
    report = await reconciliation.reconcile(runtime.sessions, _ledger(runtime), now=utc_now())
    if report.differences:
        raise RuntimeError(f"{len(report.differences)} differences between orders and the ledger")


@jobs.task("outbox.relay", every="* * * * * */10", max_attempts=1)
async def relay_events(runtime: Runtime) -> None:
    """Tell companies and universities what happened to their orders."""
    await notifications.relay(runtime.sessions, now=utc_now())


@jobs.task("outbox.purge", every="41 3 * * *")
async def purge_events(runtime: Runtime) -> None:
    before = utc_now() - timedelta(days=MESSAGES_KEPT_DAYS)
    async with runtime.sessions.begin() as session:
        await notifications.purge(session, before=before)


def _ledger(runtime: Runtime) -> Ledger:
    return Ledger(runtime.identity, runtime.settings.accrual_url)
