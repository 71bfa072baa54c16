"""How institutions join and are suspended. Companies join by themselves, when a university first
credits them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import credentials
from services.auth.accounts.credentials import Desk
from services.auth.accounts.models import Account
from services.auth.audit.service import Actor
from services.auth.clients.models import Client
from services.auth.errors import SelfTreatment
from services.auth.institutions import profiles
from services.auth.institutions import service as institutions_service
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Status
from services.auth.institutions.service import NamedCompany, note
from services.auth.sessions import service as sessions_service
from shared.problems import StateConflict


@dataclass(frozen=True, slots=True)
class Resolved:
    institution: Institution
    created: bool


async def resolve(
    session: AsyncSession,
    desk: Desk,
    companies: Sequence[NamedCompany],
    *,
    create: bool,
    actor: Actor,
    now: datetime,
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
        await credentials.open_company_accounts(session, desk, added, now=now)
        for item in added:
            after = {"kind": item.kind, "brn": item.brn, "name": item.name}
            note(session, actor, item, "institution.registered", after=after)
    numbers = dict.fromkeys(company.brn for company in clean)
    return [Resolved(known[brn], known[brn].id in created) for brn in numbers if brn in known]


async def suspend(
    session: AsyncSession,
    institution_id: UUID,
    *,
    reason: str,
    seen: int,
    actor: Actor,
    now: datetime,
) -> Institution:
    """Shut an institution: its accounts are refused everywhere within seconds, its partner
    systems get no more tokens. What it did and owns stays."""
    institution = await profiles.locked(session, institution_id, seen)
    if institution.id == actor.institution_id:
        raise SelfTreatment
    if institution.status == Status.SUSPENDED:
        raise StateConflict(state=institution.status)
    before, after = {"status": institution.status}, {"status": Status.SUSPENDED}
    institution.status = Status.SUSPENDED
    institution.version += 1
    note(session, actor, institution, "institution.suspended", before, after, purpose=reason)
    accounts = await session.scalars(
        select(Account).where(Account.institution_id == institution.id).with_for_update()
    )
    clients = await session.scalars(
        select(Client).where(Client.institution_id == institution.id).with_for_update()
    )
    revoked: dict[str, int] = {}
    for account in accounts:
        await sessions_service.end_all(session, account.id, reason="suspended", now=now)
        account.pv += 1
        revoked[f"sub:{account.id}"] = account.pv
    for client in clients:
        client.pv += 1
        revoked[f"client:{client.id}"] = client.pv
    await sessions_service.revoke(session, revoked)
    return institution


async def reinstate(
    session: AsyncSession, institution_id: UUID, *, reason: str, seen: int, actor: Actor
) -> Institution:
    """Let a suspended institution in again."""
    institution = await profiles.locked(session, institution_id, seen)
    if institution.status != Status.SUSPENDED:
        raise StateConflict(state=institution.status)
    before, after = {"status": Status.SUSPENDED}, {"status": Status.ACTIVE}
    institution.status = Status.ACTIVE
    institution.version += 1
    note(session, actor, institution, "institution.reinstated", before, after, purpose=reason)
    return institution
