"""The grants service on a database of its own, and tokens of the people who use it."""

from collections.abc import Callable
from importlib import resources
from uuid import UUID, uuid4

import httpx2
import pytest

from services.grants.app import create_app
from services.grants.programmes.service import load_shipped_rule_sets
from services.grants.settings import Settings

AGENCY, UNIVERSITY = UUID(int=0xA9E), UUID(int=0x0117)


@pytest.fixture
async def runtime(runtime_of):
    runtime = await runtime_of("grants", Settings)
    async with runtime.sessions.begin() as session:
        await load_shipped_rule_sets(session)
    return runtime


@pytest.fixture
def client(runtime, client_of) -> httpx2.AsyncClient:
    return client_of(create_app(runtime.settings, runtime))


@pytest.fixture
def officer(tokens) -> dict[str, str]:
    return tokens.headers(
        "grants:read",
        "grants:manage",
        role="agency_officer",
        institution_id=AGENCY,
        institution_kind="agency",
    )


@pytest.fixture
def applicant(tokens) -> dict[str, str]:
    return tokens.headers(
        "grants:read",
        "grants:apply",
        institution_id=UNIVERSITY,
        institution_kind="iacf",
    )


@pytest.fixture
def stranger(tokens) -> Callable[..., dict[str, str]]:
    """Headers of someone of another institution, with whatever scopes."""
    return lambda *scope: tokens.headers(*scope, institution_id=uuid4())


def shipped_rule_set() -> str:
    file = resources.files("services.grants.programmes") / "data" / "keco-2020.json"
    return file.read_text("utf-8")
