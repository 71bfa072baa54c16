"""A whole installation for the length of a `with` block: what tests and demonstrations run on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import ports
from deploy.local.child import ROOT
from deploy.local.datadir import DataDir
from deploy.local.errors import LocalError
from deploy.local.postgres import Cluster
from deploy.local.tether import tethered

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Stack:
    """A running installation. Its supervisor starts again whatever ends, killed or not."""

    data: DataDir
    process: subprocess.Popen[bytes]

    @property
    def gateway_url(self) -> str:
        return self.url_of("gateway")

    def url_of(self, name: str) -> str:
        """Where the gateway, or a service behind it, listens."""
        return f"http://{ports.HOST}:{self._process(name)['port']}"

    def pid_of(self, name: str) -> int | None:
        """The process that now is `auth`, `auth-worker`, `gateway`, `postgres` …, if any."""
        pid: int | None = self._process(name)["pid"]
        return pid

    def is_ready(self, name: str) -> bool:
        return bool(self._process(name)["ready"])

    def database_url(self, service: str) -> str:
        """The SQLAlchemy URL of a service's database, as its own role."""
        return Cluster(self.data.postgres_dir).url(service, service)

    def _process(self, name: str) -> dict[str, Any]:
        process: dict[str, Any] = self.data.read_status()["processes"][name]
        return process


@contextlib.contextmanager
def stack(
    data_dir: Path, *, port: int = 0, demo: bool = True, env: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Everything on `data_dir`, ready to be asked; stopped in good order at the end of the block.

    `port` 0 takes free ports. The installation ends, too, if this process dies. Raises
    `LocalError` with what the supervisor said when it does not come up.
    """
    data = DataDir(data_dir)
    command = ["-m", "deploy.local", "run", "--data", str(data.path), "--port", str(port)]
    data.path.mkdir(parents=True, exist_ok=True)
    said = data.path / "supervisor.log"
    with said.open("wb") as output:
        process = subprocess.Popen(
            tethered([sys.executable, *command, *([] if demo else ["--no-demo"])], signal.SIGTERM),
            cwd=ROOT,
            env=os.environ | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_ready(data, process, said)
        yield Stack(data, process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(data: DataDir, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        status = data.read_status()
        if status.get("pid") == process.pid and status["ready"]:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise LocalError(f"The installation did not start:\n{said.read_text()}")
        time.sleep(0.1)
