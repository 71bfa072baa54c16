"""Temporary passwords (M-004): sent to a registered phone, good once, and only for choosing a new
password. The account's own password goes on working until then."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules
from services.auth.accounts.models import OneTimeCredential
from services.auth.accounts.rules import OneTime
from services.auth.vault import Vault

# What a person can tell apart and type: no 0 and o, no 1, l and i.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH = 12
_NOBODY = UUID(int=0)


async def make(
    session: AsyncSession, vault: Vault, account_id: UUID, *, expires_at: datetime
) -> str:
    password = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    mac = _mac(vault, account_id, password)
    session.add(
        OneTimeCredential(
            account_id=account_id, kind=OneTime.PASSWORD, mac=mac, expires_at=expires_at
        )
    )
    return password


async def use(
    session: AsyncSession, vault: Vault, account_id: UUID | None, password: str, *, now: datetime
) -> bool:
    """Whether this is the account's temporary password; asking uses it up. The same query runs
    for accounts that do not exist."""
    taken = await session.execute(
        update(OneTimeCredential)
        .where(
            OneTimeCredential.mac == _mac(vault, account_id or _NOBODY, password),
            OneTimeCredential.used_at.is_(None),
            OneTimeCredential.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeCredential.id)
    )
    return taken.first() is not None


async def just_used(
    session: AsyncSession,
    vault: Vault,
    account_id: UUID,
    password: str,
    *,
    now: datetime,
    within: timedelta,
) -> bool:
    """Whether somebody has just logged in with this temporary password: for the password change
    that has to follow, it counts as the current one."""
    used = await session.scalar(
        select(OneTimeCredential.id).where(
            OneTimeCredential.mac == _mac(vault, account_id, password),
            OneTimeCredential.used_at > now - within,
        )
    )
    return used is not None


def _mac(vault: Vault, account_id: UUID, password: str) -> bytes:
    typed = rules.typed_password(password[: rules.MAX_TYPED_PASSWORD]).strip()
    return vault.mac("temporary-password", account_id.bytes, typed.encode("utf-8", "surrogatepass"))
