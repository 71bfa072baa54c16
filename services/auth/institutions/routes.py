"""An institution's own profile and campuses (M-005), companies (M-008, M-055), the directory."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.auth.accounts.rules import MANAGE_ACCOUNTS
from services.auth.callers import CallingActor, Self
from services.auth.institutions import profiles, registry
from services.auth.institutions.models import Institution
from services.auth.institutions.profiles import Place, Profile
from services.auth.institutions.rules import Kind, Status
from services.auth.institutions.schemas import (
    CampusesOut,
    CampusIn,
    CampusOut,
    CompanyCheckIn,
    CompanyCheckOut,
    CompanyOut,
    DirectoryOut,
    InstitutionOut,
    ProfileIn,
    SuccessorOut,
)
from shared.app import language
from shared.caller import institution_of, requires
from shared.db import Session
from shared.paging import Page, Paging, paginate
from shared.preconditions import SeenVersion, tag
from shared.schemas import FindingOut
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/auth", tags=["institutions"])

Lead = Annotated[Claims, Depends(requires(MANAGE_ACCOUNTS))]
CompanyReader = Annotated[
    Claims,
    Depends(
        requires(
            "accrual:apply", "accrual:review", "institutions:admin", "grants:apply", "grants:manage"
        )
    ),
]


@router.get("/institution", response_model=InstitutionOut, summary="우리 기관 정보")
async def show_own_institution(caller: Self, session: Session, response: Response) -> Institution:
    institution = await profiles.institution_of(session, institution_of(caller))
    tag(response, institution.version)
    return institution


@router.put("/institution", response_model=InstitutionOut, summary="우리 기관 정보 수정")
async def change_own_institution(
    body: ProfileIn,
    caller: Lead,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> Institution:
    profile = Profile(**body.model_dump())
    institution = await profiles.change(
        session, institution_of(caller), profile, seen=seen, actor=actor
    )
    tag(response, institution.version)
    return institution


@router.get("/institution/campuses", response_model=CampusesOut, summary="캠퍼스 목록")
async def list_campuses(caller: Self, session: Session) -> CampusesOut:
    found = await profiles.campuses_of(session, institution_of(caller))
    return CampusesOut(items=[CampusOut.model_validate(item) for item in found])


@router.post(
    "/institution/campuses", status_code=201, response_model=CampusOut, summary="캠퍼스 추가"
)
async def add_campus(
    body: CampusIn, caller: Lead, actor: CallingActor, session: Session
) -> CampusOut:
    place = Place(**body.model_dump())
    campus = await profiles.add_campus(session, institution_of(caller), place, actor=actor)
    return CampusOut.model_validate(campus)


@router.put("/institution/campuses/{campus_id}", response_model=CampusOut, summary="캠퍼스 수정")
async def change_campus(
    campus_id: UUID, body: CampusIn, caller: Lead, actor: CallingActor, session: Session
) -> CampusOut:
    campus = await profiles.change_campus(
        session, institution_of(caller), campus_id, Place(**body.model_dump()), actor=actor
    )
    return CampusOut.model_validate(campus)


@router.delete("/institution/campuses/{campus_id}", status_code=204, summary="캠퍼스 삭제")
async def remove_campus(
    campus_id: UUID, caller: Lead, actor: CallingActor, session: Session
) -> None:
    await profiles.remove_campus(session, institution_of(caller), campus_id, actor=actor)


@router.get("/directory", response_model=Page[DirectoryOut], summary="참여기관")
async def show_directory(
    caller: Self,
    session: Session,
    page: Paging,
    kind: Annotated[list[Kind] | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=50)] = None,
) -> Page[DirectoryOut]:
    found, next_cursor, total = await paginate(
        session,
        registry.listed(kinds=kind, status=Status.ACTIVE, text=q),
        keys=[Institution.name, Institution.id],
        page=page,
        descending=False,
    )
    items = [DirectoryOut.model_validate(item) for item in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get("/companies/{brn}", response_model=CompanyOut, summary="기업 정보")
async def show_company(brn: str, caller: CompanyReader, session: Session) -> CompanyOut:
    found, successor = await registry.company(session, brn)
    return CompanyOut(
        institution_id=found.id,
        brn=str(found.brn),
        name=found.name,
        status=found.status,
        address=found.address,
        ceo_name=profiles.hidden("ceo_name", found.ceo_name),
        company_size=found.company_size,
        industry=found.industry,
        manager_name=profiles.hidden("manager_name", found.manager_name),
        manager_department=found.manager_department,
        closed_on=found.closed_on,
        registry_checked_at=found.registry_checked_at,
        merged_into=SuccessorOut.model_validate(successor) if successor else None,
    )


@router.post("/companies/check", response_model=CompanyCheckOut, summary="기업 확인")
async def check_company(
    body: CompanyCheckIn, caller: CompanyReader, session: Session, request: Request
) -> CompanyCheckOut:
    """Before a number and a name are used: errors, warnings, and the name as it will be shown."""
    checked = await registry.check_company(session, body.brn, body.name)
    lang = language(request)
    return CompanyCheckOut(
        brn=checked.brn,
        institution_id=checked.company.id if checked.company else None,
        registered_name=checked.company.name if checked.company else None,
        shown_name=checked.shown_name,
        findings=[FindingOut(**item.to_dict(lang)) for item in checked.findings],
    )
