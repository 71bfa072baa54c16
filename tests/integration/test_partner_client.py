"""A partner's system at the front door: the client of `deploy/partner_client`, for real."""

import json
import queue
import secrets
import subprocess
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.partner_client import PartnerClient, PartnerError, SignatureError, verify
from shared.clock import seoul_day, utc_now

PDF = b"%PDF-1.7\n" + b"0" * 200
COMPANY = "9998100015"  # of the demo


def rows(count, first=0, **cells):
    """Practice of so many students, 450 points each."""
    today = seoul_day(utc_now())
    run = secrets.token_hex(4)
    for number in range(first, first + count):
        yield {
            "external_id": f"{run}-{number}",
            "cells": {
                "brn": COMPANY,
                "company_name": "한마루정밀 주식회사",
                "trainee_name": f"학생{run}{number}",
                "department": "기계공학과",
                "admission_year": "2022",
                "practice_type": "표준",
                "hours": "320",
                "start_date": f"{today - timedelta(days=100):%Y%m%d}",
                "end_date": f"{today - timedelta(days=10):%Y%m%d}",
                "allowance_won": "4500000",
                **cells,
            },
        }


@pytest.fixture(scope="module")
def credentials(players):
    """`credentials(test_mode=True)`: a system the university registers."""

    def register(*, test_mode):
        body = {
            "name": "학사 시스템",
            "scopes": ["accrual:push", "accrual:read"],
            "test_mode": test_mode,
        }
        answer = players.university.post("/api/v1/auth/clients", body, expect=201)
        return answer["client"]["id"], answer["secret"]["client_secret"]

    return register


@pytest.fixture(scope="module")
def sandbox(gateway, credentials):
    with PartnerClient(gateway, *credentials(test_mode=True)) as client:
        yield client


@pytest.fixture(scope="module")
def live(gateway, credentials):
    with PartnerClient(gateway, *credentials(test_mode=False)) as client:
        yield client


@pytest.fixture
def evidence(tmp_path):
    """`evidence(client)`: the ids of what field practice needs."""
    file = tmp_path / "증빙.pdf"
    file.write_bytes(PDF)

    def upload(client):
        return [client.upload(file, kind=one) for one in ("OFFICIAL_LETTER", "PRACTICE_AGREEMENT")]

    return upload


def test_rows_become_a_submitted_application_and_each_has_its_result(live, players, evidence):
    name = secrets.token_hex(4)
    good = list(rows(1_200))
    bad = list(rows(1, brn="1048203591"))
    files = evidence(live)
    batch = live.push(
        iter(good + bad), field="PRACTICE", external_id=name, submit=True, evidence=files
    )
    seen = list(live.follow(batch.id, timeout=120))
    done = seen[-1]
    assert (done.total, done.accepted, done.rejected) == (1_201, 1_200, 1)
    (made,) = done.applications
    assert (made.outcome, made.state, made.mileage) == ("submitted", "submitted", 540_000)
    results = list(live.results(batch.id))
    assert [result.line for result in results] == list(range(1, 1_202))
    (rejected,) = live.results(batch.id, status="rejected")
    (finding,) = rejected.findings
    assert rejected.external_id == bad[0]["external_id"]
    assert (finding.row, finding.field, finding.code) == (1_201, "brn", "BRN_CHECKSUM")
    assert finding.value == "1048203591"
    again = live.push(good + bad, field="PRACTICE", external_id=name, submit=True, evidence=files)
    assert again.id == batch.id
    shown = players.university.get(f"/api/v1/accrual/applications/{made.id}")
    assert (shown["number"], shown["source"], shown["row_count"]) == (made.number, "partner", 1_200)
    assert {file["kind"] for file in shown["files"]} == {"OFFICIAL_LETTER", "PRACTICE_AGREEMENT"}


