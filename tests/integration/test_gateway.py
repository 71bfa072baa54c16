"""What a visitor of the gateway finds, in front of the real services."""

import base64
import hashlib
import os
import re

import httpx2
import pytest

from tests.portal.browser import PORTAL


@pytest.fixture(scope="module")
def http(gateway):
    with httpx2.Client(base_url=gateway, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.skipif(
    "GATEWAY_URL" not in os.environ and not (PORTAL / "build").is_dir(),
    reason="the portal is not built: make portal",
)
def test_the_front_page_is_the_portal_and_all_it_names_is_there(http):
    page = http.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    files = set(re.findall(r"/_app/immutable/[^\"']+", page.text))
    assert {file.rpartition(".")[2] for file in files} == {"js", "css"}
    for file in files:
        answer = http.get(file)
        assert (answer.status_code, len(answer.content) > 0) == (200, True)
        assert "immutable" in answer.headers["cache-control"]
    fonts = re.findall(
        r"/_app/immutable/[^\"')]+\.woff2",
        "".join(http.get(file).text for file in files if file.endswith(".css")),
    )
    assert http.get(fonts[0]).content.startswith(b"wOF2")
    elsewhere = http.get("/verify/0000", headers={"Accept": "text/html"})
    assert elsewhere.text == page.text


def test_readiness_knows_every_service(http):
    report = http.get("/readyz").json()
    assert report["status"] == "ready"
    assert {"auth", "accrual", "exchange", "grants"} <= set(report["services"])


def test_one_document_describes_all_services(http):
    document = http.get("/openapi.json").json()
    services = {path.split("/")[3] for path in document["paths"] if path.startswith("/api/v1/")}
    assert services == {"auth", "accrual", "exchange", "grants"}
    operations = [
        operation["operationId"]
        for verbs in document["paths"].values()
        for operation in verbs.values()
    ]
    assert len(operations) == len(set(operations)) > 50
    assert not any(path.startswith("/internal") for path in document["paths"])


def test_the_docs_page_asks_nothing_of_another_origin(http):
    page = http.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert addresses
    assert not [address for address in addresses if re.match(r"(https?:)?//", address)]
    for address in addresses:
        assert http.get(httpx2.URL("/docs").join(address)).status_code == 200


@pytest.mark.parametrize("path", ["/internal/revocations", "/internal/ledger/holds"])
def test_internal_paths_are_not_reachable(http, path):
    assert http.get(path).status_code == 404
    assert http.get(f"/api/v1/accrual/..{path}").status_code in (400, 404)


def test_an_error_carries_the_same_trace_id_as_its_header(http):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = http.get(
        "/api/v1/grants/programmes/00000000-0000-0000-0000-000000000000",
        headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    assert answer.status_code == 404
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"] == trace


def test_a_service_token_is_of_no_use_at_the_front_door(http):
    answer = http.get(
        "/api/v1/accrual/ledger/account", headers={"Authorization": "Bearer not.a.token"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_INVALID")
