"""A trace tells what became of a request and where its time went; no exporter can harm an answer."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.serving.serving import Running, picture, serving
from totalml.background import STOPS_WITHIN_S
from totalml.cli import main
from totalml.errors import MissingExtraError, RecipeError
from totalml.serving.traces import Traces, open_traces, require_traces

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Traced:
    """A service and the spans of the last request."""

    def __init__(self, running: Running, exporter: InMemorySpanExporter) -> None:
        self.running, self.exporter = running, exporter

    def spans(self) -> dict[str, ReadableSpan]:
        """By name; the span of the request, which ends last, is told after its answer."""
        due = time.monotonic() + 120
        while not any(span.parent is None or span.parent.is_remote for span in self.exporter.get_finished_spans()):
            assert time.monotonic() < due, "the request was not traced"
            time.sleep(0.005)
        found = {span.name: span for span in self.exporter.get_finished_spans()}
        self.exporter.clear()
        return found


@pytest.fixture(scope="module")
def traced(tmp_path_factory) -> Iterator[Traced]:
    exporter = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(exporter), "pints")
    with serving(tmp_path_factory.mktemp("store"), traces=traces, token="secret") as running:
        running.client.headers["Authorization"] = "Bearer secret"
        yield Traced(running, exporter)


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP.

    Args: delay_s: before each answer.
    """

    daemon_threads = True

    def __init__(self, delay_s: float = 0.0, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Collect)
        self.delay_s, self.status, self.requests = delay_s, status, []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, *_) -> None:
        """A client that hangs up is no error of a test."""


class _Collect(BaseHTTPRequestHandler):
    server: Collector

    def log_message(self, *_) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        time.sleep(self.server.delay_s)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def collect(monkeypatch):
    """Start a collector that OTEL_* names."""
    started, before = [], {*threading.enumerate()}
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")  # s, with all that is tried again

    def collect(**how) -> Collector:
        started.append(collector := Collector(**how))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_address[1]}")
        return collector

    yield collect
    for collector in started:
        collector.shutdown()
        collector.server_close()
    # An exporter that still tries draws from `random`, which the tests by hypothesis elsewhere would be blamed for.
    exporting = [each for each in {*threading.enumerate()} - before if "process_request" not in each.name]
    for thread in exporting:  # not those of the collector, one of which sleeps
        thread.join(30)
        assert not thread.is_alive(), thread


def test_a_trace_says_what_became_of_a_request_and_where_its_time_went(traced):
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-ID": "mine", "User-Agent": "taps"}
    answer = traced.running.ask(picture(), params={"who": "secret"}, headers=headers)
    spans = traced.spans()
    assert {*spans} == {"POST /predict", "read", "wait", "score"}
    request = spans["POST /predict"]
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, CALLER)
    assert request.kind.name == "SERVER"
    assert request.status.is_unset
    port = traced.running.port
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "url.path": "/predict",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": port,
        "network.protocol.version": "1.1",
        "user_agent.original": "taps",
        "totalml.request_id": "mine",
        "totalml.samples": 1,
        "totalml.release": answer.json()["release"],
    }
    parts = [spans[name] for name in ("read", "wait", "score")]
    assert all(part.parent.span_id == request.context.span_id for part in parts)
    moments = [request.start_time, *(part.end_time for part in parts), request.end_time]
    assert moments == sorted(moments)
    assert [part.start_time for part in parts] == pytest.approx(moments[:3], abs=2)  # ns, as floats are rounded
    assert abs(request.end_time - time.time_ns()) < 60e9


def test_time_in_the_queue_is_told_as_waiting_and_not_as_scoring(traced, monkeypatch):
    scorer = traced.running.service.live.now.scorer
    inputs, entered, go_on = scorer.inputs, threading.Event(), threading.Event()

    def slow(*given):
        entered.set()
        assert go_on.wait(10)
        return inputs(*given)

    monkeypatch.setattr(type(scorer), "inputs", lambda self, *given: slow(*given))
    first = threading.Thread(target=traced.running.ask, args=(picture(),))
    first.start()
    assert entered.wait(10)
    second = threading.Thread(target=traced.running.ask, args=(picture(),), kwargs={"headers": {"X-Request-ID": "b"}})
    second.start()
    time.sleep(0.2)
    go_on.set()
    first.join(10)
    second.join(10)
    due = time.monotonic() + 120
    while len(found := traced.exporter.get_finished_spans()) < 8 and time.monotonic() < due:
        time.sleep(0.005)
    traced.exporter.clear()
    waited = sorted((span.end_time - span.start_time) / 1e9 for span in found if span.name == "wait")
    assert waited[0] < 0.1 < 0.15 < waited[1]


