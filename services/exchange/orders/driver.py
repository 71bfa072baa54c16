"""Carries promises to the ledger and home again, through any crash on either side.

`drive(order)` may run in the request, in a job, twice at once or after a crash in the middle: it
reads the open promise, asks the ledger under the promise's own id, and writes what came of it.

- No lock is held while the ledger is asked, so a slow ledger never blocks an order.
- The answer is applied under the order's lock, and only if that promise is still the open one.
- A hold given up meanwhile is void at the ledger: its tombstone refuses the late arrival.
- Whatever is neither a yes nor a final no leaves the promise open; job and sweep come back.
"""

from collections.abc import Sequence
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


async def drive(sessions: Sessions, ledger: Ledger, order_id: UUID) -> None:
    """See the order's open promise through. Raises when the ledger gives no final answer."""
    async with sessions() as session:
        query = (
            select(Movement, Order)
            .join(Order, Order.id == Movement.order_id)
            .where(Movement.order_id == order_id, Movement.state == "intended")
        )
        found = (await session.execute(query)).one_or_none()
    if found is None:
        return
    movement, order = found
    refusal = await _ask(ledger, movement, order)
    async with sessions.begin() as session:
        await _apply(session, movement.id, order_id, refusal)


async def _ask(
    ledger: Ledger, movement: Movement, order: Order
) -> HoldRefused | ReversalRefused | None:
    """One call under the promise's own id: None for a yes, the refusal for a final no."""
    acting_for = movement.actor
    try:
        match movement.kind:
            case "hold":
                await ledger.hold(
                    movement.id,
                    buyer_id=order.buyer_id,
                    seller_id=order.seller_id,
                    amount=movement.amount,
                    reference=str(order.id),
                    title=order.listing_title,
                    acting_for=acting_for,
                )
            case "post":
                assert movement.target_id is not None
                await ledger.post(
                    movement.id,
                    hold_id=movement.target_id,
                    amount=movement.amount,
                    acting_for=acting_for,
                )
            case "void":
                assert movement.target_id is not None
                await ledger.void(movement.id, hold_id=movement.target_id, acting_for=acting_for)
            case _:
                assert movement.target_id is not None
                await ledger.reverse(
                    movement.id,
                    transfer_id=movement.target_id,
                    amount=movement.amount,
                    reason=movement.reason or "",
                    acting_for=acting_for,
                )
    except (HoldRefused, ReversalRefused) as refusal:
        return refusal
    return None


async def _apply(
    session: AsyncSession,
    movement_id: UUID,
    order_id: UUID,
    refusal: HoldRefused | ReversalRefused | None,
) -> None:
    order = await journal.lock(session, order_id)
    movement = await session.get_one(Movement, movement_id)
    if movement.state != "intended":
        return  # another run was here first, or the hold was given up
    movement.state = "done" if refusal is None else "refused"
    movement.done_at = utc_now()
    if refusal is not None:
        movement.answer = refusal.code
    await session.flush()
    action = _outcome(order, movement, refusal)
    if action is Action.REFUND_PART:
        await journal.finish_refund(
            session, order, mileage=movement.amount, cash_won=movement.cash_won
        )
        return
    detail = {"available": refusal.available} if refusal is not None else {}
    reason = refusal.code if refusal is not None else None
    await journal.apply(session, order, action, SYSTEM, reason=reason, **detail)


def _outcome(order: Order, movement: Movement, refusal: Exception | None) -> Action:
    if movement.kind == "hold":
        return Action.HOLD if refusal is None else Action.REFUSE
    if movement.kind == "reversal":
        return Action.REFUND_PART if refusal is None else Action.REFUND_REFUSED
    # A fee too small for any mileage settles by releasing the hold.
    return Action.POST if order.settlement == Settlement.POSTING else Action.RELEASE


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


async def sweep(sessions: Sessions, ledger: Ledger, *, now: datetime) -> None:
    """One round of the schedule. An order the ledger does not answer for waits for the next."""
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


async def _postpone(sessions: Sessions, order_id: UUID, *, until: datetime) -> None:
    """To the end of the queue, so that one the ledger never answers for keeps no other waiting."""
    async with sessions.begin() as session:
        await session.execute(
            update(Movement)
            .where(Movement.order_id == order_id, Movement.state == "intended")
            .values(try_after=until)
        )
