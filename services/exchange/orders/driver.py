"""Carries promises to the ledger and home again, through any crash on either side.

`drive(order)` may run in a job, in a sweep, twice at once or after a crash in the middle, beside
the request that takes the same three steps (`once.py`): read the open promise, ask the ledger under
the promise's own id, write what came of it.

- No lock is held while the ledger is asked, so a slow ledger never blocks an order.
- The answer is applied under the order's lock, and only if that promise is still the open one.
- A hold given up meanwhile is void at the ledger: its tombstone refuses the late arrival.
- Whatever is neither a yes nor a final no leaves the promise open; job and sweep come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.clients import HoldRefused, Ledger, ReversalRefused
from services.exchange.orders import journal
from services.exchange.orders.models import Movement, Order
from services.exchange.orders.rules import Action, Settlement, Use
from services.exchange.parties import SYSTEM
from shared.clock import utc_now
from shared.db import Sessions
from shared.http import RemoteProblem
from shared.problems import UpstreamUnavailable

log = structlog.get_logger()

SWEEP_BATCH = 200
TRY_AGAIN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Promise:
    """An open promise as it was read, free of any session; a hold's target is itself."""

    id: UUID
    order_id: UUID
    kind: str
    amount: int
    target_id: UUID
    reason: str
    actor: str | None
    buyer_id: UUID
    seller_id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ledger said: yes, or a final no with its code and what would be available."""

    refused: str | None = None
    available: int | None = None


YES = Outcome()


async def drive(sessions: Sessions, ledger: Ledger, order_id: UUID) -> None:
    """See the order's open promise through. Raises when the ledger gives no final answer."""
    async with sessions() as session:
        promise = await open_promise(session, order_id)
    if promise is None:
        return
    outcome = await ask(ledger, promise)
    async with sessions.begin() as session:
        await apply(session, await journal.lock(session, order_id), promise, outcome)


