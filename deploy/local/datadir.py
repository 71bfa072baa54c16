"""The data directory of a local installation: who uses it, its secrets, what it knows of itself.

lock            held by the one supervisor that uses the directory
status.json     while it runs: address, processes
secrets.json    generated once, readable by the owner alone
postgres/       the embedded server, and for which code its databases were last prepared
files/  log/
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local.errors import LocalError
from deploy.local.private import write_private


class DataDir:
    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.log_dir = self.path / "log"
        self.postgres_dir = self.path / "postgres"
        self.files_dir = self.path / "files"
        self._lock = self.path / "lock"
        self._status = self.path / "status.json"
        self.secrets_file = self.path / "secrets.json"
        self._prepared = self.postgres_dir / "prepared.json"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps a second supervisor out. The kernel lets go of it when this process ends."""
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in (self.log_dir, self.files_dir):  # evidence names people, and logs might
            folder.mkdir(mode=0o700, exist_ok=True)
        with self._lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalError(f"{self._running()} already uses {self.path}.") from None
            self._status.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._status.unlink(missing_ok=True)

    def is_locked(self) -> bool:
        """Whether a supervisor runs. One that starts at this very moment may be turned away by
        the question, so do not ask in a loop."""
        try:
            with self._lock.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def write_status(self, status: dict[str, Any]) -> None:
        write_private(self._status, json.dumps({"pid": os.getpid(), **status}, indent=2))

    def read_status(self) -> dict[str, Any]:
        """What a supervisor last wrote; empty when it ended in good order or none ever ran."""
        return _read(self._status)

    def secret(self, name: str) -> str:
        """The secret of that name, made at its first use and kept."""
        known = _read(self.secrets_file)
        if name not in known:
            # 32 bytes, in the form that is a key of authenticated encryption as well.
            known[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            write_private(self.secrets_file, json.dumps(known, indent=2))
        return str(known[name])

    def prepared(self) -> dict[str, str]:
        return _read(self._prepared)

    def write_prepared(self, fingerprints: dict[str, str]) -> None:
        write_private(self._prepared, json.dumps(fingerprints, indent=2))

    def _running(self) -> str:
        status = _read(self._status)
        return f"Process {status['pid']}" if "pid" in status else "Another process"


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return content
