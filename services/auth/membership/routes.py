"""How other services know institutions, and how the operator takes them in and shuts them."""

from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, File, Query, Response, UploadFile

from services.auth import sheets
from services.auth.callers import CallingActor, Runtime
from services.auth.institutions import service as institutions_service
from services.auth.institutions.schemas import ReasonIn
from services.auth.institutions.service import NamedCompany
from services.auth.membership import intake, rules, service
from services.auth.membership.schemas import (
    FoundCampusOut,
    FoundInstitutionOut,
    IntakeOut,
    LookupIn,
    LookupOut,
    ResolvedOut,
    ResolveIn,
    ResolveOut,
    TakenInOut,
)
from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import XLSX, download, send
from shared.preconditions import SeenVersion
from shared.sheets.workbooks import MAX_BYTES
from shared.sheets.writing import Page, at_once, write_book
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/auth/institutions", tags=["institutions"])
internal = APIRouter(prefix="/internal/institutions", tags=["internal"])
Registrar = Annotated[Claims, Depends(requires("institutions:admin"))]
Resolver = Annotated[Claims, Depends(requires("institutions:resolve"))]


@internal.post("/resolve", response_model=ResolveOut, summary="사업자등록번호로 기관 찾기")
async def resolve(
    body: ResolveIn, caller: Resolver, actor: CallingActor, runtime: Runtime, session: Session
) -> ResolveOut:
    companies = [NamedCompany(item.brn, item.name) for item in body.companies]
    found = await service.resolve(
        session, runtime.desk, companies, create=body.create, actor=actor, now=utc_now()
    )
    return ResolveOut(
        items=[
            ResolvedOut(
                brn=str(item.institution.brn),
                institution_id=item.institution.id,
                kind=item.institution.kind,
                name=item.institution.name,
                status=item.institution.status,
                closed_on=item.institution.closed_on,
                merged_into=item.institution.merged_into_id,
                created=item.created,
            )
            for item in found
        ]
    )


@internal.post("/lookup", response_model=LookupOut, summary="기관 번호로 기관 찾기")
async def lookup(body: LookupIn, caller: Resolver, session: Session) -> LookupOut:
    found = await institutions_service.lookup(session, body.ids)
    campuses = await institutions_service.campuses_by_institution(session, body.ids)
    return LookupOut(
        items=[
            FoundInstitutionOut(
                institution_id=item.id,
                kind=item.kind,
                name=item.name,
                brn=item.brn,
                status=item.status,
                capital_area=item.capital_area,
                campuses=[FoundCampusOut.model_validate(c) for c in campuses.get(item.id, [])],
            )
            for item in found
        ]
    )


# --- the operator -----------------------------------------------------------------------------


@router.get("/import/template", summary="기관 일괄등록 양식", **download(XLSX))
async def download_template(caller: Registrar) -> Response:
    content = await write_book(
        Page("기관", dict.fromkeys(rules.COLUMNS, 18), at_once([rules.EXAMPLE]))
    )
    return send(content, "기관_일괄등록.xlsx", XLSX)


@router.post("/import/files", response_model=IntakeOut, summary="기관 일괄등록")
async def take_in(
    caller: Registrar,
    actor: CallingActor,
    runtime: Runtime,
    file: Annotated[UploadFile, File(description="xlsx 또는 CSV, 10MB 이하")],
    save: Annotated[bool, Query(description="false: 검사만 합니다")] = False,
) -> IntakeOut:
    """Checks the whole sheet and, with `save`, registers all of it and invites the people in
    charge by mail. Any wrong cell: nothing is saved, and every finding is listed by row."""
    data = await file.read(MAX_BYTES + 1)
    found = await to_thread.run_sync(lambda: sheets.read(data, most=rules.MOST_LINES))
    taken = await intake.take_in(
        runtime.sessions, runtime.desk, found, save=save, actor=actor, now=utc_now()
    )
    items = [
        TakenInOut(
            row=item.line.row,
            kind=item.line.kind,
            name=item.line.name,
            login_id=item.line.login_id,
            institution_id=item.institution.id if item.institution else None,
        )
        for item in taken
    ]
    return IntakeOut(saved=save, items=items)


@router.post("/{institution_id}/suspend", status_code=204, summary="기관 이용 정지")
async def suspend_institution(
    institution_id: UUID,
    body: ReasonIn,
    caller: Registrar,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
) -> None:
    await service.suspend(
        session, institution_id, reason=body.reason, seen=seen, actor=actor, now=utc_now()
    )


@router.post("/{institution_id}/reinstate", status_code=204, summary="기관 이용 재개")
async def reinstate_institution(
    institution_id: UUID,
    body: ReasonIn,
    caller: Registrar,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
) -> None:
    await service.reinstate(session, institution_id, reason=body.reason, seen=seen, actor=actor)
