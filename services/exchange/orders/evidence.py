"""Files attached to an order: transfer slips, tax invoices, result reports."""

from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.ids import new_id
from services.exchange.orders import journal, service
from services.exchange.orders.models import OrderFile
from services.exchange.parties import Actor
from shared.db import Sessions
from shared.files import Files, StoredFile
from shared.problems import NotFound, Problem

MAX_FILES = 50


async def add(
    sessions: Sessions,
    files: Files,
    order_id: UUID,
    *,
    actor: Actor,
    name: str,
    chunks: AsyncIterator[bytes],
) -> OrderFile:
    """Raises `Invalid` (FILE_*) and `TooManyFiles`. Stored between two transactions, as photos."""
    async with sessions() as session:
        await service.visible(
            session, order_id, party=actor.party, institution_id=actor.institution_id
        )
    file_id = new_id()
    stored = await files.put(f"orders/{order_id}/{file_id}", name, chunks)
    try:
        async with sessions.begin() as session:
            return await _insert(session, order_id, file_id, actor, stored)
    except Problem:
        await files.delete(stored.key)
        raise


async def get(session: AsyncSession, order_id: UUID, file_id: UUID) -> OrderFile:
    query = select(OrderFile).where(OrderFile.id == file_id, OrderFile.order_id == order_id)
    file = await session.scalar(query)
    if file is None:
        raise NotFound
    return file


async def _insert(
    session: AsyncSession, order_id: UUID, file_id: UUID, actor: Actor, stored: StoredFile
) -> OrderFile:
    await journal.lock(session, order_id)  # so that two uploads at once cannot pass the limit
    count = await session.scalar(
        select(func.count()).select_from(OrderFile).where(OrderFile.order_id == order_id)
    )
    if (count or 0) >= MAX_FILES:
        raise errors.TooManyFiles(maximum=MAX_FILES)
    file = OrderFile(
        id=file_id,
        order_id=order_id,
        key=stored.key,
        name=stored.name,
        media_type=stored.media_type,
        size=stored.size,
        sha256=stored.sha256,
        party=actor.party,
        uploaded_by=actor.subject or "",
    )
    session.add(file)
    await session.flush()
    return file
