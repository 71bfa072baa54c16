"""One gateway in front of one echoing service, both real servers, shared by the tests."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from tests.conftest import Tokens
from tests.gateway.servers import Echo, RunningGateway, running, running_gateway, uvicorn_of


@pytest.fixture(scope="session")
def _echo(tokens: Tokens) -> Iterator[tuple[Echo, str]]:
    echo = Echo(tokens.jwk)
    with running(uvicorn_of(echo)) as port:
        yield echo, f"http://127.0.0.1:{port}"


@pytest.fixture
def echo(_echo: tuple[Echo, str]) -> Echo:
    service = _echo[0]
    service.seen.clear()
    service.revoked.clear()
    service.gone.clear()
    return service


@pytest.fixture(scope="session")
def echo_url(_echo: tuple[Echo, str]) -> str:
    return _echo[1]


@pytest.fixture(scope="session")
def gateway(echo_url: str, tokens: Tokens) -> Iterator[RunningGateway]:
    with running_gateway(
        echo_url,
        tokens,
        cors_origins="https://portal.example",
        limit_public="100000/60",
        limit_user="100000/60",
        limit_login="100000/60",
        limit_partner="100000/60",
    ) as running_one:
        yield running_one


@pytest.fixture
async def client(gateway: RunningGateway) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=gateway.url, timeout=20, trust_env=False) as client:
        yield client
