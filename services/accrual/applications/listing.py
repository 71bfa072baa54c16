"""Reading applications: the list of M-017, the detail, its rows and its trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access, audit
from services.accrual.applications.models import (
    Application,
    ApplicationComment,
    ApplicationCompany,
    ApplicationEvent,
    ApplicationFile,
    ApplicationRow,
    Claim,
)
from services.accrual.applications.moves import EDITABLE
from shared.paging import PageRequest, paginate
from shared.tokens import Claims

LETTER = "OFFICIAL_LETTER"

SORTS: dict[str, tuple[Any, ...]] = {
    "created": (Application.id,),
    "applied": (func.coalesce(Application.submitted_at, Application.created_at), Application.id),
    "mileage": (Application.mileage, Application.id),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the list; None means any. `company` is part of a name, as
    entered or as registered, or a whole BRN."""

    applied_from: date | None = None
    applied_to: date | None = None
    field: str | None = None
    company: str | None = None
    state: Sequence[str] = ()
    number: str | None = None
    institution_id: UUID | None = None
    institution: str | None = None
    claimed_by: str | None = None


async def list_applications(
    session: AsyncSession, claims: Claims, filters: Filters, sort: str, page: PageRequest
) -> tuple[Sequence[tuple[Application, UUID | None]], str | None, int]:
    """Applications with their official letter. `sort` is one of SORTS, with `-` for descending."""
    return await paginate(
        session,
        found(claims, filters).add_columns(letter()),
        keys=SORTS[sort.removeprefix("-")],
        page=page,
        descending=sort.startswith("-"),
    )


def found(claims: Claims, filters: Filters) -> Select[Any]:
    """The applications a caller may see that pass the filters, in no order."""
    return select(Application).where(access.visible_to(claims), *_conditions(filters))


def order_of(sort: str) -> list[Any]:
    keys = SORTS[sort.removeprefix("-")]
    return [key.desc() if sort.startswith("-") else key.asc() for key in keys]


def letter() -> ColumnElement[UUID]:
    """The id of an application's official letter, if it has one."""
    query = (
        select(ApplicationFile.id)
        .where(ApplicationFile.application_id == Application.id, ApplicationFile.kind == LETTER)
        .order_by(ApplicationFile.id)
        .limit(1)
    )
    return query.scalar_subquery().label("letter_file_id")


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.applied_from is not None:
        wanted.append(Application.applied_on >= filters.applied_from)
    if filters.applied_to is not None:
        wanted.append(Application.applied_on <= filters.applied_to)
    for column, value in (
        (Application.field, filters.field),
        (Application.number, filters.number),
        (Application.institution_id, filters.institution_id),
        (Application.claimed_by, filters.claimed_by),
    ):
        if value is not None:
            wanted.append(column == value)
    if filters.state:
        wanted.append(Application.state.in_(filters.state))
    if filters.institution:
        wanted.append(Application.institution_name.icontains(filters.institution, autoescape=True))
    if filters.company:
        wanted.append(
            exists().where(
                ApplicationCompany.application_id == Application.id,
                or_(
                    ApplicationCompany.brn == filters.company,
                    ApplicationCompany.name.icontains(filters.company, autoescape=True),
                    ApplicationCompany.registered_name.icontains(filters.company, autoescape=True),
                ),
            )
        )
    return wanted


@dataclass(frozen=True, slots=True)
class Detail:
    application: Application
    companies: Sequence[ApplicationCompany]
    files: Sequence[ApplicationFile]
    comments: Sequence[ApplicationComment]


async def detail(session: AsyncSession, claims: Claims, application_id: UUID) -> Detail:
    """Raises `NotFound`, `FieldNotPermitted`."""
    application = await access.find(session, claims, application_id)

    async def all_of(model: type[Any], *order: Any) -> Sequence[Any]:
        query = select(model).where(model.application_id == application_id).order_by(*order)
        return (await session.scalars(query)).all()

    return Detail(
        application,
        await all_of(ApplicationCompany, ApplicationCompany.position),
        await all_of(ApplicationFile, ApplicationFile.id),
        await all_of(ApplicationComment, ApplicationComment.id),
    )


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Rows with what became of them; `full` tells whether names may be shown."""

    items: Sequence[tuple[ApplicationRow, Claim | None]]
    next_cursor: str | None
    total: int
    full: bool


async def rows(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    page: PageRequest,
    *,
    purpose: str | None,
) -> RowsPage:
    """Rows in the order of their numbers.

    Those who still edit them see what they typed. Everyone else sees names in full only with a
    `purpose`, and the trace says so (A7); the ministry, which observes, never does.
    """
    _, full = await open_rows(
        session,
        claims,
        application_id,
        action="reveal",
        purpose=purpose,
        cursor=page.cursor,
        limit=page.limit,
    )
    query: Any = (
        select(ApplicationRow, Claim)
        .outerjoin(
            Claim,
            (Claim.application_id == ApplicationRow.application_id)
            & (Claim.number == ApplicationRow.number),
        )
        .where(ApplicationRow.application_id == application_id)
    )
    found, next_cursor, total = await paginate(
        session, query, keys=[ApplicationRow.number], page=page, descending=False
    )
    return RowsPage([(row, claim) for row, claim in found], next_cursor, total, full)


async def open_rows(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    *,
    action: str,
    purpose: str | None,
    **details: Any,
) -> tuple[Application, bool]:
    """The application, and whether this caller may see names in full; if so, that is recorded."""
    application = await access.find(session, claims, application_id)
    editing = application.state in EDITABLE and not access.sees_all(claims)
    editing = editing or (application.state == "draft" and application.on_behalf)
    full = editing or (purpose is not None and not access.is_observer(claims))
    if (full and not editing) or action == "export":
        audit.record(session, claims, application_id, action, purpose=purpose, **details)
    return application, full


async def events(
    session: AsyncSession, claims: Claims, application_id: UUID, page: PageRequest
) -> tuple[Sequence[ApplicationEvent], str | None, int]:
    await access.find(session, claims, application_id)
    return await paginate(
        session,
        select(ApplicationEvent).where(ApplicationEvent.application_id == application_id),
        keys=[ApplicationEvent.id],
        page=page,
        descending=False,
    )
