"""Years of a project over HTTP: stage evaluation, stop, the next year's plan."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.grants.agreements import years
from services.grants.agreements.schemas import AgreementOut, ReasonIn
from services.grants.agreements.year_schemas import (
    CarryOverOut,
    NextYearOut,
    StageIn,
    StageOut,
    StopIn,
    YearOut,
)
from services.grants.proposals.schemas import ProposalOut
from shared.app import language
from shared.caller import institution_of, requires
from shared.db import Session
from shared.idempotency import Once
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["협약 연차"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Signer = Annotated[Claims, Depends(requires("grants:apply"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]
AGREEMENT = "/agreements/{agreement_id}"


@router.get(f"{AGREEMENT}/years", response_model=list[YearOut], summary="과제의 연차")
async def list_years(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> list[YearOut]:
    """같은 사업번호의 연차별 협약과 단계평가 결과, 다음 연차를 시작할 수 있는지를 보여 줍니다."""
    lang = language(request)
    return [YearOut.of(year, lang) for year in await years.years(session, agreement_id, party)]


@router.post(
    f"{AGREEMENT}/stage-evaluation", status_code=201, response_model=StageOut, summary="단계평가"
)
async def evaluate_stage(
    agreement_id: UUID, body: StageIn, officer: Officer, once: Once, session: Session
) -> Response:
    """단계평가 결과를 확정합니다. 통과하지 못한 과제는 다음 연차를 시작할 수 없습니다."""
    made = await years.evaluate_stage(session, agreement_id, officer, **body.model_dump())
    return await once.answer(201, StageOut.model_validate(made))


@router.post(f"{AGREEMENT}/stop", response_model=AgreementOut, summary="협약 중단")
async def stop_agreement(
    agreement_id: UUID, body: StopIn, officer: Officer, once: Once, session: Session
) -> Response:
    """중단일까지의 집행만 인정하고 정산합니다. 다음 연차는 시작할 수 없습니다."""
    stopped = await years.stop(session, agreement_id, officer, **body.model_dump())
    return await once.answer(200, AgreementOut.model_validate(stopped))


@router.post(
    f"{AGREEMENT}/next-year/preview", response_model=CarryOverOut, summary="계속 연차 이월 미리보기"
)
async def preview_next_year(
    agreement_id: UUID, signer: Signer, session: Session, request: Request
) -> CarryOverOut:
    made = await years.preview_next_year(session, agreement_id, institution_of(signer))
    return CarryOverOut.of(made, language(request))


@router.post(
    f"{AGREEMENT}/next-year",
    status_code=201,
    response_model=NextYearOut,
    summary="계속 연차 계획 시작",
)
async def begin_next_year(
    agreement_id: UUID, signer: Signer, session: Session, request: Request
) -> NextYearOut:
    """올해의 계획을 다음 연차로 옮겨 사업계획서를 시작합니다. 사업번호는 그대로입니다."""
    proposal, made = await years.begin_next_year(
        session, agreement_id, institution_of(signer), signer
    )
    return NextYearOut(
        proposal=ProposalOut.model_validate(proposal),
        carry_over=CarryOverOut.of(made, language(request)),
    )


@router.post(
    "/received/{proposal_id}/continue", response_model=ProposalOut, summary="계속 연차 지정"
)
async def designate_next_year(
    proposal_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    """계속 연차의 계획은 다시 선정하지 않고, 사전검토 후 지정합니다."""
    return await years.designate_next_year(
        session, proposal_id, institution_of(officer), officer, body.reason
    )
