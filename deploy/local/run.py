"""`make run`: from an empty directory to a working installation, and back down in good order."""

import asyncio
import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

from deploy.local import table, welcome
from deploy.local.backup import archiving
from deploy.local.child import ROOT
from deploy.local.datadir import DataDir
from deploy.local.errors import LocalError
from deploy.local.output import Say
from deploy.local.ports import refuse_busy
from deploy.local.postgres import Cluster
from deploy.local.supervisor import Supervisor
from deploy.local.table import SERVICES, Table

PREPARE_TIMEOUT_S = 300.0


async def run(
    data: DataDir,
    port_of: Mapping[str, int],
    *,
    demo: bool,
    say: Say,
    archive: Path | None = None,
) -> None:
    """Runs everything until SIGINT or SIGTERM; a second signal stops without waiting.

    `archive`: where the embedded server hands its changes, for `backup` and `restore`. Raises
    `LocalError` when the directory or a port is taken or a process cannot start.
    """
    with data.lock():
        refuse_busy(port_of)
        await Installation(data, port_of, demo=demo, say=say, archive=archive).run()


class Installation:
    """One run of everything on one data directory."""

    def __init__(
        self,
        data: DataDir,
        port_of: Mapping[str, int],
        *,
        demo: bool,
        say: Say,
        archive: Path | None = None,
    ) -> None:
        self._data = data
        self._archive = archive
        self._port_of = port_of
        self._demo = demo
        self._say = say
        self._complete = False
        self._supervisor = Supervisor(data.log_dir, say, self._write_status)

    async def run(self) -> None:
        stop, hurry = asyncio.Event(), asyncio.Event()

        def told_to_stop() -> None:
            (hurry if stop.is_set() else stop).set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, told_to_stop)
        try:
            await _unless(stop, self._start())
            await stop.wait()
        finally:
            self._say("Stopping …")
            self._complete = False
            await self._supervisor.stop(hurry)
            self._say(f"Stopped. The data stays in {_short(self._data.path)}/.")

    async def _start(self) -> None:
        began = time.monotonic()
        processes = Table(self._data, self._port_of, await self._databases())
        await self._prepare(processes)
        # Together, since most of a start is importing, and each waits for what it needs. The
        # workers come after: nobody waits for them, and they would only make the others slower.
        await asyncio.gather(
            self._supervisor.start(processes.services()),
            self._supervisor.start([processes.gateway()]),
        )
        self._say(f"Ready after {time.monotonic() - began:.1f} s.\n")
        self._say(welcome.addresses(processes.url("gateway"), _short(self._data.log_dir)))
        await self._supervisor.start(processes.workers())
        self._complete = True
        self._supervisor.console.starting = False
        self._write_status()
        if self._demo:
            self._say("\n" + await asyncio.to_thread(welcome.demo_logins) + "\n")

    async def _databases(self) -> dict[str, str]:
        """A URL per service: from the environment, or of the embedded server."""
        given = {
            service: url
            for service in SERVICES
            if (url := os.environ.get(f"DATABASE_URL_{service.upper()}"))
        }
        missing = [service for service in SERVICES if service not in given]
        if not missing:
            return given
        settings = archiving(self._archive) if self._archive is not None else None
        cluster = Cluster(self._data.postgres_dir, settings=settings)
        await asyncio.to_thread(cluster.prepare)
        await self._supervisor.start([table.postgres(cluster)])
        return given | await asyncio.to_thread(cluster.ensure_service_databases, missing)

    async def _prepare(self, processes: Table) -> None:
        """Migrations, reference and demo data, where the code changed since they were last done.

        A database from the environment is prepared every time: others may have changed it.
        """
        prints = {service: self._fingerprint(service) for service in SERVICES}
        done = self._data.prepared()
        due = [
            service
            for service in SERVICES
            if done.get(service) != prints[service]
            or f"DATABASE_URL_{service.upper()}" in os.environ
        ]
        if not due:
            return
        self._say(f"Preparing the databases of {', '.join(due)} …")
        await asyncio.gather(*(self._prepare_one(processes, service) for service in due))
        if self._data.postgres_dir.exists():
            self._data.write_prepared(prints)

    async def _prepare_one(self, processes: Table, service: str) -> None:
        argv, env = processes.prepare(service, demo=self._demo)
        log = self._data.log_dir / f"{service}-prepare.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=ROOT,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            code = await asyncio.wait_for(process.wait(), PREPARE_TIMEOUT_S)
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if code != 0:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise LocalError(f"Preparing {service} failed; see {log}:\n{end}")

    def _fingerprint(self, service: str) -> str:
        """Changes whenever the code or the data files that prepare a database do."""
        digest = hashlib.sha256(b"demo" if self._demo else b"")
        for folder in (ROOT / "services" / service, ROOT / "shared"):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.suffix != ".pyc":
                    digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def _write_status(self) -> None:
        processes: dict[str, Any] = {
            name: {
                "pid": child.pid,
                "ready": child.ready.is_set(),
                "restarts": child.restarts,
                "port": self._port_of.get(name),
            }
            for name, child in self._supervisor.children.items()
        }
        self._data.write_status({"ready": self._complete, "processes": processes})


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Does the work, or gives it up half done when `stop` comes first."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        stopped.cancel()
        task.cancel()
        await asyncio.wait([task])


def _short(path: Path) -> str:
    """As a person would write it from where they stand."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
