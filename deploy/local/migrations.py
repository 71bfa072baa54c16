"""`check-migrations`: the migrations of each service run, match its models, and lock little."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.local.child import ROOT
from deploy.local.errors import LocalError
from deploy.local.postgres import Cluster
from deploy.local.table import AUTH_SECRETS, SERVICES

UNUSED = "no-secret-is-used-while-migrating"
SQUAWK_RULES = ROOT / "deploy" / "squawk.toml"


def check_all() -> None:
    """Raises `LocalError` that holds what each failing tool said."""
    with tempfile.TemporaryDirectory(prefix="sanhak-check-") as directory:
        cluster = Cluster.start(Path(directory) / "postgres", durable=False)
        try:
            urls = cluster.ensure_service_databases(SERVICES)
            with ThreadPoolExecutor(max_workers=2) as pool:
                checks = [
                    pool.submit(_check, service, urls[service], Path(directory))
                    for service in SERVICES
                ]
            objections = [check.result() for check in checks]
        finally:
            cluster.stop()
    if any(objections):
        raise LocalError("\n\n".join(["migrations need work", *filter(None, objections)]))


def write(service: str, message: str) -> None:
    """Writes a new migration: the difference between the models and what the others build."""
    with tempfile.TemporaryDirectory(prefix="sanhak-check-") as directory:
        cluster = Cluster.start(Path(directory) / "postgres", durable=False)
        try:
            url = cluster.ensure_service_databases([service])[service]
            for command in (["migrate"], ["migration", message]):
                code, said = _run_service(service, command, url, Path(directory))
                if code != 0:
                    raise LocalError(f"{service}: {command[0]} failed\n{said}")
        finally:
            cluster.stop()


def _check(service: str, url: str, scratch: Path) -> str:
    """Empty when all is well, else what went wrong."""
    said = ""
    for command in ("migrate", "check-migrations", "migration-sql"):
        code, said = _run_service(service, [command], url, scratch)
        if code != 0:
            return f"{service}: {command} failed\n{said}"
    files = []
    for revision, sql in split_by_revision(said).items():
        files.append(scratch / f"{service}-{revision}.sql")
        files[-1].write_text(sql, encoding="utf-8")
    squawk = [str(Path(sys.executable).with_name("squawk")), "--config", str(SQUAWK_RULES)]
    code, verdict = _output([*squawk, *map(str, files)], os.environ)
    return f"{service}: squawk objects\n{verdict}" if code != 0 else ""


def split_by_revision(sql: str) -> dict[str, str]:
    """Alembic's offline SQL, by revision. On its own, so that a table which an earlier migration
    made counts as one that is already in use."""
    _, *parts = re.split(r"^-- Running upgrade .*-> (\S+)$", sql, flags=re.MULTILINE)
    texts = (text.removesuffix("COMMIT;\n\n") for text in parts[1::2])
    return dict(zip(parts[0::2], texts, strict=True))


def _run_service(service: str, command: list[str], url: str, scratch: Path) -> tuple[int, str]:
    env = os.environ | {
        f"DATABASE_URL_{service.upper()}": url,
        **dict.fromkeys((f"CLIENT_SECRET_{service.upper()}", *AUTH_SECRETS), UNUSED),
        "FILES_URL": (scratch / "files").as_uri(),
    }
    return _output([sys.executable, "-m", f"services.{service}", *command], env)


def _output(argv: list[str], env: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        argv, cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout if done.returncode == 0 else done.stdout + done.stderr
