"""HTTP of what belongs to an order: messages, files, the receipt, the claim for accrual."""

from typing import Any
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.orders import actions, documents, evidence, printing, service
from services.exchange.orders.models import Order
from services.exchange.orders.schemas import (
    AccrualClaimOut,
    ClaimRowOut,
    FileOut,
    MessageIn,
    MessageOut,
    ReceiptOut,
)
from services.exchange.parties import Actor
from services.exchange.web import AnyParty, FileStore, Reader, actor_of
from shared.db import Session, SessionMaker
from shared.downloads import ANY, PDF, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Page, Paging

router = APIRouter(prefix="/api/v1/exchange", tags=["exchange"])


@router.get("/orders/{order_id}/messages", response_model=Page[MessageOut])
async def list_messages(
    order_id: UUID, reader: Reader, page: Paging, session: Session
) -> dict[str, Any]:
    """주고받은 글, 오래된 것부터."""
    await _visible(session, order_id, actor_of(reader))
    items, cursor, total = await service.messages(session, order_id, page)
    return {"items": items, "next_cursor": cursor, "total": total}


@router.post("/orders/{order_id}/messages", response_model=MessageOut, status_code=201)
async def send_message(
    order_id: UUID, body: MessageIn, caller: AnyParty, once: Once, session: Session
) -> Any:
    actor = actor_of(caller)
    order = await _visible(session, order_id, actor)
    message = actions.say(session, order, actor, body=body.body)
    await session.flush()
    return await once.answer(201, MessageOut.model_validate(message))


@router.post("/orders/{order_id}/files", response_model=FileOut, status_code=201)
async def add_file(
    order_id: UUID, file: UploadFile, caller: AnyParty, sessions: SessionMaker, files: FileStore
) -> Any:
    """증빙 첨부(입금증, 세금계산서, 결과서 등. 10MB 이하)."""
    return await evidence.add(
        sessions,
        files,
        order_id,
        actor=actor_of(caller),
        name=file.filename or "file",
        chunks=chunks_of(file),
    )


@router.get("/orders/{order_id}/files/{file_id}", **download(ANY))
async def get_file(
    order_id: UUID, file_id: UUID, reader: Reader, session: Session, files: FileStore
) -> Response:
    await _visible(session, order_id, actor_of(reader))
    file = await evidence.get(session, order_id, file_id)
    return send(files.get(file.key), file.name, file.media_type, size=file.size)


@router.get("/orders/{order_id}/receipt", response_model=ReceiptOut)
async def get_receipt(order_id: UUID, reader: Reader, session: Session) -> Any:
    """정산이 끝난 신청의 영수 내역."""
    order = await _visible(session, order_id, actor_of(reader))
    return await documents.receipt(session, order)


@router.get("/orders/{order_id}/receipt.pdf", **download(PDF))
async def print_receipt(order_id: UUID, reader: Reader, sessions: SessionMaker) -> Response:
    """정산이 끝난 신청의 영수증(PDF/A)."""
    async with sessions() as session:  # closed before the page is set, which takes a while
        order = await _visible(session, order_id, actor_of(reader))
        receipt = await documents.receipt(session, order)
    pdf = await anyio.to_thread.run_sync(printing.receipt_pdf, receipt)
    return send(pdf, f"영수증_{receipt.number}.pdf", PDF)


@router.get("/orders/{order_id}/accrual-claim", response_model=AccrualClaimOut)
async def get_accrual_claim(order_id: UUID, reader: Reader, session: Session) -> AccrualClaimOut:
    """공용장비 활용 적립 신청서에 그대로 넣을 행(현금으로 낸 금액만)."""
    order = await _visible(session, order_id, actor_of(reader))
    rows = await documents.accrual_claim(session, order)
    return AccrualClaimOut(
        field="EQUIPMENT",
        net_cash_won=order.paid_won - order.cash_refunded_won,
        rows=[ClaimRowOut(number=row.number, cells=row.cells) for row in rows],
    )


async def _visible(session: AsyncSession, order_id: UUID, actor: Actor) -> Order:
    return await service.visible(
        session, order_id, party=actor.party, institution_id=actor.institution_id
    )
