"""A bundle and images into predictions: in order, failures kept, nothing fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import BundleError
from finding_nemo.core.memory import raise_malloc_thresholds
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle import Bundle, load_bundle
from finding_nemo.models.bundle_network import PrecisionWish, open_bundle_network
from finding_nemo.models.engine import Runtime
from finding_nemo.models.pixel_network import PixelNetwork, Seen
from finding_nemo.models.time_table import unpack_time_table
from finding_nemo.prediction.inputs import ImageInput, collect_images
from finding_nemo.prediction.loading import Loaded, used_images
from finding_nemo.prediction.pixels import ReadyImage, see_images
from finding_nemo.scoring.baselines import frame_key, time_copy_scores
from finding_nemo.scoring.novelty import max_probability_novelty

_UNSEEN_AT_A_TIME = 256

Item = TypeVar("Item")
Floats = npt.NDArray[np.float32]
Move = Callable[[int, int, int], None]


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
        threads: int | None = None,
        precision: PrecisionWish = "auto",
        runtime: Runtime = "auto",
    ) -> None:
        """Load `bundle`, if it is not loaded yet.

        Args:
            bundle: The trained model.
            with_embedding: Whether each prediction holds the network's features.
            threads: How many threads to use, 1 for one core; `None`: one a core.
            precision: Of the network's arithmetic; "auto" takes the fastest that `export` has
                checked.
            runtime: What computes the network.

        Raises:
            BundleError: If it is missing, broken or of another schema version, or has no
                features and they are asked for.
        """
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle))
        self._with_embedding = with_embedding
        self._threads = threads
        self._precision: PrecisionWish = precision
        self._runtime: Runtime = runtime
        if with_embedding:
            self.n_features()

    @cached_property
    def _network(self) -> PixelNetwork:
        raise_malloc_thresholds()
        return open_bundle_network(
            self.bundle, precision=self._precision, runtime=self._runtime, workers=self._threads
        )

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
        self, images: Sequence[str | Path | ImageInput], *, batch_size: int | None = None
    ) -> Iterator[Prediction]:
        """Yield one prediction an image, in order.

        Args:
            images: Files, folders, lists or data sets, or inputs from `collect_images`.
            batch_size: Images that a thread takes at once; default: what suits the device. On a
                CPU it changes no number.
        """
        inputs = [image for image in images if isinstance(image, ImageInput)]
        names = [str(image) for image in images if not isinstance(image, ImageInput)]
        if names:
            inputs = [*inputs, *collect_images(names)]
        yield from self.predict_inputs(inputs, batch_size=batch_size)

    def predict_inputs(
        self, inputs: Iterable[ImageInput], *, batch_size: int | None = None
    ) -> Iterator[Prediction]:
        """Yield one prediction an input, in order, with a few inputs in memory at a time."""
        if self.bundle.manifest.runner == "network":
            yield from self._predict_pixels(inputs, batch_size)
        else:
            yield from self._predict_unseen(inputs)

    def _predict_pixels(
        self, inputs: Iterable[ImageInput], batch_size: int | None
    ) -> Iterator[Prediction]:
        network = self._network

        def predicted(loaded: list[Loaded]) -> list[Prediction]:
            rows = see_images([image for _, image in loaded], network)
            return [
                _prediction(source, image, self._known(row))
                for (source, image), row in zip(loaded, rows, strict=True)
            ]

        batches = used_images(
            inputs,
            self.bundle.manifest.preprocessing or Preprocessing(),
            predicted,
            batch_size=batch_size or network.batch_size,
            threads=network.workers,
        )
        for predictions in batches:
            yield from predictions

    def _known(self, seen: Seen | None) -> tuple[Floats, Floats | None] | None:
        """Return the probabilities and, where it is asked for, the embedding of an image."""
        if seen is None:
            return None
        embedding = seen.features if self._with_embedding else None
        return self.bundle.to_probabilities(seen.outputs), embedding

    def _predict_unseen(self, inputs: Iterable[ImageInput]) -> Iterator[Prediction]:
        """Predict without opening an image; sizes are those that the data set recorded."""
        for chunk in _batched(inputs, _UNSEEN_AT_A_TIME):
            scores = self._unseen_scores(chunk).astype(np.float32)
            for source, row in zip(chunk, scores, strict=True):
                unseen = ReadyImage(None, source.record.width, source.record.height, None)
                yield _prediction(source, unseen, (row, None))

    def _unseen_scores(self, inputs: Sequence[ImageInput]) -> npt.NDArray[np.float64]:
        if self.bundle.manifest.runner == "prior":
            return np.tile(self.bundle.prior, (len(inputs), 1))
        keys, truth = unpack_time_table(self.bundle.weights)
        return time_copy_scores(keys, truth, [frame_key(image.record) for image in inputs])


def _prediction(
    source: ImageInput, image: ReadyImage, known: tuple[Floats, Floats | None] | None
) -> Prediction:
    row, embedding = known or (None, None)
    novelty = None if row is None else float(max_probability_novelty(row[np.newaxis])[0])
    return Prediction(
        image_id=source.image_id,
        path=source.path,
        width=image.width,
        height=image.height,
        failure=image.failure,
        probabilities=row,
        novelty=novelty,
        time_s=source.time_s,
        embedding=embedding,
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
