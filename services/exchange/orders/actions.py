"""What buyer, seller and operator do with an order. Each function gets it locked (`journal.lock`).

A closing action fixes the charge; where nothing is charged the hold is released at once, otherwise
it stays until the cash is on record and the order settles.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.orders import journal, rules
from services.exchange.orders.models import Message, Order, OrderFile, Payment
from services.exchange.orders.rules import Action, Use
from services.exchange.parties import Actor
from shared.clock import SEOUL, seoul_day
from shared.problems import Invalid, NotFound


async def accept(session: AsyncSession, order: Order, actor: Actor, *, now: datetime) -> None:
    """Raises `AnswerTooLate` from the instant the request lapses, swept up or not."""
    await journal.apply(session, order, Action.ACCEPT, actor)
    if order.lapse_at is not None and order.lapse_at <= now:
        raise errors.AnswerTooLate
    order.lapse_at = rules.start_due(now=now, ends_at=order.ends_at)


async def decline(
    session: AsyncSession, order: Order, actor: Actor, *, reason: str, now: datetime
) -> None:
    await journal.apply(session, order, Action.DECLINE, actor, reason=reason)
    await journal.promise_release(session, order, actor, now=now)


async def cancel(
    session: AsyncSession, order: Order, actor: Actor, *, reason: str, now: datetime
) -> None:
    """The buyer cancels: free while it waits for the seller or is early, else for the late fee."""
    fee = 0
    if order.use == Use.ACCEPTED:
        fee = rules.late_charge(
            now=now,
            fee_won=order.fee_won,
            free_until=order.free_cancel_until,
            late_fee_percent=order.late_fee_percent,
        )
    action = Action.CANCEL_LATE if fee else Action.CANCEL
    await journal.apply(session, order, action, actor, reason=reason, charged_won=fee)
    if fee:
        _charge(order, fee)
    else:
        await journal.promise_release(session, order, actor, now=now)


async def call_off(
    session: AsyncSession, order: Order, actor: Actor, *, reason: str, now: datetime
) -> None:
    """The seller cannot deliver what it accepted: nothing is charged."""
    await journal.apply(session, order, Action.CALL_OFF, actor, reason=reason)
    await journal.promise_release(session, order, actor, now=now)


async def start(session: AsyncSession, order: Order, actor: Actor) -> None:
    await journal.apply(session, order, Action.START, actor)
    order.lapse_at = None


async def no_show(
    session: AsyncSession, order: Order, actor: Actor, *, waive: bool, now: datetime
) -> None:
    """The buyer never came. Raises `NotYetStarted` before the slot has begun."""
    fee = 0 if waive else rules.percent_of(order.fee_won, order.no_show_fee_percent)
    action = Action.NO_SHOW if fee else Action.WAIVE_NO_SHOW
    await journal.apply(session, order, action, actor, charged_won=fee)
    if order.starts_at is None or now < order.starts_at:
        shown = "-" if order.starts_at is None else order.starts_at.astimezone(SEOUL).isoformat()
        raise errors.NotYetStarted(starts_at=shown)
    if fee:
        _charge(order, fee)
    else:
        await journal.promise_release(session, order, actor, now=now)


async def adjust(
    session: AsyncSession, order: Order, actor: Actor, *, quantity: int, reason: str
) -> None:
    """The seller asks for more than was agreed; only the buyer's consent makes it so."""
    await journal.apply(session, order, Action.ADJUST, actor, reason=reason, quantity=quantity)
    if quantity <= order.quantity:
        raise Invalid(
            errors=[
                errors.ADJUSTMENT_NOT_HIGHER.at(
                    "/quantity", field="quantity", minimum=order.quantity
                )
            ]
        )
    order.proposed_quantity = quantity


async def answer_adjustment(
    session: AsyncSession, order: Order, actor: Actor, *, consent: bool
) -> None:
    """The mileage stays what it was: a hold never grows, so more use is paid in cash."""
    action = Action.CONSENT if consent else Action.REJECT_ADJUSTMENT
    proposed = order.proposed_quantity
    await journal.apply(session, order, action, actor, quantity=proposed)
    if proposed is None:
        raise errors.NoAdjustment
    if consent:
        order.quantity = proposed
        order.fee_won = order.unit_price_won * proposed
    order.proposed_quantity = None


async def complete(
    session: AsyncSession,
    order: Order,
    actor: Actor,
    *,
    actual_quantity: int,
    note: str | None,
    objection_days: int,
    now: datetime,
) -> None:
    """Record the actual use: the fee may fall with it, never rise (`ACTUAL_ABOVE_CONSENT`)."""
    action = Action.COMPLETE if actual_quantity else Action.COMPLETE_UNUSED
    await journal.apply(session, order, action, actor, reason=note, quantity=actual_quantity)
    if order.proposed_quantity is not None:
        raise errors.ConsentPending
    if actual_quantity > order.quantity:
        raise Invalid(
            errors=[
                errors.ACTUAL_ABOVE_CONSENT.at(
                    "/actual_quantity", field="actual_quantity", maximum=order.quantity
                )
            ]
        )
    order.actual_quantity = actual_quantity
    if actual_quantity:
        _charge(order, order.unit_price_won * actual_quantity)
        _schedule_settlement(order, objection_days, now)
    else:
        await journal.promise_release(session, order, actor, now=now)


