"""The survey as a workbook: figures by institution, and what is at risk."""

from decimal import Decimal
from typing import IO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.models import Application
from services.accrual.applications.moves import NAMES
from services.accrual.statistics import service
from services.accrual.statistics.rules import Window
from shared.sheets.writing import Line, Page, streamed, write_book
from shared.tokens import Claims

FIGURES = ("기관명", "적립분야", "신청건수", "실적건수", "마일리지(점)")
AT_RISK = ("번호", "기관명", "적립분야", "진행상태", "신청일", "마일리지(점)")


async def write_workbook(
    session: AsyncSession, wanted: Window, claims: Claims, institution_id: UUID | None = None
) -> IO[bytes]:
    """A temporary file, at its start; the caller closes it. Raises `NotFound` for an institution
    that is not the caller's."""
    figures = service.by_institution(wanted, claims, institution_id)
    columns = figures.selected_columns
    figures = figures.order_by(columns.institution_name, columns.institution_id, columns.field)
    risky = service.at_risk(wanted, claims, institution_id).order_by(
        Application.applied_on, Application.id
    )
    return await write_book(
        Page("집계", dict.fromkeys(FIGURES, 18), streamed(session, figures, _figure)),
        Page("미적립", dict.fromkeys(AT_RISK, 18), streamed(session, risky, _at_risk)),
    )


def _figure(
    _id: UUID, name: str | None, field: str, applications: int, records: Decimal, points: Decimal
) -> Line:
    return name, _field(field), applications, int(records), int(points)


def _at_risk(application: Application) -> Line:
    return (
        application.number,
        application.institution_name,
        _field(application.field),
        NAMES[application.state],
        application.applied_on,
        application.mileage,
    )


def _field(code: str) -> str:
    return service.field_names().get(code, code)
