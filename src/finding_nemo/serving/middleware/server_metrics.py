"""What the server counts of itself, as text that Prometheus reads.

Labels are taken from the program, never from a request: a path, a name or a host of strangers
would make a new series each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

METRICS_TYPE = CONTENT_TYPE_LATEST
STAGES = ("receive", "wait", "decode", "network", "reply")
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)


class ServerMetrics:
    """Counts of one server, in a registry of its own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "finding_nemo_requests",
            "Requests by route and status.",
            ("route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "finding_nemo_request_seconds",
            "Seconds from a request's head to the end of its reply, by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "finding_nemo_stage_seconds",
            "Seconds by stage: receive and reply of a request, wait of an image, decode and "
            "network of a batch.",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "finding_nemo_batch_images",
            "Images that a worker took at once.",
            buckets=_BATCHES,
            registry=self.registry,
        )
        self.images = Counter(
            "finding_nemo_images", "Images predicted, failed ones too.", registry=self.registry
        )
        self.failures = Counter(
            "finding_nemo_image_failures", "Images that failed.", registry=self.registry
        )
        self.reviews = Counter(
            "finding_nemo_reviews", "Reviews that were kept.", registry=self.registry
        )
        self._queue = Gauge(
            "finding_nemo_queue_images", "Images that wait for a worker.", registry=self.registry
        )
        for stage in STAGES:
            self._stages.labels(stage)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """Count the time of one stage of `STAGES`."""
        self._stages.labels(name).observe(seconds)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count the time of the block as one stage."""
        began = perf_counter()
        try:
            yield
        finally:
            self.stage(name, perf_counter() - began)

    def batch(self, n_images: int) -> None:
        """Count one batch."""
        self._batches.observe(n_images)

    def watch_queue(self, length: Callable[[], float]) -> None:
        """Let the gauge of the queue ask `length` each time that it is read."""
        self._queue.set_function(length)

    def text(self) -> bytes:
        """Return all counts as Prometheus reads them."""
        return generate_latest(self.registry)
