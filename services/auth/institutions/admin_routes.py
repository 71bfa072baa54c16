"""The operator's register of institutions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.auth.callers import CallingActor
from services.auth.institutions import profiles, registry
from services.auth.institutions.models import Institution
from services.auth.institutions.registry import Entry
from services.auth.institutions.rules import Kind, Status
from services.auth.institutions.schemas import EntryIn, InstitutionOut, LineOut, MergeIn, PurposeIn
from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.paging import Page, Paging, paginate
from shared.preconditions import SeenVersion, tag
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/auth/institutions", tags=["institutions"])

Registrar = Annotated[Claims, Depends(requires("institutions:admin"))]


@router.get("", response_model=Page[LineOut], summary="기관 목록")
async def list_institutions(
    caller: Registrar,
    session: Session,
    page: Paging,
    kind: Annotated[list[Kind] | None, Query()] = None,
    status: Status | None = None,
    q: Annotated[str | None, Query(max_length=50, description="이름 또는 사업자번호")] = None,
) -> Page[LineOut]:
    found, next_cursor, total = await paginate(
        session,
        registry.listed(kinds=kind, status=status, text=q),
        keys=[Institution.name, Institution.id],
        page=page,
        descending=False,
    )
    items = [LineOut.model_validate(item) for item in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.post("", status_code=201, response_model=InstitutionOut, summary="기관 등록")
async def enter_institution(
    body: EntryIn, caller: Registrar, actor: CallingActor, session: Session, response: Response
) -> InstitutionOut:
    entry = Entry(**body.model_dump())
    institution = await registry.enter(session, entry, actor=actor, now=utc_now())
    return _answer(response, institution)


@router.get("/{institution_id}", response_model=InstitutionOut, summary="기관 상세")
async def show_institution(
    institution_id: UUID, caller: Registrar, session: Session, response: Response
) -> InstitutionOut:
    return _answer(response, await profiles.institution_of(session, institution_id))


@router.put("/{institution_id}", response_model=InstitutionOut, summary="기관 정정")
async def correct_institution(
    institution_id: UUID,
    body: EntryIn,
    caller: Registrar,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> InstitutionOut:
    institution = await registry.correct(
        session,
        institution_id,
        Entry(**body.model_dump()),
        seen=seen,
        actor=actor,
        now=utc_now(),
    )
    return _answer(response, institution)


@router.post("/{institution_id}/merge", response_model=InstitutionOut, summary="기업 합병")
async def merge_company(
    institution_id: UUID,
    body: MergeIn,
    caller: Registrar,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> InstitutionOut:
    institution = await registry.merge(
        session, institution_id, body.into_brn, seen=seen, actor=actor
    )
    return _answer(response, institution)


@router.post("/{institution_id}/reveal", response_model=InstitutionOut, summary="담당자 정보 열람")
async def reveal_institution(
    institution_id: UUID,
    body: PurposeIn,
    caller: Registrar,
    actor: CallingActor,
    session: Session,
) -> Institution:
    """The people of an institution in full, for a stated purpose, on record (A7)."""
    return await profiles.reveal(session, institution_id, purpose=body.purpose, actor=actor)


def _answer(response: Response, institution: Institution) -> InstitutionOut:
    tag(response, institution.version)
    full = InstitutionOut.model_validate(institution)
    masked = {name: profiles.hidden(name, getattr(full, name)) for name in profiles.PERSONAL}
    return full.model_copy(update=masked)
