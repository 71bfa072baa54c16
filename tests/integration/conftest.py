"""A whole installation behind its gateway: at GATEWAY_URL, or started for these tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.cast import cast
from deploy.demo.chapters import Cast
from deploy.demo.story import Story
from deploy.local.stack import stack


@pytest.fixture(scope="session")
def gateway() -> Iterator[str]:
    if given := os.environ.get("GATEWAY_URL"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="sanhak-integration-") as directory:
        Path(directory).chmod(0o755)  # as root PostgreSQL runs as another user
        with stack(Path(directory)) as own:
            yield own.gateway_url


@pytest.fixture(scope="module")
def players(gateway: str) -> Iterator[Cast]:
    with cast(Story(), gateway) as players:
        yield players
