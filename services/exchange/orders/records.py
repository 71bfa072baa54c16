"""HTTP of what belongs to an order: messages, files, the receipt, the claim for accrual."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from services.exchange.orders import actions, service
from services.exchange.orders.schemas import MessageIn, MessageOut
from services.exchange.web import AnyParty, Paging, Reader, actor_of
from shared.db import Session
from shared.paging import Page

router = APIRouter(prefix="/api/v1/exchange", tags=["exchange"])


@router.get("/orders/{order_id}/messages", response_model=Page[MessageOut])
async def list_messages(
    order_id: UUID, reader: Reader, page: Paging, session: Session
) -> dict[str, Any]:
    actor = actor_of(reader)
    await service.visible(session, order_id, party=actor.party, institution_id=actor.institution_id)
    items, cursor, total = await service.messages(session, order_id, page)
    return {"items": items, "next_cursor": cursor, "total": total}


@router.post("/orders/{order_id}/messages", response_model=MessageOut, status_code=201)
async def send_message(order_id: UUID, body: MessageIn, caller: AnyParty, session: Session) -> Any:
    actor = actor_of(caller)
    order = await service.visible(
        session, order_id, party=actor.party, institution_id=actor.institution_id
    )
    message = actions.say(session, order, actor, body=body.body)
    await session.flush()
    return message
