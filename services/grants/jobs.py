"""Job handlers and schedules of the grants service."""

from typing import Any
from uuid import UUID

from services.grants import letters
from services.grants.clients import Mail
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


@jobs.task(letters.SEND_TASK, max_attempts=letters.ATTEMPTS)
async def send_letter(
    runtime: Runtime,
    letter_id: str,
    institution_id: str,
    account_ids: list[str],
    kind: str,
    params: dict[str, Any],
) -> None:
    """Under the letter's own id, so that a job that ran twice sent it once."""
    mail = Mail(runtime.identity, runtime.settings.auth_url)
    people = [UUID(one) for one in account_ids]
    await mail.send(UUID(letter_id), UUID(institution_id), people, letters.words(kind, params))
