"""Use cases of a buyer's wish: quote, request, and reading orders back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors, mileage
from services.exchange.listings import access, slots
from services.exchange.listings import rules as listing_rules
from services.exchange.listings.calendar import Calendar
from services.exchange.listings.models import BULKY, Institution, Listing
from services.exchange.orders import journal, rules
from services.exchange.orders.models import Message, Order, OrderEvent, Payment
from services.exchange.orders.rules import Action, Settlement, Use
from services.exchange.parties import SYSTEM, Actor, Party
from shared.clock import seoul_day
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Wish:
    """What a buyer asks for; `expected_fee_won` is the price they saw, None: any."""

    listing_id: UUID
    starts_at: datetime | None
    ends_at: datetime | None
    quantity: int | None
    mileage: int
    expected_fee_won: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a wish would come to, with the most mileage it takes."""

    listing: Listing
    wish: Wish
    quantity: int
    fee_won: int
    mileage_cap: int
    mileage_available: int
    mileage_max: int
    mileage: int
    cash_won: int
    answer_due: datetime
    free_cancel_until: datetime | None


async def quote(
    session: AsyncSession,
    wish: Wish,
    *,
    buyer: Institution,
    available: int,
    horizon_days: int,
    now: datetime,
) -> Quote:
    """What the request would do, without doing it. Raises what the request would raise, every
    finding at once, and `SlotTaken` with alternatives."""
    listing = await _orderable(session, wish.listing_id)
    quantity, fee_won = await _assess(
        session, listing, wish, buyer, available=available, horizon_days=horizon_days, now=now
    )
    if wish.starts_at is not None and wish.ends_at is not None:
        await slots.refuse_taken(session, listing, wish.starts_at, wish.ends_at, now=now)
    cap = mileage.mileage_cap(fee_won)
    return Quote(
        listing=listing,
        wish=wish,
        quantity=quantity,
        fee_won=fee_won,
        mileage_cap=cap,
        mileage_available=available,
        mileage_max=mileage.usable(available=available, fee_won=fee_won, requested=cap),
        mileage=wish.mileage,
        cash_won=mileage.cash_won(fee_won, wish.mileage),
        answer_due=rules.answer_due(
            now=now, answer_within_hours=listing.answer_within_hours, starts_at=wish.starts_at
        ),
        free_cancel_until=rules.free_cancel_until(
            starts_at=wish.starts_at, free_cancel_hours=listing.free_cancel_hours
        ),
    )


async def request(
    session: AsyncSession,
    wish: Wish,
    *,
    order_id: UUID,
    buyer: Institution,
    actor: Actor,
    horizon_days: int,
    now: datetime,
) -> Order:
    """Take the slot and promise the hold (M-042). The balance is the ledger's to judge.

    Raises `NotFound`, `ListingClosed`, `Invalid` (every finding), `PriceChanged`, `SlotTaken`.
    """
    # Locked before looking: see `slots.take`. It also keeps the price still while we read it.
    listing = await _orderable(session, wish.listing_id, lock=True)
    quantity, fee_won = await _assess(
        session, listing, wish, buyer, available=None, horizon_days=horizon_days, now=now
    )
    order = Order(
        id=order_id,
        listing_id=listing.id,
        listing_title=listing.title,
        kind=listing.kind,
        use_mode=listing.use_mode,
        seller_id=listing.seller_id,
        seller_name=listing.seller_name,
        buyer_id=buyer.id,
        buyer_name=buyer.name,
        unit=listing.unit,
        unit_price_won=listing.price_won,
        rate_card_version=listing.rate_card_version,
        quantity=quantity,
        fee_won=fee_won,
        mileage=wish.mileage,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        free_cancel_until=rules.free_cancel_until(
            starts_at=wish.starts_at, free_cancel_hours=listing.free_cancel_hours
        ),
        late_fee_percent=listing.late_fee_percent,
        no_show_fee_percent=listing.no_show_fee_percent,
        terms=listing.terms,
        note=wish.note,
        use=Use.REQUESTED,
        settlement=Settlement.HOLDING,
        lapse_at=rules.answer_due(
            now=now, answer_within_hours=listing.answer_within_hours, starts_at=wish.starts_at
        ),
        paid_won=0,
        mileage_refunded=0,
        cash_refunded_won=0,
        version=1,
    )
    if wish.starts_at is not None and wish.ends_at is not None:
        await slots.take(
            session,
            listing,
            order_id=order.id,
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            now=now,
        )
    session.add(order)
    await session.flush()  # the history and the promise name the order
    journal.record(session, order, Action.REQUEST, actor, reason=None, detail={})
    if wish.mileage == 0:
        await journal.apply(session, order, Action.HOLD, SYSTEM)
    else:
        await journal.promise(session, order, "hold", actor, amount=wish.mileage)
    return order


