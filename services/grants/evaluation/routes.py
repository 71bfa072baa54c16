"""The evaluation over HTTP: the agency's side, and the reviewers'."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.grants.evaluation import ranking, service, visits
from services.grants.evaluation.models import SiteVisit
from services.grants.evaluation.outcome import outcome_of
from services.grants.evaluation.rules import Scored
from services.grants.evaluation.schemas import (
    AssignIn,
    AssignmentOut,
    CalculatedOut,
    ConflictIn,
    FactsIn,
    FactsOut,
    FinaliseIn,
    OutcomeOut,
    RankingOut,
    ReasonIn,
    ScoreItemOut,
    ScoresIn,
    SheetOut,
    VisitFindingOut,
)
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


@router.get(
    "/programmes/{programme_id}/reviewers", response_model=list[SheetOut], summary="평가 현황"
)
async def list_reviewers(programme_id: UUID, officer: Officer, session: Session) -> object:
    """평가위원마다 어느 사업계획서를 어디까지 평가했는지, 이해관계를 어떻게 신고했는지입니다."""
    return await service.reviewing(session, programme_id, institution_of(officer))


@router.get(
    "/received/{proposal_id}/facts", response_model=FactsOut | None, summary="확인한 정량항목"
)
async def read_facts(proposal_id: UUID, officer: Officer, session: Session) -> object:
    return await service.verified_facts(session, proposal_id, institution_of(officer))


@router.put("/received/{proposal_id}/facts", response_model=FactsOut, summary="정량항목 확인")
async def save_facts(
    proposal_id: UUID, body: FactsIn, officer: Officer, session: Session
) -> object:
    return await service.save_facts(
        session, proposal_id, institution_of(officer), officer, body.model_dump(mode="json")
    )


@router.post(
    "/received/{proposal_id}/reviewers/{reviewer_id}/exclude",
    response_model=SheetOut,
    summary="평가위원 제척·기피",
)
async def exclude_reviewer(
    proposal_id: UUID, reviewer_id: UUID, body: ReasonIn, officer: Officer, session: Session
) -> object:
    return await service.exclude(
        session, proposal_id, reviewer_id, institution_of(officer), officer, body.reason
    )


@router.get(
    "/programmes/{programme_id}/ranking", response_model=RankingOut, summary="평가 순위 미리보기"
)
async def preview_ranking(
    programme_id: UUID, officer: Officer, session: Session, request: Request
) -> RankingOut:
    found = await ranking.ranking(session, programme_id, institution_of(officer))
    return _ranking(found, language(request))


@router.post(
    "/programmes/{programme_id}/ranking", response_model=RankingOut, summary="평가 결과 확정"
)
async def finalise_ranking(
    programme_id: UUID,
    officer: Officer,
    once: Once,
    session: Session,
    body: FinaliseIn | None = None,
) -> Response:
    body = body or FinaliseIn()
    found = await ranking.ranking(session, programme_id, institution_of(officer), body.order)
    await ranking.finalise(session, programme_id, officer, found, body.reason)
    return await once.answer(200, _ranking(found, "ko"))


@router.get("/evaluations", response_model=list[AssignmentOut], summary="내 평가 배정")
async def list_evaluations(evaluator: Evaluator, session: Session) -> list[AssignmentOut]:
    found = await service.assignments(session, UUID(evaluator.sub))
    return [
        AssignmentOut(
            programme_id=proposal.programme_id,
            title=proposal.title,
            institution_name=proposal.institution_name,
            sheet=SheetOut.model_validate(sheet),
            items=[],
            document=None,
            visits=[],
        )
        for sheet, proposal in found
    ]


@router.get("/evaluations/{proposal_id}", response_model=AssignmentOut, summary="평가 대상")
async def read_evaluation(
    proposal_id: UUID, evaluator: Evaluator, session: Session, request: Request, response: Response
) -> AssignmentOut:
    """이해관계가 없음을 확인한 뒤에 사업계획서와 현장조사 결과가 보입니다. 열람은 기록됩니다."""
    found = await service.assignment(session, proposal_id, UUID(evaluator.sub), evaluator)
    held: Sequence[SiteVisit] = ()
    scored: Mapping[str, Scored] = {}
    if found.document is not None:
        held = await visits.visits_of(session, [proposal_id])
        scored = await ranking.calculated(session, found.rules, found.proposal, found.document)
    tag(response, found.sheet.version)
    return _assignment(found, held, scored, language(request))


@router.post(
    "/evaluations/{proposal_id}/no-conflict", response_model=SheetOut, summary="이해관계 없음 확인"
)
async def declare_no_conflict(proposal_id: UUID, evaluator: Evaluator, session: Session) -> object:
    return await service.declare_none(
        session, proposal_id, UUID(evaluator.sub), evaluator, utc_now()
    )


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
    found: service.Assignment,
    held: Sequence[SiteVisit],
    scored: Mapping[str, Scored],
    lang: Lang,
) -> AssignmentOut:
    return AssignmentOut(
        programme_id=found.proposal.programme_id,
        title=found.proposal.title,
        institution_name=found.proposal.institution_name,
        sheet=SheetOut.model_validate(found.sheet),
        items=[
            ScoreItemOut(
                section=section.code,
                code=item.code,
                name=item.name.ko if lang == "ko" else item.name.en,
                scores=list(item.scores),
                quantitative=item.quantitative,
                calculated=_calculated(scored[item.code], lang) if item.code in scored else None,
            )
            for section in found.rules.evaluation.sections
            for item in section.items
        ],
        document=dict(found.document) if found.document is not None else None,
        visits=[
            VisitFindingOut(on_day=visit.on_day, findings=visit.findings)
            for visit in held
            if visit.findings is not None
        ],
    )


def _calculated(found: Scored, lang: Lang) -> CalculatedOut:
    return CalculatedOut(
        score=found.score, shown=found.shown.ko if lang == "ko" else found.shown.en
    )


def _ranking(found: ranking.Ranking, lang: Lang) -> RankingOut:
    lines = [outcome_of(found.rules, line, lang) for line in found.lines]
    blocking = [FindingOut.model_validate(finding.to_dict(lang)) for finding in found.blocking]
    return RankingOut(items=[OutcomeOut.model_validate(line) for line in lines], blocking=blocking)
