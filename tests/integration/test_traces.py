"""What a collector of traces is sent while somebody works: one trace through every process that
had a part in it, and nothing about anybody."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from deploy.demo import chapters
from tests.collector import Collector, Seen

PATIENCE = 60.0
PERSONAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|\b\d{10}\b|@|eyJ|hanbit|[가-힣]|\?", re.IGNORECASE)


@pytest.fixture(scope="module")
def collected(spans: Collector | None, players) -> Collector:
    if spans is None:
        pytest.skip("a foreign installation sends its traces elsewhere")
    chapters.sign_in(players)
    chapters.accrual(players)
    return spans


def wait_for(spans: Collector, found: Callable[[list[Seen]], bool]) -> list[Seen]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        spans.arrived.clear()
        for trace in [list(trace) for trace in list(spans.traces.values())]:
            if found(trace):
                return trace
        spans.arrived.wait(1.0)
    pytest.fail(f"no such trace among {len(spans.traces)}")


def test_one_trace_leads_from_the_gateway_through_two_services_and_a_job(collected):
    way = [
        ("gateway", "server"),
        ("accrual", "server"),
        ("accrual", "consumer"),
        ("accrual", "client"),
        ("auth", "server"),
    ]

    def goes_the_way(trace: list[Seen]) -> bool:
        by_id = {span.id: span for span in trace}

        def upwards(span: Seen) -> Iterator[Seen]:
            yield span
            if span.parent in by_id:
                yield from upwards(by_id[span.parent])

        return any([(s.process, s.kind) for s in upwards(span)] == way[::-1] for span in trace)

    wait_for(collected, goes_the_way)


def test_spans_name_templates_and_nothing_personal(collected):
    wait_for(collected, lambda trace: any(span.process == "auth" for span in trace))
    texts = {
        text
        for trace in list(collected.traces.values())
        for span in list(trace)
        for text in (span.name, *span.attributes, *span.attributes.values())
    }
    assert any("{" in text for text in texts)
    assert not [text for text in texts if PERSONAL.search(text)]
