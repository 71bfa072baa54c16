"""HTTP of the notifications: an institution's own, read by any of its accounts."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from services.exchange.notifications import rules, service
from services.exchange.notifications.models import Notification
from services.exchange.notifications.schemas import NotificationOut, ReadIn, UnreadOut
from services.exchange.web import BuyerOrSeller, Reader
from shared.app import language
from shared.caller import institution_of
from shared.clock import utc_now
from shared.db import Session
from shared.paging import Page, Paging
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/exchange/notifications", tags=["exchange"])


@router.get("", response_model=Page[NotificationOut])
async def list_notifications(
    request: Request, reader: Reader, page: Paging, session: Session, unread: bool = False
) -> dict[str, Any]:
    """소속 기관의 거래 알림, 새것부터(`unread=true`면 읽지 않은 것만)."""
    items, cursor, total = await service.listed(
        session, institution_of(reader), page, unread=unread
    )
    lang = language(request)
    shown = [_shown(item, lang) for item in items]
    return {"items": shown, "next_cursor": cursor, "total": total}


@router.get("/unread-count", response_model=UnreadOut)
async def count_unread(reader: Reader, session: Session) -> UnreadOut:
    """읽지 않은 알림 수(1,000까지 셉니다)."""
    return await _unread(session, reader)


@router.post("/read", response_model=UnreadOut)
async def read_notifications(body: ReadIn, caller: BuyerOrSeller, session: Session) -> UnreadOut:
    """모두 읽음으로 표시합니다. `up_to`를 주면 그 알림까지만 표시합니다."""
    await service.read_all(session, institution_of(caller), up_to=body.up_to, now=utc_now())
    return await _unread(session, caller)


@router.post("/{notification_id}/read", response_model=UnreadOut)
async def read_notification(
    notification_id: UUID, caller: BuyerOrSeller, session: Session
) -> UnreadOut:
    await service.read_one(session, institution_of(caller), notification_id, now=utc_now())
    return await _unread(session, caller)


async def _unread(session: Session, claims: Claims) -> UnreadOut:
    return UnreadOut(unread=await service.unread_count(session, institution_of(claims)))


def _shown(item: Notification, lang: str) -> NotificationOut:
    values = {column.key: getattr(item, column.key) for column in Notification.__table__.columns}
    return NotificationOut.model_validate(values | {"text": rules.notice(item.event, lang)})
