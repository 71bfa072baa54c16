"""The partner's client when the network or the platform falters, and when somebody forges."""

import io
import json
from uuid import uuid4

import httpx2
import pytest

from deploy.partner_client import (
    PartnerClient,
    PartnerError,
    SignatureError,
    Unreachable,
    verify,
)
from deploy.partner_client import client as module
from deploy.partner_client.__main__ import read_rows
from shared.webhooks.signing import secret, sign

BATCH = {
    "id": "b", "external_id": "2026-1", "state": "queued", "total": 2, "done": 0,
    "accepted": 0, "unchanged": 0, "rejected": 0,
}  # fmt: skip
ROWS = [{"external_id": f"r{n}", "cells": {"trainee_name": "홍길동"}} for n in range(2)]


class Platform:
    """Answers as scripted, and remembers what it was asked."""

    def __init__(self, *answers, tokens=()):
        self.answers = list(answers)
        self.tokens = list(tokens)
        self.asked = []
        self.granted = 0

    def __call__(self, request):
        if request.url.path == "/api/v1/auth/token":
            self.granted += 1
            grant = {"access_token": f"t{self.granted}", "expires_in": 900}
            return self.tokens.pop(0) if self.tokens else httpx2.Response(200, json=grant)
        self.asked.append((request, request.read()))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options):
        http = httpx2.Client(base_url="http://m.test", transport=httpx2.MockTransport(self))
        return PartnerClient("", "p_1", "mlk_x", http=http, **options)


def problem(status, code, errors=(), **headers):
    body = {"code": code, "title": "제목", "trace_id": "t", "errors": list(errors)}
    return httpx2.Response(status, json=body, headers=headers)


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    seconds = []
    monkeypatch.setattr(module.time, "sleep", seconds.append)
    return seconds


def test_a_push_is_sent_whole_again_under_the_same_key_until_it_is_answered(slept):
    platform = Platform(
        httpx2.ConnectError("down"),
        problem(503, "UPSTREAM_UNAVAILABLE"),
        problem(429, "TOO_MANY_REQUESTS", **{"retry-after": "7"}),
        httpx2.Response(202, json=BATCH),
    )
    with platform.client() as client:
        batch = client.push(iter(ROWS), field="PRACTICE", external_id="2026-1")
    assert (batch.id, batch.is_finished) == ("b", False)
    bodies = {body for _, body in platform.asked}
    assert [json.loads(line) for line in bodies.pop().splitlines()] == ROWS
    assert bodies == set()
    assert len({request.headers["idempotency-key"] for request, _ in platform.asked}) == 1
    assert len({request.headers["content-length"] for request, _ in platform.asked}) == 1
    assert slept[0] < slept[1] < 7 <= slept[2] < 8
    assert platform.granted == 1


def test_nobody_is_asked_for_ever():
    platform = Platform(*[httpx2.ReadTimeout("slow")] * 3)
    with platform.client(attempts=3) as client, pytest.raises(Unreachable):
        client.batch("b")
    assert len(platform.asked) == 3


def test_a_refused_token_is_renewed_once():
    refused = problem(401, "TOKEN_REVOKED")
    platform = Platform(refused, httpx2.Response(200, json=BATCH), refused, refused)
    with platform.client() as client:
        assert client.batch("b").id == "b"
        with pytest.raises(PartnerError) as caught:
            client.batch("b")
    assert caught.value.code == "TOKEN_REVOKED"
    sent = [request.headers["authorization"] for request, _ in platform.asked]
    assert sent == ["Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"]


def test_wrong_credentials_are_said_at_once():
    platform = Platform(tokens=[problem(401, "OAUTH_CLIENT_INVALID")])
    with platform.client() as client, pytest.raises(PartnerError) as caught:
        client.batch("b")
    assert (caught.value.code, platform.asked) == ("OAUTH_CLIENT_INVALID", [])


