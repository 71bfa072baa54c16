"""A service as a process of its own, told to stop."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import httpx2
import pytest

from deploy.local.child import ROOT
from deploy.local.ports import free_ports

DRAIN_SECONDS = 2.0


@pytest.fixture
def service(database, tmp_path):
    port = free_ports(1)[0]
    process = subprocess.Popen(
        [sys.executable, "-m", "services.exchange", "serve"],
        cwd=ROOT,
        env=os.environ
        | {
            "PORT": str(port),
            "DRAIN_SECONDS": str(DRAIN_SECONDS),
            "DATABASE_URL_EXCHANGE": database("exchange"),
            "CLIENT_SECRET_EXCHANGE": "s" * 40,
            "FILES_URL": tmp_path.as_uri(),
        },
        stdout=subprocess.DEVNULL,
    )
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


async def answered(http: httpx2.AsyncClient, path: str) -> httpx2.Response:
    """The first answer of a process that is just starting."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return await http.get(path)
        except httpx2.ConnectError:
            assert time.monotonic() < deadline, "the service does not start"
            await asyncio.sleep(0.1)


async def test_a_service_told_to_stop_goes_on_serving_until_it_was_noticed(service):
    process, url = service
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=20) as http:
        before = await answered(http, "/readyz")
        assert before.status_code == 200
        assert "connection" not in before.headers
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        await asyncio.sleep(0.3)
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["draining"]) == (503, "yes")
        still = await http.get("/api/v1/exchange/listings")
        assert still.status_code == 200
        assert still.headers["connection"] == "close"
    await asyncio.to_thread(process.wait, 40)
    assert time.monotonic() - told >= DRAIN_SECONDS
    assert process.returncode in {0, -signal.SIGTERM}
