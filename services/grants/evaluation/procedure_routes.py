"""The agency's procedure over HTTP: pre-review and decisions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.grants.evaluation import procedure
from services.grants.evaluation.schemas import DecisionIn, PreReviewIn
from services.grants.proposals.schemas import ProposalOut
from shared.caller import institution_of, requires
from shared.db import Session
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["선정 절차"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]


@router.post(
    "/received/{proposal_id}/pre-review/start", response_model=ProposalOut, summary="사전검토 시작"
)
async def start_pre_review(proposal_id: UUID, officer: Officer, session: Session) -> object:
    return await procedure.take_step(
        session, proposal_id, institution_of(officer), officer, "begin_pre_review", None
    )


@router.post(
    "/received/{proposal_id}/pre-review", response_model=ProposalOut, summary="사전검토 결과"
)
async def finish_pre_review(
    proposal_id: UUID, body: PreReviewIn, officer: Officer, session: Session
) -> object:
    action = "find_eligible" if body.eligible else "find_ineligible"
    return await procedure.take_step(
        session, proposal_id, institution_of(officer), officer, action, body.reason or None
    )


@router.post("/received/{proposal_id}/decide", response_model=ProposalOut, summary="선정 결정")
async def decide_proposal(
    proposal_id: UUID, body: DecisionIn, officer: Officer, session: Session
) -> object:
    return await procedure.take_step(
        session, proposal_id, institution_of(officer), officer, body.action, body.reason
    )