async def record_payment(
    session: AsyncSession,
    order: Order,
    actor: Actor,
    *,
    direction: str,
    amount_won: int,
    method: str,
    paid_on: date,
    reference: str,
    file_id: UUID | None,
    objection_days: int,
    now: datetime,
) -> None:
    """Cash the seller received or gave back, with what proves it; never more than is due."""
    await journal.apply(
        session, order, Action.RECORD_PAYMENT, actor, direction=direction, amount_won=amount_won
    )
    found = []
    due = order.cash_due_won - order.paid_won
    if direction == "received" and amount_won > due:
        found.append(
            errors.PAYMENT_TOO_HIGH.at("/amount_won", field="amount_won", maximum=max(0, due))
        )
    if direction == "returned" and amount_won > -due:
        found.append(
            errors.RETURN_TOO_HIGH.at("/amount_won", field="amount_won", maximum=max(0, -due))
        )
    if paid_on > seoul_day(now):
        found.append(errors.PAID_IN_FUTURE.at("/paid_on", field="paid_on"))
    if found:
        raise Invalid(errors=found)
    if file_id is not None:
        file = await session.get(OrderFile, file_id)
        if file is None or file.order_id != order.id:
            raise NotFound
    order.paid_won += amount_won if direction == "received" else -amount_won
    session.add(
        Payment(
            order_id=order.id,
            direction=direction,
            amount_won=amount_won,
            method=method,
            paid_on=paid_on,
            reference=reference,
            file_id=file_id,
            recorded_by=actor.subject or "",
        )
    )
    _schedule_settlement(order, objection_days, now)


async def settle(session: AsyncSession, order: Order, actor: Actor) -> None:
    """Give the charged mileage to the seller. Raises `CashOutstanding` before the cash is in."""
    await journal.apply(session, order, Action.SETTLE, actor)
    if order.paid_won != order.cash_due_won:
        raise errors.CashOutstanding(due_won=order.cash_due_won, paid_won=order.paid_won)
    await journal.promise_settlement(session, order, actor)


async def dispute(session: AsyncSession, order: Order, actor: Actor, *, reason: str) -> None:
    """Freezes the settlement until the operator decides or whoever opened it takes it back.

    `disputed_by` is an institution; none of the two: the operator.
    """
    await journal.apply(session, order, Action.DISPUTE, actor, reason=reason)
    order.disputed_by = actor.institution_id


async def withdraw_dispute(
    session: AsyncSession, order: Order, actor: Actor, *, objection_days: int, now: datetime
) -> None:
    await journal.apply(session, order, Action.WITHDRAW_DISPUTE, actor)
    if order.disputed_by != actor.institution_id:
        raise errors.DisputeClosed
    order.disputed_by = None
    _schedule_settlement(order, objection_days, now)


async def resolve(
    session: AsyncSession,
    order: Order,
    actor: Actor,
    *,
    charged_won: int,
    reason: str,
    objection_days: int,
    now: datetime,
) -> None:
    """The operator sets what is owed, never above the agreed fee; nothing owed releases all."""
    action = Action.RESOLVE if charged_won else Action.RESOLVE_FREE
    await journal.apply(session, order, action, actor, reason=reason, charged_won=charged_won)
    if charged_won > order.fee_won:
        raise Invalid(
            errors=[
                errors.CHARGE_TOO_HIGH.at(
                    "/charged_won", field="charged_won", maximum=order.fee_won
                )
            ]
        )
    order.disputed_by = None
    _charge(order, charged_won)
    if charged_won:
        _schedule_settlement(order, objection_days, now)
    else:
        await journal.promise_release(session, order, actor, now=now)


async def refund(
    session: AsyncSession, order: Order, actor: Actor, *, mileage: int, cash_won: int, reason: str
) -> None:
    """Give back points (by reversal at the ledger) and note the cash returned, after settlement."""
    await journal.apply(
        session, order, Action.REFUND, actor, reason=reason, mileage=mileage, cash_won=cash_won
    )
    left = (order.mileage_charged or 0) - order.mileage_refunded
    cash_left = order.paid_won - order.cash_refunded_won
    found = []
    if mileage > left:
        found.append(errors.REFUND_TOO_HIGH.at("/mileage", field="mileage", maximum=left))
    if cash_won > cash_left:
        found.append(errors.REFUND_TOO_HIGH.at("/cash_won", field="cash_won", maximum=cash_left))
    if mileage == 0 and cash_won == 0:
        found.append(errors.REFUND_EMPTY.at("/mileage", field="mileage"))
    if found:
        raise Invalid(errors=found)
    await journal.promise_reversal(
        session, order, actor, amount=mileage, cash_won=cash_won, reason=reason
    )


def say(session: AsyncSession, order: Order, actor: Actor, *, body: str) -> Message:
    message = Message(order_id=order.id, party=actor.party, author=actor.subject or "", body=body)
    session.add(message)
    journal.tell(session, order, journal.MESSAGE_EVENT, actor)
    return message


def _charge(order: Order, fee_won: int) -> None:
    charge = rules.charge(fee_won=fee_won, mileage=order.mileage)
    order.charged_won, order.mileage_charged = charge.fee_won, charge.mileage


def _schedule_settlement(order: Order, objection_days: int, now: datetime) -> None:
    """A charged order whose cash is in settles by itself once nobody may object any more."""
    ready = order.charged_won is not None and order.paid_won == order.cash_due_won
    order.settle_after = now + timedelta(days=objection_days) if ready else None
