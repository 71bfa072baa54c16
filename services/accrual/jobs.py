"""Job handlers and schedules of the accrual service."""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from services.accrual.applications import evidence, registry_names, review
from services.accrual.clients import Registry
from services.accrual.intake import landing
from services.accrual.intake import service as intake
from services.accrual.ledger import checkpoints, lots, verification
from services.accrual.ledger import service as ledger
from services.accrual.ledger.errors import HoldEnded
from services.accrual.settings import Settings
from services.accrual.statistics import service as statistics
from shared.clock import seoul_day, utc_now
from shared.idempotency import add_purge_job
from shared.jobs import Jobs
from shared.runtime import Runtime
from shared.webhooks.jobs import add_webhook_jobs

log = structlog.get_logger()

jobs = Jobs()
add_purge_job(jobs)
add_webhook_jobs(jobs)


def settings_of(runtime: Runtime) -> Settings:
    assert isinstance(runtime.settings, Settings)
    return runtime.settings


@jobs.task("ledger.expire_holds", every="* * * * *")
async def expire_holds(runtime: Runtime) -> None:
    """Release what expired lately; what an outage of a day left over is found once a night."""
    await _expire_holds(runtime, since=utc_now() - timedelta(days=1))


@jobs.task("ledger.expire_all_holds", every="47 3 * * *")
async def expire_all_holds(runtime: Runtime) -> None:
    await _expire_holds(runtime, since=None)


async def _expire_holds(runtime: Runtime, *, since: datetime | None) -> None:
    async with runtime.sessions() as session:
        due = await ledger.due_holds(session, now=utc_now(), since=since)
    for hold_id in due:
        # One transaction each: whoever ends a hold at this moment waits for no other's.
        with suppress(HoldEnded):
            async with runtime.sessions.begin() as session:
                await ledger.expire_hold(session, hold_id)


@jobs.task("ledger.expire_points", every="1 15 * * *")
async def expire_points(runtime: Runtime) -> None:
    """One past midnight in Korea, before the checkpoint: nothing, unless points have a lifetime."""
    years, now, last = settings_of(runtime).points_lifetime_years, utc_now(), None
    while years is not None:
        async with runtime.sessions() as session:
            found = await lots.holders(session, after=last, limit=500)
        if not found:
            return
        for last in found:
            # A transaction each: an account is locked for as long as it is looked at.
            async with runtime.sessions.begin() as session:
                await lots.expire(session, last, years=years, now=now)


@jobs.task("ledger.checkpoint", every="5 15 * * *")
async def take_checkpoint(runtime: Runtime) -> None:
    """Five past midnight in Korea: the day that ended, signed."""
    key = checkpoints.signing_key(settings_of(runtime).checkpoint_secret)
    async with runtime.sessions.begin() as session:
        await checkpoints.take(session, key, now=utc_now())


@jobs.task("ledger.verify", every="33 17 * * *")
async def verify_ledger(runtime: Runtime) -> None:
    """Half past two in the Korean night: everything is recomputed. A break fails the job, which is
    what the operators are alarmed by; nothing is mended by itself."""
    async with runtime.sessions() as session:
        report = await verification.verify(session)
    if report.broken is not None:
        log.error("ledger_broken", broken=str(report.broken))
        raise RuntimeError(f"the ledger is broken: {report.broken}")
    log.info("ledger_whole", transfers=report.transfers, points=report.points_issued)


@jobs.task("files.delete")
async def delete_file(runtime: Runtime, key: str) -> None:
    async with runtime.sessions() as session:
        # Evidence of a batch belongs to several applications, and may to more.
        if await evidence.is_used(session, key) or await intake.is_kept(session, key):
            return
    await runtime.files.delete(key)


@jobs.task("applications.names")
async def look_up_names(runtime: Runtime, application_id: str) -> None:
    registry = Registry(runtime.identity, runtime.settings.auth_url)
    await registry_names.look_up(runtime.sessions, registry, UUID(application_id))


@jobs.task("applications.release_stale", every="*/30 * * * *")
async def release_stale_claims(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await review.release_stale(session, now=utc_now())


@jobs.task("statistics.open_windows", every="7 0 1 * *")
async def open_survey_windows(runtime: Runtime) -> None:
    """Monthly, long before a window is needed: a worker that was down then is no harm."""
    async with runtime.sessions.begin() as session:
        await statistics.open_windows(session, today=seoul_day(utc_now()))


@jobs.task("intake.process")
async def process_batch(runtime: Runtime, batch_id: str) -> None:
    await landing.process(runtime.sessions, UUID(batch_id), max_rows=settings_of(runtime).max_rows)


@jobs.task("intake.purge", every="43 3 * * *")
async def purge_intake(runtime: Runtime) -> None:
    """A transaction for each batch: it may have a hundred thousand results."""
    settings, now = settings_of(runtime), utc_now()
    before = now - timedelta(days=settings.intake_kept_days)
    while True:
        async with runtime.sessions.begin() as session:
            if not await intake.purge_batch(session, before=before):
                break
    before = now - timedelta(days=settings.intake_file_kept_days)
    while True:
        async with runtime.sessions.begin() as session:
            if not await intake.purge_files(session, before=before):
                break


@jobs.task("intake.resume", every="*/10 * * * *")
async def resume_batches(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await intake.resume_overdue(session, now=utc_now())
