"""The audit trail, for the operator."""

from typing import Annotated, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.auth.audit import search
from services.auth.audit.models import AuditEvent
from services.auth.audit.schemas import EventOut
from services.auth.audit.search import Wanted
from services.auth.callers import CallingActor, Operator
from shared.db import Session
from shared.downloads import CSV, XLSX, download, send
from shared.paging import Page, Paging, paginate

router = APIRouter(prefix="/api/v1/auth/audit", tags=["audit"])

Word = Annotated[str | None, Query(max_length=64)]


async def _wanted(
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    action: Word = None,
    actor: Word = None,
    institution_id: UUID | None = None,
    object_type: Word = None,
    object_id: Word = None,
    address: Word = None,
) -> Wanted:
    return Wanted(since, until, action, actor, institution_id, object_type, object_id, address)


Filter = Annotated[Wanted, Depends(_wanted)]


@router.get("/events", response_model=Page[EventOut], summary="감사 기록 조회")
async def search_events(
    operator: Operator, wanted: Filter, session: Session, page: Paging
) -> Page[EventOut]:
    found, next_cursor, total = await paginate(
        session, search.matching(wanted), keys=[AuditEvent.id], page=page
    )
    names = await search.login_ids(session, found)
    items = [_event(event, names) for event in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get("/events/export", summary="감사 기록 내려받기", **download(XLSX, CSV))
async def export_events(
    operator: Operator,
    wanted: Filter,
    actor: CallingActor,
    session: Session,
    purpose: Annotated[str, Query(min_length=5, max_length=200)],
    format: Literal["xlsx", "csv"] = "xlsx",  # noqa: A002  # the parameter's public name
) -> Response:
    """For a stated purpose, on record. Cells that look like formulas are made harmless."""
    rows = await search.export(session, wanted, purpose=purpose, actor=actor)
    if format == "csv":
        return send(await to_thread.run_sync(search.as_csv, rows), "감사기록.csv", CSV)
    return send(await search.as_workbook(rows), "감사기록.xlsx", XLSX)


def _event(event: AuditEvent, names: dict[str, str]) -> EventOut:
    return EventOut(
        id=event.id,
        at=event.at,
        action=event.action,
        actor=event.actor,
        login_id=names.get(event.actor or ""),
        client_id=event.client_id,
        institution_id=event.institution_id,
        object_type=event.object_type,
        object_id=event.object_id,
        address=event.address,
        user_agent=event.user_agent,
        trace_id=event.trace_id,
        purpose=event.purpose,
        before=event.before,
        after=event.after,
    )
