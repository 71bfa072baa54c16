"""Rows over HTTP: the grid's autosave, paste, and what a reviewer may read."""

from typing import Annotated

from fastapi import APIRouter, Body, File, Query, Response, UploadFile

from services.accrual.applications import carry_over, listing, service, sheets
from services.accrual.applications.deps import (
    Applicant,
    ApplicationId,
    Conf,
    Language,
    Purpose,
    Reader,
)
from services.accrual.applications.schemas import (
    CarryOverIn,
    RowOut,
    RowsIn,
    RowsOut,
    RowsPatch,
    SavedOut,
)
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import XLSX, download, send
from shared.files import MAX_FILE_BYTES, clean_name
from shared.paging import RowPaging
from shared.preconditions import SeenVersion, tag
from shared.sheets.errors import FileTooLarge

router = APIRouter(prefix="/api/v1/accrual/applications/{application_id}/rows", tags=["적립명단"])

Replace = Annotated[bool, Query(description="참이면 있던 행을 지우고 넣습니다")]
SheetFile = Annotated[UploadFile, File(description="작성한 양식(.xlsx 또는 .csv), 10MB 이하")]


@router.get("", response_model=RowsOut, summary="명단")
async def list_rows(
    application_id: ApplicationId,
    reader: Reader,
    session: Session,
    page: RowPaging,
    purpose: Purpose = None,
) -> RowsOut:
    """개인정보는 가려서 보냅니다. 목적을 적으면 전체를 보내고 열람 기록을 남깁니다.

    작성 중인 신청은 작성 기관에 가리지 않고 보냅니다.
    """
    found = await listing.rows(
        session,
        reader,
        application_id,
        page,
        purpose=purpose,
    )
    return RowsOut(
        items=[RowOut.of(row, claim, full=found.full) for row, claim in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
        masked=not found.full,
    )


@router.put("", response_model=SavedOut, summary="명단 저장(전체)")
async def replace_rows(
    application_id: ApplicationId,
    body: RowsIn,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    settings: Conf,
    lang: Language,
    response: Response,
) -> SavedOut:
    """틀린 칸이 있어도 저장하고, 고칠 곳을 모두 알려 줍니다."""
    application, verdict = await service.replace_rows(
        session,
        applicant,
        application_id,
        [(row.number, row.cells) for row in body.rows],
        seen=seen,
        now=utc_now(),
        max_rows=settings.max_rows,
    )
    tag(response, application.version)
    return SavedOut.of(application, verdict, lang)


@router.patch("", response_model=SavedOut, summary="명단 자동저장(바뀐 행)")
async def patch_rows(
    application_id: ApplicationId,
    body: RowsPatch,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    settings: Conf,
    lang: Language,
    response: Response,
) -> SavedOut:
    application, verdict = await service.patch_rows(
        session,
        applicant,
        application_id,
        changed=[(row.number, row.cells) for row in body.set],
        deleted=body.delete,
        seen=seen,
        now=utc_now(),
        max_rows=settings.max_rows,
    )
    tag(response, application.version)
    return SavedOut.of(application, verdict, lang)


@router.post("/carry-over", response_model=SavedOut, summary="지난 신청 이어쓰기")
async def carry_rows_over(
    application_id: ApplicationId,
    body: CarryOverIn,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    settings: Conf,
    lang: Language,
    response: Response,
) -> SavedOut:
    """최근 2년 신청의 기업·계약을 새 행으로 넣습니다. 학생, 날짜, 금액은 넣지 않습니다."""
    application, verdict = await carry_over.carry_over(
        session,
        applicant,
        application_id,
        brns=body.brns,
        seen=seen,
        now=utc_now(),
        max_rows=settings.max_rows,
    )
    tag(response, application.version)
    return SavedOut.of(application, verdict, lang)


@router.post("/paste", response_model=SavedOut, summary="엑셀에서 붙여넣기")
async def paste_rows(
    application_id: ApplicationId,
    text: Annotated[str, Body(media_type="text/tab-separated-values", max_length=5_000_000)],
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    settings: Conf,
    lang: Language,
    response: Response,
    replace: Replace = False,
) -> SavedOut:
    """탭으로 나뉜 칸을 양식의 열 순서대로 넣습니다. 제목 행이 있으면 제목을 따릅니다."""
    application, verdict, found = await sheets.paste(
        session,
        applicant,
        application_id,
        text,
        replace=replace,
        seen=seen,
        now=utc_now(),
        max_rows=settings.max_rows,
    )
    tag(response, application.version)
    return SavedOut.of(application, verdict, lang, found)


@router.post("/sheet", response_model=SavedOut, summary="파일로 일괄등록")
async def import_sheet(
    application_id: ApplicationId,
    file: SheetFile,
    applicant: Applicant,
    seen: SeenVersion,
    session: Session,
    settings: Conf,
    lang: Language,
    response: Response,
    replace: Replace = True,
) -> SavedOut:
    """틀린 칸이 하나라도 있으면 아무것도 저장하지 않고, 고칠 곳을 모두 알려 줍니다."""
    application, verdict, found = await sheets.import_sheet(
        session,
        applicant,
        application_id,
        await _content(file),
        replace=replace,
        seen=seen,
        now=utc_now(),
        max_rows=settings.max_rows,
    )
    tag(response, application.version)
    return SavedOut.of(application, verdict, lang, found)


@router.post("/sheet/annotated", summary="오류를 표시한 파일 받기", **download(XLSX))
async def annotate_sheet(
    application_id: ApplicationId,
    file: SheetFile,
    applicant: Applicant,
    session: Session,
    settings: Conf,
    lang: Language,
) -> Response:
    """올린 파일 그대로에 고칠 칸을 색과 메모로 표시해 돌려줍니다. 저장하지 않습니다."""
    content = await sheets.annotated(
        session,
        applicant,
        application_id,
        await _content(file),
        now=utc_now(),
        max_rows=settings.max_rows,
        lang=lang,
    )
    stem = (file.filename or "적립신청").rpartition(".")[0] or "적립신청"
    return send(content, clean_name(f"{stem}_검증결과.xlsx"), XLSX)


async def _content(file: UploadFile) -> bytes:
    """The file, which its reader needs whole; it was kept on disk until its size was known."""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise FileTooLarge
    return await file.read()
