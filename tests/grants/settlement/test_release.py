"""Which code a settlement was made by: every module a result depends on, and no other."""

import ast
from pathlib import Path

from services.grants.settlement import release

# What fetches and keeps, beside what reckons.
FETCHING = {
    "services.grants.agreements",
    "services.grants.agreements.models",
    "services.grants.agreements.service",
    "services.grants.expenses.models",
    "services.grants.expenses.typed",
    "services.grants.programmes.service",
    "services.grants.settlement.models",
}
ROOT = Path(release.__file__).parents[3]


def file_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


def imported(file: Path) -> set[str]:
    return {
        node.module
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("services.")
    }


def test_whatever_a_result_depends_on_is_counted() -> None:
    known = set(release.sources())
    assert len(known) > 25
    assert all(file.exists() for file in known)
    missed = {
        module
        for file in known
        for module in imported(file) - FETCHING
        if file_of(module) not in known
    }
    assert missed == set()


def test_another_code_has_another_digest(tmp_path, monkeypatch) -> None:
    before = release.rules_sha256()
    assert before == release.rules_sha256.__wrapped__()
    copy = tmp_path / "errors.py"
    files = [*release.sources()[1:], copy]
    copy.write_text("X = 1\n", encoding="utf-8")
    monkeypatch.setattr(release, "_GRANTS", Path("/"))
    monkeypatch.setattr(release, "sources", lambda: files)
    first = release.rules_sha256.__wrapped__()
    copy.write_text("X = 2\n", encoding="utf-8")
    assert len({before, first, release.rules_sha256.__wrapped__()}) == 3
