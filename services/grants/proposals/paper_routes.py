"""A proposal's papers over HTTP: the form's schema, its people's months, the files with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.grants.programmes.service import rule_set
from services.grants.proposals import attachments, elsewhere, service, workbook
from services.grants.proposals.printing import pdf
from services.grants.proposals.schema import MEDIA_TYPE, document_schema
from services.grants.proposals.schemas import AttachmentOut, ParticipantOut, WorkbookOut
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, PDF, XLSX, download, send
from shared.files import chunks_of
from shared.preconditions import SeenVersion, tag
from shared.schemas import Version
from shared.sheets.workbooks import MAX_BYTES
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/grants", tags=["사업계획서"])

Applicant = Annotated[Claims, Depends(requires("grants:apply"))]
Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage"))]
SheetFile = Annotated[UploadFile, File(description="엑셀(.xlsx), 10MB 이하")]
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


@router.get("/proposals/{proposal_id}/document.pdf", summary="초안 인쇄", **download(PDF))
async def print_draft(proposal_id: UUID, applicant: Applicant, session: Session) -> Response:
    """서식의 순서대로 인쇄한 사업계획서입니다. '초안'이라고 표시합니다."""
    content = await pdf.draft_pdf(session, proposal_id, institution_of(applicant))
    return send(content, "사업계획서(초안).pdf", PDF)


@router.get(
    "/proposals/{proposal_id}/submissions/{seq}/document.pdf",
    summary="제출본 인쇄",
    **download(PDF),
)
async def print_submission(
    proposal_id: UUID, seq: Version, applicant: Applicant, session: Session
) -> Response:
    content = await pdf.submitted_pdf(session, proposal_id, institution_of(applicant), seq)
    return send(content, f"사업계획서({seq}차 제출).pdf", PDF)


@router.get(
    "/received/{proposal_id}/document.pdf", summary="접수된 사업계획서 인쇄", **download(PDF)
)
async def print_received(proposal_id: UUID, officer: Officer, session: Session) -> Response:
    content = await pdf.received_pdf(session, proposal_id, institution_of(officer))
    return send(content, "사업계획서.pdf", PDF)


@router.get("/proposals/{proposal_id}/workbook", summary="표 내려받기(엑셀)", **download(XLSX))
async def export_workbook(proposal_id: UUID, applicant: Applicant, session: Session) -> Response:
    """사업비, 참여인력, 컨소시엄과 서식의 모든 표입니다. 고쳐서 그대로 다시 올릴 수 있습니다."""
    proposal, book = await workbook.exported(session, proposal_id, institution_of(applicant))
    return send(book, f"{proposal.title}.xlsx", XLSX)


@router.post(
    "/proposals/{proposal_id}/import/preview",
    response_model=WorkbookOut,
    summary="표 올리기 미리보기(엑셀)",
)
async def preview_workbook(
    proposal_id: UUID, applicant: Applicant, session: Session, request: Request, file: SheetFile
) -> WorkbookOut:
    """저장하지 않고 점검합니다. 오류는 시트와 칸마다 한꺼번에 알려 줍니다."""
    data = await file.read(MAX_BYTES + 1)
    made = await workbook.previewed(session, proposal_id, institution_of(applicant), data)
    return WorkbookOut.of(made, language(request))


@router.post(
    "/proposals/{proposal_id}/import", response_model=WorkbookOut, summary="표 올리기(엑셀)"
)
async def import_workbook(
    proposal_id: UUID,
    applicant: Applicant,
    session: Session,
    request: Request,
    response: Response,
    seen: SeenVersion,
    file: SheetFile,
) -> WorkbookOut:
    """파일에 있는 시트의 표를 모두 바꾸거나, 오류가 있으면 아무것도 바꾸지 않습니다."""
    data = await file.read(MAX_BYTES + 1)
    proposal, made = await workbook.imported(
        session, proposal_id, institution_of(applicant), data, seen
    )
    tag(response, proposal.version)
    return WorkbookOut.of(made, language(request), proposal.version)


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
    file: Upload,
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
async def take_file_back(attachment_id: UUID, applicant: Applicant, session: Session) -> None:
    await attachments.take_back(
        session, attachment_id, institution_of(applicant), applicant, utc_now()
    )
