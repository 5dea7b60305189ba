"""Images of many requests through one predictor: batches that form by themselves.

A worker takes a batch the whole way, decoding, network and what is said of it, as offline
prediction does: so every core decodes or computes at any moment, however long either takes, and
the numbers are the same. There are as many workers as the network has use for, one a core on a CPU.

What waits is shared out: an idle worker takes its share of the queue, at most a batch. Under load
batches are full, and a lone image never waits for company that may not come: on a CPU the network
sees images one by one and a larger batch saves little. Only a GPU's worker waits a few milliseconds
for a batch to fill.

Source: Crankshaw et al., Clipper, NSDI 2017 (batches that adapt to load).
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Self

from finding_nemo.core.records import Prediction
from finding_nemo.prediction.predictor import BATCH_SIZE, Predictor
from finding_nemo.prediction.run.one_thread import ONE_BLAS_THREAD
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.prediction.sources.prepared_image import PreparedImage
from finding_nemo.serving.middleware.error_replies import fault_in_words
from finding_nemo.serving.middleware.request_limits import busy
from finding_nemo.serving.middleware.server_metrics import ServerMetrics

# What a GPU waits for a batch to fill: a tenth of what the batch takes.
_MOST_WAIT_S = 0.004
_FAILED = "could not be computed by the network; what the server printed says why"


@dataclass(slots=True)
class _Waiting:
    """One image that waits for a worker."""

    image: ImageInput
    found: Future[Prediction] = field(default_factory=Future)
    since: float = field(default_factory=perf_counter)


def share_of_queue(n_waiting: int, n_idle: int, most: int) -> int:
    """Return how many images an idle worker takes.

    Args:
        n_waiting: Images in the queue, at least 1.
        n_idle: Workers that have nothing to do, this one among them.
        most: Images of a batch.
    """
    return min(most, math.ceil(n_waiting / max(n_idle, 1)))


class BatchingPredictor:
    """One predictor behind a queue that any number of requests feed.

    Example:
        >>> with BatchingPredictor(predictor, metrics) as batching:  # doctest: +SKIP
        ...     predictions = await batching.predict(inputs)
    """

    def __init__(
        self,
        predictor: Predictor,
        metrics: ServerMetrics,
        *,
        most_waiting: int = 512,
        tell_fault: Callable[[str], None],
    ) -> None:
        """Open the network.

        Args:
            predictor: What predicts.
            metrics: Where batches are counted.
            most_waiting: Images in the queue; more are refused.
            tell_fault: Told what went wrong with an image that the network cannot compute.
        """
        self.predictor = predictor
        self._metrics, self._most_waiting = metrics, most_waiting
        self._tell_fault = tell_fault
        self.n_workers, self._batch_size = predictor.batching()
        self._fills_batches = self._batch_size > BATCH_SIZE
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._n_idle = 0
        self._is_over = False
        # Images a second of late, for the word when to come again.
        self._rate = 10.0
        self._workers: list[threading.Thread] = []
        metrics.watch_queue(lambda: self.n_waiting)

    @property
    def n_waiting(self) -> int:
        """Images that no worker has taken yet."""
        return len(self._queue)

    def __enter__(self) -> Self:
        """Start the workers."""
        ONE_BLAS_THREAD.__enter__()
        for number in range(self.n_workers):
            worker = threading.Thread(target=self._work, name=f"predict-{number}", daemon=True)
            self._workers.append(worker)
            worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the workers finish what waits, and end."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()
        ONE_BLAS_THREAD.__exit__(kind, error, trace)

    async def predict(self, images: Sequence[ImageInput]) -> list[Prediction]:
        """Return one prediction an image, in order.

        Raises:
            RequestError: 429 if there is no room in the queue.
        """
        found = [asyncio.wrap_future(future) for future in self.submit(images)]
        try:
            return list(await asyncio.gather(*found))
        finally:
            for future in found:
                future.cancel()  # of a request that nobody waits for any more

    def submit(self, images: Sequence[ImageInput]) -> list[Future[Prediction]]:
        """Put images into the queue, all or none.

        Raises:
            RequestError: 429 if there is no room for them.
        """
        added = [_Waiting(image) for image in images]
        with self._changed:
            n_waiting = len(self._queue)
            if n_waiting and n_waiting + len(added) > self._most_waiting:
                raise busy(
                    f"{n_waiting} images of other requests wait already.",
                    after_s=max(1, math.ceil(n_waiting / self._rate)),
                )
            self._queue.extend(added)
            self._changed.notify_all()
        return [item.found for item in added]

    def _work(self) -> None:
        while batch := self._next_batch():
            began = perf_counter()
            for item in batch:
                self._metrics.stage("wait", began - item.since)
            self._metrics.batch(len(batch))
            self._settle(batch)
            rate = self.n_workers * len(batch) / max(perf_counter() - began, 1e-6)
            self._rate += 0.2 * (rate - self._rate)

    def _next_batch(self) -> list[_Waiting]:
        """Wait for images and take a batch; nothing once all is over."""
        with self._changed:
            self._n_idle += 1
            while True:
                while not self._queue and not self._is_over:
                    self._changed.wait()
                if self._fills_batches and 0 < len(self._queue) < self._batch_size:
                    self._changed.wait(_MOST_WAIT_S)
                batch = self._taken()
                if batch or self._is_over:
                    self._n_idle -= 1
                    return batch

    def _taken(self) -> list[_Waiting]:
        """Take this worker's share, without what nobody waits for any more."""
        n_idle = 1 if self._fills_batches else self._n_idle
        n_images = share_of_queue(len(self._queue), n_idle, self._batch_size)
        batch: list[_Waiting] = []
        while self._queue and len(batch) < n_images:
            item = self._queue.popleft()
            if item.found.set_running_or_notify_cancel():
                batch.append(item)
        return batch

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        """Predict a batch; an image that the network cannot compute fails alone."""
        try:
            predictions = self._predicted(batch)
        except Exception as error:
            if len(batch) > 1:
                for item in batch:
                    self._settle([item])
                return
            self._tell_fault(fault_in_words(error))
            unread = PreparedImage(None, None, None, _FAILED)
            predictions = self.predictor.predict_loaded([(batch[0].image, unread)])
        self._metrics.images.inc(len(batch))
        self._metrics.failures.inc(sum(each.failure is not None for each in predictions))
        for item, prediction in zip(batch, predictions, strict=True):
            item.found.set_result(prediction)

    def _predicted(self, batch: Sequence[_Waiting]) -> list[Prediction]:
        with self._metrics.timed("decode"):
            loaded = [self.predictor.load(item.image) for item in batch]
        with self._metrics.timed("network"):
            return self.predictor.predict_loaded(loaded)
