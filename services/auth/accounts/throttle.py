"""Waiting after wrong passwords, counted before the password is checked.

An attempt is *reserved* first, in a transaction of its own: fifty wrong passwords at once still
get no more than the free attempts checked. A right password gives the reservation back.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules
from services.auth.accounts.models import LoginThrottle
from services.auth.errors import LoginThrottled
from services.auth.vault import Vault
from shared.db import Sessions

HALF = 16  # bytes of a key: half tells the login id, half the place (zeros: everywhere)


class Throttle:
    """The counters of one login id seen from one place.

    `place` is the caller's address, or a device the account has logged in from before
    (`known_device`): such a device is not slowed by what strangers do.
    """

    def __init__(self, vault: Vault, login_id: str, place: str, *, known_device: bool) -> None:
        of_login = _of_login(vault, login_id)
        here = of_login + vault.mac("throttle-place", place.encode())[:HALF]
        self._everywhere = of_login + bytes(HALF)
        self._keys = [here] if known_device else [here, self._everywhere]

    async def reserve(self, sessions: Sessions, *, now: datetime) -> None:
        """Count one attempt as missed. Raises `LoginThrottled` while the place has to wait."""
        async with sessions.begin() as session:
            for key in self._keys:
                await self._count(session, key, now)

    async def _count(self, session: AsyncSession, key: bytes, now: datetime) -> None:
        # One statement makes or locks the row, also while a right password deletes it.
        fresh = insert(LoginThrottle).values(key=key, failures=0, next_try_at=now, updated_at=now)
        locked = fresh.on_conflict_do_update(
            index_elements=["key"], set_={"key": fresh.excluded.key}
        ).returning(LoginThrottle)
        counter = (await session.scalars(locked)).one()
        if counter.next_try_at > now:
            raise LoginThrottled(seconds=_seconds(counter.next_try_at - now))
        if now - counter.updated_at > rules.FORGOTTEN_AFTER:
            counter.failures = 0
        counter.failures += 1
        wait = rules.wait_everywhere_after if key == self._everywhere else rules.wait_after
        counter.next_try_at = now + wait(counter.failures)
        counter.updated_at = now

    async def forgive(self, session: AsyncSession) -> None:
        """The password was right: forget the misses."""
        await session.execute(delete(LoginThrottle).where(LoginThrottle.key.in_(self._keys)))


async def forgive_everywhere(session: AsyncSession, vault: Vault, login_id: str) -> None:
    """Forget all misses of a login id, from wherever they came."""
    of_login = _of_login(vault, login_id)
    everything = LoginThrottle.key.between(of_login + bytes(HALF), of_login + b"\xff" * HALF)
    await session.execute(delete(LoginThrottle).where(everything))


async def purge(session: AsyncSession, before: datetime) -> None:
    await session.execute(delete(LoginThrottle).where(LoginThrottle.updated_at < before))


def _of_login(vault: Vault, login_id: str) -> bytes:
    return vault.mac("throttle", login_id.encode("utf-8", "surrogatepass"))[:HALF]


def _seconds(wait: timedelta) -> int:
    return max(1, -int(-wait.total_seconds() // 1))
