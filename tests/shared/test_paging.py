"""Pages follow each other without gap or repetition, whatever is inserted meanwhile."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select, text

from services.exchange.settings import Settings
from shared.paging import MAX_TOTAL, PageRequest, paginate
from shared.problems import Invalid

thing = Table("thing", MetaData(), Column("id", Integer), Column("day", Integer))


@pytest.fixture
async def session(runtime_of):
    runtime = await runtime_of("exchange", Settings)
    async with runtime.sessions.begin() as session:
        await session.execute(text("CREATE TABLE thing (id int PRIMARY KEY, day int)"))
        await session.execute(
            text("INSERT INTO thing SELECT n, n / 10 FROM generate_series(1, 105) AS n")
        )
        yield session


def page(session, cursor=None, limit=10):
    return paginate(
        session,
        select(thing.c.id, thing.c.day),
        keys=[thing.c.day, thing.c.id],
        page=PageRequest(limit=limit, cursor=cursor),
    )


async def test_every_row_comes_once_in_order_though_rows_arrive_meanwhile(session):
    seen, cursor = [], None
    while True:
        rows, cursor, total = await page(session, cursor)
        assert total >= 105
        seen += [row[0] for row in rows]
        if cursor is None:
            break
        await session.execute(
            text("INSERT INTO thing SELECT max(id) + 1, 99 FROM thing")  # before all pages
        )
    assert seen == list(range(105, 0, -1))


async def test_the_total_stops_counting_at_its_cap(session):
    await session.execute(
        text("INSERT INTO thing SELECT n, 1 FROM generate_series(1000, 20000) AS n")
    )
    _, _, total = await page(session)
    assert total == MAX_TOTAL


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "WzFd", "WyJhIiwiYiJd", "e30", "é"])
async def test_a_made_up_cursor_is_refused_clearly(session, cursor):
    with pytest.raises(Invalid) as refusal:
        await page(session, cursor)
    assert refusal.value.errors[0].code == "CURSOR_INVALID"
