"""A proposal's papers over HTTP: the form's schema, its people's months, the files with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.grants.programmes.service import rule_set
from services.grants.proposals import attachments, elsewhere, service
from services.grants.proposals.schema import MEDIA_TYPE, document_schema
from services.grants.proposals.schemas import AttachmentOut, ParticipantOut
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, download, send
from shared.files import chunks_of
from shared.schemas import Version
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["사업계획서"])

Applicant = Annotated[Claims, Depends(requires("grants:apply"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage"))]
Code = Annotated[str, Path(max_length=60)]


@router.get("/forms/{code}/{version}", response_class=JSONResponse, summary="사업계획서 서식")
async def read_form(code: Code, version: Version, session: Session) -> JSONResponse:
    """사업계획서의 JSON Schema(2020-12)입니다. 한 번 공고된 서식은 바뀌지 않습니다."""
    schema = document_schema(await rule_set(session, code, version))
    headers = {"Cache-Control": "public, max-age=86400"}
    return JSONResponse(schema, media_type=MEDIA_TYPE, headers=headers)


@router.get(
    "/proposals/{proposal_id}/participation",
    response_model=list[ParticipantOut],
    summary="참여인력의 월별 참여율",
)
async def read_participation(
    proposal_id: UUID, applicant: Applicant, session: Session
) -> list[ParticipantOut]:
    """다른 과제까지 더한 참여율입니다. 과학기술인번호로 찾습니다."""
    proposal = await service.own_proposal(session, proposal_id, institution_of(applicant))
    rule, people = await elsewhere.months(session, proposal)
    return [ParticipantOut.of(person, months, rule.at_most) for person, months in people]


@router.post(
    "/proposals/{proposal_id}/files",
    status_code=201,
    response_model=AttachmentOut,
    summary="첨부서류 올리기",
)
async def attach_file(
    proposal_id: UUID,
    applicant: Applicant,
    session: Session,
    request: Request,
    file: Annotated[UploadFile, File(description="10MB 이하")],
    document: Annotated[str, Form(max_length=60, description="공고의 제출 서류 코드")],
) -> object:
    return await attachments.attach(
        session,
        request.app.state.files,
        proposal_id,
        institution_of(applicant),
        applicant,
        document=document,
        name=file.filename or "",
        chunks=chunks_of(file),
    )


@router.get(
    "/proposals/{proposal_id}/files", response_model=list[AttachmentOut], summary="첨부서류 목록"
)
async def list_files(proposal_id: UUID, applicant: Applicant, session: Session) -> object:
    proposal = await service.own_proposal(session, proposal_id, institution_of(applicant))
    return await attachments.attached(session, proposal)


@router.get("/proposal-files/{attachment_id}", summary="첨부서류 내려받기", **download(ANY))
async def download_file(
    attachment_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    row = await attachments.readable_attachment(session, attachment_id, party)
    content = request.app.state.files.get(row.file_key)
    return send(content, row.file_name, row.media_type, size=row.size)


@router.delete("/proposal-files/{attachment_id}", status_code=204, summary="첨부서류 삭제")
async def take_file_back(
    attachment_id: UUID, applicant: Applicant, session: Session, request: Request
) -> None:
    await attachments.take_back(
        session,
        request.app.state.files,
        attachment_id,
        institution_of(applicant),
        applicant,
        utc_now(),
    )
