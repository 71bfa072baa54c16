"""What a service answers when there is no room left, and when clocks disagree."""

import asyncio
import subprocess
import time

import psycopg
import pytest
from fastapi import APIRouter
from psycopg import sql
from sqlalchemy import text

from services.exchange.settings import Settings
from shared.db import Session
from shared.files import Files
from shared.problems import UpstreamUnavailable
from shared.runtime import Runtime, service_app

router = APIRouter(prefix="/api/v1/exchange")
SECRET = "test-secret-of-thirty-two-characters!"


@router.get("/one")
async def read_one(session: Session) -> int:
    return (await session.execute(text("SELECT 1"))).scalar_one()


@pytest.fixture
def narrow(cluster, database):
    """The URL of a database as a role that may hold two connections."""
    url = database("exchange")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as superuser:
        name = superuser.info.dbname
        role = sql.Identifier(f"narrow_{name}")
        superuser.execute(
            sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 2 PASSWORD 'x'").format(role)
        )
        yield cluster.url(name, f"narrow_{name}", password="x")
        superuser.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
async def service(narrow, tokens, tmp_path, client_of):
    """An application whose pool may open more connections than the server grants."""

    def made(pool_size: int):
        settings = Settings(
            database_url=narrow,
            client_secret=SECRET,
            files_url=tmp_path.as_uri(),
            database_pool_size=pool_size,
        )
        runtime = Runtime("exchange", settings, keys=tokens)
        runtimes.append(runtime)
        return client_of(service_app(runtime, title="one", routers=[router])), runtime

    runtimes: list[Runtime] = []
    yield made
    for runtime in runtimes:
        await runtime.identity.http.aclose()
        await runtime.database.close()


def says_busy(answer) -> bool:
    return (
        (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
        and answer.headers["retry-after"] == "1"
        and len(answer.json()["trace_id"]) == 32
    )


async def test_a_server_without_room_for_a_connection_is_a_503_and_recovers(service):
    client, runtime = service(pool_size=5)
    async with runtime.sessions() as first, runtime.sessions() as second:
        await first.execute(text("SELECT 1"))
        await second.execute(text("SELECT 1"))
        assert says_busy(await client.get("/api/v1/exchange/one"))
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "failed")
    assert (await client.get("/api/v1/exchange/one")).json() == 1
    assert (await client.get("/readyz")).status_code == 200


async def test_a_pool_that_is_used_up_is_a_503_in_bounded_time_and_recovers(service):
    client, runtime = service(pool_size=1)  # and one to spare
    async with runtime.sessions() as first, runtime.sessions() as second:
        await first.execute(text("SELECT 1"))
        await second.execute(text("SELECT 1"))
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get("/api/v1/exchange/one") for _ in range(3)))
        assert all(map(says_busy, answers)), [answer.text for answer in answers]
        assert time.monotonic() - began < 20
    assert (await client.get("/api/v1/exchange/one")).json() == 1


@pytest.mark.parametrize("minutes", [-1, 1])
async def test_a_clock_a_minute_off_shuts_nobody_out(minutes, runtime_of, tokens):
    """The service's clock, that is: what auth signed lies a minute in its future or its past."""
    verifier = (await runtime_of("exchange", Settings)).verifier
    now = int(time.time()) + 60 * minutes
    claims = await verifier.verify(tokens.make(iat=now, exp=now + 300))
    assert claims.exp == now + 300


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one mebibyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def test_a_full_disk_is_a_503_that_leaves_nothing_and_the_next_file_fits(small_disk):
    files = Files(small_disk.as_uri())

    async def pdf(mebibytes: int):
        yield b"%PDF-1.7\n"
        for _ in range(mebibytes * 16):
            yield b"x" * 2**16

    for _ in range(3):
        with pytest.raises(UpstreamUnavailable) as refused:
            await files.put("evidence/large", "성적표.pdf", pdf(2))
        assert refused.value.headers["Retry-After"] == "30"
    assert not [path for path in small_disk.rglob("*") if path.is_file()]
    stored = await files.put("evidence/small", "성적표.pdf", pdf(0))
    assert stored.size == 9
