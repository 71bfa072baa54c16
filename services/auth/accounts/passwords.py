"""Password hashing: argon2id at OWASP's floor, some 36 ms of one core.

Hashing runs in as many threads as there are cores. Whoever comes when the queue is so long that he
would have to wait too long is told at once to come back: better a quick 503 than a login page that
hangs for everyone. How long that is depends on what else the machine does, so it is measured.
"""

import asyncio
import os
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from passlib.hash import argon2  # type: ignore[import-untyped]  # libpass ships no types here

from services.auth.accounts.rules import MAX_TYPED_PASSWORD, typed_password
from services.auth.errors import LoginBusy
from services.auth.vault import Vault

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1  # OWASP's floor; the library's default is 1/8 as fast
PATIENCE_SECONDS = 4.0  # whoever would wait longer is refused at once, not after having waited
LONGEST_WAIT_SECONDS = 10.0  # for those it turned out to be longer for than it looked
MAX_WAITING = 256

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verified:
    """`outdated`: right, but made with an older pepper or cost; hash it again."""

    ok: bool
    outdated: bool = False


class Passwords:
    """Raises `LoginBusy` from `hash` and `verify` when too many are waiting."""

    def __init__(self, vault: Vault, *, threads: int | None = None) -> None:
        self._vault = vault
        self._scheme = argon2.using(
            type="ID", memory_cost=MEMORY_KIB, rounds=PASSES, parallelism=LANES
        )
        self.threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(
            self.threads, thread_name_prefix="argon2", initializer=_let_others_go_first
        )
        self._free = asyncio.Semaphore(self.threads)
        self._waiting = 0
        self._takes = 0.05  # seconds a hash, of late
        # What an unknown id is checked against: the same work, never the right answer.
        salt, digest = (b64encode(os.urandom(n)).decode().rstrip("=") for n in (16, 32))
        self._nobodys = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"

    async def hash(self, password: str) -> str:
        peppered = self._vault.pepper(typed_password(password))
        assert peppered is not None
        hashed = await self._in_thread(self._scheme.hash, peppered)
        return f"{self._vault.pepper_id}:{hashed}"

    async def verify(self, password: str, stored: str | None) -> Verified:
        """Check a typed password. Without a stored one the same work is done and the answer is
        no: the time taken must not tell whether an account exists (M-001)."""
        pepper_id, _, hashed = (stored or "").partition(":")
        readable = len(password) <= MAX_TYPED_PASSWORD
        peppered = self._vault.pepper(typed_password(password), pepper_id) if readable else None
        if stored is None or peppered is None:  # nobody's, or with a pepper that is gone
            await self._in_thread(self._scheme.verify, "", self._nobodys)
            return Verified(False)
        if not await self._in_thread(self._scheme.verify, peppered, hashed):
            return Verified(False)
        outdated = pepper_id != self._vault.pepper_id or self._scheme.needs_update(hashed)
        return Verified(True, outdated)

    def refuse_crowd(self) -> None:
        """Raises `LoginBusy` where somebody who comes now would wait too long."""
        wait = self._waiting / self.threads * self._takes
        if wait > PATIENCE_SECONDS or self._waiting >= MAX_WAITING:
            raise LoginBusy

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[..., T], *given: str) -> T:
        """Nothing but the hash happens there: whatever else a thread does, it does with the
        interpreter's lock, at its low priority, and all others wait for it."""
        self.refuse_crowd()
        self._waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise LoginBusy from None
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await loop.run_in_executor(self._pool, work, *given)
        finally:
            self._free.release()
            self._takes += (loop.time() - began - self._takes) / 8


def _let_others_go_first() -> None:
    """Hashing takes whatever time the cores have left: a crowd logging in must not slow those
    who are inside. On Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
