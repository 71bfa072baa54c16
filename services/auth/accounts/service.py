"""Use cases of accounts: opening them, and changing passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules, temporary
from services.auth.accounts.models import Account, OneTimeCredential
from services.auth.accounts.passwords import Passwords
from services.auth.accounts.rules import Status
from services.auth.accounts.throttle import Throttle
from services.auth.audit.service import Actor, record
from services.auth.errors import CONTACT_REQUIRED, PW_CURRENT_WRONG, PW_UNCHANGED
from services.auth.institutions.models import Institution
from services.auth.sessions import service as sessions_service
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import Finding, Invalid, NotFound

TEMPORARY_COUNTS_FOR = timedelta(minutes=10)


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
    """
    account, right = await recognise(
        sessions, vault, passwords, account_id, change.current, actor=actor, now=now
    )
    findings = _findings(account, change, current_right=right, forced=forced)
    if findings:
        raise Invalid(errors=findings)
    hashed = await passwords.hash(change.new)
    async with sessions.begin() as session:
        changed = await session.get_one(Account, account_id, with_for_update=True)
        if changed.password != account.password:  # somebody else changed it meanwhile
            raise Invalid(errors=[PW_CURRENT_WRONG.at("/current_password")])
        if change.contact_phone:
            await set_contact(session, changed, change.contact_phone)
        await set_password(session, changed, hashed, must_change=False, actor=actor, now=now)


async def recognise(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    account_id: UUID,
    password: str,
    *,
    actor: Actor,
    now: datetime,
) -> tuple[Account, bool]:
    """An account of somebody logged in, and whether this is its current password: a stolen token
    alone must not change how one gets in. Raises `LoginThrottled` after wrong ones.

    Several transactions: no row stays locked while passwords are hashed.
    """
    async with sessions.begin() as session:
        account = await account_of(session, account_id)
        place = Throttle(vault, account.login_id, f"change:{account.id}", known_device=True)
        await place.reserve(session, now=now)
    right = (await passwords.verify(password, account.password)).ok
    async with sessions.begin() as session:
        right = right or await temporary.just_used(
            session, vault, account_id, password, now=now, within=TEMPORARY_COUNTS_FOR
        )
        if right:
            await place.forgive(session)
        else:
            note(session, actor, account, "account.password_refused")
    return account, right


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


async def set_contact(session: AsyncSession, account: Account, phone: str) -> None:
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
    """Store a hashed password; links, tokens and sessions from before are worthless from now."""
    await withdraw_credentials(session, account.id)
    account.password = hashed
    account.password_changed_at = now
    account.must_change_password = must_change
    note(session, actor, account, "account.password_changed")
    await end_everything(session, account, reason="password", now=now)


async def withdraw_credentials(session: AsyncSession, account_id: UUID) -> None:
    """Links and temporary passwords that are still about stop working."""
    await session.execute(
        delete(OneTimeCredential).where(OneTimeCredential.account_id == account_id)
    )


async def end_everything(
    session: AsyncSession, account: Account, *, reason: str, now: datetime
) -> None:
    """Close every session and refuse every token of an account, everywhere within seconds. The
    last step of a transaction (see `sessions.service.revoke`)."""
    await sessions_service.end_all(session, account.id, reason=reason, now=now)
    await outdate_tokens(session, account)


async def outdate_tokens(session: AsyncSession, account: Account) -> None:
    """Refuse the access tokens issued so far; sessions go on, and their next token tells what
    the account may do now. The last step of a transaction."""
    account.pv += 1
    await sessions_service.revoke(session, {f"sub:{account.id}": account.pv})


def note(
    session: AsyncSession,
    actor: Actor,
    account: Account,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    purpose: str | None = None,
) -> None:
    """Put on record what was done to an account."""
    record(
        session,
        actor,
        action,
        object_type="account",
        object_id=account.id,
        institution_id=account.institution_id,
        before=before,
        after=after,
        purpose=purpose,
    )


async def by_login_id(session: AsyncSession, login_id: str) -> Account | None:
    account: Account | None = await session.scalar(
        select(Account).where(Account.login_id == login_id)
    )
    return account
