"""Between the gateway and a service, and between two services: a clear answer in bounded time,
never a short one that looks whole, and all is well when the network is."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from shared.http import Identity, ServiceClient
from shared.problems import UpstreamUnavailable
from tests.conftest import Tokens
from tests.faults import proxy as faults
from tests.faults.proxy import FaultProxy, Toxic
from tests.gateway.conftest import _echo, echo, echo_url  # noqa: F401  # fixtures
from tests.gateway.servers import Echo, RunningGateway, running_gateway

PUBLIC = "/api/v1/accrual/criteria"
BIG = f"{PUBLIC}/big"

HARMLESS = [
    faults.latency(0.2),
    faults.latency(0.2, "upstream"),
    faults.slicer(7),
    faults.slicer(7, stream="upstream"),
    faults.bandwidth(5_000),
    faults.slow_close(0.3),
]
# The gateway asks a GET once more if no byte of an answer came; both times it meets the same.
HARMFUL = [
    (faults.reset_peer(), {502, 503}),
    (faults.reset_peer(stream="upstream"), {502, 503}),
    (faults.timeout(0.2), {502, 503}),
    (faults.timeout(0), {504}),
    (faults.limit_data(60), {502, 503}),
    (faults.limit_data(60, "upstream"), {502, 503}),
]


def named(value: object) -> str:
    return f"{value.kind}-{value.stream}" if isinstance(value, Toxic) else ""


@pytest.fixture
async def wire(echo: Echo, echo_url: str) -> AsyncIterator[FaultProxy]:  # noqa: F811
    host, _, port = echo_url.removeprefix("http://").partition(":")
    async with FaultProxy.before(host, int(port)) as proxy:
        yield proxy


@pytest.fixture
async def client(wire: FaultProxy, tokens: Tokens) -> AsyncIterator[httpx2.AsyncClient]:
    running = running_gateway(f"http://{wire.address}", tokens, idle_seconds=1.0)
    gateway: RunningGateway = await asyncio.to_thread(running.__enter__)
    try:
        async with httpx2.AsyncClient(base_url=gateway.url, timeout=15, trust_env=False) as http:
            yield http
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


@pytest.mark.parametrize("toxic", HARMLESS, ids=named)
async def test_the_gateway_takes_its_time_on_a_slow_wire(wire, client, toxic):
    wire.add(toxic)
    assert (await client.get(PUBLIC)).status_code == 200


@pytest.mark.parametrize(("toxic", "statuses"), HARMFUL, ids=named)
async def test_the_gateway_says_that_a_service_is_away_and_recovers(wire, client, toxic, statuses):
    assert (await client.get(PUBLIC)).status_code == 200
    wire.add(toxic)
    answer = await client.get(PUBLIC)
    assert answer.status_code in statuses
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]
    wire.heal()
    assert (await client.get(PUBLIC)).status_code == 200


@pytest.mark.parametrize("toxic", [faults.limit_data(2**20), faults.timeout(0)], ids=named)
async def test_a_download_that_breaks_off_never_looks_whole(wire, client, toxic):
    received = []

    async def download() -> None:
        async with client.stream("GET", BIG) as answer:
            assert answer.status_code == 200
            async for chunk in answer.aiter_raw():
                received.append(len(chunk))
                if toxic not in wire.toxics:
                    wire.add(toxic)

    with pytest.raises(httpx2.RemoteProtocolError):
        await download()
    assert 0 < sum(received) < 3200 * 65536


async def test_a_restarted_service_costs_no_get(wire, client):
    for _ in range(5):
        assert (await client.get(PUBLIC)).status_code == 200
        wire.cut()


@pytest.fixture
async def ledger(wire: FaultProxy) -> AsyncIterator[ServiceClient]:
    """A service's client for another; tokens come through the same wire."""
    url = f"http://{wire.address}"
    # The echo gives a token to this name and secret only.
    identity = Identity("gateway", auth_url=url, secret="test-secret-of-thirty-two-characters!")
    identity.http.timeout = httpx2.Timeout(1.0)
    yield ServiceClient(identity, "accrual", url, scope="ledger:transfer")
    await identity.http.aclose()


@pytest.mark.parametrize("toxic", HARMLESS, ids=named)
async def test_a_service_takes_its_time_on_a_slow_wire(wire, ledger, toxic):
    wire.add(toxic)
    assert (await ledger.post("/internal/ledger/holds", {}, repeatable=True))["size"] == 2


@pytest.mark.parametrize("toxic", [toxic for toxic, _ in HARMFUL], ids=named)
async def test_a_service_gives_up_in_time_and_recovers(wire, ledger, toxic):
    await ledger.get("/internal/ledger/transfers/1")
    wire.add(toxic)
    async with asyncio.timeout(10):
        with pytest.raises(UpstreamUnavailable):
            await ledger.post("/internal/ledger/holds", {}, repeatable=True)
    wire.heal()
    assert (await ledger.post("/internal/ledger/holds", {}))["method"] == "POST"


async def test_a_call_that_may_not_be_repeated_reaches_the_other_once(wire, ledger, echo):  # noqa: F811
    await ledger.get("/internal/ledger/transfers/1")
    wire.add(faults.timeout(0.2))  # it hears us, we never hear it
    with pytest.raises(UpstreamUnavailable):
        await ledger.post("/internal/once", {})
    wire.heal()
    assert [one["path"] for one in echo.seen].count("/internal/once") == 1


async def test_a_busy_auth_service_is_asked_again() -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        if len(asked) == 1:
            return httpx2.Response(503)
        return httpx2.Response(200, json={"access_token": "t", "expires_in": 300})

    transport = httpx2.MockTransport(answer)
    identity = Identity("exchange", auth_url="http://auth", secret="s", transport=transport)
    client = ServiceClient(identity, "accrual", "http://ledger", scope="ledger:transfer")
    await client.get("/internal/ledger/transfers/1")
    assert asked == ["/api/v1/auth/token"] * 2 + ["/internal/ledger/transfers/1"]
