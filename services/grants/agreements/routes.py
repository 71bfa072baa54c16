"""Agreements over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field

from services.grants.agreements import conclusion, papers, service
from services.grants.agreements.schemas import (
    AgreeIn,
    AgreementOut,
    CancelIn,
    ChangeIn,
    ChangeOut,
    ConcludeIn,
    DifferenceOut,
    DocumentOut,
    DocumentSetOut,
    PlanVersionDetail,
    PlanVersionOut,
    ReasonIn,
)
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.schemas import MAX_INT
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/grants", tags=["협약"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]
Signer = Annotated[Claims, Depends(requires("grants:apply"))]
Number = Annotated[int, Field(ge=1, le=MAX_INT, description="계획 버전")]
AGREEMENT = "/agreements/{agreement_id}"
DOCUMENT = "/agreement-documents/{document_id}"
Changer = Annotated[Claims, Depends(requires("grants:apply", "grants:manage"))]


@router.post(
    "/received/{proposal_id}/agree",
    status_code=201,
    response_model=AgreementOut,
    summary="협약 준비",
)
async def agree_proposal(
    proposal_id: UUID, body: AgreeIn, officer: Officer, once: Once, session: Session
) -> Response:
    """지정된 사업계획서로 협약을 준비합니다. 협약 서류가 갖추어지면 체결합니다."""
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


@router.get(f"{AGREEMENT}/documents", response_model=DocumentSetOut, summary="협약 서류와 점검표")
async def list_agreement_documents(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> DocumentSetOut:
    found = await papers.document_set(session, agreement_id, party)
    return DocumentSetOut.of(found, language(request))


@router.post(
    f"{AGREEMENT}/documents", status_code=201, response_model=DocumentOut, summary="협약 서류 제출"
)
async def hand_in_agreement_document(
    agreement_id: UUID,
    signer: Signer,
    session: Session,
    request: Request,
    file: Upload,
    code: Annotated[str, Form(max_length=40, description="사업 규정의 협약 서류 코드")],
) -> object:
    return await papers.hand_in(
        session,
        request.app.state.files,
        agreement_id,
        institution_of(signer),
        signer,
        code=code,
        name=file.filename or "",
        chunks=chunks_of(file),
    )


@router.get(f"{DOCUMENT}/file", summary="협약 서류 내려받기", **download(ANY))
async def download_agreement_document(
    document_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    paper = await papers.readable_paper(session, document_id, party)
    content = request.app.state.files.get(paper.file_key)
    return send(content, paper.file_name, paper.media_type)


@router.delete(DOCUMENT, status_code=204, summary="협약 서류 회수")
async def take_back_agreement_document(document_id: UUID, signer: Signer, session: Session) -> None:
    """전문기관이 아직 확인하지 않은 서류만 회수할 수 있습니다."""
    await papers.take_back(session, document_id, institution_of(signer), signer)


@router.post(f"{DOCUMENT}/accept", response_model=DocumentOut, summary="협약 서류 확인")
async def accept_agreement_document(
    document_id: UUID, officer: Officer, session: Session
) -> object:
    return await papers.decide_paper(session, document_id, officer, "accepted", None, utc_now())


@router.post(f"{DOCUMENT}/return", response_model=DocumentOut, summary="협약 서류 보완요청")
async def return_agreement_document(
    document_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    return await papers.decide_paper(
        session, document_id, officer, "returned", body.reason, utc_now()
    )


@router.post(f"{AGREEMENT}/conclude", response_model=AgreementOut, summary="협약 체결")
async def conclude_agreement(
    agreement_id: UUID, body: ConcludeIn, officer: Officer, once: Once, session: Session
) -> Response:
    """필수 서류가 모두 확인되어야 체결할 수 있습니다. 부족한 서류는 하나하나 알려 줍니다."""
    agreement = await conclusion.conclude(
        session, agreement_id, officer, agreed_on=body.agreed_on, now=utc_now()
    )
    return await once.answer(200, AgreementOut.model_validate(agreement))


@router.post(f"{AGREEMENT}/cancel", response_model=AgreementOut, summary="협약 준비 취소")
async def cancel_agreement(
    agreement_id: UUID, body: CancelIn, officer: Officer, once: Once, session: Session
) -> Response:
    """체결하기 전의 협약만 취소합니다. 지정을 유지하면 다시 준비할 수 있고, 지정도 취소하면
    신청기관에 결과를 통보하며 예비 기관을 선정할 수 있습니다."""
    agreement = await conclusion.cancel(
        session, agreement_id, officer, **body.model_dump(), now=utc_now()
    )
    return await once.answer(200, AgreementOut.model_validate(agreement))


@router.get(f"{AGREEMENT}/versions", response_model=list[PlanVersionOut], summary="계획 버전 목록")
async def list_plan_versions(agreement_id: UUID, party: Party, session: Session) -> object:
    agreement = await service.readable_agreement(session, agreement_id, party)
    return await service.plan_versions(session, agreement)


@router.get(
    f"{AGREEMENT}/versions/{{version}}", response_model=PlanVersionDetail, summary="계획 버전"
)
async def read_plan_version(
    agreement_id: UUID, version: Number, party: Party, session: Session
) -> object:
    agreement = await service.readable_agreement(session, agreement_id, party)
    return await service.plan_version(session, agreement, version)


@router.get(f"{AGREEMENT}/differences", response_model=DifferenceOut, summary="계획 버전 비교")
async def compare_plan_versions(
    agreement_id: UUID,
    before: Number,
    after: Number,
    party: Party,
    session: Session,
    request: Request,
) -> DifferenceOut:
    """두 버전의 비목별·줄별 금액, 참여인력, 그 밖의 항목이 어떻게 다른지 보여 줍니다."""
    agreement = await service.readable_agreement(session, agreement_id, party)
    found = await service.differences(session, agreement, before, after)
    return DifferenceOut.of(found, language(request))


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
