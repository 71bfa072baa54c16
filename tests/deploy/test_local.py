"""`make run`, whole: real services on a real server, killed, stopped and started again."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.child import ROOT
from deploy.local.stack import Stack, stack
from deploy.local.table import SERVICES

WAIT_S = 60.0
PROCESSES = ("postgres", *SERVICES, *(f"{service}-worker" for service in SERVICES), "gateway")


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """The directory of an installation that ran before and was told something to keep."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "var"
        with stack(path, demo=False) as running, connect(running) as connection:
            assert "Preparing the databases of auth, accrual, exchange, grants" in said(path)
            connection.execute("CREATE TABLE kept_by_the_test AS SELECT 7 AS value")
        yield path


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(running: Stack) -> list[int]:
    """Of all processes, as soon as all of them run: a worker whose database was killed may notice
    it, leave and come back at any moment of the next minute."""
    found: list[int] = []

    def all_run() -> bool:
        found[:] = [pid for name in PROCESSES if (pid := running.pid_of(name)) is not None]
        return len(found) == len(PROCESSES)

    until(all_run)
    return found


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )


def connect(running: Stack) -> psycopg.Connection:
    return psycopg.connect(running.database_url("grants").replace("+psycopg", ""), autocommit=True)


def said(data_dir: Path) -> str:
    return (data_dir / "supervisor.log").read_text()


def test_whatever_is_killed_comes_back(data_dir: Path) -> None:
    with stack(data_dir, demo=False) as running:
        for name in ("grants", "grants-worker", "gateway", "postgres"):
            before = running.pid_of(name)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            until(
                lambda: running.pid_of(name) not in (None, before) and running.is_ready(name)  # noqa: B023
            )
        _a_second_supervisor_is_refused(running)
        _a_busy_port_is_named(running)
        _status_tells_each_process(running)
        _no_secret_was_logged(data_dir)
        everything = pids(running)
    assert not any(map(is_alive, everything))
    assert "grants was killed by SIGKILL; starting it again in 0.2 s." in said(data_dir)
    assert not (data_dir / "status.json").exists()


def _a_second_supervisor_is_refused(running: Stack) -> None:
    second = command("run", "--data", str(running.data.path), "--port", "0")
    assert second.returncode == 1
    assert f"Process {running.process.pid} already uses {running.data.path}" in second.stderr


def _a_busy_port_is_named(running: Stack) -> None:
    port = running.gateway_url.rpartition(":")[2]
    with tempfile.TemporaryDirectory() as elsewhere:
        second = command("run", "--data", elsewhere, "--port", port)
    assert second.returncode == 1
    assert f"port {port} (gateway)" in second.stderr
    assert "Traceback" not in second.stderr


def _status_tells_each_process(running: Stack) -> None:
    lines = command("status", "--data", str(running.data.path)).stdout.splitlines()
    assert {line.split()[0] for line in lines} == set(PROCESSES)


def _no_secret_was_logged(data_dir: Path) -> None:
    files = (data_dir / "secrets.json", data_dir / "postgres" / "passwords.json")
    secrets = [secret for file in files for secret in json.loads(file.read_text()).values()]
    assert len(secrets) >= 10
    for log in (data_dir / "supervisor.log", *(data_dir / "log").iterdir()):
        text = log.read_text()
        assert not [secret for secret in secrets if secret in text], log.name


def test_a_second_run_keeps_the_data_and_prepares_nothing(data_dir: Path) -> None:
    with stack(data_dir, demo=False) as running:
        assert "Preparing" not in said(data_dir)
        with connect(running) as connection:
            assert connection.execute("SELECT value FROM kept_by_the_test").fetchone() == (7,)
        everything = pids(running)
        stopped = command("stop", "--data", str(data_dir))
        assert stopped.returncode == 0
        assert running.process.wait(5) == 0
    assert not any(map(is_alive, everything))
    assert "Stopped. The data stays in" in said(data_dir)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_kill_9_of_the_supervisor_leaves_nothing_and_harms_nothing(data_dir: Path) -> None:
    with stack(data_dir, demo=False) as running:
        everything = pids(running)
        running.process.kill()
        until(lambda: not any(map(is_alive, everything)))
    with stack(data_dir, demo=False) as running, connect(running) as connection:
        assert connection.execute("SELECT value FROM kept_by_the_test").fetchone() == (7,)
