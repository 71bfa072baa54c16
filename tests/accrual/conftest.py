"""The fixtures of the accrual service's tests; the world they open is in `world.py`."""

from typing import Any

import httpx2
import pytest

from services.accrual.app import create_app
from services.accrual.settings import Settings
from tests.accrual.world import Registry, World


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def world_of(runtime_of, client_of, tokens, registry):
    """`await world_of(max_rows=10)`: a service with settings of the test's own."""

    async def make(**settings: Any) -> World:
        runtime = await runtime_of(
            "accrual", Settings, transport=httpx2.MockTransport(registry), **settings
        )
        return World(runtime, client_of(create_app(runtime.settings, runtime)), tokens, registry)

    return make


@pytest.fixture
async def world(world_of):
    return await world_of()
