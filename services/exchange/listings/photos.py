"""Photos of a listing: the file in the store, its row here."""

from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.ids import new_id
from services.exchange.listings import service
from services.exchange.listings.models import Photo
from services.exchange.listings.rules import MAX_PHOTOS
from shared.db import Sessions
from shared.files import Files, StoredFile
from shared.problems import Invalid, NotFound, Problem

IMAGE_TYPES = frozenset({"image/jpeg", "image/png"})


async def add(
    sessions: Sessions,
    files: Files,
    listing_id: UUID,
    *,
    seller_id: UUID,
    name: str,
    chunks: AsyncIterator[bytes],
) -> Photo:
    """Raises `Invalid` (FILE_*, NOT_AN_IMAGE) and `TooManyPhotos`.

    The file is stored between two transactions, since a store may be slow; a row never names a
    file that is not there, and a file whose row did not come to be is removed.
    """
    async with sessions() as session:
        await service.own(session, listing_id, seller_id=seller_id)
    photo_id = new_id()
    stored = await files.put(f"listings/{listing_id}/{photo_id}", name, chunks)
    try:
        if stored.media_type not in IMAGE_TYPES:
            raise Invalid(errors=[errors.NOT_AN_IMAGE.at("/file", field="file")])
        async with sessions.begin() as session:
            return await _insert(session, listing_id, seller_id, photo_id, stored)
    except Problem:
        await files.delete(stored.key)
        raise


async def _insert(
    session: AsyncSession, listing_id: UUID, seller_id: UUID, photo_id: UUID, stored: StoredFile
) -> Photo:
    listing = await service.own(session, listing_id, seller_id=seller_id, lock=True)
    count = await session.scalar(
        select(func.count()).select_from(Photo).where(Photo.listing_id == listing.id)
    )
    if (count or 0) >= MAX_PHOTOS:
        raise errors.TooManyPhotos(maximum=MAX_PHOTOS)
    photo = Photo(
        id=photo_id,
        listing_id=listing.id,
        key=stored.key,
        name=stored.name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
    )
    session.add(photo)
    return photo


async def get(session: AsyncSession, listing_id: UUID, photo_id: UUID) -> Photo:
    query = select(Photo).where(Photo.id == photo_id, Photo.listing_id == listing_id)
    photo = await session.scalar(query)
    if photo is None:
        raise NotFound
    return photo


async def remove(
    session: AsyncSession, listing_id: UUID, photo_id: UUID, *, seller_id: UUID
) -> str:
    """Forget a photo; returns its key, to be deleted after the commit."""
    await service.own(session, listing_id, seller_id=seller_id)
    photo = await get(session, listing_id, photo_id)
    await session.delete(photo)
    return photo.key
