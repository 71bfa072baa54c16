"""Starts children stage by stage, keeps them running, and stops them in reverse order."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.child import Child, ChildSpec
from deploy.local.errors import LocalError
from deploy.local.output import Console, Say

START_TIMEOUT_S = 120.0


class Supervisor:
    """`changed` is called whenever a child starts, gets ready or ends."""

    def __init__(self, log_dir: Path, say: Say, changed: Callable[[], None] = lambda: None) -> None:
        self.children: dict[str, Child] = {}
        self._log_dir = log_dir
        self._say = say
        self.console = Console(say)
        self._changed = changed
        self._stages: list[list[Child]] = []

    async def start(self, specs: Sequence[ChildSpec]) -> None:
        """Starts one stage and returns when all of it is ready.

        Raises `LocalError`, naming the log to read, when a child cannot start.
        """
        stage = [
            Child(spec, self._log_dir, self._say, self.console, self._changed) for spec in specs
        ]
        self._stages.append(stage)
        self.children |= {child.spec.name: child for child in stage}
        for child in stage:
            child.start()
        await asyncio.gather(*(self._wait_ready(child) for child in stage))

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stops the last stage first; once `hurry` is set nothing is waited for."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(child.stop(hurry) for child in stage))
        self._stages.clear()

    async def _wait_ready(self, child: Child) -> None:
        ready = asyncio.create_task(child.ready.wait())
        gave_up = asyncio.create_task(child.gave_up.wait())
        await asyncio.wait(
            [ready, gave_up], timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        ready.cancel()
        gave_up.cancel()
        if not child.ready.is_set():
            raise LocalError(f"{child.spec.name} did not start; see {child.log.path}")
