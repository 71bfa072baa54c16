"""Between a service and PostgreSQL: whatever the network does, the answer is a good one or a 503
in bounded time, nothing is half-saved, and all is well when the network is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.exchange.settings import Settings
from shared.runtime import Runtime, service_app
from tests.conftest import ISSUER
from tests.faults import proxy as faults
from tests.faults.proxy import FaultProxy, Toxic
from tests.shared.test_service import router, tap

HARMLESS = [
    faults.latency(0.05),
    faults.slicer(3),
    faults.bandwidth(20_000),
    faults.slow_close(0.2),
    faults.latency(0.05, "upstream"),
    faults.slicer(5, stream="upstream"),
]
HARMFUL = [
    faults.reset_peer(),
    faults.reset_peer(stream="upstream"),
    faults.timeout(0.3),
    faults.timeout(0.3, "upstream"),
    faults.limit_data(40),
    faults.limit_data(40, "upstream"),
]


def named(toxic: Toxic) -> str:
    return f"{toxic.kind}-{toxic.stream}"


@pytest.fixture
async def wire(cluster, database, tmp_path: Path) -> AsyncIterator[tuple[FaultProxy, str]]:
    """A proxy before the test server's socket, and the URL of a fresh database behind it."""
    url = make_url(database("exchange"))
    own = tmp_path / "pg"
    own.mkdir()
    port = url.query.get("port", "5432")
    name = f".s.PGSQL.{port}"
    async with FaultProxy.before_socket(cluster.socket_dir / name, own / name) as proxy:
        through = url.update_query_dict({"host": str(own)})
        yield proxy, through.render_as_string(hide_password=False)


@pytest.fixture
async def service(wire, tokens, client_of, tmp_path):
    _, url = wire
    settings = Settings(
        database_url=url,
        client_secret="test-secret-of-thirty-two-characters!",
        files_url=f"file://{quote(str(tmp_path))}",
        token_issuer=ISSUER,
    )
    runtime = Runtime("exchange", settings, keys=tokens)
    async with runtime.open():
        async with runtime.sessions.begin() as session:
            await session.execute(text("CREATE TABLE thing (amount int)"))
        client = client_of(service_app(runtime, title="things", routers=[router]))
        client.sessions = runtime.sessions
        yield client


async def amounts(service) -> list[int]:
    async with service.sessions() as session:
        return list(await session.scalars(text("SELECT amount FROM thing ORDER BY amount")))


@pytest.mark.parametrize("toxic", HARMLESS, ids=named)
async def test_a_slow_wire_is_only_slow(wire, service, tokens, toxic):
    wire[0].add(toxic)
    answer = await tap(service, tokens.headers("exchange:buy"), 5)
    assert answer.status_code == 201
    wire[0].heal()
    assert await amounts(service) == [5]


@pytest.mark.parametrize("toxic", HARMFUL, ids=named)
async def test_a_broken_wire_is_a_503_and_the_repetition_acts_once(wire, service, tokens, toxic):
    headers = tokens.headers("exchange:buy")
    assert (await tap(service, headers, 1, key="before")).status_code == 201
    wire[0].add(toxic)
    async with asyncio.timeout(20):
        answer = await tap(service, headers, 5)
    assert (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
    assert answer.headers["retry-after"]
    wire[0].heal()
    repeated = [await tap(service, headers, 5) for _ in range(2)]
    assert [one.status_code for one in repeated] == [201, 201]
    assert await amounts(service) == [1, 5]


async def test_when_all_connections_hang_the_next_caller_is_told_to_come_back(
    wire, service, tokens
):
    headers = tokens.headers("exchange:buy")
    wire[0].add(faults.timeout(0, "upstream"))
    hanging = [asyncio.create_task(tap(service, headers, n, key=str(n))) for n in range(20)]
    await asyncio.sleep(0.5)
    async with asyncio.timeout(20):
        answer = await tap(service, headers, 99, key="late")
    assert (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
    wire[0].heal()
    wire[0].cut()
    done = await asyncio.wait_for(asyncio.gather(*hanging), 20)
    assert {one.status_code for one in done} == {503}
    assert (await tap(service, headers, 5)).status_code == 201
    assert await amounts(service) == [5]
