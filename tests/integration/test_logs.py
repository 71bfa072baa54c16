"""What the logs of a whole story hold: enough to follow a request, nothing that is secret, nobody's
personal data."""

import json
import re
from typing import Any

import pytest

from deploy.local.stack import Stack
from services.auth.demo import DEMO_PASSWORD

SECRETS = {
    "a password": re.compile(re.escape(DEMO_PASSWORD)),
    "a token": re.compile(r"eyJ[A-Za-z0-9_-]{10,}\."),
    "credentials": re.compile(r"(?i)(bearer|basic) [A-Za-z0-9+/=._-]{16,}"),
    "a webhook's secret": re.compile(r"whsec_[A-Za-z0-9+/=]{8,}"),
    "a mail address": re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}"),
    "a telephone number": re.compile(r"\b01[016789]-?\d{3,4}-?\d{4}\b"),
    "a business number in a path": re.compile(r"/\d{10}\b"),
}


@pytest.fixture
def lines(installation: Stack | None, players: Any) -> list[tuple[str, str]]:
    """All lines of the processes, by the name of their file, after somebody did something."""
    if installation is None:
        pytest.skip("the logs of a foreign installation cannot be read")
    return [
        (file.stem, line)
        for file in sorted(installation.data.log_dir.glob("*.log"))
        for line in file.read_text(errors="replace").splitlines()
    ]


def test_nothing_secret_and_nothing_personal_is_logged(lines):
    assert len(lines) > 50
    found = {
        (what, name)
        for name, line in lines
        for what, pattern in SECRETS.items()
        if pattern.search(line)
    }
    assert not found


def test_every_request_line_names_its_trace_its_route_and_no_path(lines):
    requests = [json.loads(line) for name, line in lines if '"event":"request"' in _tight(line)]
    assert requests
    for request in requests:
        assert re.fullmatch(r"[0-9a-f]{32}", request["trace_id"])
        assert "path" not in request
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", request["route"])


def _tight(line: str) -> str:
    return line.replace('": "', '":"')
