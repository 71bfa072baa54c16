"""Last year's companies and contracts, so that this year's rows need not be typed again.

What belongs to a year is left out: people, dates, hours and amounts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access
from services.accrual.applications.checks import Verdict
from services.accrual.applications.models import Application, ApplicationRow
from services.accrual.applications.service import add_rows
from shared.caller import institution_of
from shared.clock import seoul_day
from shared.sheets.cells import plain
from shared.tokens import Claims

LOOK_BACK = timedelta(days=2 * 365)
MAX_ROWS_READ = 20_000
CARRIED = (
    "brn",
    "company_name",
    "practice_type",
    "course_type",
    "course_name",
    "donation_type",
    "usage_type",
    "contract_no",
    "title",
    "contract_won",
)


@dataclass(frozen=True, slots=True)
class Carried:
    """A row as it would be carried over, and where it was last seen."""

    cells: dict[str, Any]
    number: str
    applied_on: date


async def candidates(
    session: AsyncSession,
    claims: Claims,
    *,
    institution_id: UUID | None,
    field: str,
    now: datetime,
) -> list[Carried]:
    """The distinct companies, courses and contracts of the last two years, newest first.

    Raises `FieldNotPermitted`.
    """
    access.check_field(claims, field)
    query = (
        select(ApplicationRow.cells, Application.number, Application.applied_on)
        .join(Application, Application.id == ApplicationRow.application_id)
        .where(
            access.visible_to(claims),
            Application.institution_id == (institution_id or institution_of(claims)),
            Application.field == field,
            Application.state.in_(("posted", "approved", "in_review", "submitted")),
            Application.applied_on >= seoul_day(now) - LOOK_BACK,
        )
        .order_by(Application.applied_on.desc(), Application.id.desc(), ApplicationRow.number)
        .limit(MAX_ROWS_READ)
    )
    seen: dict[tuple[Any, ...], Carried] = {}
    for cells, number, applied_on in await session.execute(query):
        carried = {key: cells[key] for key in CARRIED if key in cells}
        seen.setdefault(tuple(carried.items()), Carried(carried, number, applied_on))
    return list(seen.values())


async def carry_over(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    *,
    brns: Collection[str] | None,
    seen: int,
    now: datetime,
    max_rows: int,
) -> tuple[Application, Verdict]:
    """Add a row for each candidate, or for those of the companies named."""
    application = await access.find(session, claims, application_id)
    found = await candidates(
        session,
        claims,
        institution_id=application.institution_id,
        field=application.field,
        now=now,
    )
    rows = [one.cells for one in found if brns is None or plain(one.cells.get("brn")) in brns]
    return await add_rows(
        session,
        claims,
        application_id,
        rows,
        replace=False,
        seen=seen,
        now=now,
        max_rows=max_rows,
    )
