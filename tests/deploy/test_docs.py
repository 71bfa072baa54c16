"""The pages that claim something name evidence that exists."""

import re

import pytest

from deploy.local.child import ROOT

PAGES = ("security", "reliability", "operations", "scaling", "performance")
TESTS = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("page", PAGES)
def test_every_test_and_file_a_page_names_exists(page):
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    quoted = set(re.findall(r"`([^`\n]+)`", text))
    tests = {name for name in quoted if re.fullmatch(r"test_\w+", name)}
    assert tests <= TESTS, tests - TESTS
    files = {
        name
        for name in quoted
        if re.fullmatch(r"[\w./-]+/[\w.-]+\.(py|md|yml|yaml|js|toml)|docs/adr/\d{4}", name)
    }
    missing = {name for name in files if not list(ROOT.glob(f"{name}*"))}
    assert not missing, missing
