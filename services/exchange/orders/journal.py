"""The one place an order changes its states: row, history, outbox and promise move together."""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.ids import new_id
from services.exchange.listings import slots
from services.exchange.orders import rules
from services.exchange.orders.models import Movement, Order, OrderEvent, OutboxEvent
from services.exchange.orders.rules import Action, Settlement, Use
from services.exchange.parties import SYSTEM, Actor
from shared.clock import utc_now
from shared.jobs import enqueue
from shared.problems import NotFound

log = structlog.get_logger()

DRIVE_TASK = "orders.drive"
DRIVE_AFTER_SECONDS = 5  # the request drives at once; the job is for the day it could not

# What others hear of; internal steps of the ledger's bookkeeping stay ours.
EVENTS = {
    Action.REQUEST: "order.requested",
    Action.HOLD: "order.held",
    Action.REFUSE: "order.refused",
    Action.ACCEPT: "order.accepted",
    Action.DECLINE: "order.declined",
    Action.CANCEL: "order.cancelled",
    Action.CANCEL_LATE: "order.cancelled",
    Action.CALL_OFF: "order.cancelled",
    Action.EXPIRE: "order.expired",
    Action.START: "order.started",
    Action.NO_SHOW: "order.not_used",
    Action.WAIVE_NO_SHOW: "order.not_used",
    Action.ADJUST: "order.adjustment_proposed",
    Action.CONSENT: "order.adjustment_accepted",
    Action.REJECT_ADJUSTMENT: "order.adjustment_rejected",
    Action.COMPLETE: "order.completed",
    Action.COMPLETE_UNUSED: "order.completed",
    Action.RECORD_PAYMENT: "order.payment_recorded",
    Action.POST: "order.settled",
    Action.RELEASE: "order.released",
    Action.DISPUTE: "order.disputed",
    Action.WITHDRAW_DISPUTE: "order.dispute_withdrawn",
    Action.RESOLVE: "order.dispute_resolved",
    Action.RESOLVE_FREE: "order.dispute_resolved",
    Action.REFUND_PART: "order.refunded",
    Action.REFUND_ALL: "order.refunded",
    Action.REFUND_REFUSED: "order.refund_refused",
}
MESSAGE_EVENT = "order.message"


async def lock(session: AsyncSession, order_id: UUID) -> Order:
    """The order as it is now, nobody else changing it until this transaction ends."""
    query = select(Order).where(Order.id == order_id).with_for_update(key_share=True)
    order = await session.scalar(query)
    if order is None:
        raise NotFound
    return order


async def apply(
    session: AsyncSession,
    order: Order,
    action: Action,
    actor: Actor,
    *,
    reason: str | None = None,
    **detail: Any,
) -> None:
    """Make a move: raises what `rules.move` raises, else writes the history and the event.

    Whoever leaves the live states gives the slot back in the same transaction.
    """
    was_live = order.use in rules.LIVE
    use, settlement = rules.move(
        action, by=actor.party, use=Use(order.use), settlement=Settlement(order.settlement)
    )
    order.use, order.settlement = use, settlement
    order.version += 1
    order.updated_at = utc_now()
    if was_live and use not in rules.LIVE and order.starts_at is not None:
        await slots.free(session, order.id)
    record(session, order, action, actor, reason=reason, detail=detail)


def record(
    session: AsyncSession,
    order: Order,
    action: Action,
    actor: Actor,
    *,
    reason: str | None,
    detail: dict[str, Any],
) -> None:
    session.add(
        OrderEvent(
            order_id=order.id,
            action=action,
            party=actor.party,
            actor=actor.subject,
            reason=reason,
            detail=detail,
            use=order.use,
            settlement=order.settlement,
        )
    )
    if action in EVENTS:
        tell(session, order, EVENTS[action], actor)
    log.info("order_moved", order_id=str(order.id), action=str(action), use=order.use)


def tell(session: AsyncSession, order: Order, event: str, actor: Actor) -> None:
    """Put an event into the outbox: buyer and seller hear of it once this is committed."""
    session.add(
        OutboxEvent(
            name=event,
            subject_id=order.id,
            audience=[order.buyer_id, order.seller_id],
            payload={
                "order_id": str(order.id),
                "number": order.public_number,
                "listing_title": order.listing_title,
                "use": order.use,
                "settlement": order.settlement,
                "by": actor.party,
            },
        )
    )


async def promise(
    session: AsyncSession,
    order: Order,
    kind: str,
    actor: Actor,
    *,
    amount: int,
    target_id: UUID | None = None,
    reason: str | None = None,
) -> Movement:
    """Write down what the ledger shall do, with its id, and the job that sees it through."""
    movement = Movement(
        id=new_id(),
        order_id=order.id,
        kind=kind,
        amount=amount,
        target_id=target_id,
        reason=reason,
        actor=actor.subject,
        state="intended",
    )
    session.add(movement)
    await session.flush()  # the job must find the row, and a second open promise must fail here
    await enqueue(session, DRIVE_TASK, in_seconds=DRIVE_AFTER_SECONDS, order_id=str(order.id))
    return movement


async def promise_release(
    session: AsyncSession, order: Order, actor: Actor, *, now: datetime
) -> None:
    """Follow a move to `voiding`: nothing to release without mileage, else void the hold.

    A hold still on its way is given up: the void leaves a tombstone, so it can never arrive late.
    """
    order.charged_won = order.mileage_charged = 0
    hold = await _movement(session, order, "hold")
    if hold is None:
        await apply(session, order, Action.RELEASE, SYSTEM)
        return
    if hold.state == "intended":
        hold.state, hold.done_at = "given_up", now
        await session.flush()  # only one open promise at a time
    await promise(session, order, "void", actor, amount=hold.amount, target_id=hold.id)


async def promise_settlement(session: AsyncSession, order: Order, actor: Actor) -> None:
    """Follow a move to `posting`: the charged part of the hold goes to the seller."""
    assert order.mileage_charged is not None
    hold = await _movement(session, order, "hold")
    if hold is None:
        await apply(session, order, Action.POST, SYSTEM)
        return
    if order.mileage_charged == 0:
        # Cash alone pays a fee this small: the hold is released, and that is the settlement.
        await promise(session, order, "void", actor, amount=hold.amount, target_id=hold.id)
        return
    await promise(session, order, "post", actor, amount=order.mileage_charged, target_id=hold.id)


async def promise_reversal(
    session: AsyncSession, order: Order, actor: Actor, *, amount: int, cash_won: int, reason: str
) -> None:
    """Follow a move to `refunding`: points of the posted transfer go back to the buyer."""
    if amount == 0:
        await finish_refund(session, order, mileage=0, cash_won=cash_won)
        return
    post = await _movement(session, order, "post")
    assert post is not None, "points can only come back where points were posted"
    reversal = await promise(
        session, order, "reversal", actor, amount=amount, target_id=post.id, reason=reason
    )
    reversal.cash_won = cash_won


async def finish_refund(
    session: AsyncSession, order: Order, *, mileage: int, cash_won: int
) -> None:
    order.mileage_refunded += mileage
    order.cash_refunded_won += cash_won
    everything = (
        order.mileage_refunded == order.mileage_charged
        and order.cash_refunded_won >= order.cash_due_won
    )
    action = Action.REFUND_ALL if everything else Action.REFUND_PART
    await apply(session, order, action, SYSTEM, mileage=mileage, cash_won=cash_won)


async def _movement(session: AsyncSession, order: Order, kind: str) -> Movement | None:
    query = select(Movement).where(Movement.order_id == order.id, Movement.kind == kind)
    found: Movement | None = await session.scalar(query)
    return found
