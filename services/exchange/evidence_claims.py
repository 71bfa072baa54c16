"""Which documents and payments also serve an order: asked by the grants service (C-4)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy import select, union

from services.exchange.orders.models import Order, OrderFile, Payment
from shared.caller import requires
from shared.db import Session
from shared.problems import PermissionDenied
from shared.schemas import MarksFound, MarksIn
from shared.tokens import Claims

internal = APIRouter(prefix="/internal/evidence-claims", tags=["internal"])

Reader = Annotated[Claims, Depends(requires("exchange:read"))]


@internal.post("", response_model=MarksFound)
async def find_evidence_claims(body: MarksIn, reader: Reader, session: Session) -> Any:
    """Files and payment references of orders. For services."""
    if reader.institution_id is not None:
        raise PermissionDenied
    files = select(OrderFile.sha256.label("mark"), Order.number.label("number")).join(
        Order, Order.id == OrderFile.order_id
    )
    payments = select(Payment.reference, Order.number).join(Order, Order.id == Payment.order_id)
    query = union(
        files.where(OrderFile.sha256.in_(body.marks)),
        payments.where(Payment.reference.in_(body.marks)),
    )
    found = {mark: f"거래 주문 {number}" for mark, number in await session.execute(query)}
    return {"items": [{"mark": mark, "where": where} for mark, where in sorted(found.items())]}
