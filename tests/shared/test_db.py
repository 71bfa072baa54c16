"""Connections of the pool: those the server ended, and those the driver was asked by itself."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from services.auth.institutions.models import Institution
from shared.db import Database


async def test_a_server_that_ended_idle_connections_costs_no_failed_request(
    database: Callable[[str], str],
) -> None:
    url = database("auth")
    mine = Database(url, application_name="idle-test")

    async def one() -> int:
        async with mine.sessions.begin() as session:
            await session.execute(text("SELECT pg_sleep(0.05)"))
            return int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())

    before = set(await asyncio.gather(*(one() for _ in range(4))))
    assert len(before) == 4
    # With a time to wait: without one the function only sends the signal.
    end_all = (
        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE application_name = %s"
    )
    async with await psycopg.AsyncConnection.connect(_plain(url)) as other:
        ended = await (await other.execute(end_all, ["idle-test"])).fetchall()
    assert ended == [(True,)] * 4

    after = set(await asyncio.gather(*(one() for _ in range(4))))
    assert not before & after
    await mine.close()


async def test_a_connection_is_used_again(database: Callable[[str], str]) -> None:
    mine = Database(database("auth"))
    pids = []
    for _ in range(3):
        async with mine.sessions.begin() as session:
            pids.append((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())
    assert len(set(pids)) == 1
    await mine.close()


async def test_a_row_that_is_locked_is_taken_as_it_is_then(
    database: Callable[[str], str],
) -> None:
    mine = Database(database("auth"))
    async with mine.sessions.begin() as session:
        session.add(Institution(id=(number := uuid4()), kind="university", name="before"))
    async with mine.sessions.begin() as session, mine.sessions() as other:
        known = await session.get_one(Institution, number)
        async with other.begin():
            (await other.get_one(Institution, number, with_for_update=True)).name = "by another"
        query = select(Institution).where(Institution.id == number).with_for_update()
        assert known.name == "before"
        assert (await session.get_one(Institution, number, with_for_update=True)).name == (
            "by another"
        )
        known.name = "by us"
        assert (await session.scalars(query)).one().name == "by us"
    await mine.close()


async def test_a_statement_asked_of_the_driver_is_a_transaction_of_its_own(
    database: Callable[[str], str],
) -> None:
    mine = Database(database("auth"))
    made = "INSERT INTO institution (kind, name) VALUES ('university', %(name)s) RETURNING name"
    assert await mine.ask(made, {"name": "가람대학교"}) == {"name": "가람대학교"}
    assert await mine.ask("SELECT FROM institution WHERE name = %(name)s", {"name": "-"}) is None
    async with mine.sessions() as session:  # the same connection, in transactions again
        assert (await session.scalars(select(Institution.name))).all() == ["가람대학교"]
        await session.execute(text("UPDATE institution SET name = '-'"))
    async with mine.sessions() as session:
        assert (await session.scalars(select(Institution.name))).all() == ["가람대학교"]
    await mine.close()


async def test_a_statement_that_fails_takes_its_connection_along(
    database: Callable[[str], str],
) -> None:
    mine = Database(database("auth"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await mine.ask("SELECT 1 / %(zero)s", {"zero": 0})
    assert await mine.ask("SELECT 1 AS one", {}) == {"one": 1}
    assert mine.engine.pool.checkedout() == 0
    await mine.close()


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")
