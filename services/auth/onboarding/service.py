"""How institutions come in by themselves: companies, when a university first credits them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import service as accounts_service
from services.auth.audit.service import Actor, record
from services.auth.institutions import service as institutions_service
from services.auth.institutions.models import Institution
from services.auth.institutions.service import NamedCompany


@dataclass(frozen=True, slots=True)
class Resolved:
    institution: Institution
    created: bool


async def resolve(
    session: AsyncSession, companies: Sequence[NamedCompany], *, create: bool, actor: Actor
) -> list[Resolved]:
    """The institutions behind business numbers (M-008), in the order asked, each once. With
    `create`, unknown companies are registered with a lead account whose id is the number; without,
    they are left out. Raises `Invalid` with every malformed number.

    A number that belongs to a university or an IACF gives that institution: the caller decides.
    """
    clean = institutions_service.checked(companies, names_needed=create)
    known = await institutions_service.by_brn(session, (company.brn for company in clean))
    created: set[UUID] = set()
    missing = [company for company in clean if company.brn not in known]
    if create and missing:
        created = await institutions_service.add_companies(session, missing)
        known |= await institutions_service.by_brn(session, (item.brn for item in missing))
        added = [item for item in known.values() if item.id in created]
        await accounts_service.open_company_accounts(session, added)
        for item in added:
            record(
                session,
                actor,
                "institution.registered",
                object_type="institution",
                object_id=item.id,
                institution_id=item.id,
                after={"kind": item.kind, "brn": item.brn, "name": item.name},
            )
    numbers = dict.fromkeys(company.brn for company in clean)
    return [Resolved(known[brn], known[brn].id in created) for brn in numbers if brn in known]
