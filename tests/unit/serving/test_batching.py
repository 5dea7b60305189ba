"""Images of many requests through one predictor: the same numbers, in order."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finding_nemo.core.errors import RequestError
from finding_nemo.core.records import ImageRecord, Prediction
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.serving.batching import BatchingPredictor, share_of_queue
from finding_nemo.serving.middleware.server_metrics import ServerMetrics


def image_of(number: int, content: bytes | None = None) -> ImageInput:
    """Return an input of drawn noise that differs by number."""
    if content is None:
        rng = np.random.default_rng(number)
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (24, 30, 3), dtype=np.uint8)).save(stream, "PNG")
        content = stream.getvalue()
    record = ImageRecord(f"i{number}", Path(f"i{number}.png"), None)
    return ImageInput(f"i{number}", f"i{number}.png", record, content=content)


@pytest.fixture(scope="module")
def predictor(bundle_with_maps: Path) -> Predictor:
    return Predictor(bundle_with_maps, with_embedding=True, with_maps=True, threads=2)


@pytest.fixture
def batching(predictor: Predictor) -> Iterator[BatchingPredictor]:
    with BatchingPredictor(predictor, ServerMetrics(), tell_fault=print) as found:
        yield found


def assert_same(found: Sequence[Prediction], wanted: Sequence[Prediction]) -> None:
    """Check every number bit by bit."""
    assert [each.image_id for each in found] == [each.image_id for each in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.failure == other.failure
        assert one.answer == other.answer
        assert (one.width, one.height, one.novelty) == (other.width, other.height, other.novelty)
        for name in ("probabilities", "embedding", "maps", "ranking_scores"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_requests__at_once_get_what_offline_prediction_says(
    batching: BatchingPredictor, predictor: Predictor
) -> None:
    images = [image_of(number, b"junk" if number % 7 == 3 else None) for number in range(40)]
    wanted = list(predictor.predict_inputs(images))

    async def requests() -> list[list[Prediction]]:
        parts = [images[:1], images[1:20], images[20:21], images[21:]]
        return await asyncio.gather(*(batching.predict(part) for part in parts))

    found = [prediction for part in asyncio.run(requests()) for prediction in part]
    assert_same(found, wanted)
    assert sum(each.failure is not None for each in found) == 6


def test_nothing__is_predicted_at_once(batching: BatchingPredictor) -> None:
    assert asyncio.run(batching.predict([])) == []


def test_counts__are_those_of_the_images(predictor: Predictor) -> None:
    metrics = ServerMetrics()
    with BatchingPredictor(predictor, metrics, tell_fault=print) as batching:
        asyncio.run(batching.predict([image_of(1), image_of(2, b""), image_of(3)]))
    value = metrics.registry.get_sample_value
    assert value("finding_nemo_images_total") == 3
    assert value("finding_nemo_image_failures_total") == 1
    assert value("finding_nemo_batch_images_sum") == 3
    assert value("finding_nemo_queue_images") == 0
    assert value("finding_nemo_stage_seconds_count", {"stage": "wait"}) == 3


class _Held:
    """A predictor that waits for leave, and cannot compute one of the images."""

    def __init__(self, predictor: Predictor, bad: str = "") -> None:
        self._predictor, self._bad = predictor, bad
        self.may_go = threading.Event()
        self.batches: list[list[str]] = []

    def batching(self) -> tuple[int, int]:
        return 1, 4

    def load(self, image: ImageInput) -> Any:
        self.may_go.wait(20)
        return self._predictor.load(image)

    def predict_loaded(self, loaded: Sequence[Any]) -> list[Prediction]:
        self.batches.append([image.image_id for image, _ in loaded])
        if any(i.image_id == self._bad and pixels.failure is None for i, pixels in loaded):
            raise RuntimeError("NaN in /secret")
        return self._predictor.predict_loaded(loaded)


def test_queue__that_is_full_refuses_all_of_a_request(predictor: Predictor) -> None:
    held: Any = _Held(predictor)
    with BatchingPredictor(held, ServerMetrics(), most_waiting=3, tell_fault=print) as batching:
        first = batching.submit([image_of(0)])
        while batching.n_waiting:  # until a worker holds it
            threading.Event().wait(0.001)
        large = batching.submit([image_of(number) for number in range(1, 9)])  # an empty queue
        with pytest.raises(RequestError, match="8 images of other requests wait") as refusal:
            batching.submit([image_of(9)])
        assert refusal.value.status == 429
        assert int(refusal.value.headers["Retry-After"]) >= 1
        held.may_go.set()
        found = [future.result(20) for future in (*first, *large)]
    assert [each.image_id for each in found] == [f"i{number}" for number in range(9)]
    assert [len(batch) for batch in held.batches] == [1, 4, 4]


def test_image__that_the_network_cannot_compute_fails_alone(predictor: Predictor) -> None:
    told: list[str] = []
    held: Any = _Held(predictor, bad="i2")
    held.may_go.set()
    with BatchingPredictor(held, ServerMetrics(), tell_fault=told.append) as batching:
        found = asyncio.run(batching.predict([image_of(number) for number in range(4)]))
    assert [each.failure is None for each in found] == [True, True, False, True]
    assert "could not be computed" in str(found[2].failure)
    assert "secret" not in str(found[2].failure)
    assert "NaN in /secret" in told[0]


def test_request__that_nobody_waits_for_is_not_computed(predictor: Predictor) -> None:
    held: Any = _Held(predictor)
    with BatchingPredictor(held, ServerMetrics(), tell_fault=print) as batching:

        async def story() -> list[Prediction]:
            first = asyncio.create_task(batching.predict([image_of(0)]))
            await asyncio.sleep(0.05)
            gone = asyncio.create_task(batching.predict([image_of(1)]))
            await asyncio.sleep(0)
            gone.cancel()
            last = asyncio.create_task(batching.predict([image_of(2)]))
            await asyncio.sleep(0.05)
            held.may_go.set()
            return [*(await first), *(await last)]

        found = asyncio.run(story())
    assert [each.image_id for each in found] == ["i0", "i2"]
    assert held.batches == [["i0"], ["i2"]]


def test_end__waits_for_what_was_taken(predictor: Predictor) -> None:
    with BatchingPredictor(predictor, ServerMetrics(), tell_fault=print) as batching:
        futures = batching.submit([image_of(number) for number in range(20)])
    assert all(future.done() for future in futures)


@pytest.mark.parametrize(
    ("n_waiting", "n_idle", "most", "expected"),
    [(1, 2, 8, 1), (2, 2, 8, 1), (3, 2, 8, 2), (8, 1, 8, 8), (100, 2, 8, 8), (5, 0, 8, 5)],
)
def test_share__by_hand(n_waiting: int, n_idle: int, most: int, expected: int) -> None:
    assert share_of_queue(n_waiting, n_idle, most) == expected


@given(st.integers(1, 300), st.integers(1, 16), st.integers(1, 64))
def test_shares__empty_the_queue_and_differ_by_one_at_most(
    n_waiting: int, n_idle: int, most: int
) -> None:
    shares, left = [], n_waiting
    for still_idle in range(n_idle, 0, -1):
        if left:
            shares.append(share_of_queue(left, still_idle, most))
            left -= shares[-1]
    assert left == max(0, n_waiting - n_idle * most)
    assert max(shares) - min(shares) <= 1
