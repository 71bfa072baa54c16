"""Password hashing: argon2id at OWASP's floor, some 36 ms of one core.

Hashing runs in as many threads as there are cores. A crowd waits for a short time only and is
then told to come back: better a quick 503 than a login page that hangs for everyone.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from passlib.hash import argon2  # type: ignore[import-untyped]  # libpass ships no types here

from services.auth.accounts.rules import MAX_TYPED_PASSWORD, typed_password
from services.auth.errors import LoginBusy
from services.auth.vault import Vault

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1  # OWASP's floor; the library's default is 1/8 as fast
PATIENCE_SECONDS = 2.0
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
        # What an unknown id is checked against: the same work, never the right answer.
        self._nobody = self._hash("nobody has this password")

    async def hash(self, password: str) -> str:
        return await self._in_thread(lambda: self._hash(typed_password(password)))

    async def verify(self, password: str, stored: str | None) -> Verified:
        """Check a typed password. Without a stored one the same work is done and the answer is
        no: the time taken must not tell whether an account exists (M-001)."""
        return await self._in_thread(lambda: self._verify(password, stored))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise LoginBusy
        self._waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), PATIENCE_SECONDS)
        except TimeoutError:
            raise LoginBusy from None
        finally:
            self._waiting -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free.release()

    def _hash(self, password: str) -> str:
        peppered = self._vault.pepper(password)
        assert peppered is not None
        return f"{self._vault.pepper_id}:{self._scheme.hash(peppered)}"

    def _verify(self, password: str, stored: str | None) -> Verified:
        pepper_id, _, hashed = (stored or self._nobody).partition(":")
        readable = len(password) <= MAX_TYPED_PASSWORD
        peppered = self._vault.pepper(typed_password(password), pepper_id) if readable else ""
        if peppered is None:  # a pepper that is gone: the same work, and no
            hashed = self._nobody.partition(":")[2]
        right = bool(self._scheme.verify(peppered or "", hashed))
        if not right or stored is None or not peppered:
            return Verified(False)
        return Verified(
            True, pepper_id != self._vault.pepper_id or self._scheme.needs_update(hashed)
        )


def _let_others_go_first() -> None:
    """Hashing takes whatever time the cores have left: a crowd logging in must not slow those
    who are inside. On Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