async def open_promise(session: AsyncSession, order_id: UUID) -> Promise | None:
    query = (
        select(Movement, Order.buyer_id, Order.seller_id, Order.listing_title)
        .join(Order, Order.id == Movement.order_id)
        .where(Movement.order_id == order_id, Movement.state == "intended")
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    movement, buyer_id, seller_id, title = row
    return Promise(
        id=movement.id,
        order_id=order_id,
        kind=movement.kind,
        amount=movement.amount,
        target_id=movement.target_id or movement.id,
        reason=movement.reason or "",
        actor=movement.actor,
        buyer_id=buyer_id,
        seller_id=seller_id,
        title=title,
    )


async def ask(ledger: Ledger, promise: Promise) -> Outcome:
    """One call under the promise's own id. Raises when there is no final answer."""
    try:
        match promise.kind:
            case "hold":
                await ledger.hold(
                    promise.id,
                    buyer_id=promise.buyer_id,
                    seller_id=promise.seller_id,
                    amount=promise.amount,
                    reference=str(promise.order_id),
                    title=promise.title,
                    acting_for=promise.actor,
                )
            case "post":
                await ledger.post(
                    promise.id,
                    hold_id=promise.target_id,
                    amount=promise.amount,
                    acting_for=promise.actor,
                )
            case "void":
                await ledger.void(promise.id, hold_id=promise.target_id, acting_for=promise.actor)
            case _:
                await ledger.reverse(
                    promise.id,
                    transfer_id=promise.target_id,
                    amount=promise.amount,
                    reason=promise.reason,
                    acting_for=promise.actor,
                )
    except (HoldRefused, ReversalRefused) as refusal:
        return Outcome(refusal.code, refusal.available)
    return YES


async def apply(session: AsyncSession, order: Order, promise: Promise, outcome: Outcome) -> None:
    """Write the ledger's answer. The caller holds the order's lock."""
    closed = (
        update(Movement)
        .where(Movement.id == promise.id, Movement.state == "intended")
        .values(
            state="done" if outcome.refused is None else "refused",
            answer=outcome.refused,
            done_at=utc_now(),
        )
        .returning(Movement.cash_won)
    )
    cash_won = await session.scalar(closed)
    if cash_won is None:
        return  # another run was here first, or the hold was given up
    action = _consequence(order, promise, outcome)
    if action is Action.REFUND_PART:
        await journal.finish_refund(session, order, mileage=promise.amount, cash_won=cash_won)
        return
    detail = {"available": outcome.available} if outcome.refused is not None else {}
    await journal.apply(session, order, action, SYSTEM, reason=outcome.refused, **detail)


def _consequence(order: Order, promise: Promise, outcome: Outcome) -> Action:
    if promise.kind == "hold":
        return Action.HOLD if outcome.refused is None else Action.REFUSE
    if promise.kind == "reversal":
        return Action.REFUND_PART if outcome.refused is None else Action.REFUND_REFUSED
    # A fee too small for any mileage settles by releasing the hold.
    return Action.POST if order.settlement == Settlement.POSTING else Action.RELEASE


async def sweep(sessions: Sessions, ledger: Ledger, *, now: datetime) -> None:
    """One round of the schedule: end what lapsed, settle what is due, take up lost promises.

    An order the ledger does not answer for waits for a later round.
    """
    while len(await expire(sessions, now=now)) == SWEEP_BATCH:
        pass
    while len(await settle_due(sessions, now=now)) == SWEEP_BATCH:
        pass
    for order_id in await stale(sessions, now=now):
        try:
            await drive(sessions, ledger, order_id)
        except (UpstreamUnavailable, RemoteProblem) as error:
            log.warning("order_not_driven", order_id=str(order_id), error=repr(error))
            await _postpone(sessions, order_id, until=now + TRY_AGAIN_AFTER)


async def expire(sessions: Sessions, *, now: datetime) -> list[UUID]:
    """Give up orders nobody answered or began in time; returns those to be driven."""
    async with sessions.begin() as session:
        query = (
            select(Order)
            .where(Order.use.in_([Use.REQUESTED, Use.ACCEPTED]), Order.lapse_at <= now)
            .order_by(Order.lapse_at)
            .limit(SWEEP_BATCH)
            .with_for_update(skip_locked=True, key_share=True)
        )
        orders = (await session.scalars(query)).all()
        for order in orders:
            await journal.apply(session, order, Action.EXPIRE, SYSTEM)
            await journal.promise_release(session, order, SYSTEM, now=now)
    return [order.id for order in orders]


async def settle_due(sessions: Sessions, *, now: datetime) -> list[UUID]:
    """Settle what is paid and undisputed once the time to object is over."""
    async with sessions.begin() as session:
        query = (
            select(Order)
            .where(Order.settlement == Settlement.HELD, Order.settle_after <= now)
            .order_by(Order.settle_after)
            .limit(SWEEP_BATCH)
            .with_for_update(skip_locked=True, key_share=True)
        )
        orders = (await session.scalars(query)).all()
        for order in orders:
            await journal.apply(session, order, Action.SETTLE, SYSTEM)
            await journal.promise_settlement(session, order, SYSTEM)
    return [order.id for order in orders]


async def stale(sessions: Sessions, *, now: datetime) -> Sequence[UUID]:
    """Orders whose promise has waited so long that its job must have been lost."""
    async with sessions() as session:
        query = (
            select(Movement.order_id)
            .where(Movement.state == "intended", Movement.try_after <= now)
            .order_by(Movement.try_after)
            .limit(SWEEP_BATCH)
        )
        return (await session.scalars(query)).all()


async def _postpone(sessions: Sessions, order_id: UUID, *, until: datetime) -> None:
    """To the end of the queue, so that one the ledger never answers for keeps no other waiting."""
    async with sessions.begin() as session:
        await session.execute(
            update(Movement)
            .where(Movement.order_id == order_id, Movement.state == "intended")
            .values(try_after=until)
        )
