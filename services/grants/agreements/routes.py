"""Agreements over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.grants.agreements import service
from services.grants.agreements.schemas import AgreeIn, AgreementOut, ChangeIn, ChangeOut
from shared.caller import institution_of, requires
from shared.db import Session
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["협약"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]
Changer = Annotated[Claims, Depends(requires("grants:apply", "grants:manage"))]


@router.post(
    "/received/{proposal_id}/agree",
    status_code=201,
    response_model=AgreementOut,
    summary="협약 체결",
)
async def agree_proposal(
    proposal_id: UUID, body: AgreeIn, officer: Officer, once: Once, session: Session
) -> Response:
    agreement = await service.agree(
        session, proposal_id, institution_of(officer), officer, body.agreed_on
    )
    return await once.answer(201, AgreementOut.model_validate(agreement))


@router.get("/agreements", summary="협약 목록")
async def list_agreements(party: Party, session: Session, page: Paging) -> Page[AgreementOut]:
    items, next_cursor, total = await service.list_agreements(session, institution_of(party), page)
    return Page[AgreementOut].model_validate(
        {"items": items, "next_cursor": next_cursor, "total": total}, from_attributes=True
    )


@router.get("/agreements/{agreement_id}", response_model=AgreementOut, summary="협약 상세")
async def read_agreement(agreement_id: UUID, party: Party, session: Session) -> object:
    return await service.readable_agreement(session, agreement_id, party)


@router.post(
    "/agreements/{agreement_id}/changes",
    status_code=201,
    response_model=ChangeOut,
    summary="계획 변경 기록",
)
async def record_change(
    agreement_id: UUID, body: ChangeIn, changer: Changer, once: Once, session: Session
) -> Response:
    """수행기관은 내부결재로 할 수 있는 변경을, 전문기관은 승인한 변경을 기록합니다(G-033)."""
    change = await service.record_change(session, agreement_id, changer, **body.model_dump())
    return await once.answer(201, ChangeOut.model_validate(change))


@router.get(
    "/agreements/{agreement_id}/changes", response_model=list[ChangeOut], summary="계획 변경 이력"
)
async def list_changes(agreement_id: UUID, party: Party, session: Session) -> object:
    agreement = await service.readable_agreement(session, agreement_id, party)
    return await service.changes_of(session, agreement)
