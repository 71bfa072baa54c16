"""Use cases of the listings: offer, change, publish, suspend, find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.listings import rules, slots
from services.exchange.listings.calendar import Calendar, check_calendar
from services.exchange.listings.models import BULKY, Institution, Listing, Photo, RateCard
from services.exchange.listings.rules import Status
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, NotFound, Stale

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Search:
    """Filters of the public search; None means any."""

    q: str | None = None
    kind: str | None = None
    use_mode: str | None = None
    unit: str | None = None
    seller_id: UUID | None = None
    max_price_won: int | None = None
    training_required: bool | None = None
    sort: str = "-listed_at"


async def add(
    session: AsyncSession, *, seller: Institution, by: str, values: Mapping[str, Any]
) -> Listing:
    """A new draft. `values` are the fields of a listing. Raises `Invalid` with all findings."""
    _check(values)
    listing = Listing(
        seller_id=seller.id,
        seller_name=seller.name,
        status=Status.DRAFT,
        rate_card_version=1,
        version=1,
        **_columns(values, seller.name),
    )
    session.add(listing)
    await session.flush()
    session.add(RateCard(listing_id=listing.id, version=1, price_won=listing.price_won, set_by=by))
    log.info("listing_added", listing_id=str(listing.id))
    return listing


async def change(
    session: AsyncSession,
    listing_id: UUID,
    *,
    seller_id: UUID,
    by: str,
    seen: int,
    values: Mapping[str, Any],
    now: datetime,
) -> Listing:
    """Replace a listing's fields; a new price opens a new rate card, orders keep theirs.

    Raises `Stale`, `Invalid`, `SlotsBooked` (the calendar would close over booked times).
    """
    listing = await own(session, listing_id, seller_id=seller_id, lock=True)
    if listing.version != seen:
        raise Stale
    _check(values)
    await slots.refuse_closing_booked(
        session, listing, Calendar.from_json(values["calendar"]), unit=values["unit"], now=now
    )
    if values["price_won"] != listing.price_won:
        listing.rate_card_version += 1
        session.add(
            RateCard(
                listing_id=listing.id,
                version=listing.rate_card_version,
                price_won=values["price_won"],
                set_by=by,
            )
        )
    for name, value in _columns(values, listing.seller_name).items():
        setattr(listing, name, value)
    if listing.status == Status.LISTED:
        _check_publishable(listing)
    listing.version += 1
    return listing


async def publish(
    session: AsyncSession, listing_id: UUID, *, seller_id: UUID, now: datetime
) -> Listing:
    listing = await own(session, listing_id, seller_id=seller_id, lock=True)
    _expect(listing, Status.DRAFT)
    _check_publishable(listing)
    return _become(listing, Status.LISTED, now=now)


async def withdraw(session: AsyncSession, listing_id: UUID, *, seller_id: UUID) -> Listing:
    """Back to a draft: no new orders; those made go on."""
    listing = await own(session, listing_id, seller_id=seller_id, lock=True)
    _expect(listing, Status.LISTED)
    return _become(listing, Status.DRAFT)


async def suspend(session: AsyncSession, listing_id: UUID, *, reason: str) -> Listing:
    """The operator stops trade with a listing; the seller sees why."""
    listing = await _locked(session, listing_id)
    _expect(listing, Status.LISTED, Status.DRAFT)
    listing.suspended_reason = reason
    return _become(listing, Status.SUSPENDED)


async def resume(session: AsyncSession, listing_id: UUID) -> Listing:
    """Suspension ends in a draft: the seller looks again before publishing."""
    listing = await _locked(session, listing_id)
    _expect(listing, Status.SUSPENDED)
    listing.suspended_reason = None
    return _become(listing, Status.DRAFT)


async def remove(session: AsyncSession, listing_id: UUID, *, seller_id: UUID) -> list[str]:
    """Delete a draft nobody ever ordered; returns the keys of its photos in the file store."""
    listing = await own(session, listing_id, seller_id=seller_id, lock=True)
    _expect(listing, Status.DRAFT)
    keys = await session.scalars(
        delete(Photo).where(Photo.listing_id == listing_id).returning(Photo.key)
    )
    found = list(keys)
    await session.delete(listing)
    try:
        await session.flush()
    except IntegrityError as error:  # an order names it; orders are above us and not ours to ask
        raise errors.ListingOrdered from error
    return found


async def own(
    session: AsyncSession, listing_id: UUID, *, seller_id: UUID, lock: bool = False
) -> Listing:
    """A listing of the caller's institution; anyone else's is `NotFound`."""
    query = select(Listing).where(Listing.id == listing_id, Listing.seller_id == seller_id)
    listing = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if listing is None:
        raise NotFound
    return listing


async def public(session: AsyncSession, listing_id: UUID) -> Listing:
    """A listing anyone may see: only what is listed."""
    listing = await session.get(Listing, listing_id)
    if listing is None or listing.status != Status.LISTED:
        raise NotFound
    return listing


async def any_listing(session: AsyncSession, listing_id: UUID) -> Listing:
    """Any listing, for the operator."""
    listing = await session.get(Listing, listing_id)
    if listing is None:
        raise NotFound
    return listing


async def search(
    session: AsyncSession, wanted: Search, page: PageRequest
) -> tuple[Sequence[Listing], str | None, int]:
    query = _filtered(
        select(Listing).options(*BULKY).where(Listing.status == Status.LISTED), wanted
    )
    if wanted.sort in {"price_won", "-price_won"}:
        keys = [Listing.price_won, Listing.id]
    else:
        keys = [Listing.listed_at, Listing.id]
    return await paginate(
        session, query, keys=keys, page=page, descending=wanted.sort.startswith("-")
    )


async def managed(
    session: AsyncSession,
    *,
    seller_id: UUID | None,
    status: str | None,
    wanted: Search,
    page: PageRequest,
) -> tuple[Sequence[Listing], str | None, int]:
    """Listings in every state: a seller's own, or everyone's for the operator (seller None)."""
    query = _filtered(select(Listing).options(*BULKY), wanted)
    if seller_id is not None:
        query = query.where(Listing.seller_id == seller_id)
    if status is not None:
        query = query.where(Listing.status == status)
    return await paginate(session, query, keys=[Listing.id], page=page)


async def photos(session: AsyncSession, listing_id: UUID) -> Sequence[Photo]:
    query = select(Photo).where(Photo.listing_id == listing_id).order_by(Photo.id)
    return (await session.scalars(query)).all()


async def rate_cards(session: AsyncSession, listing_id: UUID) -> Sequence[RateCard]:
    query = select(RateCard).where(RateCard.listing_id == listing_id)
    return (await session.scalars(query.order_by(RateCard.version.desc()).limit(200))).all()


def _filtered(query: Select[Any], wanted: Search) -> Select[Any]:
    for column, value in (
        (Listing.kind, wanted.kind),
        (Listing.use_mode, wanted.use_mode),
        (Listing.unit, wanted.unit),
        (Listing.seller_id, wanted.seller_id),
        (Listing.training_required, wanted.training_required),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.max_price_won is not None:
        query = query.where(Listing.price_won <= wanted.max_price_won)
    for word in rules.searchable(wanted.q).split():
        pairs = rules.bigrams(word)
        if pairs:  # the index finds the candidates, the text decides
            query = query.where(Listing.search_terms.contains(pairs))
        query = query.where(func.strpos(Listing.search_text, word) > 0)
    return query


def _columns(values: Mapping[str, Any], seller_name: str) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name != "cancellation"}
    policy = values["cancellation"]
    text = rules.searchable(
        values["title"],
        values["description"],
        values["maker"],
        values["model"],
        values["location"],
        values["zeus_number"],
        values["nfec_number"],
        seller_name,
    )
    return columns | {
        "free_cancel_hours": policy["free_until_hours"],
        "late_fee_percent": policy["late_fee_percent"],
        "no_show_fee_percent": policy["no_show_fee_percent"],
        "search_text": text,
        "search_terms": rules.bigrams(text),
    }


def _check(values: Mapping[str, Any]) -> None:
    found: list[Finding] = [
        *rules.check_listing(
            kind=rules.Kind(values["kind"]),
            use_mode=rules.UseMode(values["use_mode"]),
            unit=rules.Unit(values["unit"]),
        ),
        *check_calendar(values["calendar"]),
    ]
    if found:
        raise Invalid(errors=found)


def _check_publishable(listing: Listing) -> None:
    never_open = not Calendar.from_json(listing.calendar).ever_open
    if listing.use_mode == rules.UseMode.DIRECT and never_open:
        raise Invalid(errors=[errors.NEVER_OPEN.at("/calendar", field="calendar")])


async def _locked(session: AsyncSession, listing_id: UUID) -> Listing:
    query = select(Listing).where(Listing.id == listing_id).with_for_update(key_share=True)
    listing = await session.scalar(query)
    if listing is None:
        raise NotFound
    return listing


def _expect(listing: Listing, *states: Status) -> None:
    if listing.status not in states:
        raise errors.ListingState(state=listing.status)


def _become(listing: Listing, status: Status, *, now: datetime | None = None) -> Listing:
    listing.status = status
    if now is not None:
        listing.listed_at = now
    listing.version += 1
    log.info("listing_moved", listing_id=str(listing.id), status=str(status))
    return listing
