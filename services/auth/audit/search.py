"""Searching the audit trail, and taking it away as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import Select, String, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import sheets
from services.auth.accounts.models import Account
from services.auth.accounts.rules import id_in
from services.auth.audit.models import AuditEvent
from services.auth.audit.service import Actor, record
from shared.sheets.errors import ExportTooLarge
from shared.sheets.writing import Line, Page, at_once, write_book

MAX_EXPORTED = 50_000
COLUMNS = (
    "일시",
    "행위",
    "행위자",
    "클라이언트",
    "기관",
    "대상",
    "대상 번호",
    "접속 주소",
    "목적",
    "변경 전",
    "변경 후",
    "추적 번호",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; whatever is None does not matter. `action` may end in `*`; `actor` is an
    account's id or login id, or a client's name."""

    since: datetime | None = None
    until: datetime | None = None
    action: str | None = None
    actor: str | None = None
    institution_id: UUID | None = None
    object_type: str | None = None
    object_id: str | None = None
    address: str | None = None


def matching(wanted: Wanted) -> Select[AuditEvent]:
    query = select(AuditEvent)
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    if wanted.action is not None and wanted.action.endswith("*"):
        query = query.where(AuditEvent.action.startswith(wanted.action[:-1], autoescape=True))
    elif wanted.action is not None:
        query = query.where(AuditEvent.action == wanted.action)
    if wanted.actor is not None:
        called = select(cast(Account.id, String)).where(Account.login_id == wanted.actor)
        query = query.where(AuditEvent.actor.in_([wanted.actor, called.scalar_subquery()]))
    for name in ("institution_id", "object_type", "object_id", "address"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(AuditEvent, name) == value)
    return query


async def login_ids(session: AsyncSession, events: Sequence[AuditEvent]) -> dict[str, str]:
    """What the actors' accounts are called, by actor; a client or the system has none."""
    ids = {found for event in events if (found := id_in(event.actor)) is not None}
    rows = await session.execute(select(Account.id, Account.login_id).where(Account.id.in_(ids)))
    return {str(row.id): row.login_id for row in rows}


async def export(
    session: AsyncSession, wanted: Wanted, *, purpose: str, actor: Actor
) -> Sequence[Line]:
    """The matching events as rows of `COLUMNS`, newest first. Taking them away is itself put on
    record, with its purpose. Raises `ExportTooLarge` rather than leave some out."""
    query = matching(wanted).order_by(AuditEvent.id.desc()).limit(MAX_EXPORTED + 1)
    rows = [_row(event) for event in await session.scalars(query)]
    if len(rows) > MAX_EXPORTED:
        raise ExportTooLarge(most=MAX_EXPORTED)
    record(
        session,
        actor,
        "audit.exported",
        object_type="audit",
        object_id="events",
        purpose=purpose,
        after={"rows": len(rows)},
    )
    return rows


async def as_workbook(rows: Sequence[Line]) -> IO[bytes]:
    return await write_book(Page("감사 기록", dict.fromkeys(COLUMNS, 18), at_once(rows)))


def as_csv(rows: Sequence[Line]) -> bytes:
    return sheets.csv_text(COLUMNS, rows)


def _row(event: AuditEvent) -> Line:
    return [
        event.at,
        event.action,
        event.actor,
        event.client_id,
        str(event.institution_id) if event.institution_id else None,
        event.object_type,
        event.object_id,
        event.address,
        event.purpose,
        _json(event.before),
        _json(event.after),
        event.trace_id,
    ]


def _json(value: dict[str, Any] | None) -> str | None:
    return orjson.dumps(value).decode() if value is not None else None
