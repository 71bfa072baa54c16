"""The settlement over HTTP: the institution reports and objects, the agency runs and decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import Field

from services.grants.agreements.schemas import AgreementOut
from services.grants.settlement import decisions, printing, refunds, service
from services.grants.settlement.schemas import (
    AnswerIn,
    AskIn,
    ComparisonOut,
    DecisionOut,
    DisallowIn,
    ObjectionIn,
    ObjectionOut,
    RefundIn,
    RefundOut,
    ReplayOut,
    RunOut,
    RunSummary,
    SettlementOut,
    UsageReportIn,
    WaiveIn,
)
from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import PDF, download, send
from shared.idempotency import Once
from shared.schemas import MAX_INT
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["정산"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Auditor = Annotated[Claims, Depends(requires("grants:settle"))]
Spender = Annotated[Claims, Depends(requires("grants:apply"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]
DecisionIn = Annotated[DisallowIn | WaiveIn | AskIn, Body(discriminator="kind")]
Seq = Annotated[int, Field(ge=1, le=MAX_INT, description="정산 실행 번호")]
AGREEMENT = "/agreements/{agreement_id}"


@router.post(f"{AGREEMENT}/close", response_model=AgreementOut, summary="사업연도 종료")
async def close_year(agreement_id: UUID, officer: Officer, session: Session) -> object:
    return await service.close_year(session, agreement_id, officer)


@router.post(f"{AGREEMENT}/report", response_model=AgreementOut, summary="사용실적보고")
async def report_usage(
    agreement_id: UUID, body: UsageReportIn, spender: Spender, session: Session
) -> object:
    return await service.report_usage(session, agreement_id, spender, body.model_dump())


@router.post(
    f"{AGREEMENT}/settlement/preview", response_model=SettlementOut, summary="정산 미리보기"
)
async def preview_settlement(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> object:
    counterparts = request.app.state.counterparts
    claimed = await service.cross_claims(session, agreement_id, party, counterparts)
    return await service.preview(session, agreement_id, party, claimed)


@router.post(
    f"{AGREEMENT}/settlement/runs", status_code=201, response_model=RunOut, summary="정산 실행"
)
async def run_settlement(
    agreement_id: UUID, auditor: Auditor, once: Once, session: Session, request: Request
) -> Response:
    """다른 서비스에 중복 여부를 물은 뒤, 그때의 자료를 그대로 남겨 정산합니다."""
    counterparts = request.app.state.counterparts
    claimed = await service.cross_claims(session, agreement_id, auditor, counterparts)
    made = await service.run(session, agreement_id, auditor, claimed)
    return await once.answer(201, RunOut.model_validate(made))


@router.get(
    f"{AGREEMENT}/settlement/runs", response_model=list[RunSummary], summary="정산 실행 목록"
)
async def list_runs(agreement_id: UUID, party: Party, session: Session) -> object:
    return await service.runs(session, agreement_id, party)


@router.get(f"{AGREEMENT}/settlement/runs/{{seq}}", response_model=RunOut, summary="정산 실행 결과")
async def read_run(agreement_id: UUID, seq: Seq, party: Party, session: Session) -> object:
    return await service.read_run(session, agreement_id, seq, party)


@router.get(
    f"{AGREEMENT}/settlement/runs/{{seq}}/replay",
    response_model=ReplayOut,
    summary="정산 재현 확인",
)
async def replay_run(agreement_id: UUID, seq: Seq, party: Party, session: Session) -> ReplayOut:
    """정산할 때 남긴 자료만으로 다시 계산해 결과가 같은지 확인합니다. 바뀌는 것은 없습니다."""
    found = await service.replay(session, agreement_id, seq, party)
    return ReplayOut(
        seq=seq,
        same_result=found.result,
        same_rule_set=found.rule_set,
        same_code=found.code,
    )


@router.get(
    f"{AGREEMENT}/settlement/comparison", response_model=ComparisonOut, summary="정산 실행 비교"
)
async def compare_runs(
    agreement_id: UUID, before: Seq, after: Seq, party: Party, session: Session
) -> object:
    return await service.compare_runs(session, agreement_id, party, before, after)


@router.post(
    f"{AGREEMENT}/settlement/open-objections", response_model=AgreementOut, summary="이의신청 개시"
)
async def open_objections(agreement_id: UUID, auditor: Auditor, session: Session) -> object:
    return await service.advance(session, agreement_id, auditor, "open_objections")


@router.post(f"{AGREEMENT}/settlement/finalise", response_model=AgreementOut, summary="정산 확정")
async def finalise_settlement(agreement_id: UUID, auditor: Auditor, session: Session) -> object:
    return await service.advance(session, agreement_id, auditor, "finalise")


@router.post(f"{AGREEMENT}/settlement/refund", response_model=AgreementOut, summary="반납 확인")
async def record_refund(
    agreement_id: UUID, body: RefundIn, auditor: Auditor, once: Once, session: Session
) -> Response:
    """한 번에 또는 나누어 반납할 수 있습니다. 마지막 1원까지 확인되면 반납완료가 됩니다."""
    agreement = await refunds.record_refund(
        session, agreement_id, auditor, **body.model_dump(), now=utc_now()
    )
    return await once.answer(200, AgreementOut.model_validate(agreement))


@router.get(f"{AGREEMENT}/settlement/refund", response_model=RefundOut, summary="반납 현황")
async def read_refund(agreement_id: UUID, party: Party, session: Session) -> object:
    return await refunds.refund_of(session, agreement_id, party)


@router.get(f"{AGREEMENT}/settlement/statement.pdf", summary="정산 확정서(PDF)", **download(PDF))
async def print_statement(agreement_id: UUID, party: Party, session: Session) -> Response:
    return await _pdf(session, agreement_id, party, "statement")


@router.get(
    f"{AGREEMENT}/settlement/recovery-notice.pdf",
    summary="환수 통지서(PDF)",
    **download(PDF),
)
async def print_recovery_notice(agreement_id: UUID, party: Party, session: Session) -> Response:
    return await _pdf(session, agreement_id, party, "notice")


async def _pdf(
    session: Session, agreement_id: UUID, party: Claims, page: printing.Page
) -> Response:
    content = await printing.settlement_pdf(session, agreement_id, party, page, utc_now())
    return send(content, f"{printing.TITLES[page]}.pdf", PDF)


@router.get(f"{AGREEMENT}/objections", response_model=list[ObjectionOut], summary="이의신청 목록")
async def list_objections(agreement_id: UUID, party: Party, session: Session) -> object:
    return await decisions.objections(session, agreement_id, party)


@router.post(
    "/expenses/{expense_id}/decisions",
    status_code=201,
    response_model=DecisionOut,
    summary="정산 검토 의견",
)
async def decide_expense(
    expense_id: UUID, body: DecisionIn, auditor: Auditor, session: Session
) -> object:
    return await decisions.decide(session, expense_id, auditor, body.model_dump())


@router.get(
    "/expenses/{expense_id}/decisions", response_model=list[DecisionOut], summary="검토 의견 목록"
)
async def list_decisions(expense_id: UUID, party: Party, session: Session) -> object:
    return await decisions.decisions(session, expense_id, party)


@router.post(
    "/decisions/{decision_id}/confirm", response_model=DecisionOut, summary="검토 의견 확인"
)
async def confirm_decision(decision_id: UUID, auditor: Auditor, session: Session) -> object:
    return await decisions.confirm(session, decision_id, auditor, utc_now())


@router.post(
    "/decisions/{decision_id}/withdraw", response_model=DecisionOut, summary="검토 의견 철회"
)
async def withdraw_decision(decision_id: UUID, auditor: Auditor, session: Session) -> object:
    return await decisions.withdraw(session, decision_id, auditor, utc_now())


@router.post(
    "/expenses/{expense_id}/objections",
    status_code=201,
    response_model=ObjectionOut,
    summary="이의신청",
)
async def object_to_expense(
    expense_id: UUID, body: ObjectionIn, spender: Spender, session: Session
) -> object:
    return await decisions.object_to(session, expense_id, spender, body.text)


@router.post(
    "/objections/{objection_id}/answer", response_model=ObjectionOut, summary="이의신청 답변"
)
async def answer_objection(
    objection_id: UUID, body: AnswerIn, auditor: Auditor, session: Session
) -> object:
    return await decisions.answer_objection(
        session, objection_id, auditor, outcome=body.outcome, answer=body.answer, now=utc_now()
    )
