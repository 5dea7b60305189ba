"""A bundle and images into predictions: in order, failures kept, nothing fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Prediction
from finding_nemo.data.ahead import mapped_ahead
from finding_nemo.models.bundle import Bundle, load_bundle
from finding_nemo.models.runtime import OnnxNetwork
from finding_nemo.models.time_table import unpack_time_table
from finding_nemo.prediction.inputs import ImageInput, collect_images
from finding_nemo.prediction.pixels import (
    DECODE_AHEAD,
    DECODE_THREADS,
    ReadyImage,
    ready_image,
)
from finding_nemo.scoring.baselines import frame_key, time_copy_scores
from finding_nemo.scoring.novelty import max_probability_novelty

# Batch 8 is as fast as 32 on two cores and starves nobody of memory.
BATCH_SIZE = 8

Move = Callable[[int, int, int], None]


class Predictor:
    """A bundle, ready to predict.

    Example:
        >>> predictor = Predictor("runs/demo/train/bundle")  # doctest: +SKIP
        >>> for prediction in predictor.predict(["frames/"]):  # doctest: +SKIP
        ...     print(prediction.image_id, prediction.failure)
    """

    def __init__(self, bundle: Bundle | Path | str) -> None:
        """Load `bundle`, if it is not loaded yet.

        Raises:
            BundleError: If it is missing, broken or of another schema version.
        """
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle))

    def predict(
        self, images: Sequence[str | Path | ImageInput], *, batch_size: int = BATCH_SIZE
    ) -> Iterator[Prediction]:
        """Yield one prediction an image, in order.

        Args:
            images: Files, folders, lists or data sets, or inputs from `collect_images`.
            batch_size: Images that go through the network together; it changes no result by
                more than 1e-5.
        """
        inputs = [image for image in images if isinstance(image, ImageInput)]
        names = [str(image) for image in images if not isinstance(image, ImageInput)]
        if names:
            inputs = [*inputs, *collect_images(names)]
        runner = self.bundle.manifest.runner
        if runner == "network":
            yield from self._predict_pixels(inputs, batch_size)
        else:
            yield from self._predict_unseen(inputs, runner)

    def _predict_pixels(
        self, inputs: Sequence[ImageInput], batch_size: int
    ) -> Iterator[Prediction]:
        network = OnnxNetwork(self.bundle.onnx_path)
        preprocessing = self.bundle.manifest.preprocessing or Preprocessing()
        ready = mapped_ahead(
            lambda image: ready_image(image.path, preprocessing),
            inputs,
            threads=DECODE_THREADS,
            ahead=DECODE_AHEAD,
        )
        for chunk in _batched(zip(inputs, ready, strict=True), batch_size):
            probabilities = self._probabilities(network, [image for _, image in chunk])
            for (source, image), row in zip(chunk, probabilities, strict=True):
                yield _prediction(source, image, row)

    def _probabilities(
        self, network: OnnxNetwork, images: Sequence[ReadyImage]
    ) -> list[npt.NDArray[np.float32] | None]:
        usable = [image.values for image in images if image.values is not None]
        if not usable:
            return [None] * len(images)
        rows = iter(self.bundle.to_probabilities(network.outputs(np.stack(usable))))
        return [None if image.values is None else next(rows) for image in images]

    def _predict_unseen(self, inputs: Sequence[ImageInput], runner: str) -> Iterator[Prediction]:
        """Predict without opening an image; sizes are those that the data set recorded."""
        if runner == "prior":
            scores = np.tile(self.bundle.prior, (len(inputs), 1))
        else:
            keys, truth = unpack_time_table(self.bundle.weights)
            queries = [frame_key(image.record) for image in inputs]
            scores = time_copy_scores(keys, truth, queries)
        for source, row in zip(inputs, scores.astype(np.float32), strict=True):
            unseen = ReadyImage(None, source.record.width, source.record.height, None)
            yield _prediction(source, unseen, row)


def _prediction(
    source: ImageInput, image: ReadyImage, row: npt.NDArray[np.float32] | None
) -> Prediction:
    novelty = None if row is None else float(max_probability_novelty(row[np.newaxis])[0])
    return Prediction(
        image_id=source.image_id,
        path=str(source.path),
        width=image.width,
        height=image.height,
        failure=image.failure,
        probabilities=row,
        novelty=novelty,
    )


def _batched(
    pairs: Iterable[tuple[ImageInput, ReadyImage]], size: int
) -> Iterator[list[tuple[ImageInput, ReadyImage]]]:
    iterator = iter(pairs)
    while batch := list(islice(iterator, size)):
        yield batch


def counted(predictions: Iterable[Prediction], total: int, move: Move) -> Iterator[Prediction]:
    """Pass predictions on, telling `move` (done, total, failures) of each."""
    failures = 0
    for done, prediction in enumerate(predictions, start=1):
        failures += prediction.failure is not None
        move(done, total, failures)
        yield prediction
