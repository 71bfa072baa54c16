"""Waiting after wrong passwords, counted before the password is checked.

An attempt is *reserved* first, in a transaction that commits before hashing begins: fifty wrong
passwords at once still get no more than the free attempts checked. A right password gives the
reservation back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import rules
from services.auth.accounts.models import LoginThrottle
from services.auth.errors import LoginThrottled
from services.auth.vault import Vault

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
        # In one order everywhere, so that two who lock both never wait for each other.
        self._keys = [here] if known_device else sorted([here, self._everywhere])

    async def reserve(self, session: AsyncSession, *, now: datetime) -> None:
        """Count one attempt as missed. Raises `LoginThrottled` while the place has to wait."""
        counters = await self._locked(session, now)
        # Of several who come at once, one with a later clock may have been first: that is no wait.
        waiting = [one for one in counters if self._wait(one, one.failures)]
        waits = [one.next_try_at - now for one in waiting if one.next_try_at > now]
        if waits:
            raise LoginThrottled(seconds=_seconds(max(waits)))
        await session.execute(update(LoginThrottle), [self._missed(one, now) for one in counters])

    async def _locked(self, session: AsyncSession, now: datetime) -> Sequence[LoginThrottle]:
        """One statement makes or locks the rows, also while a right password deletes them."""
        rows = [
            {"key": key, "failures": 0, "next_try_at": now, "updated_at": now} for key in self._keys
        ]
        fresh = insert(LoginThrottle).values(rows)
        locked = fresh.on_conflict_do_update(
            index_elements=["key"], set_={"key": fresh.excluded.key}
        ).returning(LoginThrottle)
        return (await session.scalars(locked)).all()

    def _missed(self, counter: LoginThrottle, now: datetime) -> dict[str, object]:
        """The row after one more miss."""
        forgotten = now - counter.updated_at > rules.FORGOTTEN_AFTER
        failures = 1 if forgotten else counter.failures + 1
        return {
            "key": counter.key,
            "failures": failures,
            "next_try_at": now + self._wait(counter, failures),
            "updated_at": now,
        }

    def _wait(self, counter: LoginThrottle, failures: int) -> timedelta:
        everywhere = counter.key == self._everywhere
        return (rules.wait_everywhere_after if everywhere else rules.wait_after)(failures)

    async def forgive(self, session: AsyncSession) -> None:
        """The password was right: forget the misses."""
        mine = select(LoginThrottle.key).where(LoginThrottle.key.in_(self._keys))
        locked = mine.order_by(LoginThrottle.key).with_for_update()
        await session.execute(delete(LoginThrottle).where(LoginThrottle.key.in_(locked)))


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
