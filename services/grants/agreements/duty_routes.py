"""Duties of a year and certificates over HTTP (G-006 … G-008)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.grants.agreements import certificates, duties
from services.grants.agreements.duty_schemas import (
    CertificateIn,
    CertificateOut,
    DutiesOut,
    EvidenceFileOut,
    RecordBodyIn,
    RecordDetail,
    RecordIn,
    RecordOut,
    StandingOut,
)
from services.grants.agreements.schemas import ReasonIn
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, PDF, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/grants", tags=["의무 이행·수료"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Signer = Annotated[Claims, Depends(requires("grants:apply"))]
Side = Annotated[Claims, Depends(requires("grants:apply", "grants:manage"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]
AGREEMENT = "/agreements/{agreement_id}"
RECORD = "/duty-records/{record_id}"
CERTIFICATE = "/completion-certificates/{certificate_id}"


@router.get(f"{AGREEMENT}/duties", response_model=DutiesOut, summary="의무 이행 현황")
async def read_duties(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> DutiesOut:
    """실적을 사업 규정의 기준, 계획의 목표와 견주고, 부족한 것과 제외된 실적을 알려 줍니다."""
    found = await duties.year_duties(session, agreement_id, party)
    return DutiesOut.of(found, language(request))


@router.get(f"{AGREEMENT}/duty-records", summary="실적 목록")
async def list_duty_records(
    agreement_id: UUID,
    party: Party,
    session: Session,
    page: Paging,
    kind: Annotated[str | None, Query(max_length=40)] = None,
) -> Page[RecordDetail]:
    items, next_cursor, total = await duties.list_records(session, agreement_id, party, page, kind)
    return Page[RecordDetail](
        items=[RecordDetail.of(row, files, full=False) for row, files in items],
        next_cursor=next_cursor,
        total=total,
    )


@router.post(
    f"{AGREEMENT}/duty-records", status_code=201, response_model=RecordOut, summary="실적 등록"
)
async def add_duty_record(
    agreement_id: UUID, body: RecordIn, signer: Signer, once: Once, session: Session
) -> Response:
    record = await duties.add_record(
        session, agreement_id, institution_of(signer), signer, kind=body.kind, body=body.body
    )
    return await once.answer(201, RecordOut.model_validate(record))


@router.get(RECORD, response_model=RecordDetail, summary="실적 상세")
async def read_duty_record(
    record_id: UUID, side: Side, session: Session, response: Response
) -> RecordDetail:
    """교육생의 성명은 여기에서만 모두 보이며, 본 사람을 기록합니다."""
    record, files = await duties.read_record(session, record_id, side)
    tag(response, record.version)
    return RecordDetail.of(record, files, full=True)


@router.put(RECORD, response_model=RecordOut, summary="실적 수정")
async def edit_duty_record(
    record_id: UUID,
    body: RecordBodyIn,
    signer: Signer,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    record = await duties.edit_record(
        session, record_id, institution_of(signer), signer, seen, body.body
    )
    tag(response, record.version)
    return record


@router.delete(RECORD, status_code=204, summary="실적 삭제")
async def remove_duty_record(record_id: UUID, signer: Signer, session: Session) -> None:
    await duties.remove_record(session, record_id, institution_of(signer), signer, utc_now())


@router.post(f"{RECORD}/confirm", response_model=RecordOut, summary="실적 확인")
async def confirm_duty_record(record_id: UUID, officer: Officer, session: Session) -> object:
    """증빙이 있는 실적을 확인합니다. 확인한 실적은 수행기관이 고칠 수 없습니다."""
    return await duties.decide(session, record_id, officer, "confirm", None, utc_now())


@router.post(f"{RECORD}/return", response_model=RecordOut, summary="실적 보완요청")
async def return_duty_record(
    record_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    """보완을 요청한 실적은 수행기관이 고칠 때까지 의무 이행과 수료 요건에 들어가지 않습니다."""
    return await duties.decide(session, record_id, officer, "return", body.reason, utc_now())


@router.post(
    f"{RECORD}/evidence", status_code=201, response_model=EvidenceFileOut, summary="실적 증빙 첨부"
)
async def prove_duty_record(
    record_id: UUID,
    signer: Signer,
    session: Session,
    request: Request,
    file: Upload,
) -> object:
    return await duties.prove(
        session,
        request.app.state.files,
        record_id,
        institution_of(signer),
        signer,
        name=file.filename or "",
        chunks=chunks_of(file),
    )


@router.get("/duty-evidence/{evidence_id}/file", summary="실적 증빙 내려받기", **download(ANY))
async def download_duty_evidence(
    evidence_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    evidence = await duties.readable_evidence(session, evidence_id, party)
    content = request.app.state.files.get(evidence.file_key)
    return send(content, evidence.file_name, evidence.media_type)


@router.get(f"{AGREEMENT}/standings", response_model=list[StandingOut], summary="수료 요건 현황")
async def list_standings(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> list[StandingOut]:
    """교육생마다 과제의 모든 연차 실적으로 수료 요건을 확인합니다."""
    lang = language(request)
    found = await certificates.standings(session, agreement_id, party)
    return [StandingOut.of(one, lang) for one in found]


@router.post(
    f"{AGREEMENT}/completion-certificates",
    status_code=201,
    response_model=CertificateOut,
    summary="수료증 발급",
)
async def issue_certificate(
    agreement_id: UUID, body: CertificateIn, signer: Signer, once: Once, session: Session
) -> Response:
    certificate = await certificates.issue(
        session,
        agreement_id,
        institution_of(signer),
        signer,
        student=body.student,
        now=utc_now(),
    )
    return await once.answer(201, CertificateOut.of(certificate))


@router.get(
    f"{AGREEMENT}/completion-certificates",
    response_model=list[CertificateOut],
    summary="수료증 목록",
)
async def list_certificates(
    agreement_id: UUID, party: Party, session: Session
) -> list[CertificateOut]:
    found = await certificates.certificates_of(session, agreement_id, party)
    return [CertificateOut.of(one) for one in found]


@router.get(f"{CERTIFICATE}/certificate.pdf", summary="수료증(PDF)", **download(PDF))
async def print_certificate(certificate_id: UUID, side: Side, session: Session) -> Response:
    content, number = await certificates.certificate_pdf(session, certificate_id, side)
    return send(content, f"수료증 {number}.pdf", PDF)


@router.post(f"{CERTIFICATE}/revoke", response_model=CertificateOut, summary="수료증 취소")
async def revoke_certificate(
    certificate_id: UUID, body: ReasonIn, side: Side, session: Session
) -> CertificateOut:
    found = await certificates.revoke(session, certificate_id, side, body.reason, utc_now())
    return CertificateOut.of(found)