async def visible(
    session: AsyncSession, order_id: UUID, *, party: Party, institution_id: UUID | None
) -> Order:
    """An order the caller is party to (the operator: any); anyone else's is `NotFound`."""
    order = await session.get(Order, order_id)
    if order is None or not _is_party(order, party, institution_id):
        raise NotFound
    return order


async def locked(
    session: AsyncSession, order_id: UUID, *, party: Party, institution_id: UUID | None
) -> Order:
    """Like `visible`, and nobody else changes the order until the transaction ends."""
    order = await journal.lock(session, order_id)
    if not _is_party(order, party, institution_id):
        raise NotFound
    return order


async def listed(
    session: AsyncSession,
    *,
    party: Party,
    institution_id: UUID | None,
    use: str | None,
    settlement: str | None,
    listing_id: UUID | None,
    page: PageRequest,
) -> tuple[Sequence[Order], str | None, int]:
    """Orders of a buyer, of a seller, or (operator) of everyone, newest first."""
    query = select(Order)
    if party is Party.BUYER:
        query = query.where(Order.buyer_id == institution_id)
    elif party is Party.SELLER:
        query = query.where(Order.seller_id == institution_id)
    for column, value in ((Order.use, use), (Order.settlement, settlement)):
        if value is not None:
            query = query.where(column == value)
    if listing_id is not None:
        query = query.where(Order.listing_id == listing_id)
    return await paginate(session, query, keys=[Order.id], page=page)


async def history(session: AsyncSession, order_id: UUID) -> Sequence[OrderEvent]:
    query = select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id)
    return (await session.scalars(query.limit(500))).all()


async def payments(session: AsyncSession, order_id: UUID) -> Sequence[Payment]:
    query = select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)
    return (await session.scalars(query.limit(200))).all()


async def messages(
    session: AsyncSession, order_id: UUID, page: PageRequest
) -> tuple[Sequence[Message], str | None, int]:
    query = select(Message).where(Message.order_id == order_id)
    return await paginate(session, query, keys=[Message.id], page=page, descending=False)


async def refusal_of(session: AsyncSession, order: Order) -> list[Finding]:
    """Why the ledger would not hold an order's mileage, as findings with the maximum."""
    event = await session.scalar(
        select(OrderEvent).where(
            OrderEvent.order_id == order.id, OrderEvent.action == Action.REFUSE
        )
    )
    available = (event.detail.get("available") if event else None) or 0
    return [mileage.insufficient(available=available, fee_won=order.fee_won)]


async def _orderable(session: AsyncSession, listing_id: UUID, *, lock: bool = False) -> Listing:
    query = select(Listing).where(Listing.id == listing_id).options(*BULKY)
    listing = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if listing is None or listing.listed_at is None:
        raise NotFound  # a draft that was never public does not exist for a buyer
    if listing.status != listing_rules.Status.LISTED:
        raise errors.ListingClosed
    return listing


async def _assess(
    session: AsyncSession,
    listing: Listing,
    wish: Wish,
    buyer: Institution,
    *,
    available: int | None,
    horizon_days: int,
    now: datetime,
) -> tuple[int, int]:
    """Quantity and fee of a wish that breaks no rule; else all findings together."""
    terms = listing_rules.Terms(
        use_mode=listing_rules.UseMode(listing.use_mode),
        unit=listing_rules.Unit(listing.unit),
        price_won=listing.price_won,
        min_quantity=listing.min_quantity,
        max_quantity=listing.max_quantity,
        lead_time_hours=listing.lead_time_hours,
        horizon_days=horizon_days,
        calendar=Calendar.from_json(listing.calendar),
    )
    slot = listing_rules.Wish(wish.starts_at, wish.ends_at, wish.quantity)
    quantity, found = listing_rules.assess(terms, slot, now=now)
    fee_won = listing.price_won * quantity
    if buyer.id == listing.seller_id:
        found.append(errors.SELF_TRADE.at("/listing_id", field="listing_id"))
    if listing.training_required and not await access.granted(
        session, listing.id, buyer.id, seoul_day(now)
    ):
        found.append(errors.ACCESS_REQUIRED.at("/listing_id", field="listing_id"))
    if quantity:  # without one there is no fee, and no cap to speak of
        found += mileage.check_mileage(requested=wish.mileage, fee_won=fee_won, available=available)
    if found:
        raise Invalid(errors=found)
    if wish.expected_fee_won not in {None, fee_won}:
        raise errors.PriceChanged(expected_won=wish.expected_fee_won, fee_won=fee_won)
    return quantity, fee_won


def _is_party(order: Order, party: Party, institution_id: UUID | None) -> bool:
    if party is Party.OPERATOR:
        return True
    own = order.buyer_id if party is Party.BUYER else order.seller_id
    return own == institution_id
