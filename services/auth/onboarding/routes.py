"""Internal routes by which the other services know institutions."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.auth.callers import CallingActor
from services.auth.institutions import service as institutions_service
from services.auth.institutions.service import NamedCompany
from services.auth.onboarding import service
from services.auth.onboarding.schemas import (
    InstitutionOut,
    LookupIn,
    LookupOut,
    ResolvedOut,
    ResolveIn,
    ResolveOut,
)
from shared.caller import requires
from shared.db import Session
from shared.tokens import Claims

internal = APIRouter(prefix="/internal/institutions", tags=["internal"])
Resolver = Annotated[Claims, Depends(requires("institutions:resolve"))]


@internal.post("/resolve", response_model=ResolveOut, summary="사업자등록번호로 기관 찾기")
async def resolve(
    body: ResolveIn, caller: Resolver, actor: CallingActor, session: Session
) -> ResolveOut:
    companies = [NamedCompany(item.brn, item.name) for item in body.companies]
    found = await service.resolve(session, companies, create=body.create, actor=actor)
    return ResolveOut(
        items=[
            ResolvedOut(
                brn=str(item.institution.brn),
                institution_id=item.institution.id,
                kind=item.institution.kind,
                name=item.institution.name,
                status=item.institution.status,
                merged_into=item.institution.merged_into_id,
                created=item.created,
            )
            for item in found
        ]
    )


@internal.post("/lookup", response_model=LookupOut, summary="기관 번호로 기관 찾기")
async def lookup(body: LookupIn, caller: Resolver, session: Session) -> LookupOut:
    found = await institutions_service.lookup(session, body.ids)
    return LookupOut(
        items=[
            InstitutionOut(
                institution_id=item.id,
                kind=item.kind,
                name=item.name,
                brn=item.brn,
                status=item.status,
                capital_area=item.capital_area,
            )
            for item in found
        ]
    )
