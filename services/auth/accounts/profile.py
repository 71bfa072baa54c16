"""A person's own account: what it shows, and changing one's own contact."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import second_factor, service, staff
from services.auth.accounts.models import Account
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.second_factor import Owner
from services.auth.accounts.staff import Person
from services.auth.audit.service import Actor
from services.auth.errors import PW_CURRENT_WRONG
from services.auth.institutions.models import Institution
from services.auth.messages import rules as letters
from services.auth.messages import service as messages
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import Invalid, Stale


@dataclass(frozen=True, slots=True)
class Own:
    account: Account
    institution: Institution
    fields: list[str] | None


async def show(session: AsyncSession, account_id: UUID) -> Own:
    account, institution = await service.with_institution(session, account_id)
    rows = await staff.fields_of(session, account_id)
    limited = account.role == "sub_account"
    return Own(account, institution, [r.field for r in rows if r.enabled] if limited else None)


async def change(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    account_id: UUID,
    person: Person,
    *,
    current_password: str | None,
    seen: int,
    actor: Actor,
    now: datetime,
) -> Own:
    """Change one's own name and contact. A new mail address or mobile number is where a forgotten
    password would be sent, so it takes the current password, and the old address is told."""
    async with sessions() as session:
        account = await service.account_of(session, account_id)
    moved = (account.email, account.mobile) != (person.email, person.mobile)
    if moved:
        if current_password is None:
            wrong = PW_CURRENT_WRONG.at("/current_password", field="current_password")
            raise Invalid(errors=[wrong])
        owner = Owner(account_id, current_password)
        await second_factor.prove(sessions, vault, passwords, owner, actor=actor, now=now)
    async with sessions.begin() as session:
        locked = await session.get_one(Account, account_id, with_for_update=True)
        if locked.version != seen:
            raise Stale
        before = staff.facts(locked)
        if moved and locked.email is not None:
            letter = letters.contact_changed_letter(locked.email, login_id=locked.login_id)
            await messages.queue(session, vault, letter)
        staff.describe_person(locked, person)
        locked.version += 1
        service.note(session, actor, locked, "account.changed", before, staff.facts(locked))
        return await show(session, account_id)
