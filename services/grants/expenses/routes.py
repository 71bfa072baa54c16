"""Expenses over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from pydantic import AwareDatetime

from services.grants.expenses import bulk, papers, service
from services.grants.expenses.rules import MAX_WON
from services.grants.expenses.schemas import (
    EvidenceOut,
    ExpenseCheckOut,
    ExpenseDetail,
    ExpenseIn,
    ExpenseOut,
    ExpenseVersionOut,
    ImportOut,
    MetersOut,
    PreCheckIn,
)
from services.grants.proposals.schemas import EventOut, MeterOut
from shared.app import language
from shared.caller import institution_of, requires
from shared.db import Session
from shared.downloads import ANY, XLSX, download, send
from shared.files import chunks_of, clean_name
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.sheets.workbooks import MAX_BYTES
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/grants", tags=["사업비 집행"])

SheetFile = Annotated[UploadFile, File(description="엑셀(.xlsx) 또는 CSV, 10MB 이하")]
Spender = Annotated[Claims, Depends(requires("grants:apply"))]
Party = Annotated[Claims, Depends(requires("grants:apply", "grants:manage", "grants:settle"))]


@router.post(
    "/agreements/{agreement_id}/expenses/pre-check",
    response_model=ExpenseCheckOut,
    summary="집행 전 점검",
)
async def pre_check_expense(
    agreement_id: UUID, body: PreCheckIn, spender: Spender, session: Session, request: Request
) -> ExpenseCheckOut:
    """정산과 같은 기준으로, 쓰기 전에 점검합니다. 아무것도 바뀌지 않습니다."""
    values = body.model_dump()
    evidence = values.pop("evidence")
    check = await service.pre_check(
        session, agreement_id, institution_of(spender), values, evidence
    )
    return ExpenseCheckOut.of(check, language(request))


@router.post(
    "/agreements/{agreement_id}/expenses",
    status_code=201,
    response_model=ExpenseOut,
    summary="집행 등록",
)
async def add_expense(
    agreement_id: UUID, body: ExpenseIn, spender: Spender, once: Once, session: Session
) -> object:
    row = await service.add_expense(
        session, agreement_id, institution_of(spender), body.model_dump(), spender
    )
    return await once.answer(201, ExpenseOut.model_validate(row))


@router.get("/agreements/{agreement_id}/expenses", summary="집행내역")
async def list_expenses(
    agreement_id: UUID,
    party: Party,
    session: Session,
    page: Paging,
    state: Annotated[str | None, Query(max_length=20)] = None,
) -> Page[ExpenseOut]:
    items, next_cursor, total = await service.list_expenses(
        session, agreement_id, party, page, state
    )
    return Page[ExpenseOut].model_validate(
        {"items": items, "next_cursor": next_cursor, "total": total}, from_attributes=True
    )


@router.get(
    "/agreements/{agreement_id}/expenses/template", summary="양식 내려받기", **download(XLSX)
)
async def download_expense_template(
    agreement_id: UUID, spender: Spender, session: Session
) -> Response:
    """집행내역을 한꺼번에 적는 엑셀 양식입니다. 작성 예시와 안내가 들어 있습니다."""
    content = await bulk.sheet_to_fill_in(session, agreement_id, institution_of(spender))
    return send(content, "집행내역.xlsx", XLSX)


@router.post(
    "/agreements/{agreement_id}/expenses/import/preview",
    response_model=ImportOut,
    summary="일괄 등록 미리보기",
)
async def preview_expense_sheet(
    agreement_id: UUID, spender: Spender, session: Session, request: Request, file: SheetFile
) -> ImportOut:
    """엑셀(.xlsx)이나 CSV를 등록하지 않고 점검합니다. 오류는 칸마다 한꺼번에 알려 줍니다."""
    data = await file.read(MAX_BYTES + 1)
    made = await bulk.preview_sheet(session, agreement_id, institution_of(spender), data)
    return ImportOut.of(made, language(request))


@router.post(
    "/agreements/{agreement_id}/expenses/import",
    status_code=201,
    response_model=ImportOut,
    summary="일괄 등록",
)
async def import_expense_sheet(
    agreement_id: UUID,
    spender: Spender,
    session: Session,
    request: Request,
    file: SheetFile,
    once: Once,
) -> Response:
    """시트의 모든 행을 등록하거나, 오류가 있으면 하나도 등록하지 않습니다."""
    data = await file.read(MAX_BYTES + 1)
    made = await bulk.import_sheet(session, agreement_id, institution_of(spender), data, spender)
    return await once.answer(201, ImportOut.of(made, language(request)))


@router.post(
    "/agreements/{agreement_id}/expenses/import/annotated",
    summary="오류를 표시한 파일 받기",
    **download(XLSX),
)
async def annotate_expense_sheet(
    agreement_id: UUID, spender: Spender, session: Session, request: Request, file: SheetFile
) -> Response:
    """올린 파일 그대로에 고칠 칸을 색과 메모로 표시해 돌려줍니다. 등록하지 않습니다."""
    data = await file.read(MAX_BYTES + 1)
    content = await bulk.annotated_sheet(
        session, agreement_id, institution_of(spender), data, language(request)
    )
    stem = (file.filename or "집행내역").rpartition(".")[0] or "집행내역"
    return send(content, clean_name(f"{stem}_검증결과.xlsx"), XLSX)


@router.get("/agreements/{agreement_id}/meters", response_model=MetersOut, summary="한도 사용률")
async def read_meters(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> MetersOut:
    lang = language(request)
    found = await service.meters(session, agreement_id, party)
    return MetersOut(items=[MeterOut.of(meter, lang) for meter in found])


@router.get("/expenses/{expense_id}", response_model=ExpenseDetail, summary="집행 상세")
async def read_expense(
    expense_id: UUID, party: Party, session: Session, request: Request, response: Response
) -> ExpenseDetail:
    row, documents, check, month = await service.expense_detail(session, expense_id, party)
    tag(response, row.version)
    return ExpenseDetail(
        expense=ExpenseOut.model_validate(row),
        project_month=month,
        evidence=[EvidenceOut.model_validate(document) for document in documents],
        check=ExpenseCheckOut.of(check, language(request)),
    )


@router.put("/expenses/{expense_id}", response_model=ExpenseOut, summary="집행 수정")
async def edit_expense(
    expense_id: UUID,
    body: ExpenseIn,
    spender: Spender,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    """등록한 집행과 보완을 요청받은 집행을 고칩니다. 고치기 전의 내용은 이력에 남습니다."""
    row = await service.edit_expense(session, expense_id, seen, body.model_dump(), spender)
    tag(response, row.version)
    return row


@router.post("/expenses/{expense_id}/cancel", response_model=ExpenseOut, summary="집행 취소")
async def cancel_expense(expense_id: UUID, spender: Spender, session: Session) -> object:
    """잘못 등록한 집행을 취소합니다. 번호와 이력은 남고 정산에서 빠집니다."""
    return await service.act_on_expense(session, expense_id, spender, "cancel")


@router.post("/expenses/{expense_id}/supply", response_model=ExpenseOut, summary="보완 제출")
async def supply_expense(expense_id: UUID, spender: Spender, session: Session) -> object:
    """보완을 마쳤음을 알립니다. 다시 검토합니다."""
    return await service.act_on_expense(session, expense_id, spender, "supply")


@router.get(
    "/expenses/{expense_id}/history", response_model=list[ExpenseVersionOut], summary="집행 이력"
)
async def read_expense_history(expense_id: UUID, party: Party, session: Session) -> object:
    return await service.expense_history(session, expense_id, party)


@router.get("/expenses/{expense_id}/moves", response_model=list[EventOut], summary="처리 이력")
async def read_expense_moves(expense_id: UUID, party: Party, session: Session) -> object:
    """등록부터 확정까지, 언제 누구의 처리로 상태가 바뀌었는지 보여 줍니다."""
    return await service.expense_moves(session, expense_id, party)


@router.post(
    "/expenses/{expense_id}/evidence",
    status_code=201,
    response_model=EvidenceOut,
    summary="증빙 첨부",
)
async def attach_evidence(
    expense_id: UUID,
    spender: Spender,
    session: Session,
    request: Request,
    file: Upload,
    kind: Annotated[str, Form(max_length=40)],
    amount_won: Annotated[int | None, Form(ge=0, le=MAX_WON)] = None,
    number: Annotated[str | None, Form(max_length=100)] = None,
    used_at: Annotated[AwareDatetime | None, Form(description="카드 사용 일시")] = None,
) -> object:
    return await papers.attach_evidence(
        session,
        request.app.state.files,
        expense_id,
        spender,
        kind=kind,
        amount_won=amount_won,
        number=number,
        used_at=used_at,
        name=file.filename or "",
        chunks=chunks_of(file),
    )


@router.get("/evidence/{evidence_id}/file", summary="증빙 내려받기", **download(ANY))
async def download_evidence(
    evidence_id: UUID, party: Party, session: Session, request: Request
) -> Response:
    paper = await papers.readable_evidence(session, evidence_id, party)
    content = request.app.state.files.get(paper.file_key)
    return send(content, paper.file_name, paper.media_type)


@router.delete("/evidence/{evidence_id}", status_code=204, summary="증빙 삭제")
async def remove_evidence(evidence_id: UUID, spender: Spender, session: Session) -> None:
    await papers.remove_evidence(session, evidence_id, spender)
