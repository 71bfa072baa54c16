"""Webhooks: registering endpoints, sending messages, and the log of it all.

A message is written in the transaction of what it tells of, and sent by a job afterwards. Between
sending and writing down the answer a process may die: then the message is sent again, with the
same `webhook-id`, by which a receiver knows it (at least once).
"""

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.webhooks import egress, rules
from services.accrual.webhooks.egress import Answer
from services.accrual.webhooks.errors import (
    EVENT_UNKNOWN,
    TARGET_REFUSED,
    TargetRefused,
    TooManyEndpoints,
)
from services.accrual.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)
from services.accrual.webhooks.rules import EVENTS
from shared.caller import institution_of
from shared.clock import utc_now
from shared.db import Sessions
from shared.jobs import enqueue
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, NotFound, PermissionDenied
from shared.tokens import Claims

MAX_ENDPOINTS = 10
OLD_SECRET_HOURS = 24
KEPT_DAYS = 90
OVERDUE_MINUTES = 10


async def register(
    session: AsyncSession,
    claims: Claims,
    *,
    url: str,
    description: str,
    events: Sequence[str],
    private: bool,
) -> WebhookEndpoint:
    """Raises `Invalid` (TARGET_REFUSED, EVENT_UNKNOWN), `TooManyEndpoints`."""
    _check(url, events, private=private)
    count = await session.scalar(
        select(func.count()).select_from(WebhookEndpoint).where(_of(claims))
    )
    if (count or 0) >= MAX_ENDPOINTS:
        raise TooManyEndpoints(limit=MAX_ENDPOINTS)
    endpoint = WebhookEndpoint(
        institution_id=institution_of(claims),
        url=url,
        description=description,
        events=list(events),
        test_mode=claims.test_mode,
        created_by=claims.sub,
    )
    session.add(endpoint)
    await session.flush()
    await session.refresh(endpoint)
    return endpoint


async def endpoints(session: AsyncSession, claims: Claims) -> Sequence[WebhookEndpoint]:
    query = select(WebhookEndpoint).where(_of(claims)).order_by(WebhookEndpoint.id)
    return (await session.scalars(query)).all()


async def find(
    session: AsyncSession, claims: Claims, endpoint_id: UUID, *, lock: bool = False
) -> WebhookEndpoint:
    """Raises `NotFound` for another institution's endpoint, too."""
    query = select(WebhookEndpoint).where(_of(claims), WebhookEndpoint.id == endpoint_id)
    endpoint = await session.scalar(query.with_for_update() if lock else query)
    if endpoint is None:
        raise NotFound
    return endpoint


async def change(
    session: AsyncSession,
    claims: Claims,
    endpoint_id: UUID,
    *,
    url: str,
    description: str,
    events: Sequence[str],
    active: bool,
    private: bool,
) -> WebhookEndpoint:
    _check(url, events, private=private)
    endpoint = await find(session, claims, endpoint_id, lock=True)
    endpoint.url, endpoint.description, endpoint.events = url, description, list(events)
    if active and not endpoint.active:
        endpoint.disabled_reason = None
    endpoint.active = active
    await session.flush()
    return endpoint


async def rotate(
    session: AsyncSession, claims: Claims, endpoint_id: UUID, *, now: datetime
) -> WebhookEndpoint:
    """A new secret; for a day the old one signs as well."""
    endpoint = await find(session, claims, endpoint_id, lock=True)
    endpoint.generation += 1
    endpoint.previous_until = now + timedelta(hours=OLD_SECRET_HOURS)
    await session.flush()
    return endpoint


async def remove(session: AsyncSession, claims: Claims, endpoint_id: UUID) -> None:
    await session.delete(await find(session, claims, endpoint_id))


async def emit(
    session: AsyncSession,
    *,
    institution_id: UUID,
    event: str,
    data: dict[str, Any],
    test_mode: bool,
) -> None:
    """Tell the endpoints of an institution that listen to this event, after the commit."""
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
    await _send(session, institution_id, event, data, listening.all())


