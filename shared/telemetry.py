"""Spans by OpenTelemetry, sent as OTLP over HTTP by a thread of their own.

Only `shared.tracing.spans_of` imports this. FastAPI's own telemetry stays off: it would send paths
and queries along, and ours may hold names and numbers of people.
"""

import threading
from collections.abc import Mapping
from typing import Self
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

from shared.tracing import Kind, trace_id_of

EXPORT_SECONDS = 3
CLOSE_SECONDS = 5
_KINDS: dict[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}


class OtlpSpan:
    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        context = span.get_span_context()
        self.trace = trace.format_trace_id(context.trace_id)
        self.id = trace.format_span_id(context.span_id)
        self.traceparent = f"00-{self.trace}-{self.id}-{context.trace_flags:02x}"

    def child(self, name: str, kind: Kind) -> Self:
        context = trace.set_span_in_context(self._span)
        span = self._tracer.start_span(name, context=context, kind=_KINDS[kind])
        return type(self)(self._tracer, span)

    def end(
        self,
        name: str | None = None,
        *,
        failed: bool,
        attributes: Mapping[str, str | int] | None = None,
    ) -> None:
        if name is not None:
            self._span.update_name(name)
        self._span.set_attributes(attributes or {})
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class OtlpSpans:
    """`endpoint` is the collector's base address, `share` which part of all traces is kept.

    The share goes by the trace id alone, so that all processes keep the same traces and no caller
    decides it. OTEL_EXPORTER_OTLP_HEADERS, OTEL_BSP_… and so on are read by the library.
    """

    def __init__(self, process: str, endpoint: str, *, share: float) -> None:
        name = {SERVICE_NAME: process, SERVICE_INSTANCE_ID: uuid4().hex}
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(share),
            resource=Resource.create(name),
            shutdown_on_exit=False,
        )
        target = f"{endpoint.rstrip('/')}/v1/traces"
        exporter = OTLPSpanExporter(endpoint=target, timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("sanhak-mileage")

    def begin(self, name: str, kind: Kind, traceparent: str | None = None) -> OtlpSpan:
        parent = trace.set_span_in_context(NonRecordingSpan(_context_of(traceparent)))
        span = self._tracer.start_span(name, context=parent, kind=_KINDS[kind])
        return OtlpSpan(self._tracer, span)

    def close(self) -> None:
        # A collector that takes everything and answers nothing must not keep a process alive.
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(CLOSE_SECONDS)


def _context_of(traceparent: str | None) -> SpanContext:
    if traceparent is None or trace_id_of(traceparent) is None:
        return trace.INVALID_SPAN_CONTEXT
    _, trace_id, span_id, _ = traceparent.split("-")
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)
