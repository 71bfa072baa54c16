"""Expenses over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile

from services.grants.expenses import service
from services.grants.expenses.schemas import (
    EvidenceOut,
    ExpenseCheckOut,
    ExpenseDetail,
    ExpenseIn,
    ExpenseOut,
    MetersOut,
    PreCheckIn,
)
from services.grants.proposals.schemas import MeterOut
from shared.app import language
from shared.caller import institution_of, requires
from shared.db import Session
from shared.files import chunks_of
from shared.idempotency import Once
from shared.paging import Cursor, Limit, Page, PageRequest
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["사업비 집행"])

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
    agreement_id: UUID, party: Party, session: Session, limit: Limit = 50, cursor: Cursor = None
) -> Page[ExpenseOut]:
    items, next_cursor, total = await service.list_expenses(
        session, agreement_id, party, PageRequest(limit=limit, cursor=cursor)
    )
    return Page[ExpenseOut].model_validate(
        {"items": items, "next_cursor": next_cursor, "total": total}, from_attributes=True
    )


@router.get("/agreements/{agreement_id}/meters", response_model=MetersOut, summary="한도 사용률")
async def read_meters(
    agreement_id: UUID, party: Party, session: Session, request: Request
) -> MetersOut:
    lang = language(request)
    found = await service.meters(session, agreement_id, party)
    return MetersOut(items=[MeterOut.of(meter, lang) for meter in found])


@router.get("/expenses/{expense_id}", response_model=ExpenseDetail, summary="집행 상세")
async def read_expense(
    expense_id: UUID, party: Party, session: Session, request: Request
) -> ExpenseDetail:
    row, documents, check = await service.expense_detail(session, expense_id, party)
    return ExpenseDetail(
        expense=ExpenseOut.model_validate(row),
        evidence=[EvidenceOut.model_validate(document) for document in documents],
        check=ExpenseCheckOut.of(check, language(request)),
    )


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
    file: Annotated[UploadFile, File(description="10MB 이하")],
    kind: Annotated[str, Form(max_length=40)],
    amount_won: Annotated[int | None, Form(ge=0)] = None,
    number: Annotated[str | None, Form(max_length=100)] = None,
) -> object:
    return await service.attach_evidence(
        session,
        request.app.state.files,
        expense_id,
        institution_of(spender),
        spender,
        kind=kind,
        amount_won=amount_won,
        number=number,
        name=file.filename or "",
        chunks=chunks_of(file),
    )
