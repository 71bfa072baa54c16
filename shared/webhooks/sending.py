"""Sending: a message is written in the transaction of what it tells of, and sent by a job.

Between sending and writing down the answer a process may die: then the message is sent again, with
the same `webhook-id`, by which a receiver knows it (at least once).
"""

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import utc_now
from shared.db import Sessions
from shared.jobs import enqueue
from shared.webhooks import egress, signing
from shared.webhooks.egress import Answer
from shared.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)

DELIVER_TASK = "webhooks.deliver"
KEPT_DAYS = 90
OVERDUE_MINUTES = 10


async def emit(
    session: AsyncSession,
    *,
    institution_id: UUID,
    event: str,
    data: dict[str, Any],
    test_mode: bool,
    at: datetime | None = None,
) -> None:
    """Tell the endpoints of an institution that listen to this event, after the commit.

    `at` is when it happened, if that is not now.
    """
    listening = await session.scalars(
        select(WebhookEndpoint).where(
            WebhookEndpoint.institution_id == institution_id,
            WebhookEndpoint.test_mode == test_mode,
            WebhookEndpoint.active,
            or_(
                WebhookEndpoint.events == [],
                WebhookEndpoint.events.contains([event]),
            ),
        )
    )
    await send(session, institution_id, event, data, listening.all(), at=at)


async def listening(session: AsyncSession, institution_ids: Collection[UUID]) -> set[UUID]:
    """Those of many institutions that have an endpoint at all: the others need no `emit`."""
    found = await session.scalars(
        select(WebhookEndpoint.institution_id)
        .where(WebhookEndpoint.institution_id.in_(institution_ids), WebhookEndpoint.active)
        .distinct()
    )
    return set(found)


async def send(
    session: AsyncSession,
    institution_id: UUID,
    event: str,
    data: dict[str, Any],
    to: Sequence[WebhookEndpoint],
    *,
    at: datetime | None = None,
) -> list[WebhookDelivery]:
    """One message on its way to each of these endpoints."""
    if not to:
        return []
    now = utc_now()
    payload = {"type": event, "timestamp": (at or now).isoformat(), "data": data}
    message = WebhookMessage(institution_id=institution_id, type=event, payload=payload)
    session.add(message)
    await session.flush()
    deliveries = [
        WebhookDelivery(message_id=message.id, endpoint_id=endpoint.id, next_attempt_at=now)
        for endpoint in to
    ]
    session.add_all(deliveries)
    await session.flush()
    for delivery in deliveries:
        await session.refresh(delivery)
        await queue(session, delivery)
    return deliveries


async def queue(
    session: AsyncSession, delivery: WebhookDelivery, in_seconds: int | None = None
) -> None:
    # First attempts go one at a time, in the order things happened. A later one has no lock: it
    # waits for hours, and what happens meanwhile must not wait behind it.
    await enqueue(
        session,
        DELIVER_TASK,
        lock=f"webhook:{delivery.endpoint_id}" if in_seconds is None else None,
        in_seconds=in_seconds,
        delivery_id=str(delivery.id),
    )


async def deliver(sessions: Sessions, delivery_id: UUID, *, key: bytes, private: bool) -> None:
    """One attempt of a pending delivery, its log, and the next attempt if it failed."""
    async with sessions() as session:
        found = await session.execute(
            select(WebhookDelivery, WebhookMessage, WebhookEndpoint)
            .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(WebhookDelivery.id == delivery_id)
        )
        row = found.one_or_none()
    if row is None or row[0].state != "pending" or not row[2].active:
        return
    _, message, endpoint = row
    now = utc_now()
    body = orjson.dumps(message.payload)
    message_id, timestamp = f"msg_{message.id.hex}", int(now.timestamp())
    answer = await egress.post(
        endpoint.url,
        body,
        {
            "Content-Type": "application/json",
            "User-Agent": "sanhak-mileage-webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.sign(
                secrets_of(endpoint, key, now), message_id, timestamp, body
            ),
        },
        private=private,
    )
    async with sessions.begin() as session:
        await _record(session, delivery_id, answer, now=now)


def secrets_of(endpoint: WebhookEndpoint, key: bytes, now: datetime) -> list[str]:
    """The secrets that sign now: the newest, and its predecessor while that is still good."""
    generations = [endpoint.generation]
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        generations.append(endpoint.generation - 1)
    return [signing.secret(key, endpoint.id, generation) for generation in generations]


async def _record(
    session: AsyncSession, delivery_id: UUID, answer: Answer, *, now: datetime
) -> None:
    delivery = await session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if delivery is None:
        return  # its endpoint was removed meanwhile
    session.add(
        WebhookAttempt(
            delivery_id=delivery_id,
            ms=answer.ms,
            status=answer.status,
            error=answer.error,
            answer=answer.body,
        )
    )
    delivery.attempts += 1
    delivery.last_status = answer.status
    delivery.last_error = answer.error
    delivery.next_attempt_at = None
    if answer.is_success:
        delivery.state, delivery.delivered_at = "delivered", now
        return
    gone = answer.status == 410
    jitter = random.random()  # noqa: S311  # no secret
    wait = None if gone else signing.delay_seconds(delivery.attempts, jitter)
    if wait is not None:
        delivery.next_attempt_at = now + timedelta(seconds=wait)
        await queue(session, delivery, in_seconds=wait)
        return
    delivery.state = "failed"
    await _disable(session, delivery, "gone" if gone else "unreachable")


async def _disable(session: AsyncSession, delivery: WebhookDelivery, reason: str) -> None:
    """Stop sending to an endpoint that wants no more, or has answered nothing for days."""
    lately = await session.scalar(
        select(func.count())
        .select_from(WebhookDelivery)
        .join(WebhookMessage, WebhookMessage.id == delivery.message_id)
        .where(
            WebhookDelivery.endpoint_id == delivery.endpoint_id,
            WebhookDelivery.delivered_at > WebhookMessage.created_at,
        )
    )
    if reason == "gone" or not lately:
        endpoint = await session.get_one(WebhookEndpoint, delivery.endpoint_id)
        endpoint.active, endpoint.disabled_reason = False, reason


async def resume_overdue(session: AsyncSession, *, now: datetime) -> int:
    """Put deliveries back on the queue whose job died with its process; how many."""
    overdue = await session.scalars(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.state == "pending",
            WebhookDelivery.next_attempt_at < now - timedelta(minutes=OVERDUE_MINUTES),
        )
        .order_by(WebhookDelivery.id)
        .limit(500)
        .with_for_update(skip_locked=True)
    )
    count = 0
    for found in overdue:
        found.next_attempt_at = now
        await queue(session, found)
        count += 1
    return count


async def purge(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(WebhookMessage).where(WebhookMessage.created_at < before))
