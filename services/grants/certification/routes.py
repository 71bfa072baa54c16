"""The certification over HTTP: applicants, the agency, the public, and the accrual service."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from services.grants.callers import Registered
from services.grants.certification import certificates, printing, service
from services.grants.certification.schemas import (
    ApplicationIn,
    ApplicationOut,
    ApprovalIn,
    CertificationOut,
    CertificationsOut,
    CertifiedOut,
    CouncilIn,
    CouncilOut,
    MileageOut,
    PublicCertificateOut,
    RevokeIn,
)
from services.grants.clients import Directory, InstitutionRecord, Mileage
from services.grants.evaluation import completions, files
from services.grants.evaluation.schemas import AnswerIn, CompletionOut, FileOut
from services.grants.programmes.models import Programme
from services.grants.proposals.schemas import ProposalOut, SubmittedOut
from services.grants.proposals.service import save_document, withdraw_proposal
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import seoul_day, utc_now
from shared.db import Session, SessionMaker
from shared.downloads import PDF, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.problems import Finding
from shared.schemas import FindingOut
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/grants/certification", tags=["우수기관 인증"])
internal = APIRouter(prefix="/internal/institutions", include_in_schema=False)

# A company applies with the permission it books with; a university that tries is told why not.
Applicant = Annotated[Claims, Depends(requires("grants:apply", "exchange:buy"))]
Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "exchange:buy", "grants:manage"))]
Service = Annotated[Claims, Depends(requires("grants:read"))]
On = Annotated[date | None, Query(description="기준일(비우면 오늘)")]


async def _holders(
    programme_id: UUID,
    body: ApprovalIn,
    officer: Officer,
    request: Request,
    sessions: SessionMaker,
) -> Mapping[UUID, InstitutionRecord]:
    """Whose applications are approved, as the registry knows them: asked for at once, and before
    the transaction of the request begins."""
    directory: Directory = request.app.state.directory
    async with sessions() as session:
        ids = await certificates.holders(
            session, programme_id, institution_of(officer), body.application_ids
        )
    return await directory.institutions(ids)


# Stands before `once` in a signature: what a route asks for comes in this order.
Holders = Annotated[Mapping[UUID, InstitutionRecord], Depends(_holders)]


# Applying ---------------------------------------------------------------------------------------


@router.post(
    "/calls/{programme_id}/applications",
    status_code=201,
    response_model=ProposalOut,
    summary="인증 신청서 작성 시작",
)
async def begin_application(
    programme_id: UUID,
    applicant: Applicant,
    institution: Registered,
    session: Session,
    response: Response,
) -> object:
    made = await service.begin(session, programme_id, institution, applicant)
    tag(response, made.version)
    return made


@router.get("/applications", summary="우리 기관의 인증 신청")
async def list_applications(
    applicant: Applicant, session: Session, page: Paging
) -> Page[ProposalOut]:
    items, next_cursor, total = await service.applications(session, institution_of(applicant), page)
    return Page[ProposalOut].model_validate(
        {"items": items, "next_cursor": next_cursor, "total": total}, from_attributes=True
    )


@router.get("/applications/{application_id}", response_model=ApplicationOut, summary="인증 신청서")
async def read_application(
    application_id: UUID,
    applicant: Applicant,
    session: Session,
    request: Request,
    response: Response,
) -> ApplicationOut:
    proposal, _programme, rules = await service.own_application(
        session, application_id, institution_of(applicant)
    )
    found = await service.findings_of(session, rules, proposal, proposal.document)
    papers = await files.files_of(session, proposal.id, applicant=True)
    tag(response, proposal.version)
    return ApplicationOut(
        **ProposalOut.model_validate(proposal).model_dump(),
        document=proposal.document,
        files=[FileOut.model_validate(paper) for paper in papers],
        findings=_said(found, request),
    )


@router.put(
    "/applications/{application_id}", response_model=ProposalOut, summary="인증 신청서 저장"
)
async def save_application(
    application_id: UUID,
    body: ApplicationIn,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    institution_id = institution_of(applicant)
    proposal, _programme, _rules = await service.own_application(
        session, application_id, institution_id
    )
    saved = await save_document(
        session,
        application_id,
        institution_id,
        seen_version=seen,
        title=proposal.title,
        document=body.model_dump(),
    )
    tag(response, saved.version)
    return saved


@router.post(
    "/applications/{application_id}/files",
    status_code=201,
    response_model=FileOut,
    summary="인증 신청 서류 첨부",
)
async def attach_application_file(
    application_id: UUID,
    applicant: Applicant,
    session: Session,
    request: Request,
    kind: Annotated[str, Form(min_length=1, max_length=40)],
    file: Upload,
) -> object:
    proposal = await service.attachable(session, application_id, institution_of(applicant), kind)
    return await files.attach(
        session,
        request.app.state.files,
        proposal.id,
        applicant,
        kind=kind,
        name=file.filename or "",
        chunks=chunks_of(file),
    )


@router.post(
    "/applications/{application_id}/submit", response_model=SubmittedOut, summary="인증 신청"
)
async def submit_application(
    application_id: UUID, applicant: Applicant, once: Once, session: Session
) -> Response:
    proposal, receipt = await service.submit(
        session, application_id, institution_of(applicant), applicant, arrived_at=utc_now()
    )
    return await once.answer(200, SubmittedOut.of(proposal, receipt))


@router.post(
    "/applications/{application_id}/withdraw", response_model=ProposalOut, summary="인증 신청 철회"
)
async def withdraw_application(
    application_id: UUID, applicant: Applicant, session: Session
) -> object:
    institution_id = institution_of(applicant)
    await service.own_application(session, application_id, institution_id)
    return await withdraw_proposal(session, application_id, institution_id, applicant)


@router.post(
    "/applications/{application_id}/completions/answer",
    response_model=CompletionOut,
    summary="인증 신청 보완 제출",
)
async def answer_application_completion(
    application_id: UUID, body: AnswerIn, applicant: Applicant, once: Once, session: Session
) -> Response:
    institution_id = institution_of(applicant)
    # Held from here on: what is checked is what is frozen.
    proposal, _programme, rules = await service.own_application(
        session, application_id, institution_id, lock=True
    )
    found = await service.findings_of(session, rules, proposal, proposal.document)

    def checked(_programme: Programme, _document: Mapping[str, Any]) -> Sequence[Finding]:
        return found

    answered = await completions.answer(
        session,
        application_id,
        institution_id,
        applicant,
        text=body.text,
        corrected=body.corrected,
        checker=checked,
        now=utc_now(),
    )
    return await once.answer(200, CompletionOut.model_validate(answered))


# The agency -------------------------------------------------------------------------------------


@router.post(
    "/applications/{application_id}/mileage", response_model=MileageOut, summary="신청 자격 확인"
)
async def test_mileage(
    application_id: UUID, officer: Officer, request: Request, sessions: SessionMaker
) -> MileageOut:
    """접수 마감일 기준 적립 마일리지를 적립 서비스에 묻고, 받은 그대로 남깁니다."""
    mileage: Mileage = request.app.state.mileage
    agency_id = institution_of(officer)
    async with sessions.begin() as session:
        institution_id, programme = await service.to_be_tested(
            session, application_id, agency_id, utc_now()
        )
        on = seoul_day(programme.closes_at)
    posted = await mileage.posted(institution_id, on)
    async with sessions.begin() as session:
        facts, found = await service.keep_mileage(
            session, application_id, agency_id, officer, posted
        )
        return MileageOut(on=on, **facts.numbers, findings=_said(found, request))


@router.post(
    "/calls/{programme_id}/council",
    status_code=201,
    response_model=CouncilOut,
    summary="운영협의체 심의 결과",
)
async def record_council(
    programme_id: UUID, body: CouncilIn, officer: Officer, once: Once, session: Session
) -> Response:
    made = await certificates.resolve(
        session, programme_id, institution_of(officer), officer, body.model_dump(), utc_now()
    )
    return await once.answer(201, CouncilOut.model_validate(made))


@router.post(
    "/calls/{programme_id}/approve",
    status_code=201,
    response_model=CertificationsOut,
    summary="인증 승인",
)
async def approve_certification(
    programme_id: UUID,
    body: ApprovalIn,
    officer: Officer,
    holders: Holders,
    once: Once,
    session: Session,
) -> Response:
    """운영협의체 결과를 입력한 사람은 승인을 입력할 수 없습니다."""
    now = utc_now()
    made = await certificates.approve(
        session,
        programme_id,
        institution_of(officer),
        officer,
        institutions=holders,
        application_ids=body.application_ids,
        approval=body.approval,
        valid_from=body.valid_from,
        now=now,
    )
    given = [certificates.Certified(one, None) for one in made]
    items = [CertificationOut.of(one, seoul_day(now)) for one in given]
    return await once.answer(201, CertificationsOut(items=items))


@router.get("/certificates", summary="인증서 목록")
async def list_certifications(
    party: Party, session: Session, page: Paging
) -> Page[CertificationOut]:
    found, next_cursor, total = await certificates.certificates(
        session, institution_of(party), page
    )
    items = [CertificationOut.of(one, seoul_day(utc_now())) for one in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get(
    "/certificates/{certificate_id}/certificate.pdf", summary="인증서(PDF)", **download(PDF)
)
async def print_certification(
    certificate_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    found = await certificates.readable(session, certificate_id, party)
    programme = await session.get_one(Programme, found.certificate.programme_id)
    portal = request.app.state.runtime.settings.token_issuer
    content = await printing.certificate_pdf(found.certificate, programme.name, portal)
    return send(content, f"우수기관인증서_{found.certificate.number}.pdf", PDF)


@router.post(
    "/certificates/{certificate_id}/revoke", response_model=CertificationOut, summary="인증 취소"
)
async def revoke_certification(
    certificate_id: UUID, body: RevokeIn, officer: Officer, session: Session
) -> CertificationOut:
    now = utc_now()
    found = await certificates.revoke(session, certificate_id, officer, body.reason, now)
    return CertificationOut.of(found, seoul_day(now))


# Anybody, and the accrual service ---------------------------------------------------------------


@router.get("/public/institutions", summary="우수기관 인증 명단")
async def list_certified(
    session: Session,
    page: Paging,
    on: On = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[PublicCertificateOut]:
    day = on or seoul_day(utc_now())
    found, next_cursor, total = await certificates.certified_list(session, day, page, q)
    items = [PublicCertificateOut.of(one, day) for one in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get(
    "/public/certificates/{number}", response_model=PublicCertificateOut, summary="인증서 확인"
)
async def verify_certificate(number: str, session: Session, on: On = None) -> PublicCertificateOut:
    found = await certificates.verify(session, number)
    return PublicCertificateOut.of(found, on or seoul_day(utc_now()))


@internal.get("/{institution_id}/certification", response_model=CertifiedOut)
async def read_certification(
    institution_id: UUID, on: date, _service: Service, session: Session
) -> CertifiedOut:
    found = await certificates.certified_on(session, institution_id, on)
    return CertifiedOut(
        institution_id=institution_id,
        on=on,
        certified=found is not None,
        number=found.certificate.number if found else None,
        valid_until=found.certificate.valid_until if found else None,
    )


def _said(found: Sequence[Finding], request: Request) -> list[FindingOut]:
    lang = language(request)
    return [FindingOut.model_validate(one.to_dict(lang)) for one in found]
