"""Use cases of an institution's webhooks: its endpoints, and the log of what was sent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.caller import institution_of
from shared.clock import utc_now
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, NotFound, PermissionDenied
from shared.tokens import Claims
from shared.webhooks import egress, sending
from shared.webhooks.errors import (
    EVENT_UNKNOWN,
    TARGET_REFUSED,
    TargetRefused,
    TooManyEndpoints,
)
from shared.webhooks.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)

MAX_ENDPOINTS = 10
OLD_SECRET_HOURS = 24
PING = "webhook.ping"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint is to be; an empty `events` means all of them."""

    url: str
    description: str
    events: Sequence[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a service allows: the events it has, and whether targets may lie inside."""

    events: frozenset[str]
    private: bool


async def register(
    session: AsyncSession,
    claims: Claims,
    wanted: Wanted,
    policy: Policy,
) -> WebhookEndpoint:
    """Raises `Invalid` (TARGET_REFUSED, EVENT_UNKNOWN), `TooManyEndpoints`."""
    _check(wanted, policy)
    count = await session.scalar(
        select(func.count()).select_from(WebhookEndpoint).where(_of(claims))
    )
    if (count or 0) >= MAX_ENDPOINTS:
        raise TooManyEndpoints(limit=MAX_ENDPOINTS)
    endpoint = WebhookEndpoint(
        institution_id=institution_of(claims),
        url=wanted.url,
        description=wanted.description,
        events=list(wanted.events),
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
    wanted: Wanted,
    policy: Policy,
    *,
    active: bool,
) -> WebhookEndpoint:
    """Raises what `register` raises, and `NotFound`."""
    _check(wanted, policy)
    endpoint = await find(session, claims, endpoint_id, lock=True)
    endpoint.url, endpoint.description = wanted.url, wanted.description
    endpoint.events = list(wanted.events)
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


async def ping(session: AsyncSession, claims: Claims, endpoint_id: UUID) -> WebhookDelivery:
    """A message that means nothing, to try an endpoint with."""
    endpoint = await find(session, claims, endpoint_id)
    data = {"endpoint_id": str(endpoint_id)}
    (delivery,) = await sending.send(session, endpoint.institution_id, PING, data, [endpoint])
    return delivery


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
    await sending.queue(session, found)
    return found


def _of(claims: Claims) -> Any:
    """The endpoints a caller manages: its institution's, of its mode. Not for sub-accounts."""
    if claims.fields is not None:
        raise PermissionDenied
    return (WebhookEndpoint.institution_id == institution_of(claims)) & (
        WebhookEndpoint.test_mode == claims.test_mode
    )


def _check(wanted: Wanted, policy: Policy) -> None:
    findings = [
        EVENT_UNKNOWN.at("/events", field="events", event=event)
        for event in wanted.events
        if event not in policy.events
    ]
    try:
        egress.check_target(wanted.url, private=policy.private)
    except TargetRefused as refused:
        findings.append(TARGET_REFUSED.at("/url", field="url", reason=str(refused)))
    if findings:
        raise Invalid(errors=findings)
