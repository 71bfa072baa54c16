"""Waiting after wrong passwords, counted before the password is checked.

An attempt is *reserved* first, in a transaction that commits before hashing begins: fifty wrong
passwords at once still get no more than the free attempts checked. A right password gives the
reservation back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.models import LoginThrottle
from services.auth.accounts.rules import FORGOTTEN_AFTER, PATIENCE, PATIENCE_EVERYWHERE
from services.auth.errors import LoginThrottled
from services.auth.vault import Vault

HALF = 16  # bytes of a key: half tells the login id, half the place (zeros: everywhere)

_COUNTING = """
    INSERT INTO login_throttle AS one (key, failures, next_try_at, updated_at)
    SELECT CAST(%({place})s AS bytea), 1, CAST(%(now)s AS timestamptz), %(now)s
    FROM {after}
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN one.updated_at < %(forgotten)s THEN 1 ELSE one.failures + 1 END,
        next_try_at = %(now)s + CASE
            WHEN one.updated_at < %(forgotten)s OR one.failures + 1 < %({place}_free)s
            THEN interval '0'
            ELSE (CAST(%({place}_waits)s AS interval[]))
                [least(one.failures + 2 - %({place}_free)s, %({place}_longest)s)]
        END,
        updated_at = %(now)s
    WHERE one.failures < %({place}_free)s OR one.next_try_at <= %(now)s
    RETURNING key
"""
# One statement, so that a login takes one trip for it; to be followed by what is to be read. Who
# has to wait anywhere is counted nowhere. Rows are locked here first, everywhere second, by
# whoever locks both, so that two never wait for each other. A row that was made since the statement
# began is not among `held`: then the condition of the update, which sees it as it is now, decides.
RESERVING = f"""
WITH held AS (
    SELECT key, failures, next_try_at FROM login_throttle
    WHERE key IN (%(here)s, %(everywhere)s) ORDER BY key DESC FOR UPDATE
), waiting AS (
    SELECT max(next_try_at) AS until FROM held WHERE next_try_at > %(now)s
    AND failures >= CASE key WHEN %(here)s THEN %(here_free)s ELSE %(everywhere_free)s END
), here AS ({_COUNTING.format(place="here", after="waiting WHERE until IS NULL")}
), everywhere AS ({
    _COUNTING.format(place="everywhere", after="here WHERE %(everywhere)s IS NOT NULL")
}
), reserved AS (
    SELECT waiting.until, (SELECT count(*) FROM here) + (SELECT count(*) FROM everywhere) AS counted
    FROM waiting
)
"""  # noqa: S608  # our own words
_RESERVE = f"{RESERVING} SELECT until, counted FROM reserved"  # noqa: S608  # our own words

# Locks in the order of `RESERVING`.
_FORGIVE = """
DELETE FROM login_throttle WHERE key IN (
    SELECT key FROM login_throttle WHERE key IN (%(here)s, %(everywhere)s)
    ORDER BY key DESC FOR UPDATE
)"""


class Throttle:
    """The counters of one login id seen from one place.

    `place` is the caller's address, or a device the account has logged in from before
    (`known_device`): such a device is not slowed by what strangers do.
    """

    def __init__(self, vault: Vault, login_id: str, place: str, *, known_device: bool) -> None:
        of_login = _of_login(vault, login_id)
        self.keys: dict[str, bytes | None] = {
            "here": of_login + vault.mac("throttle-place", place.encode())[:HALF],
            "everywhere": None if known_device else of_login + bytes(HALF),
        }

    async def reserve(self, session: AsyncSession, *, now: datetime) -> None:
        """Count one attempt as missed. Raises `LoginThrottled` while the place has to wait."""
        connection = await session.connection()
        reserved = await connection.exec_driver_sql(_RESERVE, self.reserving(now))
        self.check(reserved.mappings().one(), now=now)

    def reserving(self, now: datetime) -> dict[str, Any]:
        """The parameters of `RESERVING`."""
        return _PATIENCE | self.keys | {"now": now, "forgotten": now - FORGOTTEN_AFTER}

    def check(self, reserved: Mapping[Any, Any], *, now: datetime) -> None:
        """Raises `LoginThrottled` unless what `RESERVING` says is that the attempt is counted."""
        if reserved["counted"] == sum(key is not None for key in self.keys.values()):
            return
        # Who came at once with those who used up the free attempts does not see how long.
        wait = reserved["until"] - now if reserved["until"] else PATIENCE.waits[0]
        raise LoginThrottled(seconds=max(1, -int(-wait.total_seconds() // 1)))

    async def forgive(self, session: AsyncSession) -> None:
        """The password was right: forget the misses."""
        connection = await session.connection()
        await connection.exec_driver_sql(_FORGIVE, self.keys)


async def forgive_everywhere(session: AsyncSession, vault: Vault, login_id: str) -> None:
    """Forget all misses of a login id, from wherever they came."""
    of_login = _of_login(vault, login_id)
    everything = LoginThrottle.key.between(of_login + bytes(HALF), of_login + b"\xff" * HALF)
    await session.execute(delete(LoginThrottle).where(everything))


async def purge(session: AsyncSession, before: datetime) -> None:
    await session.execute(delete(LoginThrottle).where(LoginThrottle.updated_at < before))


def _of_login(vault: Vault, login_id: str) -> bytes:
    return vault.mac("throttle", login_id.encode("utf-8", "surrogatepass"))[:HALF]


_PATIENCE: dict[str, Any] = {
    "here_free": PATIENCE.free,
    "here_waits": list(PATIENCE.waits),
    "here_longest": len(PATIENCE.waits),
    "everywhere_free": PATIENCE_EVERYWHERE.free,
    "everywhere_waits": list(PATIENCE_EVERYWHERE.waits),
    "everywhere_longest": len(PATIENCE_EVERYWHERE.waits),
}
