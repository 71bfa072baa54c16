"""The import contracts hold, and each of them notices a violation planted on purpose."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# contract name -> (file to add to, the import that must not be)
VIOLATIONS = {
    "services talk over HTTP, never by import": (
        "services/exchange/orders/service.py",
        "import services.accrual.ledger.service",
    ),
    "shared knows none of its users": ("shared/clock.py", "import services.auth.settings"),
    "the gateway is thin": ("gateway/app.py", "import shared.db"),
    "the product does not know how it is deployed": (
        "services/auth/app.py",
        "import deploy.local.postgres",
    ),
    # FastAPI reaches the rules through `shared`, not directly: indirect imports count too.
    "rules are pure, even through what they import": ("shared/problems.py", "import fastapi"),
    "use cases know no HTTP": ("services/accrual/ledger/service.py", "import fastapi"),
    "inside a capability, imports point down": (
        "services/exchange/orders/rules.py",
        "import services.exchange.orders.service",
    ),
    "the ledger knows nobody": (
        "services/accrual/ledger/models.py",
        "import services.accrual.criteria.rules",
    ),
}


def lint(root: Path) -> str:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources to plant violations in."""
    root = tmp_path_factory.mktemp("sources")
    for package in ("services", "gateway", "shared", "deploy"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_all_contracts_hold(copy: Path):
    assert "0 broken" in lint(copy)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_planted_violation_is_noticed(copy: Path, contract: str):
    path, forbidden_import = VIOLATIONS[contract]
    file = copy / path
    original = file.read_text()
    file.write_text(original + f"\n{forbidden_import}\n")
    try:
        assert f"{contract} BROKEN" in lint(copy)
    finally:
        file.write_text(original)


def test_every_contract_has_its_planted_violation():
    config = (ROOT / "pyproject.toml").read_text()
    names = {
        line.split('"')[1]
        for line in config.split("[tool.importlinter]")[1].splitlines()
        if line.startswith("name = ")
    }
    assert names == set(VIOLATIONS)
