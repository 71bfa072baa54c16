"""Use cases of the notifications, and the relay that makes them.

A move writes one row to the outbox, in its own transaction. The relay turns each row, once and in
order, into a notification for every institution concerned and into messages to their webhooks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.ids import first_id_at
from services.exchange.notifications.models import Notification
from services.exchange.orders.models import OutboxEvent
from services.exchange.parties import Party
from shared.db import Sessions
from shared.paging import PageRequest, paginate
from shared.problems import NotFound
from shared.webhooks import sending

RELAY_BATCH = 200
MAX_COUNTED = 1_000
_RELAY_LOCK = 0x6F757462  # any number of our own


async def relay(sessions: Sessions, *, now: datetime) -> int:
    """Deliver what waits in the outbox; how many events. One relay at a time keeps their order."""
    delivered = 0
    while True:
        async with sessions.begin() as session:
            if not await session.scalar(select(func.pg_try_advisory_xact_lock(_RELAY_LOCK))):
                return delivered
            some = await _relay_batch(session, now=now)
        delivered += some
        if some < RELAY_BATCH:
            return delivered


async def _relay_batch(session: AsyncSession, *, now: datetime) -> int:
    waiting = await session.scalars(
        select(OutboxEvent)
        .where(OutboxEvent.delivered_at.is_(None))
        .order_by(OutboxEvent.id)
        .limit(RELAY_BATCH)
    )
    events = waiting.all()
    if not events:
        return 0
    rows = [row for event in events for row in _notifications(event, now=now)]
    if rows:
        await session.execute(insert(Notification), rows)
    listening = await sending.listening(session, {row["institution_id"] for row in rows})
    for event in events:
        for institution_id in sorted(listening.intersection(event.audience)):
            await sending.emit(
                session,
                institution_id=institution_id,
                event=event.name,
                data=event.payload,
                test_mode=False,
                at=event.created_at,
            )
    await session.execute(
        update(OutboxEvent)
        .where(OutboxEvent.id.in_([event.id for event in events]))
        .values(delivered_at=now)
    )
    return len(events)


def _notifications(event: OutboxEvent, *, now: datetime) -> list[dict[str, Any]]:
    """A row for the buyer and one for the seller; whoever acted need not be told."""
    parties = (Party.BUYER, Party.SELLER)
    said = event.payload
    if "by" not in said:  # by a process of the release before this one, which told nobody
        return []
    return [
        {
            "institution_id": institution_id,
            "event": event.name,
            "order_id": event.subject_id,
            "number": said["number"],
            "listing_title": said["listing_title"],
            "use": said["use"],
            "settlement": said["settlement"],
            "by": said["by"],
            "at": event.created_at,
            "read_at": now if party == said["by"] else None,
        }
        for party, institution_id in zip(parties, event.audience, strict=True)
    ]


async def listed(
    session: AsyncSession, institution_id: UUID, page: PageRequest, *, unread: bool
) -> tuple[Sequence[Any], str | None, int]:
    """An institution's notifications, the newest first."""
    query = select(Notification).where(Notification.institution_id == institution_id)
    if unread:
        query = query.where(Notification.read_at.is_(None))
    return await paginate(session, query, keys=[Notification.id], page=page)


async def unread_count(session: AsyncSession, institution_id: UUID) -> int:
    """At most `MAX_COUNTED`: nobody reads a larger number."""
    unread = select(Notification.id).where(_unread(institution_id)).limit(MAX_COUNTED)
    return await session.scalar(select(func.count()).select_from(unread.subquery())) or 0


async def read_one(
    session: AsyncSession, institution_id: UUID, notification_id: UUID, *, now: datetime
) -> None:
    """Mark one as read, again and again if need be. Raises `NotFound` for anyone else's."""
    found = await session.get(Notification, notification_id, with_for_update=True)
    if found is None or found.institution_id != institution_id:
        raise NotFound
    found.read_at = found.read_at or now


async def read_all(
    session: AsyncSession, institution_id: UUID, *, up_to: UUID | None, now: datetime
) -> None:
    """Mark all as read, or all up to one that was seen: what came since then stays unread."""
    seen = update(Notification).where(_unread(institution_id)).values(read_at=now)
    await session.execute(seen if up_to is None else seen.where(Notification.id <= up_to))


async def purge(session: AsyncSession, *, before: datetime) -> None:
    """Forget old notifications, and events that were delivered; what waits is kept."""
    boundary = first_id_at(before)
    await session.execute(delete(Notification).where(Notification.id < boundary))
    await session.execute(
        delete(OutboxEvent).where(OutboxEvent.id < boundary, OutboxEvent.delivered_at.is_not(None))
    )


def _unread(institution_id: UUID) -> ColumnElement[bool]:
    return (Notification.institution_id == institution_id) & Notification.read_at.is_(None)
