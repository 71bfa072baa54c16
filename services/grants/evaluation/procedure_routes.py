"""The agency's procedure over HTTP: pre-review, completions, site visits, decisions, notices."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile
from pydantic import Field

from services.grants.evaluation import completions, files, printing, procedure, results, visits
from services.grants.evaluation.schemas import (
    AnnouncedVisitOut,
    AnswerIn,
    AuditOut,
    CompletionIn,
    CompletionOut,
    DecisionIn,
    FileOut,
    NoticeOut,
    PointOut,
    PreReviewIn,
    PreReviewOut,
    ReasonIn,
    VisitIn,
    VisitOut,
    VisitRecordIn,
    VisitsOut,
)
from services.grants.programmes.models import Programme
from services.grants.programmes.service import rules_of
from services.grants.proposals.document import check
from services.grants.proposals.elsewhere import commitments
from services.grants.proposals.schemas import ProposalOut
from services.grants.proposals.service import writable_proposal
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, PDF, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.problems import Finding
from shared.schemas import MAX_INT, FindingOut
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["선정 절차"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Applicant = Annotated[Claims, Depends(requires("grants:apply"))]
# A company applies for certification with the permission it books with.
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "exchange:buy"))]
Attached = Annotated[UploadFile, File(description="PDF, 이미지, 한글, 오피스 문서. 10MB 이하")]
Seq = Annotated[int, Field(ge=1, le=MAX_INT)]
RECEIVED = "/received/{proposal_id}"


@router.post(f"{RECEIVED}/pre-review/start", response_model=ProposalOut, summary="사전검토 시작")
async def start_pre_review(proposal_id: UUID, officer: Officer, session: Session) -> object:
    """접수 마감 뒤에 시작합니다. 상시 접수하는 공고와 계속 연차는 바로 시작할 수 있습니다."""
    return await procedure.begin_pre_review(
        session, proposal_id, institution_of(officer), officer, utc_now()
    )


@router.get(f"{RECEIVED}/pre-review", response_model=PreReviewOut, summary="사전검토 자료")
async def read_pre_review(
    proposal_id: UUID, officer: Officer, session: Session, request: Request
) -> PreReviewOut:
    """검토 항목과, 접수된 사업계획서를 점검한 결과(빠진 서류 포함)입니다."""
    aid = await procedure.pre_review(session, proposal_id, institution_of(officer))
    lang = language(request)
    return PreReviewOut(
        proposal_id=aid.proposal.id,
        state=aid.proposal.state,
        points=[
            PointOut(
                code=point.code,
                name=point.name.ko if lang == "ko" else point.name.en,
                citation=point.citation,
            )
            for point in aid.points
        ],
        findings=[FindingOut.model_validate(found.to_dict(lang)) for found in aid.findings],
        eligible=aid.decided.eligible if aid.decided else None,
        checks=aid.decided.checks if aid.decided else None,
    )


@router.post(f"{RECEIVED}/pre-review", response_model=ProposalOut, summary="사전검토 결과")
async def finish_pre_review(
    proposal_id: UUID, body: PreReviewIn, officer: Officer, session: Session
) -> object:
    return await procedure.finish_pre_review(
        session,
        proposal_id,
        institution_of(officer),
        officer,
        eligible=body.eligible,
        checks={code: point.model_dump() for code, point in body.checks.items()},
        reason=body.reason or None,
        now=utc_now(),
    )


@router.post(
    f"{RECEIVED}/completions", status_code=201, response_model=CompletionOut, summary="보완 요청"
)
async def ask_for_completion(
    proposal_id: UUID, body: CompletionIn, officer: Officer, session: Session
) -> object:
    return await completions.ask(
        session,
        proposal_id,
        institution_of(officer),
        officer,
        items=body.items,
        due_at=body.due_at,
        now=utc_now(),
    )


@router.post(
    f"{RECEIVED}/completions/close", response_model=CompletionOut, summary="보완 요청 종료"
)
async def close_completion(
    proposal_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    return await completions.close(
        session, proposal_id, institution_of(officer), officer, body.reason
    )


@router.get(
    "/proposals/{proposal_id}/completions",
    response_model=list[CompletionOut],
    summary="보완 요청 목록",
)
async def list_completions(proposal_id: UUID, party: Party, session: Session) -> object:
    proposal = await results.readable_proposal(session, proposal_id, party)
    return await completions.completions(session, proposal)


@router.post(
    "/proposals/{proposal_id}/completions/answer", response_model=CompletionOut, summary="보완 제출"
)
async def answer_completion(
    proposal_id: UUID, body: AnswerIn, applicant: Applicant, once: Once, session: Session
) -> Response:
    """고친 사업계획서를 함께 내면(corrected) 저장된 내용이 새 제출본이 됩니다."""
    # Held from here on: what is checked is what is frozen.
    proposal = await writable_proposal(session, proposal_id, institution_of(applicant))
    rules = await rules_of(session, await session.get_one(Programme, proposal.programme_id))
    given_elsewhere = await commitments(session, proposal)

    def checked(_programme: Programme, document: Mapping[str, Any]) -> Sequence[Finding]:
        return check(rules, document, given_elsewhere).findings

    answered = await completions.answer(
        session,
        proposal_id,
        institution_of(applicant),
        applicant,
        text=body.text,
        corrected=body.corrected,
        checker=checked,
        now=utc_now(),
    )
    return await once.answer(200, CompletionOut.model_validate(answered))


@router.post(
    "/proposals/{proposal_id}/completions/files",
    status_code=201,
    response_model=FileOut,
    summary="보완 자료 첨부",
)
async def attach_completion_file(
    proposal_id: UUID, file: Attached, party: Party, session: Session, request: Request
) -> object:
    proposal = await writable_proposal(session, proposal_id, institution_of(party))
    wanted = await completions.open_request(session, proposal.id)
    return await files.attach(
        session,
        request.app.state.files,
        proposal.id,
        party,
        kind="completion",
        name=file.filename or "",
        chunks=chunks_of(file),
        completion_id=wanted.id,
    )


@router.get(
    "/proposals/{proposal_id}/review-files", response_model=list[FileOut], summary="절차 첨부 목록"
)
async def list_review_files(proposal_id: UUID, party: Party, session: Session) -> object:
    proposal = await results.readable_proposal(session, proposal_id, party)
    applicant = party.institution_id == str(proposal.institution_id)
    return await files.files_of(session, proposal.id, applicant=applicant)


@router.get("/review-files/{file_id}", summary="절차 첨부 내려받기", **download(ANY))
async def read_review_file(
    file_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    file = await files.readable_file(session, file_id, party)
    content = request.app.state.files.get(file.file_key)
    return send(content, file.file_name, file.media_type, size=file.size)


@router.post(
    f"{RECEIVED}/site-visits", status_code=201, response_model=VisitOut, summary="현장조사 계획"
)
async def plan_visit(
    proposal_id: UUID, body: VisitIn, officer: Officer, session: Session
) -> object:
    return await visits.plan(
        session, proposal_id, institution_of(officer), officer, body.model_dump()
    )


@router.get(
    "/programmes/{programme_id}/site-visits", response_model=VisitsOut, summary="현장조사 목록"
)
async def list_visits(programme_id: UUID, officer: Officer, session: Session) -> object:
    found, pay = await visits.programme_visits(session, programme_id, institution_of(officer))
    return {"items": found, "pay": pay}


@router.get(
    "/proposals/{proposal_id}/site-visits",
    response_model=list[AnnouncedVisitOut],
    summary="우리 기관의 현장조사 일정",
)
async def list_announced_visits(proposal_id: UUID, party: Party, session: Session) -> object:
    proposal = await results.readable_proposal(session, proposal_id, party)
    return await visits.visits_of(session, [proposal.id])


@router.post("/site-visits/{visit_id}/record", response_model=VisitOut, summary="현장조사 결과")
async def record_visit(
    visit_id: UUID, body: VisitRecordIn, officer: Officer, session: Session
) -> object:
    return await visits.record(
        session, visit_id, institution_of(officer), officer, body.findings, utc_now()
    )


@router.post("/site-visits/{visit_id}/cancel", response_model=VisitOut, summary="현장조사 취소")
async def cancel_visit(
    visit_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    return await visits.cancel(
        session, visit_id, institution_of(officer), officer, body.reason, utc_now()
    )


@router.post(
    "/site-visits/{visit_id}/files",
    status_code=201,
    response_model=FileOut,
    summary="현장조사 자료 첨부",
)
async def attach_visit_file(
    visit_id: UUID, file: Attached, officer: Officer, session: Session, request: Request
) -> object:
    visit = await visits.managed_visit(session, visit_id, institution_of(officer))
    return await files.attach(
        session,
        request.app.state.files,
        visit.proposal_id,
        officer,
        kind="site_visit",
        name=file.filename or "",
        chunks=chunks_of(file),
        visit_id=visit.id,
    )


@router.post(f"{RECEIVED}/decide", response_model=ProposalOut, summary="선정 결정")
async def decide_proposal(
    proposal_id: UUID, body: DecisionIn, officer: Officer, session: Session
) -> object:
    return await procedure.decide(
        session,
        proposal_id,
        institution_of(officer),
        officer,
        body.action,
        body.reason,
        utc_now(),
    )


@router.get(f"{RECEIVED}/audit", response_model=list[AuditOut], summary="처리·열람 기록")
async def read_audit(proposal_id: UUID, officer: Officer, session: Session) -> object:
    return await procedure.audit(session, proposal_id, institution_of(officer))


@router.get("/proposals/{proposal_id}/results", response_model=list[NoticeOut], summary="결과 통보")
async def list_results(proposal_id: UUID, party: Party, session: Session) -> object:
    """신청기관 자신의 결과와 사유입니다. 다른 신청기관의 내용은 담기지 않습니다."""
    return await results.notices(session, proposal_id, party)


@router.get(
    "/proposals/{proposal_id}/results/{seq}/notice.pdf",
    summary="결과 통보서(PDF)",
    **download(PDF),
)
async def print_result(proposal_id: UUID, seq: Seq, party: Party, session: Session) -> Response:
    notice = await results.notice(session, proposal_id, seq, party)
    return send(await printing.notice_pdf(notice), f"결과통보서_{notice.number}.pdf", PDF)
