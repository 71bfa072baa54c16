"""Traces: an id that travels always, spans only where somebody collects them."""

import subprocess
import sys

import pytest

from services.exchange.settings import Settings
from shared.jobs import Jobs, enqueue
from shared.logs import trace_id
from shared.tracing import client_span, current_span, trace_id_of, traceparent
from tests.collector import Collector, collector

GIVEN = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def collected():
    with collector() as running:
        yield running


@pytest.fixture
async def runtime(runtime_of, collected: Collector):
    return await runtime_of("exchange", Settings, otlp_endpoint=collected.url)


@pytest.mark.parametrize("process", ["gateway.app", "services.exchange.app"])
def test_nobody_who_does_not_ask_for_spans_loads_what_makes_them(process):
    loaded = f"import {process}, sys; print('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_without_spans_the_trace_still_travels():
    token = trace_id.set(GIVEN)
    try:
        with client_span("GET accrual"):
            assert trace_id_of(traceparent()) == GIVEN
    finally:
        trace_id.reset(token)


async def test_a_call_and_a_job_are_steps_of_the_request_they_come_from(runtime, collected):
    jobs, seen = Jobs(), []

    @jobs.task("orders.drive")
    async def drive(_runtime) -> None:
        seen.append((trace_id.get(), traceparent()))

    request = runtime.spans.begin("POST", "server", f"00-{GIVEN}-00f067aa0ba902b7-01")
    token = current_span.set(request)
    try:
        with client_span("POST accrual"):
            called = traceparent()
        async with runtime.sessions.begin() as session:
            await enqueue(session, "orders.drive")
    finally:
        current_span.reset(token)
    request.end("POST /orders", failed=False)
    await jobs.work(runtime, runtime.settings.database_url, wait=False)
    runtime.spans.close()

    spans = {span.name: span for span in collected.traces[GIVEN]}
    assert set(spans) == {"POST /orders", "POST accrual", "job orders.drive"}
    root, call, job = spans["POST /orders"], spans["POST accrual"], spans["job orders.drive"]
    assert root.parent == "00f067aa0ba902b7"
    assert (call.parent, call.kind) == (root.id, "client")
    assert (job.parent, job.kind) == (root.id, "consumer")
    assert called == f"00-{GIVEN}-{call.id}-01"
    assert seen == [(GIVEN, f"00-{GIVEN}-{job.id}-01")]


async def test_what_is_not_kept_is_not_sent_and_its_id_travels_all_the_same(runtime_of, collected):
    runtime = await runtime_of("exchange", Settings, otlp_endpoint=collected.url, trace_share=0.0)
    span = runtime.spans.begin("GET", "server", f"00-{GIVEN}-00f067aa0ba902b7-01")
    assert trace_id_of(span.traceparent) == GIVEN
    assert span.traceparent.endswith("-00")
    span.end(failed=False)
    runtime.spans.close()
    assert not collected.traces
