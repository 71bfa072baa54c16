"""The compose file as compose itself reads it: hardened, and each container knows only its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.local.child import ROOT
from deploy.local.table import SERVICES

Containers = dict[str, dict[str, Any]]


def has_compose() -> bool:
    try:
        found = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return found.returncode == 0


pytestmark = pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")


def make_env(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "deploy/compose/make-env"), *options],
        env=os.environ | {"FILE": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Containers:
    file = tmp_path_factory.mktemp("compose") / "env"
    assert make_env(file).returncode == 0
    return config(file)


def config(file: Path, *options: str) -> Containers:
    shown = subprocess.run(
        ["docker", "compose", "--env-file", str(file), *options, "config", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: Containers = json.loads(shown.stdout)["services"]
    return found


def test_every_container_is_hardened(containers: Containers) -> None:
    for name, container in containers.items():
        assert container["read_only"] is True, name
        assert container["cap_drop"] == ["ALL"], name
        assert "cap_add" not in container, name
        assert container["security_opt"] == ["no-new-privileges:true"], name
        assert not container.get("privileged"), name


def test_no_container_can_take_the_host_with_it(containers: Containers) -> None:
    for name, container in containers.items():
        assert 0 < int(container["mem_limit"]) <= 2 * 2**30, name
        assert container["memswap_limit"] == container["mem_limit"], name
        assert container["pids_limit"] <= 256, name


def test_there_are_two_of_every_service_and_they_leave_in_good_order(
    containers: Containers,
) -> None:
    for service in SERVICES:
        assert containers[service]["deploy"]["replicas"] == 2, service
    for name in (*SERVICES, "gateway"):
        grace = parse_seconds(containers[name]["stop_grace_period"])
        assert int(containers[name]["environment"]["DRAIN_SECONDS"]) + 25 < grace, name


def test_metrics_and_traces_are_collected_only_when_asked_for_and_seen_only_on_this_host(
    tmp_path: Path,
) -> None:
    file = tmp_path / "env"
    assert make_env(file).returncode == 0
    unasked = config(file)
    assert not {"prometheus", "traces"} & set(unasked)
    assert unasked["gateway"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""
    for name in ("prometheus", "traces"):
        watching = config(file, "--profile", "observability")[name]
        assert watching["read_only"] is True
        assert [port["host_ip"] for port in watching["ports"]] == ["127.0.0.1"]
        assert set(watching["networks"]) == {"services", "operators"}  # never the database's


def parse_seconds(duration: str) -> int:
    minutes, _, seconds = duration.rpartition("m")
    return int(minutes or 0) * 60 + int(seconds.removesuffix("s"))


def test_only_the_gateway_is_published_and_only_to_this_host(containers: Containers) -> None:
    published = {name: box["ports"] for name, box in containers.items() if box.get("ports")}
    assert list(published) == ["gateway"]
    assert [port["host_ip"] for port in published["gateway"]] == ["127.0.0.1"]


def test_the_gateway_cannot_reach_the_database_nor_a_service_the_outside(
    containers: Containers,
) -> None:
    assert "data" not in containers["gateway"]["networks"]
    outside = {name for name, box in containers.items() if "outside" in box["networks"]}
    assert outside == {"gateway", "accrual-worker", "auth-worker", "exchange-worker"}


def test_a_container_is_given_its_own_secrets_and_no_others(containers: Containers) -> None:
    for service in SERVICES:
        for name in (service, f"{service}-worker", f"prepare-{service}"):
            box = containers[name]
            databases = {key for key in box["environment"] if key.startswith("DATABASE_")}
            assert databases == {f"DATABASE_URL_{service.upper()}"}
            assert [volume["source"] for volume in box["volumes"]] == [f"{service}-files"]
            secrets = {key for key in box["environment"] if key.startswith("CLIENT_SECRET_")}
            if service != "auth":
                assert secrets == {f"CLIENT_SECRET_{service.upper()}"}
                assert "PASSWORD_PEPPER" not in box["environment"]
    assert not [key for key in containers["gateway"]["environment"] if "DATABASE" in key]


def test_without_being_asked_for_there_is_no_demo_data(containers: Containers) -> None:
    for service in SERVICES:
        assert containers[service]["environment"]["ENVIRONMENT"] == "production"
        assert "--demo" not in containers[f"prepare-{service}"]["command"]


def test_the_secrets_file_is_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "env"
    assert make_env(file, "--demo").returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    values = [line.partition("=")[2] for line in before.splitlines() if "SECRET" in line]
    assert len(set(values)) == len(values) == 5
    assert min(map(len, values)) >= 32
    again = make_env(file)
    assert again.returncode == 1
    assert "exists; its secrets are in use" in again.stderr
    assert file.read_text() == before