def test_a_draft_is_handed_in_later_once(live, evidence):
    batch = live.push(
        rows(2), field="PRACTICE", external_id=secrets.token_hex(4), evidence=evidence(live)
    )
    (made,) = live.wait(batch.id, timeout=60).applications
    assert (made.outcome, made.state) == ("draft", "draft")
    key = secrets.token_hex(8)
    first = live.submit(made.id, key=key)
    assert live.submit(made.id, key=key) == first
    assert first["mileage"] == 900
    with pytest.raises(PartnerError) as caught:
        live.submit(made.id)
    assert caught.value.code == "STATE_CONFLICT"


def test_what_is_missing_is_told_in_one_error(live):
    batch = live.push(rows(1), field="PRACTICE", external_id=secrets.token_hex(4), submit=True)
    (made,) = live.wait(batch.id, timeout=60).applications
    assert (made.outcome, [one.code for one in made.findings]) == ("refused", ["EVIDENCE_MISSING"])
    with pytest.raises(PartnerError) as caught:
        live.submit(made.id)
    assert [one.code for one in caught.value.findings] == ["EVIDENCE_MISSING"]
    with pytest.raises(PartnerError) as caught:
        live.push([], field="PRACTICE", external_id="empty")
    assert caught.value.code == "NO_ROWS"


class Listener(ThreadingHTTPServer):
    """Receives webhooks and keeps them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received = queue.Queue()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hooks"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):  # the name http.server looks for
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def listener(installation):
    if installation is None:
        pytest.skip("an installation elsewhere cannot reach a listener here")
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_sandbox_tells_of_every_move_by_signed_webhooks_and_touches_nothing_real(
    sandbox, live, players, evidence, listener
):
    endpoint, secret = sandbox.register_webhook(
        listener.url, events=["intake.finished", "application.submitted", "application.posted"]
    )
    assert sandbox.webhook_secret(endpoint) == secret
    batch = sandbox.push(
        rows(3),
        field="PRACTICE",
        external_id=secrets.token_hex(4),
        submit=True,
        evidence=evidence(sandbox),
    )
    (made,) = sandbox.wait(batch.id, timeout=60).applications
    assert made.number.startswith("T")
    assert sandbox.simulate(made.id, "approve")["state"] == "posted"
    events = {}
    while len(events) < 3:
        headers, body = listener.received.get(timeout=60)
        event = verify(secret, headers, body)
        events[event["type"]] = event["data"]
        with pytest.raises(SignatureError):
            verify(secret, headers, body + b" ")
    assert events["intake.finished"]["accepted"] == 3
    assert events["application.posted"]["application_id"] == made.id
    assert events["application.posted"]["mileage"] == 1_350
    path = f"/api/v1/accrual/applications/{made.id}"
    assert players.university.get(path, expect=404).code == "NOT_FOUND"
    for call in (lambda: live.application(made.id), lambda: live.simulate(made.id, "approve")):
        with pytest.raises(PartnerError):
            call()


def test_the_command_pushes_a_file_and_prints_what_was_rejected(gateway, credentials, tmp_path):
    client_id, secret = credentials(test_mode=True)
    (tmp_path / "공문.pdf").write_bytes(PDF)
    lines = [*rows(2), *rows(1, hours="0", trainee_name="")]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    ended = subprocess.run(
        [
            sys.executable, "-m", "deploy.partner_client", "push", "-", "--field", "PRACTICE",
            "--id", secrets.token_hex(4), "--evidence", f"OFFICIAL_LETTER={tmp_path / '공문.pdf'}",
        ],
        cwd=Path(__file__).parents[2],
        env={
            "MILEAGE_URL": gateway,
            "MILEAGE_CLIENT_ID": client_id,
            "MILEAGE_CLIENT_SECRET": secret,
            "PYTHONIOENCODING": "utf-8",
        },
        input=text.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stderr.decode()
    (rejected,) = map(json.loads, ended.stdout.splitlines())
    assert rejected["external_id"] == lines[2]["external_id"]
    assert {one["code"] for one in rejected["findings"]} == {"HOURS_INVALID", "REQUIRED"}
    assert "2 accepted, 0 unchanged, 1 rejected" in ended.stderr.decode()
