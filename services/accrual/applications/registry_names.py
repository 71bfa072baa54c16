"""The registered names of an application's university and companies (M-008).

Asked after the submission, by a job: an applicant's deadline does not wait for another service.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.models import Application, ApplicationCompany
from services.accrual.clients import Company, Registry
from shared.db import Sessions


async def look_up(sessions: Sessions, registry: Registry, application_id: UUID) -> None:
    """Keep the names the registry has; unknown companies stay as the applicant wrote them."""
    async with sessions() as session:
        institution_id = await session.scalar(
            select(Application.institution_id).where(Application.id == application_id)
        )
        found = await session.execute(
            select(ApplicationCompany.brn, ApplicationCompany.name).where(
                ApplicationCompany.application_id == application_id
            )
        )
        names = dict(found.all())
    if institution_id is None:
        return  # discarded since
    institutions = await registry.institutions([institution_id])
    companies = await registry.companies(names)
    async with sessions.begin() as session:
        if institution_id in institutions:
            await session.execute(
                update(Application)
                .where(Application.id == application_id)
                .values(institution_name=institutions[institution_id].name)
            )
        await keep(session, application_id, companies)


async def keep(
    session: AsyncSession, application_id: UUID, companies: Mapping[str, Company]
) -> None:
    """Write down what the registry says of an application's companies, by business number."""
    if companies:
        await session.execute(
            update(ApplicationCompany),
            [
                {
                    "application_id": application_id,
                    "brn": company.brn,
                    "registered_name": company.name,
                    "registered_status": company.status,
                    "closed_on": company.closed_on,
                    "institution_id": company.institution_id,
                }
                for company in companies.values()
            ],
        )
