"""Certificates over HTTP: for institutions, for the operator, and for anyone who holds one."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, Response, UploadFile

from services.accrual.certificates import rules, service
from services.accrual.certificates.schemas import (
    CertificateOut,
    EventOut,
    IssueIn,
    RevokeIn,
    VerificationOut,
)
from services.accrual.certificates.service import Issued, Press, Wanted
from services.accrual.clients import Registry
from shared.caller import requires
from shared.clock import seoul_day, utc_now
from shared.db import Session
from shared.downloads import PDF, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/accrual/certificates", tags=["확인서"])

Reader = Annotated[Claims, Depends(requires("ledger:read"))]
Operator = Annotated[Claims, Depends(requires("ledger:adjust"))]
CertificateId = Annotated[UUID, Path(description="확인서 id")]
Number = Annotated[str, Path(max_length=40, description="문서확인번호. 하이픈과 대소문자는 무관")]
KEY = "사업자등록번호. 없는 기관은 확인서에 적힌 확인코드"


async def _press(request: Request) -> Press:
    runtime = request.app.state.runtime
    registry = Registry(runtime.identity, runtime.settings.auth_url)
    return Press(registry, runtime.files, runtime.settings)


Pressed = Annotated[Press, Depends(_press)]


@router.get("/verify/{number}", response_model=VerificationOut, summary="확인서 진위확인")
async def verify_certificate(
    number: Number,
    key: Annotated[str, Query(min_length=1, max_length=40, description=KEY)],
    session: Session,
) -> Any:
    """Whether a certificate is genuine, expired or revoked. Needs no login."""
    now = utc_now()
    found = await service.verify(session, number=number, key=key, now=now)
    return _verification(found, found.result(now))


@router.post("/verify", response_model=VerificationOut, summary="확인서 파일 대조")
async def verify_file(
    number: Annotated[str, Form(max_length=40, description="문서확인번호")],
    key: Annotated[str, Form(min_length=1, max_length=40, description=KEY)],
    file: Annotated[UploadFile, File(description="확인서 PDF 파일")],
    session: Session,
) -> Any:
    """Whether a file is the certificate as issued, byte for byte. Needs no login."""
    now = utc_now()
    found = await service.verify(session, number=number, key=key, now=now)
    same = await service.is_the_issued_file(found.certificate, chunks_of(file))
    return _verification(found, found.result(now) if same else rules.Result.ALTERED)


@router.post("", status_code=201, response_model=CertificateOut, summary="확인서 발급")
async def issue_certificate(
    body: IssueIn, reader: Reader, press: Pressed, once: Once, session: Session
) -> Response:
    """Certify the mileage of the caller's own institution at the end of a day."""
    wanted = Wanted(body.as_of, body.purpose, body.recipient)
    now = utc_now()
    issued = await service.issue(session, press, reader, wanted, now=now)
    return await once.answer(201, _out(issued, now))


@router.get("", response_model=Page[CertificateOut], summary="확인서 목록")
async def list_certificates(
    reader: Reader,
    session: Session,
    page: Paging,
    institution_id: Annotated[UUID | None, Query(description="기관")] = None,
) -> Any:
    found, next_cursor, total = await service.certificates(
        session, reader, page, institution_id=institution_id
    )
    now = utc_now()
    return Page(items=[_out(one, now) for one in found], next_cursor=next_cursor, total=total)


@router.get("/{certificate_id}", response_model=CertificateOut, summary="확인서 조회")
async def get_certificate(certificate_id: CertificateId, reader: Reader, session: Session) -> Any:
    return _out(await service.find(session, reader, certificate_id), utc_now())


@router.get("/{certificate_id}/file", summary="확인서 내려받기", **download(PDF))
async def download_certificate(
    certificate_id: CertificateId, reader: Reader, press: Pressed, session: Session
) -> Response:
    certificate = await service.take(session, reader, certificate_id)
    content = press.files.get(certificate.file_key)
    name = f"산학협력마일리지확인서_{certificate.number}.pdf"
    return send(content, name, PDF, size=certificate.file_size)


@router.get("/{certificate_id}/events", response_model=Page[EventOut], summary="확인서 이력")
async def list_certificate_events(
    certificate_id: CertificateId, reader: Reader, session: Session, page: Paging
) -> Any:
    items, next_cursor, total = await service.history(session, reader, certificate_id, page)
    return {"items": items, "next_cursor": next_cursor, "total": total}


@router.post(
    "/{certificate_id}/reissue",
    status_code=201,
    response_model=CertificateOut,
    summary="확인서 재발급",
)
async def reissue_certificate(
    certificate_id: CertificateId, reader: Reader, press: Pressed, once: Once, session: Session
) -> Response:
    now = utc_now()
    issued = await service.reissue(session, press, reader, certificate_id, now=now)
    return await once.answer(201, _out(issued, now))


@router.post("/{certificate_id}/revoke", response_model=CertificateOut, summary="확인서 폐기")
async def revoke_certificate(
    certificate_id: CertificateId, body: RevokeIn, operator: Operator, session: Session
) -> Any:
    now = utc_now()
    revoked = await service.revoke(session, operator, certificate_id, reason=body.reason, now=now)
    return _out(revoked, now)


def _out(issued: Issued, now: datetime) -> CertificateOut:
    one, revocation = issued.certificate, issued.revocation
    return CertificateOut.model_validate(
        {
            "id": one.id,
            "number": one.number,
            "verification_number": rules.show_number(one.verification_number),
            "second_key": one.key,
            "state": issued.result(now),
            "institution_id": one.institution_id,
            "institution_name": one.institution_name,
            "brn": one.brn,
            "purpose": one.document["purpose"],
            "recipient": one.document["recipient"],
            "as_of": one.as_of,
            "by_field": one.document["by_field"],
            "balance": one.balance,
            "ledger": one.document["ledger"],
            "issued_at": one.issued_at,
            "valid_until": one.valid_until,
            "reissue_of": one.reissue_of,
            "revoked_at": None if revocation is None else revocation.at,
            "revoke_reason": None if revocation is None else revocation.reason,
            "file_sha256": one.file_sha256,
            "file_size": one.file_size,
        }
    )


def _verification(found: Issued, result: rules.Result) -> dict[str, Any]:
    one, revocation = found.certificate, found.revocation
    return {
        "result": result,
        "number": one.number,
        "institution_name": rules.masked_name(one.institution_name),
        "brn": None if one.brn is None else rules.masked_brn(one.brn),
        "as_of": one.as_of,
        "issued_on": seoul_day(one.issued_at),
        "valid_until": one.valid_until,
        "revoked_on": None if revocation is None else seoul_day(revocation.at),
        "by_field": one.document["by_field"] if revocation is None else None,
        "balance": one.balance if revocation is None else None,
        "file_sha256": one.file_sha256,
    }
