"""An order as its readers see it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.listings.rules import Unit
from services.exchange.mileage import WON_PER_POINT
from services.exchange.orders import rules, service
from services.exchange.orders.models import Order, OrderEvent, OrderFile
from services.exchange.orders.rules import Settlement, Use
from services.exchange.orders.schemas import (
    CancelTerms,
    EventOut,
    FileOut,
    OrderDetail,
    OrderOut,
    PaymentOut,
    QuoteOut,
)
from services.exchange.orders.service import Quote
from services.exchange.parties import Actor, Party


def order_out(order: Order, actor: Actor, *, now: datetime) -> OrderOut:
    return OrderOut.model_validate(_values(order, actor, now))


async def order_detail(
    session: AsyncSession, order: Order, actor: Actor, *, now: datetime
) -> OrderDetail:
    files = await session.scalars(
        select(OrderFile).where(OrderFile.order_id == order.id).order_by(OrderFile.id).limit(200)
    )
    return OrderDetail.model_validate(
        _values(order, actor, now)
        | {
            "history": [
                _event_out(event, actor) for event in await service.history(session, order.id)
            ],
            "payments": [
                PaymentOut.model_validate(payment)
                for payment in await service.payments(session, order.id)
            ],
            "files": [FileOut.model_validate(file) for file in files],
        }
    )


def _event_out(event: OrderEvent, actor: Actor) -> EventOut:
    """A party sees which of its own accounts acted, but not the other party's accounts."""
    shown = EventOut.model_validate(event)
    if actor.party not in {event.party, Party.OPERATOR}:
        shown.actor = None
    return shown


def quote_out(quote: Quote) -> QuoteOut:
    listing, wish = quote.listing, quote.wish
    return QuoteOut(
        listing_id=listing.id,
        listing_title=listing.title,
        seller_name=listing.seller_name,
        unit=Unit(listing.unit),
        unit_price_won=listing.price_won,
        rate_card_version=listing.rate_card_version,
        quantity=quote.quantity,
        fee_won=quote.fee_won,
        mileage_cap=quote.mileage_cap,
        mileage_available=quote.mileage_available,
        mileage_max=quote.mileage_max,
        mileage=quote.mileage,
        discount_won=quote.mileage * WON_PER_POINT,
        cash_won=quote.cash_won,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        answer_due=quote.answer_due,
        free_cancel_until=quote.free_cancel_until,
        late_fee_percent=listing.late_fee_percent,
        no_show_fee_percent=listing.no_show_fee_percent,
    )


def _values(order: Order, actor: Actor, now: datetime) -> dict[str, Any]:
    columns = {column.key: getattr(order, column.key) for column in Order.__table__.columns}
    use, settlement = Use(order.use), Settlement(order.settlement)
    return columns | {
        "cash_due_won": order.cash_due_won,
        "cancel": _cancel_terms(order, now),
        "actions": rules.allowed(by=actor.party, use=use, settlement=settlement),
    }


def _cancel_terms(order: Order, now: datetime) -> CancelTerms | None:
    """What the buyer would owe and get back by cancelling now."""
    if order.use not in {Use.REQUESTED, Use.ACCEPTED}:
        return None
    fee = 0
    if order.use == Use.ACCEPTED:
        fee = rules.late_charge(
            now=now,
            fee_won=order.fee_won,
            free_until=order.free_cancel_until,
            late_fee_percent=order.late_fee_percent,
        )
    charge = rules.charge(fee_won=fee, mileage=order.mileage)
    return CancelTerms(
        fee_won=fee,
        mileage_returned=order.mileage - charge.mileage,
        free_until=order.free_cancel_until,
    )
