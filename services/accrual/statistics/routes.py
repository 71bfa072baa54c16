"""The survey over HTTP: for universities their own, for the operator and the ministry all, for
everyone the totals of surveys that are over; and for the grants service who has earned anything."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.accrual.applications.moves import NAMES
from services.accrual.clients import Registry
from services.accrual.statistics import export, schemas, service
from services.accrual.statistics.rules import Window
from shared.caller import requires
from shared.clock import seoul_day, utc_now
from shared.db import Session
from shared.downloads import XLSX, download, send
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.problems import PermissionDenied
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/accrual/statistics", tags=["실태조사"])
internal = APIRouter(prefix="/internal/institutions", tags=["internal"])

Reader = Annotated[Claims, Depends(requires("accrual:read"))]
Reviewer = Annotated[Claims, Depends(requires("accrual:review"))]
Year = Annotated[int, Path(ge=2000, le=2999, description="조사 연도")]
Whose = Annotated[UUID | None, Query(description="기관. 지정하지 않으면 볼 수 있는 모두")]


@router.get("/windows", response_model=list[schemas.WindowOut], summary="실태조사 기간")
async def list_windows(reader: Reader, session: Session) -> Any:
    return [_window(one.to_window()) for one in await service.windows(session)]


@router.get("/windows/{year}", response_model=schemas.SummaryOut, summary="실태조사 집계")
async def get_summary(
    year: Year, reader: Reader, session: Session, response: Response, institution_id: Whose = None
) -> Any:
    """What was both applied for and posted in the period, in all and by field (M-060)."""
    found = await service.window(session, year)
    tag(response, found.version)
    return await _summary(session, found.to_window(), reader, institution_id)


@router.put("/windows/{year}", response_model=schemas.WindowOut, summary="실태조사 기간 변경")
async def put_window(
    year: Year,
    body: schemas.WindowIn,
    reviewer: Reviewer,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> Any:
    wanted = Window(year, body.starts_on, body.ends_on, body.pilot)
    today = seoul_day(utc_now())
    found = await service.set_window(session, reviewer, wanted, seen=seen, today=today)
    tag(response, found.version)
    return _window(found.to_window())


@router.get(
    "/windows/{year}/figures",
    response_model=Page[schemas.InstitutionFigureOut],
    summary="기관별·분야별 집계",
)
async def list_figures(
    year: Year,
    reader: Reader,
    session: Session,
    page: Paging,
    institution_id: Whose = None,
) -> Any:
    wanted = (await service.window(session, year)).to_window()
    found, next_cursor, total = await service.institution_figures(
        session, wanted, reader, page, institution_id=institution_id
    )
    names = service.field_names()
    items = [
        {
            "institution_id": one.institution_id,
            "institution_name": one.institution_name,
            "field": one.field,
            "name": names.get(one.field, one.field),
            "applications": one.applications,
            "records": one.records,
            "points": one.points,
        }
        for one in found
    ]
    return {"items": items, "next_cursor": next_cursor, "total": total}


@router.get(
    "/windows/{year}/at-risk",
    response_model=Page[schemas.AtRiskOut],
    summary="기간 안에 적립되지 않은 신청",
)
async def list_at_risk(
    year: Year,
    reader: Reader,
    session: Session,
    page: Paging,
    institution_id: Whose = None,
) -> Any:
    """Applied for inside the period, and not posted inside it: to be seen to before the cut-off."""
    wanted = (await service.window(session, year)).to_window()
    found, next_cursor, total = await service.at_risk_page(
        session, wanted, reader, page, institution_id=institution_id
    )
    return {"items": _risks(wanted, found), "next_cursor": next_cursor, "total": total}


@router.get("/windows/{year}/export", summary="엑셀 내려받기", **download(XLSX))
async def export_window(
    year: Year, reader: Reader, session: Session, institution_id: Whose = None
) -> Response:
    wanted = (await service.window(session, year)).to_window()
    book = await export.write_workbook(session, wanted, reader, institution_id)
    return send(book, f"실태조사_{year}.xlsx", XLSX)


@router.get("/public/{year}", response_model=schemas.SummaryOut, summary="실태조사 공개 통계")
async def get_public_summary(year: Year, session: Session) -> Any:
    """The totals of a survey that is over and was no pilot. Needs no login."""
    wanted = await service.published_window(session, year, today=seoul_day(utc_now()))
    return await _summary(session, wanted, None, None)


@internal.get("/{institution_id}/posted-mileage", response_model=schemas.PostedMileageOut)
async def get_posted_mileage(
    institution_id: UUID,
    on: Annotated[date, Query(description="그날이 끝난 때까지")],
    reader: Reader,
    session: Session,
    request: Request,
) -> Any:
    """Whether an institution has earned mileage, and of which kind it is (M-061). For services."""
    if reader.institution_id is not None:
        raise PermissionDenied
    runtime = request.app.state.runtime
    registry = Registry(runtime.identity, runtime.settings.auth_url)
    found = await service.posted_mileage(session, registry, institution_id, on, now=utc_now())
    return {
        "institution_id": found.institution_id,
        "kind": found.kind,
        "on": found.on,
        "has_posted_mileage": found.points > 0,
        "points": found.points,
        "by_field": found.by_field,
    }


def _window(one: Window) -> dict[str, Any]:
    today = seoul_day(utc_now())
    return {
        "year": one.year,
        "starts_on": one.starts_on,
        "ends_on": one.ends_on,
        "pilot": one.pilot,
        "ended": one.has_ended(today),
        "days_left": one.days_left(today),
    }


async def _summary(
    session: Session, wanted: Window, claims: Claims | None, institution_id: UUID | None
) -> dict[str, Any]:
    found = await service.figures(session, wanted, claims=claims, institution_id=institution_id)
    institutions = await service.institution_count(
        session, wanted, claims=claims, institution_id=institution_id
    )
    names = service.field_names()
    return {
        "window": _window(wanted),
        "institutions": institutions,
        "applications": sum(one.applications for one in found),
        "records": sum(one.records for one in found),
        "points": sum(one.points for one in found),
        "by_field": [
            {
                "field": one.field,
                "name": names[one.field],
                "institutions": one.institutions,
                "applications": one.applications,
                "records": one.records,
                "points": one.points,
            }
            for one in found
        ],
    }


def _risks(wanted: Window, found: Sequence[Any]) -> list[dict[str, Any]]:
    names = service.field_names()
    missed = wanted.has_ended(seoul_day(utc_now()))
    return [
        {
            "id": one.id,
            "number": one.number,
            "institution_id": one.institution_id,
            "institution_name": one.institution_name,
            "field": one.field,
            "name": names.get(one.field, one.field),
            "state": one.state,
            "state_name": NAMES[one.state],
            "applied_on": one.applied_on,
            "posted_at": one.posted_at,
            "mileage": one.mileage,
            "missed": missed,
        }
        for one in found
    ]