async def ping(session: AsyncSession, claims: Claims, endpoint_id: UUID) -> WebhookDelivery:
    """A message that means nothing, to try an endpoint with."""
    endpoint = await find(session, claims, endpoint_id)
    data = {"endpoint_id": str(endpoint_id)}
    (delivery,) = await _send(session, endpoint.institution_id, rules.PING, data, [endpoint])
    return delivery


async def _send(
    session: AsyncSession,
    institution_id: UUID,
    event: str,
    data: dict[str, Any],
    to: Sequence[WebhookEndpoint],
) -> list[WebhookDelivery]:
    if not to:
        return []
    now = utc_now()
    payload = {"type": event, "timestamp": now.isoformat(), "data": data}
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
        await _enqueue(session, delivery)
    return deliveries


async def _enqueue(
    session: AsyncSession, delivery: WebhookDelivery, in_seconds: int | None = None
) -> None:
    # First attempts go one at a time, in the order things happened. A later one has no lock: it
    # waits for hours, and what happens meanwhile must not wait behind it.
    await enqueue(
        session,
        "webhooks.deliver",
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
            "webhook-signature": rules.sign(
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
    return [rules.secret(key, endpoint.id, generation) for generation in generations]


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
    wait = None if answer.status == 410 else rules.delay_seconds(delivery.attempts, random.random())  # noqa: S311  # jitter
    if wait is not None:
        delivery.next_attempt_at = now + timedelta(seconds=wait)
        await _enqueue(session, delivery, in_seconds=wait)
        return
    delivery.state = "failed"
    await _disable(session, delivery, "gone" if answer.status == 410 else "unreachable")


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


async def deliveries(
    session: AsyncSession, claims: Claims, endpoint_id: UUID, page: PageRequest
) -> tuple[Sequence[Any], str | None, int]:
    """Deliveries of an endpoint with their messages, the newest first."""
    await find(session, claims, endpoint_id)
    query: Any = (
        select(WebhookDelivery, WebhookMessage)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
    )
    return await paginate(session, query, keys=[WebhookDelivery.id], page=page)


async def delivery(
    session: AsyncSession, claims: Claims, delivery_id: UUID
) -> tuple[WebhookDelivery, WebhookMessage, Sequence[WebhookAttempt]]:
    found = await session.execute(
        select(WebhookDelivery, WebhookMessage)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(_of(claims), WebhookDelivery.id == delivery_id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound
    attempts = await session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery_id)
        .order_by(WebhookAttempt.id)
    )
    return row[0], row[1], attempts.all()


async def replay(session: AsyncSession, claims: Claims, delivery_id: UUID) -> WebhookDelivery:
    """Send a message again, with its old id, whatever became of it before."""
    found, _, _ = await delivery(session, claims, delivery_id)
    found.state, found.attempts, found.next_attempt_at = "pending", 0, utc_now()
    await session.flush()
    await _enqueue(session, found)
    return found


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
        await _enqueue(session, found)
        count += 1
    return count


async def purge(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(WebhookMessage).where(WebhookMessage.created_at < before))


def _of(claims: Claims) -> Any:
    """The endpoints a caller manages: its institution's, of its mode. Not for sub-accounts."""
    if claims.fields is not None:
        raise PermissionDenied
    return (WebhookEndpoint.institution_id == institution_of(claims)) & (
        WebhookEndpoint.test_mode == claims.test_mode
    )


def _check(url: str, events: Iterable[str], *, private: bool) -> None:
    findings = [
        EVENT_UNKNOWN.at("/events", field="events", event=event)
        for event in events
        if event not in EVENTS
    ]
    try:
        egress.check_target(url, private=private)
    except TargetRefused as refused:
        findings.append(TARGET_REFUSED.at("/url", field="url", reason=str(refused)))
    if findings:
        raise Invalid(errors=findings)
