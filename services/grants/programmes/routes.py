"""The catalogue over HTTP: public to read, agencies' to write."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.grants.programmes import service
from services.grants.programmes.schemas import (
    BonusRuleOut,
    ProgrammeIn,
    ProgrammeOut,
    RuleSetOut,
)
from shared.caller import institution_of, requires
from shared.clock import utc_now
from shared.db import Session
from shared.paging import Page, PageRequest, Paging
from shared.preconditions import SeenVersion, tag
from shared.problems import NotFound
from shared.schemas import Body, Version
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/grants", tags=["사업"])
internal = APIRouter(prefix="/internal", include_in_schema=False)

Officer = Annotated[Claims, Depends(requires("grants:manage"))]
Reader = Annotated[Claims, Depends(requires("grants:read"))]
Service = Annotated[Claims, Depends(requires("grants:read"))]
Timing = Literal["upcoming", "open", "closing_soon", "closed"]


class Reason(Body):
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


@router.get("/programmes", summary="활용사업·공고 목록")
async def list_programmes(
    session: Session,
    page: Paging,
    q: Annotated[str | None, Query(max_length=100)] = None,
    target: Literal["university", "company"] | None = None,
    timing: Timing | None = None,
) -> Page[ProgrammeOut]:
    return await _listed(
        session,
        page,
        words=q,
        target=target,
        timing=timing,
    )


@router.get("/programmes/bookmarked", summary="관심사업 목록")
async def list_bookmarked_programmes(
    reader: Reader,
    session: Session,
    page: Paging,
    timing: Timing | None = None,
) -> Page[ProgrammeOut]:
    return await _listed(
        session,
        page,
        bookmarked_by=institution_of(reader),
        timing=timing,
    )


@router.get("/programmes/joined", summary="참여사업 목록")
async def list_joined_programmes(
    reader: Reader,
    session: Session,
    page: Paging,
    timing: Timing | None = None,
) -> Page[ProgrammeOut]:
    """우리 기관이 사업계획서를 작성하거나 제출한 공고입니다."""
    return await _listed(
        session,
        page,
        joined_by=institution_of(reader),
        timing=timing,
    )


@router.get("/programmes/managed", summary="우리 기관의 사업 목록")
async def list_managed_programmes(
    officer: Officer, session: Session, page: Paging
) -> Page[ProgrammeOut]:
    return await _listed(
        session,
        page,
        agency_id=institution_of(officer),
    )


@router.post("/programmes", status_code=201, response_model=ProgrammeOut, summary="사업 등록")
async def create_programme(
    body: ProgrammeIn, officer: Officer, session: Session, response: Response
) -> object:
    values = body.model_dump(mode="python") | {"url": str(body.url) if body.url else None}
    programme = await service.create_programme(session, values, officer, institution_of(officer))
    tag(response, programme.version)
    return programme


@router.get("/programmes/{programme_id}", response_model=ProgrammeOut, summary="사업 상세")
async def read_programme(programme_id: UUID, session: Session, response: Response) -> object:
    programme = await service.published_programme(session, programme_id)
    tag(response, programme.version)
    return programme


@router.get(
    "/programmes/{programme_id}/rules", response_class=JSONResponse, summary="공고의 사업 규정"
)
async def read_programme_rules(programme_id: UUID, session: Session) -> Response:
    """사업비 한도, 평가표, 가점, 제출 서류 등 공고가 따르는 규정의 원문입니다."""
    body = await service.published_rules(session, programme_id)
    return Response(body, media_type="application/json")


@router.get(
    "/programmes/managed/{programme_id}", response_model=ProgrammeOut, summary="우리 사업 상세"
)
async def read_managed_programme(
    programme_id: UUID, officer: Officer, session: Session, response: Response
) -> object:
    programme = await service.managed_programme(session, programme_id, institution_of(officer))
    tag(response, programme.version)
    return programme


@router.put("/programmes/{programme_id}", response_model=ProgrammeOut, summary="사업 수정")
async def edit_programme(
    programme_id: UUID,
    body: ProgrammeIn,
    officer: Officer,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> object:
    values = body.model_dump(mode="python") | {"url": str(body.url) if body.url else None}
    programme = await service.edit_programme(
        session, programme_id, seen, values, officer, institution_of(officer)
    )
    tag(response, programme.version)
    return programme


@router.post("/programmes/{programme_id}/publish", response_model=ProgrammeOut, summary="사업 공고")
async def publish_programme(programme_id: UUID, officer: Officer, session: Session) -> object:
    return await service.publish_programme(
        session, programme_id, officer, institution_of(officer), utc_now()
    )


@router.post(
    "/programmes/{programme_id}/withdraw", response_model=ProgrammeOut, summary="사업 공고 취소"
)
async def withdraw_programme(
    programme_id: UUID, body: Reason, officer: Officer, session: Session
) -> object:
    return await service.withdraw_programme(
        session, programme_id, officer, institution_of(officer), body.reason
    )


@router.put("/programmes/{programme_id}/bookmark", status_code=204, summary="관심사업 등록")
async def add_bookmark(programme_id: UUID, reader: Reader, session: Session) -> None:
    await service.set_bookmark(session, programme_id, institution_of(reader), wanted=True)


@router.delete("/programmes/{programme_id}/bookmark", status_code=204, summary="관심사업 해제")
async def remove_bookmark(programme_id: UUID, reader: Reader, session: Session) -> None:
    await service.set_bookmark(session, programme_id, institution_of(reader), wanted=False)


@router.get("/rule-sets", response_model=list[RuleSetOut], summary="사업 규정 목록")
async def list_rule_sets(_reader: Reader, session: Session) -> object:
    return await service.rule_sets(session)


@router.post("/rule-sets", status_code=201, response_model=RuleSetOut, summary="사업 규정 등록")
async def add_rule_set(request: Request, officer: Officer, session: Session) -> object:
    """The body is the rule set's JSON text itself; every mistake in it is listed at once."""
    body = (await request.body()).decode("utf-8", "replace")
    return await service.add_rule_set(session, body, actor=officer.sub)


@router.get("/rule-sets/{code}/{version}", summary="사업 규정 원문")
async def read_rule_set(code: str, version: Version, _reader: Reader, session: Session) -> Response:
    body = await service.rule_set_body(session, code, version)
    return Response(body, media_type="application/json")


@internal.get("/programmes/{programme_id}/bonus-rule", response_model=BonusRuleOut)
async def read_bonus_rule(programme_id: UUID, _service: Service, session: Session) -> BonusRuleOut:
    programme = await service.find_programme(session, programme_id)
    if programme.state == "draft":
        raise NotFound
    return BonusRuleOut(
        programme_id=programme.id,
        agency_id=programme.agency_id,
        name=programme.name,
        opens_at=programme.opens_at,
        closes_at=programme.closes_at,
        published=programme.state == "published",
        bonus_rule=programme.bonus_rule,
    )


async def _listed(session: Session, page: PageRequest, **which: Any) -> Page[ProgrammeOut]:
    items, next_cursor, total = await service.list_programmes(
        session, page=page, now=utc_now(), **which
    )
    return Page[ProgrammeOut].model_validate(
        {"items": items, "next_cursor": next_cursor, "total": total}, from_attributes=True
    )
