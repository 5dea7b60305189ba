"""A bundle and images into predictions: in order, failures kept, nothing fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import BundleError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.reading import Reading
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle import Bundle, load_bundle
from finding_nemo.models.runtime import OnnxNetwork
from finding_nemo.models.time_table import unpack_time_table
from finding_nemo.prediction.inputs import ImageInput, collect_images
from finding_nemo.prediction.loading import load_images
from finding_nemo.prediction.pixels import ReadyImage
from finding_nemo.prediction.reading import PRECISION, Reader, brightness_of
from finding_nemo.scoring.baselines import frame_key, time_copy_scores
from finding_nemo.scoring.novelty.logit_scores import max_probability_novelty

# Batch 8 is as fast as 32 on two cores and starves nobody of memory.
BATCH_SIZE = 8
_UNSEEN_AT_A_TIME = 256

Item = TypeVar("Item")
Floats = npt.NDArray[np.float32]
Move = Callable[[int, int, int], None]


class Known(NamedTuple):
    """What is known of one image; nothing where it could not be read."""

    probabilities: Floats | None = None
    novelty: float | None = None
    reading: Reading | None = None
    embedding: Floats | None = None


class Predictor:
    """A bundle, ready to predict.

    Example:
        >>> predictor = Predictor("runs/demo/train/bundle")  # doctest: +SKIP
        >>> for prediction in predictor.predict(["frames/"]):  # doctest: +SKIP
        ...     print(prediction.image_id, prediction.failure)
    """

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        with_embedding: bool = False,
        precision: float = PRECISION,
        threads: int | None = None,
    ) -> None:
        """Load `bundle`, if it is not loaded yet.

        Args:
            bundle: The trained model.
            with_embedding: Whether each prediction holds the network's features.
            precision: Share of the categories named that should be right, in (0, 1].
            threads: How many threads to use, 1 for one core; `None`: what is fastest on a
                machine of one's own.

        Raises:
            BundleError: If it is missing, broken or of another schema version, or has no
                features and they are asked for.
        """
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle))
        self._with_embedding = with_embedding
        self._threads = threads
        self._precision = precision
        if with_embedding:
            self.n_features()

    @cached_property
    def _network(self) -> OnnxNetwork:
        return OnnxNetwork(self.bundle.onnx_path, threads=self._threads or 0)

    @cached_property
    def reader(self) -> Reader | None:
        """What is said of network outputs; `None` where no image is opened."""
        is_network = self.bundle.manifest.runner == "network"
        return Reader(self.bundle, precision=self._precision) if is_network else None

    def n_features(self) -> int:
        """Return how many features of an image the network gives.

        Raises:
            BundleError: If it gives none.
        """
        opens_images = self.bundle.manifest.runner == "network"
        if opens_images and self._network.n_features:
            return self._network.n_features
        why = "its network has no output named features" if opens_images else "it opens no image"
        raise BundleError(
            f"The bundle {self.bundle.path} gives no embedding: {why}. Train it again with this "
            "version, or predict without --embeddings."
        )

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
        yield from self.predict_inputs(inputs, batch_size=batch_size)

    def predict_inputs(
        self, inputs: Iterable[ImageInput], *, batch_size: int = BATCH_SIZE
    ) -> Iterator[Prediction]:
        """Yield one prediction an input, in order, with a few inputs in memory at a time."""
        if self.bundle.manifest.runner == "network":
            yield from self._predict_pixels(inputs, batch_size)
        else:
            yield from self._predict_unseen(inputs)

    def _predict_pixels(
        self, inputs: Iterable[ImageInput], batch_size: int
    ) -> Iterator[Prediction]:
        preprocessing = self.bundle.manifest.preprocessing or Preprocessing()
        loaded = load_images(inputs, preprocessing, threads=self._threads)
        for chunk in _batched(loaded, batch_size):
            usable = [image.values for _, image in chunk if image.values is not None]
            rows = iter(self._rows(usable, preprocessing))
            for source, image in chunk:
                known = None if image.values is None else next(rows)
                yield _prediction(source, image, known)

    def _rows(self, usable: Sequence[Floats], preprocessing: Preprocessing) -> list[Known]:
        """Return what is known of each image."""
        if not usable or self.reader is None:
            return []
        outputs, features = self._network.outputs_and_features(np.stack(usable))
        brightness = [brightness_of(values, preprocessing) for values in usable]
        read = self.reader.read(outputs, features, brightness)
        kept = features if self._with_embedding and features is not None else [None] * len(read)
        return [Known(*row, embedding) for row, embedding in zip(read, kept, strict=True)]

    def _predict_unseen(self, inputs: Iterable[ImageInput]) -> Iterator[Prediction]:
        """Predict without opening an image; sizes are those that the data set recorded."""
        for chunk in _batched(inputs, _UNSEEN_AT_A_TIME):
            scores = self._unseen_scores(chunk).astype(np.float32)
            for source, row in zip(chunk, scores, strict=True):
                unseen = ReadyImage(None, source.record.width, source.record.height, None)
                novelty = float(max_probability_novelty(row[np.newaxis])[0])
                yield _prediction(source, unseen, Known(row, novelty))

    def _unseen_scores(self, inputs: Sequence[ImageInput]) -> npt.NDArray[np.float64]:
        if self.bundle.manifest.runner == "prior":
            return np.tile(self.bundle.prior, (len(inputs), 1))
        keys, truth = unpack_time_table(self.bundle.weights)
        return time_copy_scores(keys, truth, [frame_key(image.record) for image in inputs])


def _prediction(source: ImageInput, image: ReadyImage, known: Known | None) -> Prediction:
    known = known or Known()
    return Prediction(
        image_id=source.image_id,
        path=source.path,
        width=image.width,
        height=image.height,
        failure=image.failure,
        probabilities=known.probabilities,
        novelty=known.novelty,
        time_s=source.time_s,
        embedding=known.embedding,
        reading=known.reading,
    )


def _batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def counted(predictions: Iterable[Prediction], total: int, move: Move) -> Iterator[Prediction]:
    """Pass predictions on, telling `move` (done, total, failures) of each."""
    failures = 0
    for done, prediction in enumerate(predictions, start=1):
        failures += prediction.failure is not None
        move(done, total, failures)
        yield prediction