def test_a_refusal_carries_every_finding():
    errors = [
        {"pointer": f"/rows/{row}/brn", "row": row, "field": "brn", "code": "DIGITS_ONLY",
         "message": "숫자만", "level": "error", "params": {"value": "1-2"}, "suggestion": "12"}
        for row in range(1, 31)
    ]  # fmt: skip
    platform = Platform(problem(422, "VALIDATION_FAILED", errors))
    with platform.client() as client, pytest.raises(PartnerError) as caught:
        client.submit("a")
    error = caught.value
    assert (error.status, error.trace_id, len(error.findings)) == (422, "t", 30)
    assert (error.findings[29].row, error.findings[29].value) == (30, "1-2")
    assert "1, brn: DIGITS_ONLY 숫자만" in str(error)
    assert "… and 10 more" in str(error)


def test_what_a_proxy_says_in_html_is_a_refusal_too():
    platform = Platform(httpx2.Response(403, html="<h1>no</h1>"))
    with platform.client() as client, pytest.raises(PartnerError) as caught:
        client.batch("b")
    assert (caught.value.status, caught.value.code) == (403, "HTTP_403")


def test_results_are_fetched_page_by_page():
    item = {"line": 1, "external_id": "r", "status": "accepted", "application_id": None,
            "number": 1, "findings": []}  # fmt: skip
    platform = Platform(
        httpx2.Response(200, json={"items": [item, item], "next_cursor": "c", "total": 3}),
        httpx2.Response(200, json={"items": [item], "next_cursor": None, "total": 3}),
    )
    with platform.client() as client:
        assert len(list(client.results("b", status="accepted"))) == 3
    assert [request.url.params.get("cursor") for request, _ in platform.asked] == [None, "c"]


def test_a_batch_that_never_ends_is_given_up(monkeypatch):
    clock = iter(range(0, 10_000, 60))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    platform = Platform(*[httpx2.Response(200, json=BATCH)] * 20)
    with platform.client() as client, pytest.raises(TimeoutError):
        client.wait("b", timeout=300)


# --- webhooks ---------------------------------------------------------------------------------


BODY = b'{"type": "application.posted", "data": {"mileage": 450}}'
NOW = 1_790_000_000
OLD, NEW = (secret(b"key", uuid4(), generation) for generation in (1, 2))


def signed(*secrets, body=BODY, at=NOW):
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": sign(secrets, "msg_1", at, body),
    }


def test_what_the_platform_signs_is_believed_also_while_a_secret_is_replaced():
    assert verify(NEW, signed(NEW), BODY, now=NOW)["data"] == {"mileage": 450}
    assert verify(NEW, signed(OLD, NEW), BODY, now=NOW + 299)
    assert verify([OLD, NEW], signed(NEW), BODY, now=NOW - 299)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        (signed(OLD), BODY, NOW),
        (signed(NEW), BODY.replace(b"450", b"4500"), NOW),
        (signed(NEW), BODY, NOW + 301),
        (signed(NEW, at=NOW + 301), BODY, NOW),
        (signed(NEW) | {"Webhook-Id": "msg_2"}, BODY, NOW),
        (signed(NEW) | {"Webhook-Signature": "v1,서명"}, BODY, NOW),
        (signed(NEW) | {"Webhook-Timestamp": "now"}, BODY, NOW),
        ({}, BODY, NOW),
    ],
)
def test_a_forgery_is_not(headers, body, now):
    with pytest.raises(SignatureError):
        verify(NEW, headers, body, now=now)


# --- the command's files ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n\n{"a": 2}\n',
        '\ufeff{"a": 1}\n{"a": 2}',
        '[{"a": 1},\n {"a": 2}]',
    ],
)
def test_rows_are_read_from_lines_and_from_an_array(text):
    assert list(read_rows(io.StringIO(text))) == [{"a": 1}, {"a": 2}]


def test_a_line_that_is_no_row_is_named_before_anything_is_sent():
    with pytest.raises(ValueError, match="line 3 is no JSON"):
        list(read_rows(io.StringIO('{"a": 1}\n\nx\n')))
