"""Jobs leave with the transaction that asked for them, and are tried again when they fail."""

import pytest
from sqlalchemy import text

from services.exchange.settings import Settings
from shared.jobs import Jobs, enqueue


@pytest.fixture
async def runtime(runtime_of):
    return await runtime_of("exchange", Settings)


async def waiting(runtime) -> int:
    async with runtime.sessions() as session:
        return await session.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
        )


async def test_a_job_exists_only_if_its_transaction_commits(runtime):
    async with runtime.sessions() as session:
        await enqueue(session, "orders.drive", order="1")
        await session.rollback()
    assert await waiting(runtime) == 0
    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive", order="1")
        assert await waiting(runtime) == 0  # nobody else sees it yet
    assert await waiting(runtime) == 1


async def test_a_job_wanted_once_is_queued_once_and_spoils_nothing(runtime):
    async with runtime.sessions.begin() as session:
        await session.execute(text("CREATE TABLE noted (n int)"))
        await enqueue(session, "orders.drive", once="order-1", order="1")
        await enqueue(session, "orders.drive", once="order-1", order="1")
        await session.execute(text("INSERT INTO noted VALUES (1)"))
    assert await waiting(runtime) == 1
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM noted")) == 1


async def test_a_worker_runs_what_is_due_with_the_runtime_and_the_arguments(runtime):
    jobs, seen = Jobs(), []

    @jobs.task("orders.drive")
    async def drive(given, order: str) -> None:
        seen.append((given is runtime, order))

    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive", order="1")
        await enqueue(session, "orders.drive", order="later", in_seconds=3600)
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    assert seen == [(True, "1")]
    assert await waiting(runtime) == 1


async def test_a_failing_job_waits_for_another_try_and_is_not_lost(runtime):
    jobs = Jobs()

    @jobs.task("orders.drive", max_attempts=3)
    async def drive(_runtime) -> None:
        raise ConnectionError("the ledger is away")

    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive")
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    async with runtime.sessions() as session:
        row = (
            await session.execute(
                text("SELECT status::text, attempts, scheduled_at > now() FROM procrastinate_jobs")
            )
        ).one()
    assert tuple(row) == ("todo", 1, True)


async def abandon(runtime, *, attempts: int = 0) -> None:
    """As if a worker had been killed while it ran what waits."""
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '31 seconds') RETURNING id)"
                " UPDATE procrastinate_jobs SET status = 'doing', attempts = :attempts,"
                " worker_id = (SELECT id FROM dead)"
            ),
            {"attempts": attempts},
        )


async def test_the_job_of_a_killed_worker_runs_again_and_its_lock_is_free(runtime):
    jobs, seen = Jobs(), []

    @jobs.task("orders.drive")
    async def drive(_runtime, order: str) -> None:
        seen.append(order)

    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive", lock="one", order="1")
    await abandon(runtime)
    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive", lock="one", order="2")
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    assert seen == ["1", "2"]


async def test_a_killed_job_gives_way_to_one_of_its_name_that_waits(runtime):
    jobs, seen = Jobs(), []

    @jobs.task("orders.drive")
    async def drive(_runtime, order: str) -> None:
        seen.append(order)

    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive", once="one", order="1")
    await abandon(runtime)
    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive", once="one", order="2")
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    assert seen == ["2"]
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0


async def test_a_job_that_kills_every_worker_is_given_up(runtime):
    jobs, seen = Jobs(), []

    @jobs.task("orders.drive")
    async def drive(_runtime) -> None:
        seen.append(1)

    async with runtime.sessions.begin() as session:
        await enqueue(session, "orders.drive")
    await abandon(runtime, attempts=10)
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    assert seen == []
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT status::text FROM procrastinate_jobs")) == "failed"
