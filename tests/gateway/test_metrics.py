"""The gateway counts by the names of its routes, and tells nobody who comes by the public port."""

import httpx2
import pytest

from deploy.local.ports import free_ports
from tests.gateway.servers import running_gateway


@pytest.fixture(scope="module")
def published(echo_url, tokens):
    """A gateway that publishes its metrics: it, and where."""
    port = free_ports(1)[0]
    with running_gateway(echo_url, tokens, metrics_port=port) as gateway:
        yield gateway.url, f"http://127.0.0.1:{port}/metrics"


async def test_metrics_are_on_a_port_of_their_own_and_never_on_the_public_one(
    published, echo, tokens
):
    url, metrics = published
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.get(metrics)).status_code == 200
        for path in ("/metrics", "/api/v1/accrual/../../metrics", "/.well-known/../metrics"):
            answer = await http.get(url + path, headers=tokens.headers())
            assert answer.status_code in {400, 404}, path
    assert not echo.seen  # no service was asked for its own


async def test_answers_are_counted_by_route_name_and_refusals_by_code(published, echo, tokens):
    url, metrics = published
    person = "900101-1234567"
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as http:
        path = f"/api/v1/accrual/applications/{person}"
        assert (await http.get(path, headers=tokens.headers())).status_code == 200
        assert (await http.get(path)).status_code == 401
        assert (await http.get(f"/{person}")).status_code == 404
        shown = (await http.get(metrics)).text
    count = "http_server_request_duration_seconds_count"
    labels = 'method="GET",route="accrual",service="gateway",status='
    assert f'{count}{{{labels}"2xx"}} 1.0' in shown
    assert f'{count}{{{labels}"4xx"}} 1.0' in shown
    assert 'gateway_refusals_total{code="TOKEN_REQUIRED"}' in shown
    assert 'gateway_upstream_active_requests{service="accrual"} 0.0' in shown
    assert person not in shown
