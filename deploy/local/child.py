"""One supervised process: started, watched, started again when it ends, stopped for good."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.output import Console, LogFile, Say

FIRST_DELAY_S = 0.2
MAX_DELAY_S = 5.0
# A process that lived this long has recovered; its next end counts as the first again.
STEADY_S = 30.0
# A process that was never ready and ended by itself so often in a row cannot start at all.
MAX_FAILED_STARTS = 4
PROBE_INTERVAL_S = 0.2


ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class End:
    """How a life of a process ended."""

    words: str
    killed: bool = False


@dataclass(frozen=True)
class ChildSpec:
    """What to run and how to tell that it works.

    `argv` must be tethered (see `tether`). `ready` answers whether the process does its work now;
    without it a running process is a ready one. `before_start` clears the ground for each start.
    """

    name: str
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    before_start: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 30.0


class Child:
    """Runs a `ChildSpec` until told to stop; `changed` is called whenever its state moves."""

    def __init__(
        self,
        spec: ChildSpec,
        log_dir: Path,
        say: Say,
        console: Console,
        changed: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.restarts = 0
        self.ready = asyncio.Event()
        self.gave_up = asyncio.Event()
        self.log = LogFile(log_dir / f"{spec.name}.log")
        self._say = say
        self._console = console
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=self.spec.name)

    async def stop(self, hurry: asyncio.Event) -> None:
        """Asks the process to end; ends it, and what it started, when time or patience is up."""
        self._stopping.set()
        if self._keeper is None:
            return
        self._signal(self.spec.stop_signal)
        impatience = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            [self._keeper, impatience],
            timeout=self.spec.stop_timeout_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        impatience.cancel()
        if not self._keeper.done():
            self._say(f"{self.spec.name} is slow to stop and was killed.")
            self._signal(signal.SIGKILL)
            await asyncio.wait([self._keeper], timeout=5)
        self._keeper.cancel()
        self.log.close()

    async def _keep(self) -> None:
        # Once it has worked, what ends it is likely to pass: then it is never given up.
        ends, failed_starts, proven = 0, 0, self.spec.ready is None
        while not self._stopping.is_set():
            began = time.monotonic()
            end = await self._run_once()
            lived_long = time.monotonic() - began > STEADY_S
            proven = proven or lived_long or self.ready.is_set()
            self.ready.clear()
            self._changed()
            if self._stopping.is_set():
                return
            ends = 1 if lived_long else ends + 1
            failed_starts += not (proven or end.killed)
            if failed_starts >= MAX_FAILED_STARTS:
                self._say(f"{self.spec.name} {end.words} again and again; giving up.")
                self.gave_up.set()
                return
            delay_s = min(FIRST_DELAY_S * 2 ** (ends - 1), MAX_DELAY_S)
            self._say(f"{self.spec.name} {end.words}; starting it again in {delay_s:g} s.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)
            self.restarts += 1

    async def _run_once(self) -> "End":
        """One life of the process."""
        try:
            if self.spec.before_start is not None:
                await asyncio.to_thread(self.spec.before_start)
            self._process = await asyncio.create_subprocess_exec(
                *self.spec.argv,
                cwd=ROOT,
                env=dict(self.spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                # Its own group: Ctrl-C reaches the supervisor alone, and a group ends as a whole.
                start_new_session=True,
            )
        except (OSError, LocalError) as error:
            return End(f"could not start ({error})")
        process = self._process
        output = asyncio.create_task(self._pass_output_on(process))
        readiness = asyncio.create_task(self._watch_readiness())
        if self._stopping.is_set():  # told to stop while the process was being made
            self._signal(self.spec.stop_signal)
        self._changed()
        code = await process.wait()
        self._signal(signal.SIGKILL)  # what it may have started and left in its group
        await asyncio.wait([output], timeout=1)
        output.cancel()
        readiness.cancel()
        self._process = None
        if code < 0:
            return End(f"was killed by {signal.Signals(-code).name}", killed=True)
        return End(f"ended with exit code {code}")

    async def _pass_output_on(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        rest = b""
        while data := await process.stdout.read(64 * 1024):
            self.log.write(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if not self._stopping.is_set():
                    self._console.take(self.spec.name, line.decode(errors="replace"))
            rest = rest[-64 * 1024 :]

    async def _watch_readiness(self) -> None:
        while self.spec.ready is not None and not await self.spec.ready():  # noqa: ASYNC110
            # There is no event to wait for: readiness is another process's.
            await asyncio.sleep(PROBE_INTERVAL_S)
        self.ready.set()
        self._changed()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
