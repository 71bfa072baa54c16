"""The second factor: six digits of an authenticator app (TOTP, RFC 6238), or a recovery code.

A passkey is one too (`passkeys.py`); whoever has any has recovery codes."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules, service
from services.auth.accounts.models import Account, Passkey, RecoveryCode
from services.auth.accounts.passwords import Passwords
from services.auth.audit.service import Actor
from services.auth.errors import (
    CODE_WRONG,
    PW_CURRENT_WRONG,
    SecondFactorMissing,
    SecondFactorNeeded,
    SecondFactorPresent,
)
from services.auth.messages import rules as letters
from services.auth.messages import service as messages
from services.auth.messages.rules import FactorChange
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import Invalid

STEP_SECONDS = 30
RECOVERY_CODES = 10
ISSUER_NAME = "산학협력 마일리지"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret, and the same as an `otpauth:` address."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose second factor this is about, proven once more by the current password."""

    account_id: UUID
    password: str


async def begin(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    owner: Owner,
    *,
    first_only: bool,
    actor: Actor,
    now: datetime,
) -> Enrolment:
    """A new secret, of no effect until `confirm`. `first_only`: not beside another factor. Raises
    `SecondFactorPresent` or `Invalid`."""
    await prove(sessions, vault, passwords, owner, actor=actor, now=now)
    secret = pyotp.random_base32()
    async with sessions.begin() as session:
        account = await session.get_one(Account, owner.account_id, with_for_update=True)
        refuse_another(account, first_only=first_only)
        if account.totp_confirmed_at is not None:
            raise SecondFactorPresent
        account.totp_seed = vault.seal(secret.encode())
        account.totp_last_step = None
        service.note(session, actor, account, "second_factor.begun")
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.login_id, issuer_name=ISSUER_NAME)
    return Enrolment(secret, uri)


async def confirm(
    session: AsyncSession,
    vault: Vault,
    account_id: UUID,
    code: str,
    *,
    first_only: bool,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Switch the second factor on with a first right code. Returns the recovery codes: they are
    shown this once. Raises `SecondFactorMissing`, `SecondFactorPresent` or `Invalid`."""
    account = await session.get_one(Account, account_id, with_for_update=True)
    refuse_another(account, first_only=first_only)
    if account.totp_confirmed_at is not None:
        raise SecondFactorPresent
    if account.totp_seed is None:
        raise SecondFactorMissing
    if not _totp_fits(vault, account, code, now):
        raise Invalid(errors=[CODE_WRONG.at("/code", field="code")])
    account.totp_confirmed_at = now
    service.note(session, actor, account, "second_factor.confirmed")
    await tell(session, vault, account, FactorChange.APP_ADDED)
    return await new_recovery_codes(session, vault, account.id)


async def renew_recovery_codes(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    owner: Owner,
    *,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Ten new codes; the old ones stop working."""
    await prove(sessions, vault, passwords, owner, actor=actor, now=now)
    async with sessions.begin() as session:
        account = await session.get_one(Account, owner.account_id, with_for_update=True)
        if not account.has_second_factor:
            raise SecondFactorMissing
        service.note(session, actor, account, "second_factor.codes_renewed")
        return await new_recovery_codes(session, vault, account.id)


async def remove(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    owner: Owner,
    *,
    needed_by_operators: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Switch the authenticator app off. Raises `SecondFactorNeeded` for the last second factor of
    somebody who has to have one."""
    await prove(sessions, vault, passwords, owner, actor=actor, now=now)
    async with sessions.begin() as session:
        account = await session.get_one(Account, owner.account_id, with_for_update=True)
        if needed_by_operators and account.role in rules.OPERATING_ROLES and not account.passkeys:
            raise SecondFactorNeeded
        account.totp_seed = account.totp_confirmed_at = account.totp_last_step = None
        await forget_needless_codes(session, account)
        service.note(session, actor, account, "second_factor.removed")
        await tell(session, vault, account, FactorChange.APP_REMOVED)


async def clear(session: AsyncSession, account: Account, *, actor: Actor) -> None:
    """Forget everything an account could confirm with: for a lost phone, or its next user."""
    account.totp_seed = account.totp_confirmed_at = account.totp_last_step = None
    account.passkeys = 0
    await session.execute(delete(Passkey).where(Passkey.account_id == account.id))
    await forget_needless_codes(session, account)
    service.note(session, actor, account, "second_factor.removed")


def refuse_another(account: Account, *, first_only: bool) -> None:
    """Who came in by the password alone, to register the second factor he lacked, adds none to one
    that is there by now: it may not be his."""
    if first_only and account.has_second_factor:
        raise SecondFactorPresent


async def tell(session: AsyncSession, vault: Vault, account: Account, change: FactorChange) -> None:
    """A letter to the owner about another way into his account, or one that is gone."""
    if account.email is not None:
        letter = letters.factor_changed_letter(account.email, change, login_id=account.login_id)
        await messages.queue(session, vault, letter)


async def forget_needless_codes(session: AsyncSession, account: Account) -> None:
    """Recovery codes stand in for a second factor: without one they are of no use."""
    if not account.has_second_factor:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


async def fits(
    session: AsyncSession, vault: Vault, account: Account, code: str, *, now: datetime
) -> bool:
    """Whether a code opens this account; a code that did is used up. `account` is locked."""
    # With a passkey there is a second factor while an app's secret may still wait for `confirm`.
    if account.totp_confirmed_at is not None and _totp_fits(vault, account, code, now):
        return True
    used = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account.id,
            RecoveryCode.mac.in_(_recovery_macs(vault, account.id, code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.mac)
    )
    return used.first() is not None


async def prove(
    sessions: Sessions,
    vault: Vault,
    passwords: Passwords,
    owner: Owner,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Raises `Invalid` (PW_CURRENT_WRONG) unless the password is the owner's, or
    `LoginThrottled`."""
    _, right = await service.recognise(
        sessions, vault, passwords, owner.account_id, owner.password, actor=actor, now=now
    )
    if not right:
        raise Invalid(errors=[PW_CURRENT_WRONG.at("/current_password", field="current_password")])


def _totp_fits(vault: Vault, account: Account, code: str, now: datetime) -> bool:
    """Accepts the current step and its neighbours, each step once: a code seen over a shoulder
    is of no use any more."""
    if account.totp_seed is None:
        return False
    totp = pyotp.TOTP(vault.unseal(account.totp_seed).decode())
    typed = rules.typed_password(code).replace(" ", "").encode("utf-8", "surrogatepass")
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current - 1, current, current + 1):
        fresh = account.totp_last_step is None or step > account.totp_last_step
        if fresh and hmac.compare_digest(totp.generate_otp(step).encode(), typed):
            account.totp_last_step = step
            return True
    return False


async def new_recovery_codes(session: AsyncSession, vault: Vault, account_id: UUID) -> list[str]:
    codes = [secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    await session.execute(
        insert(RecoveryCode),
        [
            {"account_id": account_id, "mac": _recovery_macs(vault, account_id, code)[0]}
            for code in codes
        ],
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _recovery_macs(vault: Vault, account_id: UUID, code: str) -> list[bytes]:
    plain = rules.typed_password(code[:100]).replace("-", "").replace(" ", "").casefold()
    return vault.macs("recovery-code", account_id.bytes, plain.encode("utf-8", "surrogatepass"))