@pytest.mark.parametrize(
    ("how", "name", "status", "parts"),
    [
        ({"method": "POST", "url": "/predict", "content": b"x"}, "POST /predict", 415, set()),
        (
            {"method": "POST", "url": "/predict", "content": b"x", "headers": {"Content-Type": "image/png"}},
            "POST /predict",
            422,
            {"read", "wait"},
        ),
        ({"method": "GET", "url": "/no/such/4711"}, "GET", 404, set()),
        ({"method": "PROPFIND", "url": "/predict"}, "HTTP /predict", 405, set()),
        ({"method": "GET", "url": "/version", "headers": {"Authorization": "no"}}, "GET", 401, set()),
    ],
)
def test_a_refusal_is_traced_as_far_as_it_came_and_is_no_error_of_ours(traced, how, name, status, parts):
    assert traced.running.client.request(**how).status_code == status
    spans = traced.spans()
    assert {*spans} == {name} | parts
    assert spans[name].attributes["http.response.status_code"] == status
    assert spans[name].status.is_unset
    assert "totalml.release" not in spans[name].attributes


def test_a_failure_of_ours_is_an_error(traced, monkeypatch, capfd):
    def fail(*_):
        raise RuntimeError("planted")

    monkeypatch.setattr(type(traced.running.service.live.now.scorer), "score", fail)
    assert traced.running.ask(picture()).status_code == 500
    request = traced.spans()["POST /predict"]
    assert request.status.status_code.name == "ERROR"
    assert request.attributes["error.type"] == "500"


@pytest.mark.parametrize("header", ["", "00-zz-00f067aa0ba902b7-01", "\xff" * 300, "00-" + "0" * 32 + "-" + "0" * 16])
def test_a_caller_can_send_anything_as_its_trace(traced, header):
    assert traced.running.ask(picture(), headers={b"traceparent": header.encode("latin-1")}).status_code == 200
    assert traced.spans()["POST /predict"].parent is None


def test_probes_are_not_traced(traced):
    for path in ("/healthz", "/readyz", "/v2/health/live"):
        assert traced.running.client.get(path).status_code == 200
    traced.running.client.get("/version")
    assert {*traced.spans()} == {"GET /version"}


def test_what_a_collector_gets_is_what_was_asked(collect, tmp_path, monkeypatch):
    collector = collect()
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=pub")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=mine")
    with serving(tmp_path, traces=open_traces("pints")) as running:
        for _ in range(3):
            assert running.ask(picture()).status_code == 200
    spans = []
    for path, headers, body in collector.requests:
        assert (path, headers["api-key"]) == ("/v1/traces", "mine")
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert (told["service.name"], told["deployment.environment"]) == ("pints", "pub")
            spans += [span for scope in resource.scope_spans for span in scope.spans]
    assert sorted(span.name for span in spans) == sorted(["POST /predict", "read", "wait", "score"] * 3)


@pytest.mark.parametrize("how", [{"delay_s": 60.0}, {"status": 503}, {"status": 400}])
def test_a_collector_that_is_slow_or_refuses_delays_neither_an_answer_nor_the_end(how, collect, tmp_path, monkeypatch):
    collector = collect(**how)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")  # ms
    with serving(tmp_path, traces=open_traces("pints")) as running:
        due = time.monotonic() + 120
        while not collector.requests and time.monotonic() < due:
            running.ask(picture())
        assert collector.requests
        began = time.monotonic()
        assert {running.ask(picture()).status_code for _ in range(20)} == {200}
        ended = time.monotonic()
        assert ended - began < 5
    assert time.monotonic() - ended < 4 * STOPS_WITHIN_S


def test_the_name_of_the_service_can_be_given(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "till")
    exporter = InMemorySpanExporter()
    assert Traces(SimpleSpanProcessor(exporter), "pints")._provider.resource.attributes["service.name"] == "till"


def test_a_service_without_traces_imports_no_sdk():
    code = "import sys, totalml.serving.app, totalml.serving.serve, totalml.serving.traces\n"
    code += "sys.exit(any(name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_extra_and_another_protocol_are_told_before_the_start(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(RecipeError, match="OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'; --traces speaks http/protobuf"):
        require_traces()
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert main(["serve", "--bundle", str(tmp_path), "--traces"]) == MissingExtraError.exit_code
    assert 'pip install "totalml[otel]"' in capsys.readouterr().err
