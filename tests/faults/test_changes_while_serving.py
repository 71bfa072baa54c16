"""What operators change under a service that goes on serving: its password, and its schema."""

import asyncio
import os
import secrets
import threading
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import httpx2
import psycopg
import pytest
from alembic.script import ScriptDirectory
from fastapi import APIRouter
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from deploy.local.postgres import Cluster
from services.exchange.app import create_app
from services.exchange.settings import Settings
from shared import migrations
from shared.db import Session
from shared.jobs import Jobs, enqueue
from shared.runtime import Runtime, service_app
from tests.conftest import ISSUER
from tests.exchange.conftest import listing_body

router = APIRouter(prefix="/api/v1/exchange")
SECRET = "test-secret-of-thirty-two-characters!"


@router.get("/one")
async def read_one(session: Session) -> int:
    return (await session.execute(text("SELECT 1"))).scalar_one()


class Traffic:
    """Requests without a pause, and how many were answered, by status."""

    def __init__(self) -> None:
        self.answered: dict[int, int] = {}
        self._over = False
        self._news = asyncio.Event()

    async def repeat(self, ask) -> None:
        while not self._over:
            status = (await ask()).status_code
            self.answered[status] = self.answered.get(status, 0) + 1
            self._news.set()
            await asyncio.sleep(0)  # an answer that waits for nothing lets nobody else have a turn

    async def goes_on(self, count: int = 40) -> None:
        """Until that many more were answered."""
        enough = sum(self.answered.values()) + count
        async with asyncio.timeout(60):
            while sum(self.answered.values()) < enough:
                self._news.clear()
                await self._news.wait()

    def stop(self) -> None:
        self._over = True


@asynccontextmanager
async def traffic(*asks):
    made = Traffic()
    async with asyncio.TaskGroup() as group:
        for ask in asks:
            group.create_task(made.repeat(ask))
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server that asks every role for its password, and the URL of a role's database."""
    cluster = Cluster.start(tmp_path_factory.mktemp("strict"), durable=True)
    url = cluster.ensure_service_databases(["exchange"])["exchange"]
    migrations.upgrade("exchange", url)
    yield cluster, url
    cluster.stop()


def enters(url: str, password: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", ""), password=password).close()
    except psycopg.OperationalError:
        return False
    return True


async def test_a_database_password_changes_without_a_failed_request_or_a_restart(
    strict, tokens, tmp_path, client_of
):
    cluster, url = strict
    old, new = cluster._passwords()["exchange"], secrets.token_urlsafe(24)
    file = tmp_path / "passwords"
    file.write_text(old)
    settings = Settings(
        database_url=url.replace(old, "not-the-password"),
        database_password_file=file,
        client_secret=SECRET,
        files_url=tmp_path.as_uri(),
        # One that stays and one that is opened whenever two are needed: new ones all the time.
        database_pool_size=1,
    )
    runtime = Runtime("exchange", settings, keys=tokens)
    jobs, done = Jobs(), []

    @jobs.task("orders.drive")
    async def drive(_runtime) -> None:
        done.append(file.read_text())

    async def run_a_job() -> None:
        async with runtime.sessions.begin() as session:
            await enqueue(session, "orders.drive")
        await jobs.work(runtime, settings.database_url, wait=False)

    client = client_of(service_app(runtime, title="one", routers=[router]))
    try:
        one = partial(client.get, "/api/v1/exchange/one")
        async with traffic(one, one, one) as requests:
            await requests.goes_on()
            file.write_text(f"{new}\n{old}\n")  # known to the processes before the server
            await requests.goes_on()
            await run_a_job()
            with psycopg.connect(cluster.superuser_url().replace("+psycopg", "")) as superuser:
                superuser.execute(
                    sql.SQL("ALTER ROLE exchange PASSWORD {}").format(sql.Literal(new))
                )
            await requests.goes_on()
            file.write_text(new)
            await requests.goes_on()
            await run_a_job()
        assert set(requests.answered) == {200}
        assert len(done) == 2
        assert (enters(url, old), enters(url, new)) == (False, True)
        migrations.upgrade("exchange", settings.database_url, file)
        file.unlink()
        await runtime.database.close()
        assert (await client.get("/api/v1/exchange/one")).status_code == 503
    finally:
        await runtime.identity.http.aclose()
        await runtime.database.close()


NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "next", "{head}", None, None


def upgrade() -> None:
    op.create_table("before_it_waits", sa.Column("n", sa.Integer()))
    op.add_column("listing", sa.Column("of_the_next_release", sa.Text(), nullable=True))
    op.execute(
        "ALTER TABLE listing ADD CONSTRAINT of_the_next CHECK (of_the_next_release <> '') NOT VALID"
    )
    op.execute("ALTER TABLE listing VALIDATE CONSTRAINT of_the_next")
"""


@pytest.fixture
def next_release(tmp_path, database):
    """A database of this release, and the migrations of the next one for it."""
    url = database("exchange")
    config = migrations.config_for("exchange", url)
    scripts = ScriptDirectory.from_config(config)
    (tmp_path / "next.py").write_text(NEXT.format(head=scripts.get_current_head()))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", f"{scripts.versions}{os.pathsep}{tmp_path}")
    return url, config


async def test_a_migration_gives_way_to_live_traffic_and_the_running_release_goes_on(
    next_release, tokens, tmp_path, client_of, monkeypatch
):
    url, config = next_release
    seller = uuid4()

    def registry(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/api/v1/auth/token":
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 300})
        known = {"institution_id": str(seller), "kind": "university", "name": "한빛대학교"}
        known |= {"brn": None, "status": "active", "capital_area": None}
        return httpx2.Response(200, json={"items": [known]})

    settings = Settings(
        database_url=url,
        client_secret=SECRET,
        files_url=tmp_path.as_uri(),
        token_issuer=ISSUER,
    )
    transport = httpx2.MockTransport(registry)
    runtime = Runtime("exchange", settings, keys=tokens, transport=transport)
    client = client_of(create_app(settings, runtime))
    headers = tokens.headers(
        "exchange:read", "exchange:sell", institution_id=seller, institution_kind="university"
    )

    async def read():
        return await client.get("/api/v1/exchange/listings", headers=headers)

    async def write():
        return await client.post("/api/v1/exchange/listings", headers=headers, json=listing_body())

    # The first attempt meets a long transaction and has to give way; what it did is undone.
    refused, again = threading.Event(), threading.Event()

    def pause(_seconds: float) -> None:
        refused.set()
        assert again.wait(60)

    monkeypatch.setattr(migrations, "sleep", pause)
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "1s")
    try:
        async with traffic(read, read, write) as requests:
            await requests.goes_on()
            async with runtime.sessions() as report:
                await report.execute(text("SELECT count(*) FROM listing"))
                migrating = asyncio.create_task(asyncio.to_thread(migrations.bring_up, config))
                assert await asyncio.to_thread(refused.wait, 60)
                await requests.goes_on()
                half_done = "SELECT to_regclass('before_it_waits')"
                assert (await report.execute(text(half_done))).scalar_one() is None
            again.set()
            await asyncio.wait_for(migrating, 60)
            await requests.goes_on()
        assert set(requests.answered) == {200, 201}
        async with runtime.sessions() as session:
            assert (await session.execute(text("SELECT * FROM before_it_waits"))).all() == []
            empty = text("UPDATE listing SET of_the_next_release = ''")
            with pytest.raises(IntegrityError):
                await session.execute(empty)
    finally:
        again.set()
        await runtime.identity.http.aclose()
        await runtime.database.close()
