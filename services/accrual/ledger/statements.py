"""What an institution's ledger looks like to people: its statement, and its balance by field."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger.models import Entry, Transfer
from shared.clock import SEOUL
from shared.paging import PageRequest, paginate


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines of a statement (M-040). Days are Korean and both inclusive; `fields` limits a
    sub-account to the accrual fields it may see, None shows all."""

    since: date | None = None
    until: date | None = None
    field: str | None = None
    title: str | None = None
    kind: str | None = None
    origin_id: UUID | None = None
    fields: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class FieldBalance:
    """Points by the accrual field they were earned in, less what was revoked; field None: moves
    that belong to no field, such as spending."""

    field: str | None
    points: int


async def statement(
    session: AsyncSession, institution_id: UUID, wanted: Filter, page: PageRequest
) -> tuple[Sequence[Any], str | None, int]:
    """Lines, newest first, each with the balance it left; the next cursor; how many there are."""
    return await paginate(
        session, lines(institution_id, wanted), keys=[Entry.version.expression], page=page
    )


def lines(institution_id: UUID, wanted: Filter) -> Select[Entry, Transfer]:
    """Entries that moved points (a hold moves none), with their transfers."""
    query = (
        select(Entry, Transfer)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .where(Entry.account_id == institution_id, Entry.amount != 0)
    )
    if wanted.since is not None:
        query = query.where(Entry.version > _version_before(institution_id, wanted.since))
    if wanted.until is not None:
        after = wanted.until + timedelta(days=1)
        query = query.where(Entry.version <= _version_before(institution_id, after))
    if wanted.field is not None:
        query = query.where(Transfer.field == wanted.field)
    if wanted.title is not None:
        query = query.where(Transfer.title.contains(wanted.title, autoescape=True))
    if wanted.kind is not None:
        query = query.where(Transfer.kind == wanted.kind)
    if wanted.origin_id is not None:
        query = query.where(Transfer.origin_id == wanted.origin_id)
    if wanted.fields is not None:
        query = query.where(Transfer.field.in_(sorted(wanted.fields)))
    return query


async def balance_by_field(
    session: AsyncSession,
    institution_id: UUID,
    *,
    instant: datetime | None = None,
    fields: frozenset[str] | None = None,
) -> list[FieldBalance]:
    """The balance (at an instant, as known today) by field; the parts add up to the whole."""
    query = (
        select(Transfer.field, func.sum(Entry.amount))
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .where(Entry.account_id == institution_id)
        .group_by(Transfer.field)
        .having(func.sum(Entry.amount) != 0)
        .order_by(Transfer.field)
    )
    if instant is not None:
        query = query.where(Entry.effective_at <= instant)
    if fields is not None:
        query = query.where(Transfer.field.in_(sorted(fields)))
    return [FieldBalance(field, int(points)) for field, points in await session.execute(query)]


def _version_before(institution_id: UUID, day: date) -> ScalarSelect[int]:
    """How many entries were recorded before a Korean day began. Evaluated once for a statement."""
    last = datetime.combine(day, time(), SEOUL) - timedelta(microseconds=1)
    return select(func.version_at(institution_id, last)).scalar_subquery()
