"""Passwords for one errand: whoever logs in with one may choose a password of his own, and nothing
else. A temporary one is sent to a registered phone and good once (M-004). The login id itself is
one where an installation keeps the old convention (M-001): everybody knows it, so it is good for a
set time only, though as often as needed. The account's own password goes on working beside them.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, or_, select, update
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
    mac = _macs(vault, account_id, password)[0]
    session.add(
        OneTimeCredential(
            account_id=account_id, kind=OneTime.PASSWORD, mac=mac, expires_at=expires_at
        )
    )
    return password


async def admit_ids(
    session: AsyncSession, vault: Vault, login_ids: Mapping[UUID, str], *, expires_at: datetime
) -> None:
    """Let accounts in by their login id as the password, until `expires_at`."""
    rows = [
        {
            "account_id": account_id,
            "kind": OneTime.INITIAL,
            "mac": _macs(vault, account_id, login_id)[0],
            "expires_at": expires_at,
        }
        for account_id, login_id in login_ids.items()
    ]
    await session.execute(insert(OneTimeCredential), rows)


async def use(
    session: AsyncSession, vault: Vault, account_id: UUID | None, password: str, *, now: datetime
) -> bool:
    """Whether this is such a password of the account; asking uses up what is good once. The same
    query runs for accounts that do not exist."""
    taken = await session.execute(
        update(OneTimeCredential)
        .where(
            OneTimeCredential.mac.in_(_macs(vault, account_id or _NOBODY, password)),
            or_(OneTimeCredential.used_at.is_(None), OneTimeCredential.kind == OneTime.INITIAL),
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
    """Whether somebody has just logged in with this password: for the password change that has
    to follow, it counts as the current one."""
    used = await session.scalar(
        select(OneTimeCredential.id).where(
            OneTimeCredential.mac.in_(_macs(vault, account_id, password)),
            OneTimeCredential.used_at > now - within,
        )
    )
    return used is not None


def _macs(vault: Vault, account_id: UUID, password: str) -> list[bytes]:
    typed = rules.typed_password(password[: rules.MAX_TYPED_PASSWORD]).strip()
    plain = typed.encode("utf-8", "surrogatepass")
    return vault.macs("temporary-password", account_id.bytes, plain)
