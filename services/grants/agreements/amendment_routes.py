"""Amendments of the plan over HTTP (G-033)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.grants.agreements import amendments
from services.grants.agreements.schemas import (
    AmendmentCheckOut,
    AmendmentDetail,
    AmendmentIn,
    AmendmentOut,
    AmendmentPreviewIn,
    ApprovalIn,
    ReasonIn,
)
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.preconditions import SeenVersion, tag
from shared.problems import NotFound
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/grants", tags=["협약변경"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Signer = Annotated[Claims, Depends(requires("grants:apply"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]
AGREEMENT = "/agreements/{agreement_id}"
AMENDMENT = "/amendments/{amendment_id}"


@router.post(
    f"{AGREEMENT}/amendments/preview",
    response_model=AmendmentCheckOut,
    summary="협약변경 미리 점검",
)
async def preview_amendment(
    agreement_id: UUID,
    body: AmendmentPreviewIn,
    signer: Signer,
    session: Session,
    request: Request,
) -> AmendmentCheckOut:
    """바뀐 계획을 한도와 변경 규정에 따라 점검하고, 현재 계획과 비교합니다. 저장하지 않습니다."""
    found = await amendments.preview(
        session, agreement_id, institution_of(signer), body.document, body.effective_on
    )
    return AmendmentCheckOut.of(found, language(request))


@router.post(
    f"{AGREEMENT}/amendments",
    status_code=201,
    response_model=AmendmentOut,
    summary="협약변경 작성 시작",
)
async def begin_amendment(
    agreement_id: UUID, body: AmendmentIn, signer: Signer, session: Session, response: Response
) -> object:
    """작성 중이거나 승인을 기다리는 변경 요청은 한 협약에 하나만 있습니다."""
    made = await amendments.begin(
        session, agreement_id, institution_of(signer), signer, body.model_dump()
    )
    tag(response, made.version)
    return made


@router.get(f"{AGREEMENT}/amendments", response_model=list[AmendmentOut], summary="협약변경 목록")
async def list_amendments(agreement_id: UUID, party: Party, session: Session) -> object:
    found = await amendments.amendments_of(session, agreement_id, party)
    return [AmendmentOut.of(seen) for seen in found]


@router.get(AMENDMENT, response_model=AmendmentDetail, summary="협약변경 상세")
async def read_amendment(
    amendment_id: UUID, party: Party, session: Session, request: Request, response: Response
) -> AmendmentDetail:
    """변경 내용과 점검 결과, 현재 계획(승인된 것은 직전 버전)과의 차이를 함께 보여 줍니다.
    전문기관에는 수행기관이 고치는 중인 내용이 아니라 마지막으로 요청받은 내용을 보여 줍니다."""
    seen, checked = await amendments.amendment_detail(session, amendment_id, party)
    tag(response, seen.amendment.version)
    return AmendmentDetail(
        amendment=AmendmentOut.of(seen),
        document=seen.text.document,
        check=AmendmentCheckOut.of(checked, language(request)),
    )


@router.put(AMENDMENT, response_model=AmendmentOut, summary="협약변경 저장")
async def edit_amendment(
    amendment_id: UUID,
    body: AmendmentIn,
    signer: Signer,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    amendment = await amendments.edit(
        session, amendment_id, institution_of(signer), seen, body.model_dump()
    )
    tag(response, amendment.version)
    return amendment


@router.post(f"{AMENDMENT}/files", response_model=AmendmentOut, summary="내부결재 서류 첨부")
async def attach_decision_paper(
    amendment_id: UUID,
    signer: Signer,
    session: Session,
    request: Request,
    file: Upload,
) -> object:
    """변경을 결정한 기관의 결재 서류입니다. 다시 올리면 바뀝니다."""
    return await amendments.attach_paper(
        session,
        request.app.state.files,
        amendment_id,
        institution_of(signer),
        signer,
        name=file.filename or "",
        chunks=chunks_of(file),
    )


@router.get(f"{AMENDMENT}/file", summary="내부결재 서류 내려받기", **download(ANY))
async def download_decision_paper(
    amendment_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    seen, _agreement = await amendments.readable_amendment(session, amendment_id, party)
    paper = seen.text
    if paper.file_key is None or paper.file_name is None or paper.media_type is None:
        raise NotFound
    return send(request.app.state.files.get(paper.file_key), paper.file_name, paper.media_type)


@router.post(f"{AMENDMENT}/request", response_model=AmendmentOut, summary="협약변경 승인 요청")
async def request_amendment(
    amendment_id: UUID, signer: Signer, once: Once, session: Session
) -> Response:
    made = await amendments.request(
        session, amendment_id, institution_of(signer), signer, utc_now()
    )
    return await once.answer(200, AmendmentOut.model_validate(made))


@router.post(f"{AMENDMENT}/withdraw", response_model=AmendmentOut, summary="협약변경 철회")
async def withdraw_amendment(amendment_id: UUID, signer: Signer, session: Session) -> object:
    return await amendments.withdraw(session, amendment_id, institution_of(signer), signer)


@router.post(f"{AMENDMENT}/approve", response_model=AmendmentOut, summary="협약변경 승인")
async def approve_amendment(
    amendment_id: UUID, body: ApprovalIn, officer: Officer, once: Once, session: Session
) -> Response:
    """승인하면 새 계획 버전이 됩니다. 이전 버전은 그대로 남습니다."""
    made = await amendments.approve(
        session,
        amendment_id,
        officer,
        reason=body.reason,
        effective_on=body.effective_on,
        now=utc_now(),
    )
    return await once.answer(200, AmendmentOut.model_validate(made))


@router.post(f"{AMENDMENT}/reject", response_model=AmendmentOut, summary="협약변경 불승인")
async def reject_amendment(
    amendment_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    return await amendments.decide(session, amendment_id, officer, "reject", body.reason, utc_now())


@router.post(f"{AMENDMENT}/return", response_model=AmendmentOut, summary="협약변경 보완요청")
async def return_amendment(
    amendment_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    return await amendments.decide(session, amendment_id, officer, "return", body.reason, utc_now())
