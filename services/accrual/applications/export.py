"""Workbooks out: one application with its rows and what became of them, or a list of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.listing import Filters, found, order_of
from services.accrual.applications.models import (
    Application,
    ApplicationCompany,
    ApplicationRow,
    Claim,
)
from services.accrual.applications.moves import NAMES
from services.accrual.applications.privacy import masked
from services.accrual.criteria.service import versions
from shared.sheets.cells import plain
from shared.sheets.writing import Line, Page, at_once, streamed, write_book
from shared.tokens import Claims

SUMMARY = ("항목", "내용")
COMPANIES = ("번호", "사업자번호", "입력기업명", "상세기업명", "행수", "적립대상", "마일리지(점)")

LISTED = (
    "번호", "신청일", "적립기관", "사업명", "기업수", "행수", "마일리지(점)", "진행상태",
)  # fmt: skip


async def write_list(
    session: AsyncSession, claims: Claims, filters: Filters, sort: str
) -> IO[bytes]:
    """All applications the list would show over its pages, a line each; the caller closes the
    file. Raises `ExportTooLarge`."""
    names = {rule.code: rule.ko for rule in versions()[-1].fields.values()}

    def line(application: Application) -> Line:
        return (
            application.number or "-",
            application.applied_on,
            application.institution_name,
            names.get(application.field, application.field),
            application.company_count,
            application.row_count,
            application.mileage,
            NAMES[application.state],
        )

    query = found(claims, filters).order_by(*order_of(sort))
    return await write_book(
        Page("적립신청", dict.fromkeys(LISTED, 16), streamed(session, query, line))
    )


async def write_workbook(
    session: AsyncSession, application: Application, *, full: bool
) -> IO[bytes]:
    """A temporary file, at its start; names are masked unless `full`. The caller closes it."""
    companies = await session.scalars(
        select(ApplicationCompany)
        .where(ApplicationCompany.application_id == application.id)
        .order_by(ApplicationCompany.position)
    )
    columns = COLUMNS[application.field]

    def line(
        number: int, cells: Mapping[str, Any], claimed: int | None, rejected: str | None
    ) -> Line:
        cells = cells if full else masked(cells)
        result = "" if claimed is None else "불인정" if rejected else "인정"
        return (number, *(plain(cells.get(column.key, "")) for column in columns), result, rejected)

    heading = ("행", *(column.ko for column in columns), "결과", "불인정 사유")
    return await write_book(
        Page("신청", dict.fromkeys(SUMMARY, 18), at_once(_summary(application))),
        Page("기업별", dict.fromkeys(COMPANIES, 18), at_once(_company_lines(companies))),
        Page("명단", dict.fromkeys(heading, 12), streamed(session, _rows(application), line)),
    )


def _rows(application: Application) -> Select[*tuple[Any, ...]]:
    """Number, cells, number of the claim if there is one, reason of a rejection."""
    return (
        select(ApplicationRow.number, ApplicationRow.cells, Claim.number, Claim.rejected_reason)
        .outerjoin(
            Claim,
            (Claim.application_id == ApplicationRow.application_id)
            & (Claim.number == ApplicationRow.number),
        )
        .where(ApplicationRow.application_id == application.id)
        .order_by(ApplicationRow.number)
    )


def _summary(application: Application) -> Iterator[Line]:
    rule = versions()[-1].fields[application.field]
    yield "번호", application.number or "-"
    yield "신청일", application.applied_on or "-"
    yield "적립기관", application.institution_name or "-"
    yield "사업명", rule.ko
    yield "진행상태", NAMES[application.state]
    yield "기업수", application.company_count
    yield "행수", application.row_count
    yield "마일리지(점)", application.mileage
    yield "적립기준", application.criteria_version or rule.version


def _company_lines(companies: Iterable[ApplicationCompany]) -> Iterator[Line]:
    for company in companies:
        yield (
            company.position,
            company.brn,
            company.name,
            company.registered_name,
            company.row_count,
            company.quantity,
            company.mileage,
        )
