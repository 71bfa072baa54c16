"""What a service answers when there is no room left, and when clocks disagree."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from fastapi import APIRouter
from psycopg import sql
from sqlalchemy import text

from deploy.local.postgres import Cluster
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


@router.post("/big")
async def write_much(session: Session) -> int:
    """A megabyte that does not compress, so that the table must grow."""
    await session.execute(
        text(
            "INSERT INTO kept SELECT string_agg(sha512((n || clock_timestamp()::text)::bytea), '')"
            " FROM generate_series(1, 16384) n"
        )
    )
    return (await session.execute(text("SELECT count(*) FROM kept"))).scalar_one()


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


@contextmanager
def disk(mebibytes: int) -> Iterator[Path]:
    """A file system of its own, that small."""
    with tempfile.TemporaryDirectory(prefix="sanhak-disk-") as name:
        size = f"size={mebibytes}m,mode=755"
        mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", name]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting needs root")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


@pytest.fixture
def small_disk():
    with disk(1) as place:
        yield place


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


async def test_a_full_disk_under_the_database_loses_nothing_and_recovers(
    tokens, tmp_path, client_of
):
    with disk(192) as place:
        cluster = Cluster.start(place / "pg")
        try:
            cluster.create_database("one")
            with psycopg.connect(cluster.url("one").replace("+psycopg", "")) as superuser:
                superuser.execute("CREATE TABLE kept (value bytea)")
            settings = Settings(
                database_url=cluster.url("one"), client_secret=SECRET, files_url=tmp_path.as_uri()
            )
            runtime = Runtime("exchange", settings, keys=tokens)
            client = client_of(service_app(runtime, title="one", routers=[router]))
            assert (await client.post("/api/v1/exchange/big")).json() == 1
            filler = place / "filler"
            with filler.open("wb") as file:
                while True:
                    try:
                        file.write(b"x" * 2**16)
                        file.flush()
                    except OSError:
                        break
            for _ in range(3):
                assert says_busy(await client.post("/api/v1/exchange/big"))
            assert (await client.get("/api/v1/exchange/one")).json() == 1  # reading goes on
            filler.unlink()
            assert (await client.post("/api/v1/exchange/big")).json() == 2
            await runtime.identity.http.aclose()
            await runtime.database.close()
        finally:
            cluster.stop()
