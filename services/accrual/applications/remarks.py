"""What a reviewer should know beyond the rows: companies as the registry has them, and evidence
that was seen before."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.accrual.applications.claims import company_key
from services.accrual.applications.errors import (
    COMPANY_CLOSED_BEFORE,
    COMPANY_INACTIVE,
    EVIDENCE_REUSED,
    OWN_COMPANY,
    REGISTERED_NAME_DIFFERS,
)
from services.accrual.applications.models import (
    Application,
    ApplicationCompany,
    ApplicationFile,
    Claim,
)
from shared.problems import Finding


async def remarks(session: AsyncSession, application: Application) -> list[Finding]:
    """What a reviewer should know beyond the rows: companies, and evidence seen elsewhere."""
    companies = await session.scalars(
        select(ApplicationCompany)
        .where(ApplicationCompany.application_id == application.id)
        .order_by(ApplicationCompany.position)
    )
    references = await session.execute(
        select(Claim.brn, func.max(Claim.reference_on))
        .where(Claim.application_id == application.id, Claim.live)
        .group_by(Claim.brn)
    )
    newest = {row[0]: row[1] for row in references}
    found = [
        finding
        for company in companies
        for finding in _of_company(application, company, newest.get(company.brn))
    ]
    for name, number in await _reused_evidence(session, application.id):
        found.append(EVIDENCE_REUSED.at("/evidence", name=name, number=number))
    return found


def _of_company(
    application: Application, company: ApplicationCompany, newest: date | None
) -> Iterator[Finding]:
    """`newest`: the latest reference date among the company's rows."""
    at = f"/companies/{company.position - 1}"
    registered = company.registered_name
    if company.institution_id == application.institution_id:
        yield OWN_COMPANY.at(at, brn=company.brn)
    if registered is not None and company_key(company.name) != company_key(registered):
        yield REGISTERED_NAME_DIFFERS.at(at, name=company.name, registered=registered)
    if company.registered_status not in (None, "active"):
        yield COMPANY_INACTIVE.at(at, name=company.name, status=company.registered_status)
    if company.closed_on is not None and newest is not None and newest > company.closed_on:
        yield COMPANY_CLOSED_BEFORE.at(
            at,
            name=company.name,
            closed_on=company.closed_on.isoformat(),
            reference_on=newest.isoformat(),
        )


async def _reused_evidence(session: AsyncSession, application_id: UUID) -> list[tuple[str, str]]:
    """Files that other applications carry as well, as (name, number of the other)."""
    other = aliased(ApplicationFile)
    found = await session.execute(
        select(ApplicationFile.name, Application.number)
        .join(other, other.sha256 == ApplicationFile.sha256)
        .join(Application, Application.id == other.application_id)
        .where(
            ApplicationFile.application_id == application_id,
            other.application_id != application_id,
            Application.number.is_not(None),
        )
        .distinct()
        .order_by(ApplicationFile.name, Application.number)
        .limit(100)
    )
    return [(name, number or "") for name, number in found]
