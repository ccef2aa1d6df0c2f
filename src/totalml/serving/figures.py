"""What the service measures of itself, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked

NAMESPACE = "totalml"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
SAMPLES = (1, 2, 4, 8, 16, 32, 64, 128)


class Figures:
    """Of one process; each replica has its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "requests answered", "route", "status")
        self.samples = self._counter("samples", "samples answered", "release")
        self.strange = self._counter("strange_samples", "samples unlike those of training", "release")
        self.shadowed = self._counter("shadow_samples", "samples that a shadow scored, unseen", "release")
        self.unshadowed = self._counter("shadow_samples_left_out", "samples that a shadow had no time for")
        self.labels = self._counter("labels", "labels that were kept")
        self.seconds = self._histogram("request_seconds", "from the first byte to the answer", SECONDS)
        self.batch = self._histogram("request_samples", "samples in a request", SAMPLES)
        self.under_way = self._gauge("requests_under_way", "requests that wait for an answer")
        self.swaps = self._gauge("swaps", "releases that took the place of another one")
        self.swap_failed = self._gauge("swap_failed", "1 while the release of the alias cannot be loaded")
        self.logged = self._gauge("log_rows", "rows of the prediction log that were written")
        self.dropped = self._gauge("log_rows_dropped", "rows of the prediction log that were dropped on overload")
        self.looking = self._gauge("log_maps_seconds", "CPU seconds of asking what the model looked at")
        self.housekeeping_failed = self._gauge("log_housekeeping_failed", "1 while the log cannot be compacted or cut")

        self.windows = self._counter("monitor_windows", "windows that were looked at", "cause")
        self.evidence = self._gauge("monitor_evidence", "how sure a detector is of what it found", "detector")
        self.alarming = self._gauge("monitor_alarm", "1 while the last window of a detector alarmed", "detector")
        self.late = self._gauge("monitor_late_rows", "rows that came after their window was looked at, of this release")
        self.monitor_failed = self._gauge("monitor_failed", "1 while the monitor cannot look")

    def watched(self, looked: Looked) -> None:
        self.windows.labels(looked.verdict.cause).inc()
        for each in looked.verdict.evidence:
            self.alarming.labels(each.detector).set(each.alarm)
            if each.value is not None:
                self.evidence.labels(each.detector).set(each.value)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, namespace=NAMESPACE, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, namespace=NAMESPACE, registry=self._registry)

    def _histogram(self, name: str, what: str, edges: tuple[float, ...]) -> Histogram:
        return Histogram(name, what, namespace=NAMESPACE, registry=self._registry, buckets=edges)
