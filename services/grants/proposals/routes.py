"""Proposals over HTTP: the applicant's own, and what the agency received."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from services.grants.callers import Registered
from services.grants.proposals import service
from services.grants.proposals.schemas import (
    CheckOut,
    DocumentIn,
    EventOut,
    ProposalDetail,
    ProposalIn,
    ProposalOut,
    ReceiptOut,
    SubmittedOut,
)
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["사업계획서"])

Applicant = Annotated[Claims, Depends(requires("grants:apply"))]
Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Reader = Annotated[Claims, Depends(requires("grants:read"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage"))]


@router.post(
    "/programmes/{programme_id}/proposals",
    status_code=201,
    response_model=ProposalDetail,
    summary="사업계획서 작성 시작",
)
async def create_proposal(
    programme_id: UUID,
    body: ProposalIn,
    applicant: Applicant,
    institution: Registered,
    session: Session,
    response: Response,
) -> object:
    proposal = await service.create_proposal(
        session,
        programme_id,
        title=body.title,
        institution_id=institution.id,
        institution_name=institution.name,
        caller=applicant,
    )
    tag(response, proposal.version)
    return proposal


@router.post(
    "/programmes/{programme_id}/check", response_model=CheckOut, summary="사업계획서 미리 점검"
)
async def check_document(
    programme_id: UUID,
    _reader: Reader,
    session: Session,
    request: Request,
    document: Annotated[dict[str, Any], Body()],
) -> CheckOut:
    checked = await service.check_document(session, programme_id, document)
    return CheckOut.of(checked, language(request))


@router.get("/proposals", summary="우리 기관의 사업계획서")
async def list_proposals(applicant: Applicant, session: Session, page: Paging) -> Page[ProposalOut]:
    items, next_cursor, total = await service.list_own_proposals(
        session, institution_of(applicant), page
    )
    return _page(items, next_cursor, total)


@router.get("/proposals/{proposal_id}", response_model=ProposalDetail, summary="사업계획서")
async def read_proposal(
    proposal_id: UUID, applicant: Applicant, session: Session, response: Response
) -> object:
    proposal = await service.own_proposal(session, proposal_id, institution_of(applicant))
    tag(response, proposal.version)
    return proposal


@router.put("/proposals/{proposal_id}", response_model=ProposalOut, summary="사업계획서 저장")
async def save_proposal(
    proposal_id: UUID,
    body: DocumentIn,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    proposal = await service.save_document(
        session,
        proposal_id,
        institution_of(applicant),
        seen_version=seen,
        title=body.title,
        document=body.document,
    )
    tag(response, proposal.version)
    return proposal


@router.get("/proposals/{proposal_id}/check", response_model=CheckOut, summary="사업계획서 점검")
async def check_proposal(
    proposal_id: UUID, applicant: Applicant, session: Session, request: Request
) -> CheckOut:
    checked = await service.check_proposal(session, proposal_id, institution_of(applicant))
    return CheckOut.of(checked, language(request))


@router.post(
    "/proposals/{proposal_id}/submit", response_model=SubmittedOut, summary="사업계획서 제출"
)
async def submit_proposal(
    proposal_id: UUID, applicant: Applicant, once: Once, session: Session
) -> Response:
    proposal, receipt = await service.submit_proposal(
        session, proposal_id, institution_of(applicant), applicant, arrived_at=utc_now()
    )
    return await once.answer(200, SubmittedOut.of(proposal, receipt))


@router.post(
    "/proposals/{proposal_id}/withdraw", response_model=ProposalOut, summary="사업계획서 철회"
)
async def withdraw_proposal(proposal_id: UUID, applicant: Applicant, session: Session) -> object:
    return await service.withdraw_proposal(
        session, proposal_id, institution_of(applicant), applicant
    )


@router.get("/proposals/{proposal_id}/receipts", response_model=list[ReceiptOut], summary="접수증")
async def list_receipts(proposal_id: UUID, applicant: Applicant, session: Session) -> object:
    return await service.receipts(session, proposal_id, institution_of(applicant))


@router.get("/programmes/{programme_id}/received", summary="접수된 사업계획서")
async def list_received(
    programme_id: UUID,
    officer: Officer,
    session: Session,
    page: Paging,
    state: Annotated[str | None, Query(max_length=20)] = None,
) -> Page[ProposalOut]:
    items, next_cursor, total = await service.list_received(
        session,
        programme_id,
        institution_of(officer),
        page,
        state,
    )
    return _page(items, next_cursor, total)


@router.get(
    "/received/{proposal_id}", response_model=ProposalDetail, summary="접수된 사업계획서 상세"
)
async def read_received(proposal_id: UUID, officer: Officer, session: Session) -> ProposalDetail:
    proposal, submission = await service.received_version(
        session, proposal_id, institution_of(officer)
    )
    return ProposalDetail(
        **ProposalOut.model_validate(proposal).model_dump(), document=submission.document
    )


@router.get("/proposals/{proposal_id}/history", response_model=list[EventOut], summary="처리 이력")
async def read_history(proposal_id: UUID, party: Party, session: Session) -> object:
    return await service.history(session, proposal_id, party)


def _page(items: object, next_cursor: str | None, total: int) -> Page[ProposalOut]:
    return Page[ProposalOut].model_validate(
        {"items": items, "next_cursor": next_cursor, "total": total}, from_attributes=True
    )
