"""The applicant's side over HTTP: list, draft, evidence, preview, submit, cancel.

Rows and sheets are in `row_routes.py`, the operator's side in `review_routes.py`.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from services.accrual.applications import (
    carry_over,
    evidence,
    export,
    listing,
    service,
    submission,
)
from services.accrual.applications.deps import (
    Applicant,
    ApplicationId,
    Conf,
    Directory,
    Language,
    Purpose,
    Reader,
    Store,
)
from services.accrual.applications.listing import Filters
from services.accrual.applications.schemas import (
    CancelIn,
    CarriedOut,
    DetailOut,
    DraftIn,
    DraftPatch,
    EventOut,
    FileOut,
    ListItemOut,
    State,
    SubmissionOut,
)
from services.accrual.criteria.schemas import FieldCode
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, XLSX, download, send
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/accrual/applications", tags=["적립신청"])

Sort = Annotated[str, Query(pattern="^-?(created|applied|mileage)$", description="정렬")]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]


async def _filters(
    applied_from: Annotated[date | None, Query(description="신청일부터")] = None,
    applied_to: Annotated[date | None, Query(description="신청일까지")] = None,
    field: Annotated[FieldCode | None, Query(description="적립분야")] = None,
    company: Annotated[Text, Query(description="기업명 일부 또는 사업자번호")] = None,
    state: Annotated[list[State] | None, Query(description="진행상태(여럿 가능)")] = None,
    number: Text = None,
    institution_id: UUID | None = None,
    institution: Annotated[Text, Query(description="적립기관명 일부")] = None,
) -> Filters:
    return Filters(
        applied_from=applied_from,
        applied_to=applied_to,
        field=field,
        company=company,
        state=state or (),
        number=number,
        institution_id=institution_id,
        institution=institution,
    )


Wanted = Annotated[Filters, Depends(_filters)]


@router.get("", response_model=Page[ListItemOut], summary="신청내역")
async def list_applications(
    reader: Reader, session: Session, page: Paging, wanted: Wanted, sort: Sort = "-created"
) -> Page[ListItemOut]:
    found, next_cursor, total = await listing.list_applications(session, reader, wanted, sort, page)
    items = [ListItemOut.of(application, letter) for application, letter in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get("/export", summary="신청내역 엑셀 내려받기", **download(XLSX))
async def export_applications(
    reader: Reader, session: Session, wanted: Wanted, sort: Sort = "-created"
) -> Response:
    """조건에 맞는 신청을 모두 보냅니다. 명단은 들어 있지 않습니다."""
    return send(await export.write_list(session, reader, wanted, sort), "적립신청내역.xlsx", XLSX)


@router.post("", response_model=DetailOut, status_code=201, summary="신청서 만들기")
async def create_application(
    body: DraftIn, applicant: Applicant, registry: Directory, session: Session, response: Response
) -> DetailOut:
    institution_id, name = await service.applying_institution(
        registry, applicant, body.institution_id
    )
    application = await service.create_draft(
        session,
        applicant,
        institution_id=institution_id,
        institution_name=name,
        field=body.field,
        memo=body.memo,
    )
    tag(response, application.version)
    return DetailOut.of(listing.Detail(application, (), (), ()))


@router.get("/carry-over", response_model=list[CarriedOut], summary="지난 신청의 기업·계약")
async def list_carry_over(
    reader: Reader, session: Session, field: Annotated[FieldCode, Query(description="적립분야")]
) -> list[CarriedOut]:
    found = await carry_over.candidates(
        session, reader, institution_id=None, field=field, now=utc_now()
    )
    return [CarriedOut.model_validate(one) for one in found]


@router.get("/{application_id}", response_model=DetailOut, summary="상세보기")
async def read_application(
    application_id: ApplicationId, reader: Reader, session: Session, response: Response
) -> DetailOut:
    detail = await listing.detail(session, reader, application_id)
    tag(response, detail.application.version)
    return DetailOut.of(detail)


@router.patch("/{application_id}", response_model=DetailOut, summary="신청서 수정")
async def edit_application(
    application_id: ApplicationId,
    body: DraftPatch,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> DetailOut:
    await service.edit_draft(session, applicant, application_id, seen=seen, memo=body.memo)
    await session.flush()
    detail = await listing.detail(session, applicant, application_id)
    tag(response, detail.application.version)
    return DetailOut.of(detail)


@router.delete("/{application_id}", status_code=204, summary="임시저장 삭제")
async def discard_application(
    application_id: ApplicationId, applicant: Applicant, session: Session
) -> None:
    await service.discard_draft(session, applicant, application_id)


@router.post(
    "/{application_id}/files", response_model=FileOut, status_code=201, summary="공문·증빙 첨부"
)
async def attach_file(
    application_id: ApplicationId,
    applicant: Applicant,
    session: Session,
    store: Store,
    settings: Conf,
    file: Upload,
    kind: Annotated[str, Form(max_length=40, description="증빙 종류 코드")],
) -> FileOut:
    stored = await evidence.attach(
        session,
        applicant,
        store,
        application_id,
        kind=kind,
        name=file.filename or "",
        chunks=chunks_of(file),
        max_files=settings.max_files,
    )
    return FileOut.model_validate(stored)


@router.get("/{application_id}/files/{file_id}", summary="첨부 내려받기", **download(ANY))
async def download_file(
    application_id: ApplicationId, file_id: UUID, reader: Reader, session: Session, store: Store
) -> Response:
    file = await evidence.download(session, reader, application_id, file_id)
    return send(store.get(file.key), file.name, file.media_type, size=file.size)


@router.delete("/{application_id}/files/{file_id}", status_code=204, summary="첨부 삭제")
async def remove_file(
    application_id: ApplicationId, file_id: UUID, applicant: Applicant, session: Session
) -> None:
    await evidence.remove(session, applicant, application_id, file_id)


@router.post("/{application_id}/preview", response_model=SubmissionOut, summary="제출 미리보기")
async def preview_submission(
    application_id: ApplicationId,
    applicant: Applicant,
    session: Session,
    settings: Conf,
    lang: Language,
) -> SubmissionOut:
    """신청과 같은 검사를 하고 같은 모양으로 답합니다. 아무것도 바뀌지 않습니다."""
    made = await submission.preview(
        session, applicant, application_id, now=utc_now(), max_rows=settings.max_rows
    )
    return SubmissionOut.of(made, lang)


@router.post("/{application_id}/submit", response_model=SubmissionOut, summary="신청(제출)")
async def submit_application(
    application_id: ApplicationId,
    applicant: Applicant,
    once: Once,
    session: Session,
    settings: Conf,
    lang: Language,
) -> Response:
    made = await submission.submit(
        session, applicant, application_id, now=utc_now(), max_rows=settings.max_rows
    )
    return await once.answer(200, SubmissionOut.of(made, lang))


@router.post("/{application_id}/cancel", response_model=DetailOut, summary="신청취소")
async def cancel_application(
    application_id: ApplicationId, body: CancelIn, applicant: Applicant, session: Session
) -> DetailOut:
    await submission.cancel(session, applicant, application_id, reason=body.reason)
    await session.flush()
    return DetailOut.of(await listing.detail(session, applicant, application_id))


@router.get("/{application_id}/download", summary="신청 내려받기", **download(XLSX))
async def download_application(
    application_id: ApplicationId, reader: Reader, session: Session, purpose: Purpose = None
) -> Response:
    """개인정보는 가려서 보냅니다. 목적을 적으면 전체를 보내고 기록을 남깁니다."""
    application, full = await listing.open_rows(
        session, reader, application_id, action="export", purpose=purpose
    )
    workbook = await export.write_workbook(session, application, full=full)
    return send(workbook, f"적립신청_{application.number or '임시저장'}.xlsx", XLSX)


@router.get("/{application_id}/events", response_model=Page[EventOut], summary="처리 이력")
async def list_events(
    application_id: ApplicationId, reader: Reader, session: Session, page: Paging
) -> Page[EventOut]:
    found, next_cursor, total = await listing.events(session, reader, application_id, page)
    items = [EventOut.model_validate(event) for event in found]
    return Page(items=items, next_cursor=next_cursor, total=total)
