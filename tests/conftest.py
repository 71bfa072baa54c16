"""Real PostgreSQL for every test: one server a test process, one migrated template a service.

- `database(service)` clones the template: a database of the test's own, dropped afterwards;
- `tokens` signs access tokens as the auth service would;
- `runtime_of(service, settings_type)` and `client_of(app)` put a service together around them.
"""

import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import hypothesis
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm

from deploy.local.postgres import Cluster
from shared import migrations
from shared.runtime import Runtime
from shared.settings import ServiceSettings
from tests.sink import Sink, open_sink

ISSUER = "http://tests.invalid"

# Nothing here measures time, and a busy machine must not make a property look wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start a whole installation take turns: one worker gets all of them. Another one
    gets those that have a browser in front of it."""
    for item in items:
        folders = set(item.path.parts[-3:])
        if {"deploy", "integration"} & folders:
            item.add_marker(pytest.mark.xdist_group("installation"))
        elif "portal" in folders:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="sanhak-test-") as directory:
        cluster = Cluster.start(Path(directory) / "pg", durable=False)
        yield cluster
        cluster.stop()


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> Callable[[str], str]:
    """The name of a service's migrated template database, made at its first use."""
    made: set[str] = set()

    def template_of(service: str) -> str:
        name = f"template_{service}"
        if service not in made:
            cluster.create_database(name)
            migrations.upgrade(service, cluster.url(name))
            made.add(service)
        return name

    return template_of


@pytest.fixture
def database(cluster: Cluster, template: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    """`database("accrual")` is the URL of a fresh, migrated database of the test's own."""
    names: list[str] = []

    def database_of(service: str) -> str:
        name = f"{service}_{next(_numbers)}"
        cluster.create_database(name, template=template(service))
        names.append(name)
        return cluster.url(name)

    yield database_of
    for name in names:
        cluster.drop_database(name)


class Tokens:
    """Signs access tokens with a key of the test's own, and is the key source that knows it."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.jwk = {**public, "kid": "test", "use": "sig", "alg": "ES256"}
        self._key = PyJWK.from_dict(self.jwk)

    async def key(self, kid: str) -> PyJWK | None:
        return self._key if kid == "test" else None

    def make(
        self,
        *scope: str,
        role: str = "university",
        institution_id: UUID | str | None = None,
        institution_kind: str | None = None,
        sub: str | None = None,
        client_id: str = "portal",
        aud: str = "mileage-api",
        lifetime: int = 600,
        **extra: Any,
    ) -> str:
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": aud,
            "sub": sub or str(uuid4()),
            "client_id": client_id,
            "iat": now,
            "exp": now + lifetime,
            "jti": uuid4().hex,
            "sid": uuid4().hex,
            "scope": " ".join(scope),
            "role": role,
            "institution_id": str(institution_id) if institution_id else None,
            "institution_kind": institution_kind,
            "pv": 1,
            **extra,
        }
        return jwt.encode(
            payload, self.private, algorithm="ES256", headers={"kid": "test", "typ": "at+jwt"}
        )

    def headers(self, *scope: str, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.make(*scope, **claims)}"}


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    return Tokens()


Transport = httpx2.AsyncBaseTransport
RuntimeOf = Callable[..., Awaitable[Runtime]]


@pytest.fixture
async def runtime_of(
    database: Callable[[str], str], tokens: Tokens, tmp_path: Path
) -> AsyncIterator[RuntimeOf]:
    """`await runtime_of("accrual", Settings)`: an open runtime on a database of its own.

    `transport` stands for the network towards the other services; without it every call fails.
    """
    async with AsyncExitStack() as stack:

        async def make(
            service: str,
            settings_type: type[ServiceSettings],
            *,
            transport: Transport | None = None,
            **settings: Any,
        ) -> Runtime:
            made = Runtime(
                service,
                settings_type(
                    database_url=database(service),
                    client_secret="test-secret-of-thirty-two-characters!",
                    files_url=f"file://{tmp_path}",
                    token_issuer=ISSUER,
                    **settings,
                ),
                keys=tokens,
                transport=transport or httpx2.MockTransport(_no_network),
            )
            await stack.enter_async_context(made.open())
            return made

        yield make


def _no_network(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError(f"no network in this test: {request.url}")


@pytest.fixture
async def client_of() -> AsyncIterator[Callable[[FastAPI], httpx2.AsyncClient]]:
    """`client_of(app)`: an HTTP client wired straight to an application."""
    async with AsyncExitStack() as stack:
        clients: list[httpx2.AsyncClient] = []

        def make(app: FastAPI) -> httpx2.AsyncClient:
            client = httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app, raise_app_exceptions=False),
                base_url="http://service",
            )
            clients.append(client)
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """Somebody's server on this machine, which webhooks are sent to."""
    async with open_sink() as made:
        yield made
