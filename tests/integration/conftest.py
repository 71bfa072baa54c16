"""A whole installation behind its gateway: at GATEWAY_URL, or started for these tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.cast import cast
from deploy.demo.chapters import Cast
from deploy.demo.story import Story
from deploy.local.stack import Stack, stack
from tests.collector import Collector, collector


@pytest.fixture(scope="session")
def spans() -> Iterator[Collector | None]:
    """What the installation's processes tell of their traces; None if they tell somebody else."""
    if "GATEWAY_URL" in os.environ:
        yield None
        return
    with collector() as running:
        yield running


@pytest.fixture(scope="session")
def installation(spans: Collector | None) -> Iterator[Stack | None]:
    """The installation started for these tests; None if they run against another one."""
    if spans is None:
        yield None
        return
    temporary = tempfile.TemporaryDirectory(prefix="sanhak-integration-")
    # Webhooks go to listeners of the tests, on this machine.
    env = {
        "ACCRUAL_WEBHOOK_PRIVATE_TARGETS": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": spans.url,
        "OTEL_BSP_SCHEDULE_DELAY": "500",  # ms between two parcels of spans
    }
    with temporary as directory, stack(Path(directory), env=env) as own:
        yield own


@pytest.fixture(scope="session")
def gateway(installation: Stack | None) -> str:
    return installation.gateway_url if installation else os.environ["GATEWAY_URL"]


@pytest.fixture(scope="module")
def players(gateway: str) -> Iterator[Cast]:
    with cast(Story(), gateway) as players:
        yield players
