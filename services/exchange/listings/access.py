"""Who may order what needs training first."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.listings.models import Access, Institution, Listing
from shared.paging import PageRequest, paginate
from shared.problems import NotFound


async def ask(
    session: AsyncSession, listing: Listing, *, buyer: Institution, note: str | None
) -> Access:
    """A buyer asks for access; asking again changes nothing but, after a revocation, asks anew."""
    statement = (
        insert(Access)
        .values(
            listing_id=listing.id,
            buyer_id=buyer.id,
            buyer_name=buyer.name,
            state="requested",
            note=note,
        )
        .on_conflict_do_update(
            index_elements=[Access.listing_id, Access.buyer_id],
            set_={"state": "requested", "note": note, "decided_at": None, "decided_by": None},
            where=Access.state == "revoked",
        )
    )
    await session.execute(statement)
    found = await session.scalar(
        select(Access)
        .where(Access.listing_id == listing.id, Access.buyer_id == buyer.id)
        .execution_options(populate_existing=True)
    )
    assert found is not None
    return found


async def of_listing(
    session: AsyncSession, listing_id: UUID, page: PageRequest
) -> tuple[Sequence[Access], str | None, int]:
    query = select(Access).where(Access.listing_id == listing_id)
    return await paginate(session, query, keys=[Access.id], page=page)


async def decide(
    session: AsyncSession,
    listing_id: UUID,
    access_id: UUID,
    *,
    state: str,
    valid_until: date | None,
    by: str,
    now: datetime,
) -> Access:
    query = select(Access).where(Access.id == access_id, Access.listing_id == listing_id)
    access = await session.scalar(query.with_for_update())
    if access is None:
        raise NotFound
    access.state, access.valid_until = state, valid_until
    access.decided_by, access.decided_at = by, now
    return access


async def granted(session: AsyncSession, listing_id: UUID, buyer_id: UUID, today: date) -> bool:
    query = select(Access).where(
        Access.listing_id == listing_id, Access.buyer_id == buyer_id, Access.state == "granted"
    )
    access = await session.scalar(query)
    return access is not None and (access.valid_until is None or today <= access.valid_until)
