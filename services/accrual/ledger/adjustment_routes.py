"""Adjustments over HTTP: for operators, and two of them each time."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from services.accrual.ledger import adjustments, service
from services.accrual.ledger.adjustments import Proposal
from services.accrual.ledger.rules import MAX_AMOUNT
from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.schemas import Body, Schema
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/accrual/ledger/adjustments", tags=["원장 조정"])

Operator = Annotated[Claims, Depends(requires("ledger:adjust"))]
AdjustmentId = Annotated[UUID, Path(description="조정 id")]
Reason = Annotated[str, StringConstraints(min_length=5, max_length=500)]


def _moves(amount: int) -> int:
    if amount == 0:
        raise ValueError("zero moves nothing")
    return amount


class AdjustmentIn(Body):
    """`amount` is signed: points given to the institution, or taken from it."""

    institution_id: UUID
    amount: Annotated[
        int, Field(strict=True, ge=-MAX_AMOUNT, le=MAX_AMOUNT), AfterValidator(_moves)
    ]
    field: Annotated[str | None, Field(max_length=40, description="적립분야")] = None
    reason: Annotated[Reason, Field(description="조정 사유")]


class RefusalIn(Body):
    reason: Reason


class AdjustmentOut(Schema):
    """`balance` is the institution's as it stands; `balance_after` what it would be, while the
    adjustment is only proposed."""

    id: UUID
    state: Literal["proposed", "approved", "refused"]
    institution_id: UUID
    amount: int
    field: str | None
    reason: str
    proposed_by: str
    proposed_at: AwareDatetime
    decided_by: str | None
    decided_at: AwareDatetime | None
    note: str | None
    transfer_id: UUID | None


class AdjustmentDetailOut(AdjustmentOut):
    balance: int
    available: int
    balance_after: int | None


@router.post("", status_code=201, response_model=AdjustmentOut, summary="조정 올리기")
async def propose_adjustment(
    body: AdjustmentIn, operator: Operator, once: Once, session: Session
) -> Response:
    """Propose to give an institution points, or to take some. Another operator decides."""
    proposal = await adjustments.propose(
        session,
        operator,
        institution_id=body.institution_id,
        amount=body.amount,
        field=body.field,
        reason=body.reason,
        now=utc_now(),
    )
    return await once.answer(201, _out(proposal))


@router.get("", response_model=Page[AdjustmentOut], summary="조정 목록")
async def list_adjustments(
    _operator: Operator,
    session: Session,
    page: Paging,
    state: Annotated[adjustments.State | None, Query(description="상태")] = None,
    institution_id: Annotated[UUID | None, Query(description="기관")] = None,
) -> Any:
    found, next_cursor, total = await adjustments.proposals(
        session, page, state=state, institution_id=institution_id
    )
    return Page(items=[_out(one) for one in found], next_cursor=next_cursor, total=total)


@router.get("/{adjustment_id}", response_model=AdjustmentDetailOut, summary="조정 조회")
async def get_adjustment(adjustment_id: AdjustmentId, _operator: Operator, session: Session) -> Any:
    """An adjustment, and what it would leave."""
    proposal = await adjustments.find(session, adjustment_id)
    now = await service.account(session, proposal.adjustment.institution_id)
    after = now.balance + proposal.adjustment.amount
    return {
        **_out(proposal).model_dump(),
        "balance": now.balance,
        "available": now.available,
        "balance_after": after if proposal.decision is None else None,
    }


@router.post("/{adjustment_id}/approve", response_model=AdjustmentOut, summary="조정 승인")
async def approve_adjustment(
    adjustment_id: AdjustmentId, operator: Operator, once: Once, session: Session
) -> Response:
    """Post it. Not for whoever proposed it."""
    return await once.answer(
        200, _out(await adjustments.approve(session, operator, adjustment_id, now=utc_now()))
    )


@router.post("/{adjustment_id}/refuse", response_model=AdjustmentOut, summary="조정 반려")
async def refuse_adjustment(
    adjustment_id: AdjustmentId, body: RefusalIn, operator: Operator, once: Once, session: Session
) -> Response:
    refused = await adjustments.refuse(
        session, operator, adjustment_id, note=body.reason, now=utc_now()
    )
    return await once.answer(200, _out(refused))


def _out(proposal: Proposal) -> AdjustmentOut:
    one, decision = proposal.adjustment, proposal.decision
    return AdjustmentOut(
        id=one.id,
        state=proposal.state,
        institution_id=one.institution_id,
        amount=one.amount,
        field=one.field,
        reason=one.reason,
        proposed_by=one.proposed_by,
        proposed_at=one.proposed_at,
        decided_by=decision and decision.decided_by,
        decided_at=decision and decision.decided_at,
        note=decision and decision.note,
        transfer_id=decision and decision.transfer_id,
    )
