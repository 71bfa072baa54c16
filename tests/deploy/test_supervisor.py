"""The supervisor keeps what it started running, and takes everything down with it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.child import MAX_FAILED_STARTS, ROOT, ChildSpec
from deploy.local.errors import LocalError
from deploy.local.supervisor import Supervisor
from deploy.local.tether import tethered

WAIT_S = 10.0


def python(code: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-u", "-c", textwrap.dedent(code), *arguments]
    return tethered(command, signal.SIGKILL)


SLEEP = python("import time; time.sleep(600)")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110  # conditions of other processes raise no event
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


class Told:
    """What a person would have read on the console."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines.append(text)

    def __contains__(self, text: str) -> bool:
        return any(text in line for line in self.lines)


@pytest.fixture
def told() -> Told:
    return Told()


async def test_a_killed_process_is_noticed_and_started_again(tmp_path: Path, told: Told) -> None:
    supervisor = Supervisor(tmp_path, told)
    await supervisor.start([ChildSpec("sleeper", SLEEP)])
    child = supervisor.children["sleeper"]
    try:
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
        assert child.restarts == 1
        assert "sleeper was killed by SIGKILL; starting it again in 0.2 s." in told
    finally:
        await supervisor.stop(asyncio.Event())


async def test_each_further_end_waits_longer(tmp_path: Path, told: Told) -> None:
    supervisor = Supervisor(tmp_path, told)
    await supervisor.start([ChildSpec("sleeper", SLEEP)])
    child = supervisor.children["sleeper"]
    try:
        for restarts in (1, 2, 3):
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            await until(lambda: child.restarts == restarts and child.pid is not None)  # noqa: B023
        waits = [line.rsplit(" ", 2)[1] for line in told.lines]
        assert waits == ["0.2", "0.4", "0.8"]
    finally:
        await supervisor.stop(asyncio.Event())


async def test_one_that_once_worked_is_never_given_up(tmp_path: Path, told: Told) -> None:
    life = tmp_path / "life"
    code = """
        import pathlib, sys, time
        life = pathlib.Path(sys.argv[1])
        first = not life.exists()
        life.touch()
        time.sleep(0.5 if first else 0)
        sys.exit(1)
    """

    async def ready() -> bool:
        return life.exists()

    spec = ChildSpec("moody", python(code, str(life)), ready=ready)
    supervisor = Supervisor(tmp_path, told)
    await supervisor.start([spec])
    child = supervisor.children["moody"]
    await until(lambda: child.restarts > MAX_FAILED_STARTS)
    assert not child.gave_up.is_set()
    await supervisor.stop(asyncio.Event())


async def test_a_process_that_cannot_start_is_given_up_and_named(
    tmp_path: Path, told: Told
) -> None:
    starts = tmp_path / "starts"
    code = "import sys; open(sys.argv[1], 'a').write('x'); raise SystemExit('no such setting')"
    spec = ChildSpec(
        "broken", python(code, str(starts)), ready=lambda: ports.answers_ok(1, "/readyz")
    )
    supervisor = Supervisor(tmp_path, told)
    with pytest.raises(LocalError, match=r"broken did not start; see .*broken\.log"):
        await supervisor.start([spec])
    assert starts.read_text() == "x" * MAX_FAILED_STARTS
    assert "broken | no such setting" in told
    await supervisor.stop(asyncio.Event())


async def test_a_stage_is_ready_when_each_of_it_answers(tmp_path: Path, told: Told) -> None:
    (port,) = ports.free_ports(1)
    server = """
        import http.server, sys, time
        class Ready(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if time.time() > born + 0.5 else 503); self.end_headers()
        born = time.time()
        http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
    """
    spec = ChildSpec(
        "web", python(server, str(port)), ready=lambda: ports.answers_ok(port, "/readyz")
    )
    supervisor = Supervisor(tmp_path, told)
    await supervisor.start([spec])
    try:
        assert await ports.answers_ok(port, "/readyz")
        with pytest.raises(LocalError, match=rf"port {port} \(gateway\) .* is in use"):
            ports.refuse_busy({"gateway": port})
    finally:
        await supervisor.stop(asyncio.Event())
    ports.refuse_busy({"gateway": port})


async def test_stages_stop_in_reverse_order(tmp_path: Path, told: Told) -> None:
    order = tmp_path / "order"
    code = """
        import signal, sys, time
        def leave(*_):
            open(sys.argv[1], "a").write(sys.argv[2])
            sys.exit(0)
        signal.signal(signal.SIGTERM, leave)
        print("up", flush=True)
        time.sleep(600)
    """
    supervisor = Supervisor(tmp_path, told)
    for name in "abc":
        await supervisor.start([ChildSpec(name, python(code, str(order), name))])
        log = supervisor.children[name].log.path
        await until(lambda: "up" in log.read_text())  # noqa: B023
    await supervisor.stop(asyncio.Event())
    assert order.read_text() == "cba"


async def test_one_that_will_not_stop_is_killed_with_what_it_started(
    tmp_path: Path, told: Told
) -> None:
    code = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(inner.pid, flush=True)
        time.sleep(600)
    """
    supervisor = Supervisor(tmp_path, told)
    await supervisor.start([ChildSpec("deaf", python(code), stop_timeout_s=0.3)])
    child = supervisor.children["deaf"]
    await until(lambda: child.log.path.read_text().strip() != "")
    inner, outer = int(child.log.path.read_text()), child.pid
    assert outer is not None
    await supervisor.stop(asyncio.Event())
    await until(lambda: not is_alive(inner) and not is_alive(outer))
    assert "deaf is slow to stop and was killed." in told


async def test_hurry_stops_without_waiting(tmp_path: Path, told: Told) -> None:
    code = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up", flush=True)
        time.sleep(600)
    """
    supervisor = Supervisor(tmp_path, told)
    await supervisor.start([ChildSpec("deaf", python(code), stop_timeout_s=60)])
    await until(lambda: "up" in supervisor.children["deaf"].log.path.read_text())
    hurry = asyncio.Event()
    hurry.set()
    began = time.monotonic()
    await supervisor.stop(hurry)
    assert time.monotonic() - began < WAIT_S


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_not_even_a_killed_supervisor_leaves_an_orphan(tmp_path: Path) -> None:
    code = """
        import asyncio, pathlib, signal, sys
        from deploy.local.child import ChildSpec
        from deploy.local.supervisor import Supervisor
        from deploy.local.tether import tethered
        async def main():
            supervisor = Supervisor(pathlib.Path(sys.argv[1]), print)
            command = [sys.executable, "-c", "import time; time.sleep(600)"]
            command = tethered(command, signal.SIGKILL)
            await supervisor.start([ChildSpec("one", command), ChildSpec("two", command)])
            print(*(child.pid for child in supervisor.children.values()), flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
        process.kill()
        process.wait()
    deadline = time.monotonic() + WAIT_S
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_busy_port_is_named_with_its_user() -> None:
    first, second = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    with first, second:
        taken = {"gateway": first.getsockname()[1], "grants": second.getsockname()[1]}
        with pytest.raises(LocalError) as caught:
            ports.refuse_busy(taken)
    for name, port in taken.items():
        assert f"port {port} ({name})" in str(caught.value)
