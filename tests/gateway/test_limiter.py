"""Counting requests: windows, and counters that several gateways share."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator

import pytest

from gateway import limiter as module
from gateway.head import Origin
from gateway.limiter import Limit, Limiter, LocalCounters, SharedCounters
from shared.problems import TooManyRequests
from tests.gateway.test_streaming import free_port

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")


def limiter(shared=None, requests: int = 2, seconds: int = 3600) -> Limiter:
    return Limiter({"user": Limit("user", requests, seconds)}, shared)


async def refused(limits: Limiter, key: str) -> bool:
    try:
        await limits.admit("user", key)
    except TooManyRequests:
        return True
    return False


async def test_a_window_ends_for_everyone_at_once(monkeypatch):
    now = 7200.0
    monkeypatch.setattr(module.time, "time", lambda: now)
    limits = limiter()
    assert [await refused(limits, "a") for _ in range(3)] == [False, False, True]
    assert not await refused(limits, "b")
    now += 3599
    assert await refused(limits, "a")
    now += 1
    assert not await refused(limits, "a")


async def test_counting_strangers_takes_bounded_memory(monkeypatch):
    monkeypatch.setattr(LocalCounters, "MAX_KEYS", 100)
    limits = limiter()
    for number in range(1_000):
        await limits.admit("user", f"stranger-{number}")
    assert len(limits._local._windows["user"][1]) <= 100


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ("::ffff:192.0.2.7", "192.0.2.7", "::ffff:192.0.2.8"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
    ],
)
def test_who_has_a_network_of_addresses_is_one_caller(address, same, other):
    def caller(address: str) -> str:
        return Origin(address, "https", "x").caller

    assert caller(address) == caller(same) != caller(other)


@pytest.mark.parametrize("text", ["", "5", "0/60", "5/0", "-1/60", "a/b", "5/minute"])
def test_a_limit_that_makes_no_sense_stops_the_start(text):
    with pytest.raises(ValueError, match=r"."):
        Limit.parse("user", text)


@contextlib.asynccontextmanager
async def valkey(port: int) -> AsyncIterator[None]:
    assert SERVER is not None
    process = await asyncio.create_subprocess_exec(
        *(SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                break
            await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(not SERVER, reason="neither valkey-server nor redis-server here")
async def test_two_gateways_share_a_quota_and_each_goes_on_alone_when_the_counters_are_away():
    port = free_port()
    first, second = (limiter(SharedCounters(f"valkey://127.0.0.1:{port}")) for _ in range(2))
    async with valkey(port):
        assert not await refused(first, "a")
        assert not await refused(second, "a")
        assert await refused(first, "a")
        assert await refused(second, "a")
    assert [await refused(first, "a") for _ in range(3)] == [False, False, True]
    async with valkey(port):
        assert not await refused(second, "a")
    await first.close()
    await second.close()
