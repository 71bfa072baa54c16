"""Metrics say what a process does in words of ours, and nothing of whom it does it for."""

import re
from uuid import uuid4

import httpx2
import pytest
from fastapi import APIRouter
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from deploy.local.ports import free_ports
from services.exchange.settings import Settings
from shared.jobs import Jobs, enqueue
from shared.metrics import Metrics
from shared.runtime import service_app

router = APIRouter(prefix="/api/v1/exchange")
PERSON = "홍길동-900101-1234567"


@router.get("/things/{thing}")
async def get_thing(thing: str) -> dict[str, str]:
    if thing == "broken":
        raise RuntimeError(thing)
    return {"thing": thing}


@pytest.fixture
async def runtime(runtime_of):
    return await runtime_of("exchange", Settings)


@pytest.fixture
def client(runtime, client_of):
    return client_of(service_app(runtime, title="things", routers=[router]))


async def numbers(metrics: Metrics, service: str = "exchange"):
    """`seen(name, label=value)` is a number of this process, None when it is not shown."""
    body, _ = await metrics.render()
    families = text_string_to_metric_families(body.decode())
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }

    def seen(name: str, **labels: str) -> float | None:
        own = labels if name.startswith("process_") else {"service": service, **labels}
        return found.get((name, frozenset(own.items())))

    return seen


COUNT = "http_server_request_duration_seconds_count"
THINGS = "/api/v1/exchange/things/{thing}"


async def test_requests_are_counted_by_template_method_and_class_of_status(client, runtime):
    for thing in ("1", "2", "broken"):
        await client.get(f"/api/v1/exchange/things/{thing}")
    await client.post("/api/v1/exchange/things/1")
    seen = await numbers(runtime.metrics)
    assert seen(COUNT, method="GET", route=THINGS, status="2xx") == 2
    assert seen(COUNT, method="GET", route=THINGS, status="5xx") == 1
    assert seen(COUNT, method="POST", route=THINGS, status="4xx") == 1
    assert seen("http_server_active_requests") == 0


async def test_nothing_a_caller_sent_becomes_a_label(client, runtime):
    number = uuid4()
    await client.get(f"/api/v1/exchange/things/{PERSON}?name={PERSON}")
    await client.get(f"/nowhere/{number}/{PERSON}", headers={"X-User": PERSON.encode()})
    await client.request(f"BREW{number.hex[:6].upper()}", "/api/v1/exchange/things/1")
    body, _ = await runtime.metrics.render()
    shown = body.decode()
    assert re.search('route="unmatched"', shown)
    assert 'method="other"' in shown
    for secret in ("홍길동", "900101", str(number), number.hex[:6].upper()):
        assert secret not in shown
    routes = set(re.findall('route="([^"]*)"', shown))
    assert routes == {THINGS, "unmatched"}


async def test_probes_of_health_are_not_counted(client, runtime):
    await client.get("/healthz")
    await client.get("/readyz")
    body, _ = await runtime.metrics.render()
    assert COUNT not in body.decode()


async def test_the_pool_and_the_process_are_shown(runtime):
    async with runtime.sessions() as session:
        await session.execute(text("SELECT 1"))
        seen = await numbers(runtime.metrics)
        assert seen("db_client_connections", state="used") == 1
    assert seen("db_client_connections", state="max") == 20
    assert seen("process_resident_memory_bytes") > 10 * 2**20


async def test_waiting_failed_and_finished_jobs_are_shown(runtime):
    jobs = Jobs()

    @jobs.task("good")
    async def good(_runtime) -> None:
        pass

    @jobs.task("bad", max_attempts=1)
    async def bad(_runtime) -> None:
        raise RuntimeError(PERSON)

    async with runtime.sessions.begin() as session:
        await enqueue(session, "good")
        await enqueue(session, "bad")
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    async with runtime.sessions.begin() as session:  # its second and last try
        await session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    async with runtime.sessions.begin() as session:
        await enqueue(session, "later", in_seconds=3600)
        await enqueue(session, "due")
        await session.execute(text("UPDATE procrastinate_events SET at = at - interval '90 s'"))
    seen = await numbers(runtime.metrics)
    assert seen("jobs", job="later", status="todo") == 1
    assert seen("jobs", job="bad", status="failed") == 1
    assert seen("jobs", job="good", status="todo") is None
    assert seen("jobs_oldest_due_seconds") == pytest.approx(90, abs=30)
    assert seen("job_duration_seconds_count", job="good", outcome="done") == 1
    assert seen("job_duration_seconds_count", job="bad", outcome="failed") == 2
    body, _ = await runtime.metrics.render()
    assert "홍길동" not in body.decode()


async def test_a_number_that_cannot_be_had_does_not_hide_the_others():
    metrics = Metrics("thing")

    async def fail() -> None:
        raise OSError("no database")

    metrics.probe("jobs", fail)
    seen = await numbers(metrics, "thing")
    assert seen("metrics_probe_failures_total", probe="jobs") == 1
    assert seen("http_server_active_requests") == 0


async def test_numbers_asked_for_often_are_looked_up_seldom():
    metrics, asked = Metrics("thing"), []

    async def ask() -> None:
        asked.append(1)

    metrics.probe("jobs", ask)
    for _ in range(20):
        await metrics.render()
    assert len(asked) == 1


async def test_a_port_of_their_own_answers_metrics_life_and_nothing_else():
    metrics = Metrics("thing")
    port = free_ports(1)[0]
    address = f"http://127.0.0.1:{port}"
    async with metrics.published("127.0.0.1", port), httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{address}/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "process_cpu_seconds_total" in answer.text
        assert (await http.get(f"{address}/healthz")).json() == {"status": "ok"}
        assert (await http.get(f"{address}/")).status_code == 404
        assert (await http.post(f"{address}/metrics")).status_code == 405
    async with httpx2.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"{address}/metrics")


async def test_the_public_port_of_a_service_has_no_metrics(client):
    assert (await client.get("/metrics")).status_code == 404
