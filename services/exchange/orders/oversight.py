"""HTTP of the overview: statistics, what needs a hand, the reconciliation, exports."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from services.exchange.orders import export, present, reconciliation, reports
from services.exchange.orders.schemas import AttentionOut, ReconciliationOut, StatisticsOut
from services.exchange.web import Operator, Reader, actor_of
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import XLSX, download, send
from shared.paging import Page, Paging
from shared.problems import NotFound

router = APIRouter(prefix="/api/v1/exchange", tags=["exchange"])


async def _period(first: date | None = None, last: date | None = None) -> reports.Period:
    return reports.Period(first, last)


Period = Annotated[reports.Period, Depends(_period)]


@router.get("/statistics", response_model=StatisticsOut)
async def get_statistics(period: Period, operator: Operator, session: Session) -> Any:
    """거래 통계(신청일 기준, 한국 날짜)."""
    return await reports.statistics(session, period)


@router.get("/attention", response_model=Page[AttentionOut])
async def list_attention(page: Paging, operator: Operator, session: Session) -> dict[str, Any]:
    """운영기관이 살펴야 할 신청: 분쟁, 원장 무응답, 완료 누락, 미입금·과입금."""
    actor, now = actor_of(operator), utc_now()
    items, cursor, total = await reports.attention(session, page, now=now)
    shown = [
        AttentionOut(why=why, order=present.order_out(order, actor, now=now))
        for order, why in items
    ]
    return {"items": shown, "next_cursor": cursor, "total": total}


@router.get("/reconciliation", response_model=ReconciliationOut)
async def get_reconciliation(operator: Operator, session: Session) -> Any:
    """신청과 원장을 맞춰 본 가장 새로운 결과."""
    report = await reconciliation.newest(session)
    if report is None:
        raise NotFound
    return report


@router.get("/orders.xlsx", **download(XLSX))
async def export_orders(period: Period, reader: Reader, session: Session) -> Response:
    """거래 내역 엑셀(구매 기관·판매 기관은 자기 것, 운영기관은 전부)."""
    actor = actor_of(reader)
    query = reports.exported(party=actor.party, institution_id=actor.institution_id, period=period)
    book = await export.workbook(session, query)
    return send(book, f"거래내역_{utc_now():%Y%m%d}.xlsx", XLSX)
