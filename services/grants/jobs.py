"""Job handlers and schedules of the grants service."""

from shared.idempotency import add_purge_job
from shared.jobs import Jobs

jobs = Jobs()
add_purge_job(jobs)
