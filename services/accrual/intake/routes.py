"""The partner intake over HTTP."""

import tempfile
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from services.accrual.applications import listing
from services.accrual.applications.deps import ApplicationId, Conf, Language, Store
from services.accrual.applications.schemas import DetailOut
from services.accrual.criteria.schemas import FieldCode
from services.accrual.intake import service
from services.accrual.intake.receiving import MAX_BODY_BYTES, spool
from services.accrual.intake.schemas import (
    BODY,
    BatchDetailOut,
    BatchOut,
    IntakeFileOut,
    ResultOut,
    RowStatus,
    SimulateIn,
)
from shared.caller import requires
from shared.db import Session
from shared.files import chunks_of
from shared.paging import Page, Paging, RowPaging
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/accrual/intake", tags=["연계접수"])

Partner = Annotated[Claims, Depends(requires("accrual:push"))]
ExternalId = Annotated[
    str, Query(min_length=1, max_length=100, description="연계기관이 정한 묶음 번호")
]


@router.post("/files", response_model=IntakeFileOut, status_code=201, summary="증빙 올리기")
async def upload_file(
    partner: Partner,
    session: Session,
    store: Store,
    file: Upload,
    kind: Annotated[str, Form(max_length=40, description="증빙 종류 코드")],
) -> IntakeFileOut:
    stored = await service.store_file(
        session, partner, store, kind=kind, name=file.filename or "", chunks=chunks_of(file)
    )
    return IntakeFileOut.model_validate(stored)


@router.post(
    "/batches",
    response_model=BatchOut,
    status_code=202,
    summary="명단 보내기",
    openapi_extra=BODY,
    max_body_size=MAX_BODY_BYTES,
)
async def push_batch(
    request: Request,
    response: Response,
    partner: Partner,
    session: Session,
    settings: Conf,
    field: Annotated[FieldCode, Query(description="적립분야")],
    external_id: ExternalId,
    submit: Annotated[bool, Query(description="검사를 통과하면 바로 신청합니다")] = False,
    evidence: Annotated[list[UUID] | None, Query(max_length=50, description="증빙 id")] = None,
) -> BatchOut:
    """NDJSON 한 줄에 한 행입니다. 같은 external_id로 다시 보내면 처음의 묶음으로 답합니다."""
    kinds = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    files = evidence or []
    with tempfile.TemporaryFile() as body:
        digest, total = await spool(
            request.stream(),
            body,
            array=kinds == "application/json",
            max_rows=settings.intake_max_rows,
            terms=f"{field} {submit} {sorted(map(str, files))}",
        )
        batch, _ = await service.receive(
            session,
            partner,
            external_id=external_id,
            field=field,
            submit=submit,
            evidence=files,
            body=body,
            digest=digest,
            total=total,
        )
    response.headers["Location"] = f"{router.prefix}/batches/{batch.id}"
    return BatchOut.model_validate(batch)


@router.get("/batches", response_model=Page[BatchOut], summary="보낸 묶음")
async def list_batches(partner: Partner, session: Session, page: Paging) -> Page[BatchOut]:
    found, next_cursor, total = await service.batches(session, partner, page)
    items = [BatchOut.model_validate(batch) for batch in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get("/batches/{batch_id}", response_model=BatchDetailOut, summary="진행 상황")
async def read_batch(batch_id: UUID, partner: Partner, session: Session) -> BatchDetailOut:
    batch, made = await service.find(session, partner, batch_id)
    return BatchDetailOut.of(batch, list(made))


@router.get("/batches/{batch_id}/rows", response_model=Page[ResultOut], summary="행별 결과")
async def list_results(
    batch_id: UUID,
    partner: Partner,
    session: Session,
    page: RowPaging,
    lang: Language,
    status: Annotated[RowStatus | None, Query(description="이 결과만")] = None,
) -> Page[ResultOut]:
    found, next_cursor, total = await service.rows(session, partner, batch_id, page, status=status)
    items = [ResultOut.of(row, lang) for row in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.post(
    "/sandbox/{application_id}/simulate", response_model=DetailOut, summary="시험 환경: 심사 흉내"
)
async def simulate_review(
    application_id: ApplicationId, body: SimulateIn, partner: Partner, session: Session
) -> DetailOut:
    """심사자 없이 승인·보완요청·반려를 일으켜 웹훅을 시험합니다. 마일리지는 쌓이지 않습니다."""
    await service.simulate(session, partner, application_id, body.outcome)
    await session.flush()
    return DetailOut.of(await listing.detail(session, partner, application_id))
