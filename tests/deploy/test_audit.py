"""The audit objects to what it should, and its silence means something."""

from email.message import Message

import pytest

from deploy import audit

HASH = "--hash=sha256:" + "a" * 64


def about(**fields: str | list[str]) -> Message:
    message = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


def test_a_lock_of_exact_versions_with_hashes_is_good():
    lock = f"# made by a tool\nfastapi==0.165.0 \\\n    {HASH} \\\n    {HASH}\n"
    lock += f"colorama==0.4.6 ; sys_platform == 'win32' \\\n    {HASH}\n"
    assert audit.lock_objections(lock, ["fastapi"]) == []


@pytest.mark.parametrize(
    ("lock", "objection"),
    [
        ("fastapi==0.165.0", "no hash: fastapi==0.165.0"),
        (f"fastapi>=0.165 {HASH}", "not an exact version"),
        ("thing @ git+ssh://example/thing", "not an exact version"),
        ("--extra-index-url somewhere", "not an exact version"),
        (f"fastapi==0.165.0 {HASH[:-2]}", "not an exact version"),
    ],
)
def test_anything_else_in_a_lock_is_refused(lock, objection):
    assert objection in audit.lock_objections(lock, [])[0]


def test_a_direct_dependency_that_was_not_locked_is_named():
    assert audit.lock_objections(f"a==1 {HASH}", ["a", "b"]) == ["not locked: b"]


@pytest.mark.parametrize(
    "fields",
    [
        {"License_Expression": "MIT"},
        {"License_Expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"},
        {"Classifier": ["License :: OSI Approved :: MIT License", "Topic :: Text"]},
        {"License": "BSD-3-Clause\nand the whole text"},
    ],
)
def test_free_licences_pass_however_they_are_spelled(fields):
    assert audit.licence_objection("thing", about(**fields)) is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"License_Expression": "AGPL-3.0-only"}, "thing is under AGPL-3.0-only"),
        ({"License_Expression": "MIT AND SSPL-1.0"}, "thing is under SSPL-1.0"),
        ({"License_Expression": "LGPL-3.0-only"}, "thing is under LGPL-3.0-only"),
        ({"License": "Proprietary"}, "thing is under Proprietary"),
        ({}, "thing names no licence"),
    ],
)
def test_other_licences_and_none_at_all_are_refused(fields, why):
    assert audit.licence_objection("thing", about(**fields)) == why


def test_a_weak_copyleft_is_accepted_for_the_one_it_was_weighed_for():
    assert audit.licence_objection("psycopg", about(License_Expression="LGPL-3.0-only")) is None


def test_a_vulnerability_is_named_with_the_version_that_ends_it():
    found = {"id": "CVE-2020-28493", "fix_versions": ["2.11.3"]}
    packages = [
        {"name": "jinja2", "version": "2.11.2", "vulns": [found]},
        {"name": "good", "version": "1", "vulns": []},
        {"name": "unknown", "skip_reason": "not found"},
    ]
    findings = audit.advisory_findings({"dependencies": packages})
    assert findings == ["jinja2 2.11.2: CVE-2020-28493 (fixed in 2.11.3)"]


def test_without_advisories_the_audit_says_that_it_did_not_happen(monkeypatch, capsys):
    """As on a machine that reaches no advisory service: every package is skipped."""
    nothing = {"dependencies": [{"name": "jinja2", "skip_reason": "not found"}]}
    monkeypatch.setattr(audit, "_pip_audit", lambda _: nothing)
    assert audit.main() == 0
    assert "NOT audited" in capsys.readouterr().out


def test_with_advisories_a_vulnerable_dependency_fails_the_audit(monkeypatch, capsys):
    found = {"id": "CVE-2020-28493", "fix_versions": []}
    report = {"dependencies": [{"name": "jinja2", "version": "2.11.2", "vulns": [found]}]}
    monkeypatch.setattr(audit, "_pip_audit", lambda _: report)
    assert audit.main() == 1
    assert "CVE-2020-28493 (fixed in no version yet)" in capsys.readouterr().err
