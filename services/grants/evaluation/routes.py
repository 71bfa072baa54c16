"""The evaluation over HTTP: the agency's side, and the reviewers'."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.grants.evaluation import service
from services.grants.evaluation.models import Sheet
from services.grants.evaluation.schemas import (
    AssignIn,
    AssignmentOut,
    ConflictIn,
    FactsIn,
    FactsOut,
    OutcomeOut,
    RankingOut,
    ScoredOut,
    ScoreItemOut,
    ScoresIn,
    SheetOut,
)
from services.grants.programmes.rules import RuleSet
from services.grants.proposals.models import Proposal
from shared.app import language
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.idempotency import Once
from shared.preconditions import SeenVersion, tag
from shared.problems import Lang
from shared.schemas import FindingOut
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["평가"])

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Evaluator = Annotated[Claims, Depends(requires("grants:evaluate"))]


@router.post(
    "/programmes/{programme_id}/reviewers", response_model=list[SheetOut], summary="평가위원 배정"
)
async def assign_reviewers(
    programme_id: UUID, body: AssignIn, officer: Officer, session: Session
) -> object:
    return await service.assign(
        session,
        programme_id,
        institution_of(officer),
        officer,
        [reviewer.model_dump() for reviewer in body.reviewers],
    )


@router.put("/received/{proposal_id}/facts", response_model=FactsOut, summary="정량항목 확인")
async def save_facts(
    proposal_id: UUID, body: FactsIn, officer: Officer, session: Session
) -> object:
    return await service.save_facts(
        session, proposal_id, institution_of(officer), officer, body.model_dump(mode="json")
    )


@router.get(
    "/programmes/{programme_id}/ranking", response_model=RankingOut, summary="평가 순위 미리보기"
)
async def preview_ranking(
    programme_id: UUID, officer: Officer, session: Session, request: Request
) -> RankingOut:
    lines = await service.ranking(session, programme_id, institution_of(officer))
    return RankingOut(items=[_outcome(line, language(request)) for line in lines])


@router.post(
    "/programmes/{programme_id}/ranking", response_model=RankingOut, summary="평가 결과 확정"
)
async def finalise_ranking(
    programme_id: UUID, officer: Officer, once: Once, session: Session
) -> Response:
    lines = await service.ranking(session, programme_id, institution_of(officer))
    items = [_outcome(line, "ko") for line in lines]
    await service.finalise(
        session,
        programme_id,
        institution_of(officer),
        officer,
        [(line, item.model_dump(mode="json")) for line, item in zip(lines, items, strict=True)],
    )
    return await once.answer(200, RankingOut(items=items))


@router.get("/evaluations", response_model=list[AssignmentOut], summary="내 평가 배정")
async def list_evaluations(evaluator: Evaluator, session: Session) -> list[AssignmentOut]:
    found = await service.assignments(session, UUID(evaluator.sub))
    return [_assignment(sheet, proposal, None, None, "ko") for sheet, proposal in found]


@router.get("/evaluations/{proposal_id}", response_model=AssignmentOut, summary="평가 대상")
async def read_evaluation(
    proposal_id: UUID, evaluator: Evaluator, session: Session, request: Request, response: Response
) -> AssignmentOut:
    sheet, proposal, document, rules = await service.assignment(
        session, proposal_id, UUID(evaluator.sub)
    )
    tag(response, sheet.version)
    return _assignment(sheet, proposal, document, rules, language(request))


@router.post(
    "/evaluations/{proposal_id}/conflict", response_model=SheetOut, summary="제척·회피 신고"
)
async def declare_conflict(
    proposal_id: UUID, body: ConflictIn, evaluator: Evaluator, session: Session
) -> object:
    return await service.declare_conflict(
        session, proposal_id, UUID(evaluator.sub), evaluator, body.reason
    )


@router.put("/evaluations/{proposal_id}", response_model=SheetOut, summary="평가표 저장")
async def save_scores(
    proposal_id: UUID,
    body: ScoresIn,
    evaluator: Evaluator,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    sheet = await service.save_scores(
        session,
        proposal_id,
        UUID(evaluator.sub),
        seen_version=seen,
        scores=body.scores,
        comment=body.comment,
    )
    tag(response, sheet.version)
    return sheet


@router.post("/evaluations/{proposal_id}/submit", response_model=SheetOut, summary="평가표 제출")
async def submit_sheet(proposal_id: UUID, evaluator: Evaluator, session: Session) -> object:
    return await service.submit_sheet(
        session, proposal_id, UUID(evaluator.sub), evaluator, utc_now()
    )


def _assignment(
    sheet: Sheet,
    proposal: Proposal,
    document: Mapping[str, Any] | None,
    rules: RuleSet | None,
    lang: Lang,
) -> AssignmentOut:
    items = (
        [
            ScoreItemOut(
                section=section.code,
                code=item.code,
                name=item.name.ko if lang == "ko" else item.name.en,
                scores=list(item.scores),
                quantitative=item.quantitative,
            )
            for section in rules.evaluation.sections
            for item in section.items
        ]
        if rules
        else []
    )
    return AssignmentOut(
        title=proposal.title,
        institution_name=proposal.institution_name,
        sheet=SheetOut.model_validate(sheet),
        items=items,
        document=dict(document) if document is not None else None,
    )


def _outcome(line: service.Line, lang: Lang) -> OutcomeOut:
    ranked, proposal, scored, bonus = line
    outcome = ranked.outcome
    findings = (
        *outcome.findings,
        *ranked.findings,
        *(finding for item in scored for finding in item.findings),
        *bonus.findings,
    )
    return OutcomeOut(
        proposal_id=proposal.id,
        institution_name=proposal.institution_name,
        rank=ranked.rank,
        tied=ranked.tied,
        total=str(outcome.total),
        shown=outcome.shown,
        quantitative=[
            ScoredOut(
                item=item.item,
                score=item.score,
                shown=item.shown.ko if lang == "ko" else item.shown.en,
            )
            for item in scored
        ],
        qualitative=str(outcome.qualitative),
        bonus=bonus.points,
        bonus_shown=bonus.shown.ko if lang == "ko" else bonus.shown.en,
        passes=outcome.passes,
        findings=[FindingOut.model_validate(finding.to_dict(lang)) for finding in findings],
    )
