"""The database itself keeps two orders from one time, whatever the application does."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from services.exchange.listings.models import Slot
from services.exchange.settings import Settings

NINE = datetime(2027, 3, 8, 9, tzinfo=UTC)
LAST_LISTING = 2**29 - 1


@pytest.fixture
async def take(runtime_of):
    runtime = await runtime_of("exchange", Settings)

    async def take(listing: int, start: datetime, end: datetime) -> tuple[int, int]:
        async with runtime.sessions.begin() as session:
            order_id = uuid4()
            await session.execute(
                insert(Slot).values(
                    order_id=order_id, listing_number=listing, starts_at=start, ends_at=end
                )
            )
            span = await session.scalar(select(Slot.span).where(Slot.order_id == order_id))
            return span.lower, span.upper

    return take


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 2), (1, 2), (-1, 1), (0.5, 1.5), (-1, 3)],
)
async def test_overlapping_times_of_one_listing_are_refused(take, start, end):
    await take(7, NINE, NINE + timedelta(hours=2))
    with pytest.raises(IntegrityError, match="ex_slot_span"):
        await take(7, NINE + timedelta(hours=start), NINE + timedelta(hours=end))


async def test_neighbours_in_time_and_other_listings_go_together(take):
    await take(7, NINE, NINE + timedelta(hours=2))
    await take(7, NINE + timedelta(hours=2), NINE + timedelta(hours=3))
    await take(7, NINE - timedelta(hours=1), NINE)
    await take(8, NINE, NINE + timedelta(hours=2))
    await take(6, NINE, NINE + timedelta(hours=2))


@pytest.mark.parametrize("listing", [1, 7, LAST_LISTING])
async def test_a_span_is_the_listing_above_34_bits_of_seconds(take, listing):
    lower, upper = await take(listing, NINE, NINE + timedelta(hours=1))
    assert (lower >> 34, lower & (2**34 - 1)) == (listing, int(NINE.timestamp()))
    assert upper - lower == 3_600


async def test_the_last_second_of_one_listing_is_not_the_first_of_the_next(take):
    end_of_axis = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=2**34)
    assert end_of_axis.year == 2514
    await take(7, end_of_axis - timedelta(hours=1), end_of_axis)
    await take(8, datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 1, tzinfo=UTC))
