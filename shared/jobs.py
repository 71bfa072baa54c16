"""Jobs in PostgreSQL (procrastinate): enqueued in the business transaction, run by a worker.

A handler gets the process's runtime, so it has the same database and clients as a route:

    jobs = Jobs()

    @jobs.task("orders.drive", max_attempts=20)
    async def drive(runtime: Runtime, order_id: str) -> None: ...
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import Status
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from shared.logs import trace_id
from shared.metrics import Metrics
from shared.passwords import connection_class
from shared.tracing import Spans, current_span, new_trace_id

log = structlog.get_logger()

Handler = Callable[..., Awaitable[None]]

HEARTBEAT_SECONDS = 10.0
DEAD_AFTER_SECONDS = 30.0
MAX_ABANDONED = 10  # how often a job is run again after its worker died

# Never opened: it only writes job rows on connections that callers bring along.
_enqueuer = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def enqueue(
    session: AsyncSession,
    task: str,
    *,
    lock: str | None = None,
    once: str | None = None,
    in_seconds: int | None = None,
    **args: Any,
) -> None:
    """Add a job that exists if, and only if, the session's transaction commits.

    `lock`: jobs with the same lock run one after the other. `once`: no second job with this name
    while one is still waiting. Arguments must be JSON.
    """

    async def defer() -> None:
        connection = await (await session.connection()).get_raw_connection()
        deferrer = _enqueuer.configure_task(
            task,
            allow_unknown=True,
            lock=lock,
            queueing_lock=once,
            schedule_in={"seconds": in_seconds} if in_seconds is not None else None,
            connection=connection.driver_connection,
        )
        span = current_span.get()
        if span is not None:
            args["traceparent"] = span.traceparent
        await deferrer.defer_async(trace=trace_id.get(), **args)

    if once is None:
        await defer()
        return
    with suppress(AlreadyEnqueued):
        async with session.begin_nested():  # a refused `once` must not spoil the transaction
            await defer()


class Jobs:
    """The handlers and schedules of one service."""

    def __init__(self) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector())

    def task(
        self, name: str, *, max_attempts: int = 10, every: str | None = None
    ) -> Callable[[Handler], Handler]:
        """Register a handler; `every` is a cron line for a schedule (then without arguments).

        A failed job is tried again after 2, 4, 8 … seconds, an hour at most.
        """

        def register(handler: Handler) -> Handler:
            async def run(
                context: JobContext,
                /,
                timestamp: int = 0,  # what procrastinate tells periodic tasks
                trace: str = "",
                traceparent: str | None = None,
                **args: Any,
            ) -> None:
                runtime = context.additional_context["runtime"]
                spans: Spans | None = runtime.spans
                span = spans.begin(f"job {name}", "consumer", traceparent) if spans else None
                token = trace_id.set(span.trace if span else trace or new_trace_id())
                span_token = current_span.set(span)
                began, outcome = time.perf_counter(), "failed"
                try:
                    await handler(runtime, **args)
                except Exception as error:
                    log.warning("job_failed", job=name, args=args, error=repr(error))
                    raise
                else:
                    outcome = "done"
                    log.info("job_done", job=name)
                finally:
                    runtime.metrics.job(name, outcome, time.perf_counter() - began)
                    trace_id.reset(token)
                    current_span.reset(span_token)
                    if span is not None:
                        span.end(failed=outcome != "done")

            retry = procrastinate.RetryStrategy(max_attempts=max_attempts, exponential_wait=2)
            task = self._app.task(name=name, pass_context=True, retry=retry)(run)
            if every is not None:
                self._app.periodic(cron=every)(task)
            return handler

        return register

    async def work(
        self, runtime: Any, database_url: str, *, concurrency: int = 4, wait: bool = True
    ) -> None:
        """Run jobs until told to stop (SIGINT, SIGTERM); `wait=False`: until none is due.

        Jobs of workers that died without a word run again, so a handler may run twice.
        """
        url = make_url(database_url).set(drivername="postgresql")
        file: Path | None = runtime.settings.database_password_file
        connector = procrastinate.PsycopgConnector(
            conninfo=url.render_as_string(hide_password=False),
            connection_class=connection_class(file) if file else psycopg.AsyncConnection,
            min_size=1,
            max_size=concurrency + 2,
        )
        with self._app.replace_connector(connector) as app:
            async with app.open_async():
                await take_up_abandoned(app)
                watching = asyncio.create_task(_watch_for_abandoned(app))
                try:
                    await app.run_worker_async(
                        concurrency=concurrency,
                        wait=wait,
                        install_signal_handlers=wait,
                        additional_context={"runtime": runtime},
                        delete_jobs="successful",
                        shutdown_graceful_timeout=20,
                        fetch_job_polling_interval=2.0,
                        update_heartbeat_interval=HEARTBEAT_SECONDS,
                        stalled_worker_timeout=DEAD_AFTER_SECONDS,
                    )
                finally:
                    watching.cancel()
                    with suppress(asyncio.CancelledError):
                        await watching


async def _watch_for_abandoned(app: procrastinate.App) -> None:
    while True:
        await asyncio.sleep(DEAD_AFTER_SECONDS)
        try:
            await take_up_abandoned(app)
        except ConnectorException as error:  # the worker itself sees to a lost database
            log.warning("abandoned_jobs_not_taken_up", error=repr(error))


async def take_up_abandoned(app: procrastinate.App) -> None:
    """Put jobs back on the queue whose worker's heart stopped while it ran them.

    Left alone they would count as running for ever, and so would the locks they hold.
    """
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        log.warning("job_abandoned", job=job.task_name, id=job.id, attempts=job.attempts)
        try:
            if job.attempts < MAX_ABANDONED:
                await manager.retry_job(job)
            else:  # it may be what kills them
                await manager.finish_job(job, Status.FAILED, delete_job=False)
        except UniqueViolation:  # one of its name waits already and will do
            await manager.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException:
            log.info("job_taken_up_by_another", id=job.id)


# What waits is small or the news; what failed is kept for a person to look at.
_BACKLOG = text(
    """
    SELECT task_name, status::text, count(*) FROM procrastinate_jobs
    WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2
    """
)
_OLDEST_DUE = text(
    """
    SELECT extract(epoch FROM now() - greatest(job.scheduled_at, max(event.at)))
    FROM (
        SELECT id, scheduled_at FROM procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
        ORDER BY id LIMIT 1
    ) job JOIN procrastinate_events event ON event.job_id = job.id
    GROUP BY job.scheduled_at
    """
)


def watch_backlog(
    metrics: Metrics, service: str, sessions: async_sessionmaker[AsyncSession]
) -> None:
    """Show a service's queue. Every process of it shows the same queue: take the greatest."""
    jobs = metrics.gauge(
        "jobs", "Jobs that wait, run or were given up.", "service", "job", "status"
    )
    oldest = metrics.gauge(
        "jobs_oldest_due_seconds", "How long the job that is due longest has waited.", "service"
    )

    async def ask() -> None:
        async with sessions() as session:
            await session.execute(text("SET LOCAL statement_timeout = '2s'"))
            rows = (await session.execute(_BACKLOG)).all()
            waited = await session.scalar(_OLDEST_DUE)
        jobs.clear()
        for name, status, count in rows:
            jobs.labels(service, name, status).set(count)
        oldest.labels(service).set(waited or 0)

    metrics.probe("jobs", ask)
