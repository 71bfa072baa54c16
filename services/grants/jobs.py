"""Job handlers and schedules of the grants service."""

from datetime import timedelta

from shared.clock import utc_now
from shared.idempotency import KEPT_DAYS, purge_keys
from shared.jobs import Jobs
from shared.runtime import Runtime

jobs = Jobs()


@jobs.task("idempotency.purge", every="17 3 * * *")
async def purge_idempotency_keys(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await purge_keys(session, utc_now() - timedelta(days=KEPT_DAYS))
