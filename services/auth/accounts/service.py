"""Use cases of accounts: opening them, and changing passwords."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules
from services.auth.accounts.models import Account
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import Role, Status
from services.auth.accounts.throttle import Throttle
from services.auth.audit.service import Actor, record
from services.auth.errors import CONTACT_REQUIRED, PW_CURRENT_WRONG, PW_UNCHANGED
from services.auth.institutions.models import Institution
from services.auth.sessions import service as sessions_service
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import Finding, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class PasswordChange:
    current: str
    new: str
    confirm: str
    contact_phone: str | None


async def account_of(session: AsyncSession, account_id: UUID) -> Account:
    account = await session.get(Account, account_id)
    if account is None or account.status != Status.ACTIVE:
        raise NotFound
    return account


async def with_institution(session: AsyncSession, account_id: UUID) -> tuple[Account, Institution]:
    account = await account_of(session, account_id)
    return account, await session.get_one(Institution, account.institution_id)


async def change_password(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    *,
    account_id: UUID,
    change: PasswordChange,
    forced: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Set a new password (M-002, M-003) and end every session of the account, this one too.

    Raises `Invalid` with all findings at once, or `LoginThrottled` after wrong current passwords.
    Several transactions: no row stays locked while passwords are hashed.
    """
    async with sessions() as session:
        account = await account_of(session, account_id)
    place = Throttle(vault, account.login_id, f"change:{account.id}", known_device=True)
    await place.reserve(sessions, now=now)
    current = await passwords.verify(change.current, account.password)
    findings = _findings(account, change, current_right=current.ok, forced=forced)
    if current.ok:
        async with sessions.begin() as session:
            await place.forgive(session)
    if findings:
        raise Invalid(errors=findings)
    hashed = await passwords.hash(change.new)
    async with sessions.begin() as session:
        changed = await session.get_one(Account, account_id, with_for_update=True)
        if changed.password != account.password:  # somebody else changed it meanwhile
            raise Invalid(errors=[PW_CURRENT_WRONG.at("/current_password")])
        if change.contact_phone:
            await _set_contact(session, changed, change.contact_phone)
        await set_password(session, changed, hashed, must_change=False, actor=actor, now=now)


def _findings(
    account: Account, change: PasswordChange, *, current_right: bool, forced: bool
) -> list[Finding]:
    findings = rules.password_findings(change.new, change.confirm, account.login_id)
    if not current_right:
        findings.append(PW_CURRENT_WRONG.at("/current_password", field="current_password"))
    elif rules.typed_password(change.new) == rules.typed_password(change.current):
        findings.append(PW_UNCHANGED.at("/new_password", field="new_password"))
    if forced and not change.contact_phone and not account.phone:
        findings.append(CONTACT_REQUIRED.at("/contact_phone", field="contact_phone"))
    return findings


async def _set_contact(session: AsyncSession, account: Account, phone: str) -> None:
    account.phone = phone
    if account.is_lead:
        institution = await session.get_one(Institution, account.institution_id)
        institution.phone = phone


async def set_password(
    session: AsyncSession,
    account: Account,
    hashed: str,
    *,
    must_change: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Store a hashed password and make every token and session made with the old one worthless."""
    account.password = hashed
    account.password_changed_at = now
    account.must_change_password = must_change
    record(
        session,
        actor,
        "account.password_changed",
        object_type="account",
        object_id=account.id,
        institution_id=account.institution_id,
    )
    await end_everything(session, account, reason="password", now=now)


async def end_everything(
    session: AsyncSession, account: Account, *, reason: str, now: datetime
) -> None:
    """Close every session and refuse every token of an account, everywhere within seconds. The
    last step of a transaction (see `sessions.service.revoke`)."""
    account.pv += 1
    await sessions_service.end_all(session, account.id, reason=reason, now=now)
    await sessions_service.revoke(session, {f"sub:{account.id}": account.pv})


async def open_company_accounts(session: AsyncSession, companies: list[Institution]) -> None:
    """The lead account of newly registered companies: its login id is the business number."""
    rows = [
        {
            "login_id": company.brn,
            "institution_id": company.id,
            "role": Role.COMPANY,
            "name": company.name[:50],
        }
        for company in companies
    ]
    if rows:
        await session.execute(insert(Account).values(rows).on_conflict_do_nothing())


async def by_login_id(session: AsyncSession, login_id: str) -> Account | None:
    account: Account | None = await session.scalar(
        select(Account).where(Account.login_id == login_id)
    )
    return account
