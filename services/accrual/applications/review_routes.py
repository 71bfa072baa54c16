"""The operator's side over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.accrual.applications import listing, posting, review
from services.accrual.applications.deps import (
    ApplicationId,
    Conf,
    Directory,
    Language,
    Reviewer,
)
from services.accrual.applications.models import Application
from services.accrual.applications.review_schemas import (
    ApprovalOut,
    ApproveIn,
    DecidedOut,
    DecisionsIn,
    RejectIn,
    ReturnIn,
    RevokeIn,
)
from services.accrual.applications.schemas import DetailOut, ListItemOut
from shared.clock import utc_now
from shared.db import Session
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/accrual", tags=["적립심사"])


@router.get("/review/queue", response_model=Page[ListItemOut], summary="접수 대기열")
async def read_queue(
    reviewer: Reviewer,
    session: Session,
    page: Paging,
    mine: Annotated[bool, Query(description="내가 맡은 신청만")] = False,
) -> Page[ListItemOut]:
    found, next_cursor, total = await review.queue(session, reviewer, page, mine=mine)
    items = [ListItemOut.of(application, letter) for application, letter in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.post("/review/next", response_model=DetailOut, summary="다음 신청 맡기")
async def claim_next(reviewer: Reviewer, session: Session) -> DetailOut:
    return await _detail(
        session, reviewer, await review.claim_next(session, reviewer, now=utc_now())
    )


@router.post("/applications/{application_id}/claim", response_model=DetailOut, summary="심사 시작")
async def claim_application(
    application_id: ApplicationId, reviewer: Reviewer, session: Session
) -> DetailOut:
    application = await review.claim(session, reviewer, application_id, now=utc_now())
    return await _detail(session, reviewer, application)


@router.post(
    "/applications/{application_id}/release", response_model=DetailOut, summary="심사 내려놓기"
)
async def release_application(
    application_id: ApplicationId, reviewer: Reviewer, session: Session
) -> DetailOut:
    return await _detail(session, reviewer, await review.release(session, reviewer, application_id))


@router.post(
    "/applications/{application_id}/decisions",
    response_model=DecidedOut,
    summary="행별 인정·불인정",
)
async def decide_rows(
    application_id: ApplicationId,
    body: DecisionsIn,
    reviewer: Reviewer,
    session: Session,
    settings: Conf,
    lang: Language,
) -> DecidedOut:
    application, verdict = await review.decide_rows(
        session,
        reviewer,
        application_id,
        reject={item.row: item.reason for item in body.reject},
        accept=body.accept,
        max_rows=settings.max_rows,
    )
    return DecidedOut.of(application.version, verdict, lang)


@router.post("/applications/{application_id}/return", response_model=DetailOut, summary="보완요청")
async def return_application(
    application_id: ApplicationId, body: ReturnIn, reviewer: Reviewer, session: Session
) -> DetailOut:
    application = await review.return_(
        session,
        reviewer,
        application_id,
        reason=body.reason,
        comments=[
            review.Comment(text=comment.text, row=comment.row, field=comment.field)
            for comment in body.comments
        ],
    )
    return await _detail(session, reviewer, application)


@router.post("/applications/{application_id}/reject", response_model=DetailOut, summary="반려")
async def reject_application(
    application_id: ApplicationId, body: RejectIn, reviewer: Reviewer, session: Session
) -> DetailOut:
    application = await review.reject(session, reviewer, application_id, reason=body.reason)
    return await _detail(session, reviewer, application)


@router.post(
    "/applications/{application_id}/approve/preview",
    response_model=ApprovalOut,
    summary="승인 미리보기",
)
async def preview_approval(
    application_id: ApplicationId,
    reviewer: Reviewer,
    session: Session,
    settings: Conf,
    lang: Language,
) -> ApprovalOut:
    approval = await posting.preview(session, reviewer, application_id, settings=settings)
    return ApprovalOut.of(approval, lang)


@router.post(
    "/applications/{application_id}/approve", response_model=ApprovalOut, summary="승인·적립"
)
async def approve_application(
    application_id: ApplicationId,
    body: ApproveIn,
    reviewer: Reviewer,
    registry: Directory,
    once: Once,
    session: Session,
    settings: Conf,
    lang: Language,
) -> Response:
    """대학과 기업에 같은 마일리지를 한 거래로 적립합니다."""
    approval = await posting.approve(
        session,
        reviewer,
        registry,
        application_id,
        seen=body.mileage,
        now=utc_now(),
        settings=settings,
    )
    return await once.answer(200, ApprovalOut.of(approval, lang))


@router.post("/applications/{application_id}/revoke", response_model=DetailOut, summary="적립취소")
async def revoke_application(
    application_id: ApplicationId,
    body: RevokeIn,
    reviewer: Reviewer,
    once: Once,
    session: Session,
) -> Response:
    application = await posting.revoke(
        session, reviewer, application_id, reason=body.reason, now=utc_now()
    )
    return await once.answer(200, await _detail(session, reviewer, application))


@router.post(
    "/applications/{application_id}/revoke/preview",
    response_model=DetailOut,
    summary="적립취소 미리보기",
)
async def preview_revocation(
    application_id: ApplicationId, body: RevokeIn, reviewer: Reviewer, session: Session
) -> DetailOut:
    """적립취소와 같은 검사를 하고 같은 모양으로 답합니다. 아무것도 바뀌지 않습니다."""
    async with session.begin_nested() as attempt:
        application = await posting.revoke(
            session, reviewer, application_id, reason=body.reason, now=utc_now()
        )
        detail = await _detail(session, reviewer, application)
        await attempt.rollback()
    return detail


async def _detail(session: Session, reviewer: Claims, application: Application) -> DetailOut:
    await session.flush()
    return DetailOut.of(await listing.detail(session, reviewer, application.id))
