"""Use cases of the survey: its windows and figures, what is at risk, and who earned anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.accrual.applications import access
from services.accrual.applications.models import Application, Claim
from services.accrual.clients import Registry
from services.accrual.criteria.service import versions
from services.accrual.ledger.models import Entry, Transfer
from services.accrual.ledger.rules import Kind
from services.accrual.statistics import rules
from services.accrual.statistics.errors import WindowEnded, WindowNotFound, WindowOverlaps
from services.accrual.statistics.models import SurveyWindow, SurveyWindowChange
from services.accrual.statistics.rules import Window
from shared.caller import institution_of
from shared.clock import SEOUL, seoul_day
from shared.logs import trace_id
from shared.paging import PageRequest, paginate
from shared.problems import NotFound, PermissionDenied, Stale
from shared.tokens import Claims

UNDER_WAY = ("submitted", "in_review", "returned", "approved")


@dataclass(frozen=True, slots=True)
class Figure:
    """What counts for a survey: applications, their accepted rows, and the points they earned."""

    field: str
    institutions: int
    applications: int
    records: int
    points: int


@dataclass(frozen=True, slots=True)
class InstitutionFigure:
    """The same for one institution in one field."""

    institution_id: UUID
    institution_name: str | None
    field: str
    applications: int
    records: int
    points: int


@dataclass(frozen=True, slots=True)
class PostedMileage:
    """Points an institution earned by the end of a day, less what was revoked by then (M-061), and
    which of them in which accrual field."""

    institution_id: UUID
    kind: str
    on: date
    points: int
    by_field: dict[str, int]


def field_names() -> dict[str, str]:
    return {rule.code: rule.ko for rule in versions()[-1].fields.values()}


async def windows(session: AsyncSession) -> Sequence[SurveyWindow]:
    """All windows, the newest first: one a year."""
    return (await session.scalars(select(SurveyWindow).order_by(SurveyWindow.year.desc()))).all()


async def window(session: AsyncSession, year: int) -> SurveyWindow:
    """Raises `WindowNotFound`."""
    found = await session.get(SurveyWindow, year)
    if found is None:
        raise WindowNotFound
    return found


async def published_window(session: AsyncSession, year: int, *, today: date) -> Window:
    """A window whose figures are for everyone: it is over, and was no pilot.

    Raises `WindowNotFound`.
    """
    found = (await window(session, year)).to_window()
    if found.pilot or not found.has_ended(today):
        raise WindowNotFound
    return found


async def set_window(
    session: AsyncSession, claims: Claims, wanted: Window, *, seen: int, today: date
) -> SurveyWindow:
    """Set a window's days while it is not over.

    Raises `PermissionDenied`, `WindowNotFound`, `Stale`, `WindowEnded`, `Invalid`,
    `WindowOverlaps`.
    """
    if not access.is_operator(claims):
        raise PermissionDenied
    found = await session.get(SurveyWindow, wanted.year, with_for_update=True)
    if found is None:
        raise WindowNotFound
    if found.version != seen:
        raise Stale
    before = found.to_window()
    if before.has_ended(today):
        raise WindowEnded(ended=before.ends_on.isoformat())
    rules.check_window(wanted, today)
    found.starts_on, found.ends_on = wanted.starts_on, wanted.ends_on
    found.pilot = wanted.pilot
    found.version += 1
    session.add(
        SurveyWindowChange(
            year=wanted.year,
            by=claims.sub,
            trace_id=trace_id.get(),
            before=_days(before),
            after=_days(wanted),
        )
    )
    try:
        await session.flush()
    except IntegrityError as error:
        raise WindowOverlaps from error
    await session.refresh(found)
    return found


async def open_windows(session: AsyncSession, *, today: date) -> None:
    """The usual windows of this survey year and the next, unless there are any."""
    year = rules.survey_year(today)
    for one in (rules.usual_window(year), rules.usual_window(year + 1)):
        values = {"year": one.year, "starts_on": one.starts_on, "ends_on": one.ends_on}
        await session.execute(insert(SurveyWindow).values(values).on_conflict_do_nothing())


async def figures(
    session: AsyncSession,
    wanted: Window,
    *,
    claims: Claims | None,
    institution_id: UUID | None = None,
) -> list[Figure]:
    """The figures of a window by field, in the order of the criteria.

    `claims` None: of all institutions, for the public. Raises `NotFound` for an institution that
    is not the caller's.
    """
    counted = _counted(wanted, _scope(claims, institution_id)).subquery()
    query = select(
        counted.c.field,
        func.count(counted.c.institution_id.distinct()),
        func.count(),
        func.sum(counted.c.records),
        func.sum(counted.c.mileage),
    ).group_by(counted.c.field)
    found = {row[0]: Figure(row[0], *map(int, row[1:])) for row in await session.execute(query)}
    return [found.get(code, Figure(code, 0, 0, 0, 0)) for code in field_names()]


async def institution_count(
    session: AsyncSession,
    wanted: Window,
    *,
    claims: Claims | None,
    institution_id: UUID | None = None,
) -> int:
    """Institutions with anything that counts; one may have earned in several fields."""
    counted = _counted(wanted, _scope(claims, institution_id)).subquery()
    return int(await session.scalar(select(func.count(counted.c.institution_id.distinct()))) or 0)


def by_institution(
    wanted: Window, claims: Claims, institution_id: UUID | None = None
) -> Select[*tuple[Any, ...]]:
    """The query of the figures by institution and field, as columns of `InstitutionFigure`."""
    counted = _counted(wanted, _scope(claims, institution_id)).subquery()
    grouped = (
        select(
            counted.c.institution_id,
            func.max(counted.c.institution_name).label("institution_name"),
            counted.c.field,
            func.count().label("applications"),
            func.sum(counted.c.records).label("records"),
            func.sum(counted.c.mileage).label("points"),
        )
        .group_by(counted.c.institution_id, counted.c.field)
        .subquery()
    )
    return select(*grouped.c)


async def institution_figures(
    session: AsyncSession,
    wanted: Window,
    claims: Claims,
    page: PageRequest,
    *,
    institution_id: UUID | None = None,
) -> tuple[list[InstitutionFigure], str | None, int]:
    """The figures by institution and field; the next cursor; how many lines there are."""
    query = by_institution(wanted, claims, institution_id)
    keys = [query.selected_columns.institution_id, query.selected_columns.field]
    rows, cursor, total = await paginate(session, query, keys=keys, page=page, descending=False)
    return [_figure(row) for row in rows], cursor, total


def at_risk(
    wanted: Window, claims: Claims, institution_id: UUID | None = None
) -> Select[*tuple[Application]]:
    """The query of what was applied for inside the window and is not posted inside it.

    Before the cut-off these are what still can be saved, afterwards what was missed (M-060).
    """
    _, end = wanted.bounds(SEOUL)
    late = and_(Application.state == "posted", Application.posted_at >= end)
    return select(Application).where(
        _scope(claims, institution_id),
        Application.applied_on.between(wanted.starts_on, wanted.ends_on),
        or_(Application.state.in_(UNDER_WAY), late),
    )


async def at_risk_page(
    session: AsyncSession,
    wanted: Window,
    claims: Claims,
    page: PageRequest,
    *,
    institution_id: UUID | None = None,
) -> tuple[Sequence[Any], str | None, int]:
    """Applications at risk, in the order they came; the next cursor; how many there are."""
    query = at_risk(wanted, claims, institution_id)
    keys = [Application.applied_on, Application.id]
    return await paginate(session, query, keys=keys, page=page, descending=False)


async def posted_mileage(
    session: AsyncSession, registry: Registry, institution_id: UUID, on: date, *, now: datetime
) -> PostedMileage:
    """What an institution had earned by the end of a Korean day, spent or not.

    Raises `Invalid` (DATE_FUTURE), `NotFound` for an institution the registry does not know,
    `UpstreamUnavailable`.
    """
    rules.check_day(on, seoul_day(now))
    institution = await registry.institution(institution_id)
    undone = aliased(Transfer)
    field = func.coalesce(undone.field, Transfer.field)
    rows = await session.execute(
        select(field, func.sum(Entry.amount))
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .outerjoin(undone, undone.id == Transfer.reverses_id)
        .where(
            Entry.account_id == institution_id,
            Entry.recorded_at < datetime.combine(on + timedelta(days=1), time(), SEOUL),
            func.coalesce(undone.kind, Transfer.kind).in_([Kind.ACCRUAL, Kind.MIGRATION]),
        )
        .group_by(field)
    )
    points = {code: int(amount) for code, amount in rows}
    by_field = {code: amount for code, amount in sorted(points.items(), key=str) if code and amount}
    return PostedMileage(institution_id, institution.kind, on, sum(points.values()), by_field)


def _counted(wanted: Window, scope: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Applications that were both applied for and posted inside the window, and still stand."""
    start, end = wanted.bounds(SEOUL)
    records = (
        select(func.count())
        .select_from(Claim)
        .where(Claim.application_id == Application.id, Claim.live)
        .scalar_subquery()
    )
    return select(
        Application.institution_id,
        Application.institution_name,
        Application.field,
        Application.mileage,
        records.label("records"),
    ).where(
        scope,
        Application.state == "posted",
        Application.applied_on.between(wanted.starts_on, wanted.ends_on),
        Application.posted_at >= start,
        Application.posted_at < end,
    )


def _scope(claims: Claims | None, institution_id: UUID | None) -> ColumnElement[bool]:
    """Whose applications: everybody's for the public, else those the caller may see."""
    if claims is None:
        return Application.test_mode.is_(False)
    visible = access.visible_to(claims)
    if institution_id is None:
        return visible
    if not access.sees_all(claims) and institution_id != institution_of(claims):
        raise NotFound
    return and_(visible, Application.institution_id == institution_id)


def _figure(row: Any) -> InstitutionFigure:
    institution_id, name, field, applications, records, points = row
    return InstitutionFigure(
        institution_id, name, field, int(applications), int(records), int(points)
    )


def _days(one: Window) -> dict[str, Any]:
    return {
        "starts_on": one.starts_on.isoformat(),
        "ends_on": one.ends_on.isoformat(),
        "pilot": one.pilot,
    }
