"""Times that are booked: taking, freeing, and what is still free."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.listings.calendar import (
    Calendar,
    Period,
    alternatives,
    covers,
    free_periods,
    open_every_day,
)
from services.exchange.listings.models import Listing, Slot
from services.exchange.listings.rules import Unit

ALTERNATIVE_DAYS = 14


async def take(
    session: AsyncSession,
    listing: Listing,
    *,
    order_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> None:
    """Book a time. Raises `SlotTaken` with the nearest free times of the same length.

    The caller holds the listing's row lock, so that the look before the insert is exact and
    simultaneous requests wait in one short queue; without it each would insert and then wait for
    the others' inserts, which PostgreSQL can only end as a deadlock. The exclusion constraint
    stands behind this all the same.
    """
    await refuse_taken(session, listing, starts_at, ends_at, now=now)
    await session.execute(
        insert(Slot).values(
            order_id=order_id,
            listing_number=listing.number,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )


async def refuse_taken(
    session: AsyncSession,
    listing: Listing,
    starts_at: datetime,
    ends_at: datetime,
    *,
    now: datetime,
) -> None:
    if await booked(session, listing.number, starts_at, ends_at):
        earliest = now + timedelta(hours=listing.lead_time_hours)
        raise errors.SlotTaken(
            alternatives=await _alternatives(session, listing, (starts_at, ends_at), earliest)
        )


async def free(session: AsyncSession, order_id: UUID) -> None:
    await session.execute(delete(Slot).where(Slot.order_id == order_id))


async def booked(
    session: AsyncSession, listing_number: int, start: datetime, end: datetime
) -> list[Period]:
    query = (
        select(Slot.starts_at, Slot.ends_at)
        .where(Slot.listing_number == listing_number, Slot.starts_at < end, Slot.ends_at > start)
        .order_by(Slot.starts_at)
    )
    return [(row.starts_at, row.ends_at) for row in await session.execute(query)]


async def availability(
    session: AsyncSession, listing: Listing, start: datetime, end: datetime
) -> tuple[Sequence[Period], Sequence[Period]]:
    """Free and booked periods between two instants."""
    busy = await booked(session, listing.number, start, end)
    return free_periods(Calendar.from_json(listing.calendar), busy, start, end), busy


async def refuse_closing_booked(
    session: AsyncSession, listing: Listing, calendar: Calendar, *, unit: str, now: datetime
) -> None:
    """Raise `SlotsBooked` if the new calendar is closed where somebody has booked."""
    query = (
        select(Slot)
        .where(Slot.listing_number == listing.number, Slot.ends_at > now)
        .order_by(Slot.starts_at)
        .limit(1_000)
    )
    fits = open_every_day if unit == Unit.DAY else covers
    closed = [
        str(slot.order_id)
        for slot in await session.scalars(query)
        if not fits(calendar, slot.starts_at, slot.ends_at)
    ]
    if closed:
        raise errors.SlotsBooked(orders=closed[:20])


async def _alternatives(
    session: AsyncSession, listing: Listing, wanted: Period, earliest: datetime
) -> list[dict[str, Any]]:
    margin = timedelta(days=ALTERNATIVE_DAYS)
    busy = await booked(session, listing.number, wanted[0] - margin, wanted[1] + margin)
    found = alternatives(
        Calendar.from_json(listing.calendar),
        busy,
        wanted=wanted,
        earliest=earliest,
        days=ALTERNATIVE_DAYS,
    )
    return [{"starts_at": start.isoformat(), "ends_at": end.isoformat()} for start, end in found]
