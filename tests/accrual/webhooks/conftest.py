"""A partner's server on this machine, and a partner who listens."""

import pytest

from tests.sink import open_sink, send_due


@pytest.fixture
async def sink():
    async with open_sink() as made:
        yield made


@pytest.fixture
async def listening(world_of, sink):
    """A world whose webhooks may go to this machine."""
    world = await world_of(webhook_private_targets=True)

    async def run_jobs() -> int:
        return await send_due(world.runtime)

    world.run_jobs = run_jobs
    return world
