"""Job handlers and schedules of the grants service."""

from services.grants.files import DELETE_TASK
from shared.idempotency import add_purge_job
from shared.jobs import Jobs
from shared.runtime import Runtime

jobs = Jobs()
add_purge_job(jobs)


@jobs.task(DELETE_TASK)
async def delete_file(runtime: Runtime, key: str) -> None:
    """A row names its file alone, so bytes without their row serve nobody."""
    await runtime.files.delete(key)
