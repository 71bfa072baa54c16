"""Calls to other services end: retried where a repetition is harmless, refused with a code."""

import asyncio

import httpx2
import pytest

from shared.http import Identity, RemoteProblem, ServiceClient
from shared.problems import UpstreamUnavailable

URL = "http://ledger"


class Network:
    """Plays the auth service and, by a script of answers, the called service."""

    def __init__(self, *script) -> None:
        self.script = list(script)
        self.calls: list[httpx2.Request] = []
        self.token_requests: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/api/v1/auth/token":
            self.token_requests.append(request.content.decode())
            token = f"token-{len(self.token_requests)}"
            return httpx2.Response(200, json={"access_token": token, "expires_in": 300})
        self.calls.append(request)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> ServiceClient:
        identity = Identity(
            "exchange", auth_url="http://auth", secret="s", transport=httpx2.MockTransport(self)
        )
        return ServiceClient(identity, "accrual", URL, scope="ledger:transfer")


OK = httpx2.Response(200, json={"state": "posted"})


async def test_a_repeatable_call_outlives_a_lost_answer_and_a_busy_callee():
    network = Network(httpx2.ReadError("lost"), httpx2.Response(503), OK)
    assert await network.client().post("/x", {}, repeatable=True) == {"state": "posted"}
    assert len(network.calls) == 3


async def test_a_call_that_may_not_be_repeated_is_sent_once():
    network = Network(httpx2.ReadError("lost"), OK)
    with pytest.raises(UpstreamUnavailable):
        await network.client().post("/x", {})
    assert len(network.calls) == 1


async def test_retries_are_bounded():
    network = Network(*[httpx2.Response(503)] * 9)
    with pytest.raises(UpstreamUnavailable):
        await network.client().get("/x")
    assert len(network.calls) == 3


async def test_a_refusal_arrives_with_its_code_and_is_not_retried():
    network = Network(httpx2.Response(422, json={"code": "INSUFFICIENT", "params": {"n": 3}}))
    with pytest.raises(RemoteProblem) as refusal:
        await network.client().post("/x", {}, repeatable=True)
    assert (refusal.value.code, refusal.value.body["params"]) == ("INSUFFICIENT", {"n": 3})


async def test_a_token_is_fetched_once_and_renewed_once_when_refused():
    network = Network(OK, OK, httpx2.Response(401, json={"code": "TOKEN_REVOKED"}), OK)
    client = network.client()
    for _ in range(3):
        await client.get("/x")
    assert len(network.token_requests) == 2
    assert [call.headers["authorization"] for call in network.calls] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]


async def test_a_callee_that_always_refuses_the_token_ends_the_call():
    network = Network(*[httpx2.Response(401, json={"code": "TOKEN_INVALID"})] * 2)
    with pytest.raises(RemoteProblem):
        await network.client().get("/x")


async def test_whom_we_act_for_is_asked_of_auth_and_never_sent_as_a_header():
    network = Network(OK)
    await network.client().post("/x", {}, acting_for="account-7")
    assert "acting_for=account-7" in network.token_requests[0]
    assert "account-7" not in str(network.calls[0].headers)
    assert network.calls[0].headers["traceparent"].startswith("00-")


async def test_revocations_are_followed_on_whatever_the_auth_service_answers(monkeypatch):
    monkeypatch.setattr("shared.http.REVOCATION_POLL_SECONDS", 0.01)
    good = httpx2.Response(200, json={"min_pv": {"sub:a": 2}, "last": 1})
    nothing_new = [httpx2.Response(200, json={"min_pv": {}, "last": 1}) for _ in range(1_000)]
    odd = [httpx2.Response(200, json={}), httpx2.Response(200, text="<html>")]
    network = Network(*odd, good, *nothing_new)
    identity = Identity(
        "gateway", auth_url=URL, secret="s", transport=httpx2.MockTransport(network)
    )
    async with identity.running():
        for _ in range(1_000):
            if identity.revocations.version:
                break
            await asyncio.sleep(0.01)
    assert identity.revocations.version == 1
    assert network.calls[0].url.params["after"] == "0"
