"""A bundle and images into predictions: in order, failures kept, nothing fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.memory import raise_malloc_thresholds
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle import Bundle, load_bundle
from finding_nemo.models.bundle_network import PrecisionWish, open_bundle_network
from finding_nemo.models.engine import Runtime
from finding_nemo.models.pixel_network import PixelNetwork, Seen
from finding_nemo.models.time_table import unpack_time_table
from finding_nemo.prediction.inputs import ImageInput, collect_images
from finding_nemo.prediction.pixels import ReadyImage, mapped_ahead, ready_image, see_images
from finding_nemo.scoring.baselines import frame_key, time_copy_scores
from finding_nemo.scoring.novelty import max_probability_novelty

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
        precision: PrecisionWish = "auto",
        runtime: Runtime = "auto",
    ) -> None:
        """Load `bundle`, if it is not loaded yet.

        Args:
            bundle: The trained model.
            precision: Of the network's arithmetic; "auto" takes the fastest that `export` has
                checked.
            runtime: What computes the network.

        Raises:
            BundleError: If it is missing, broken or of another schema version.
        """
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle))
        self._precision: PrecisionWish = precision
        self._runtime: Runtime = runtime

    @cached_property
    def network(self) -> PixelNetwork | None:
        """The loaded network; `None` for a baseline that opens no image.

        Raises:
            BundleError: If it cannot be loaded.
            SettingsError: If the precision or runtime is not to be had.
        """
        if self.bundle.manifest.runner != "network":
            return None
        raise_malloc_thresholds()
        return open_bundle_network(self.bundle, precision=self._precision, runtime=self._runtime)

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
        if self.network is None:
            yield from self._predict_unseen(inputs, self.bundle.manifest.runner)
        else:
            yield from self._predict_pixels(self.network, inputs, batch_size)

    def _predict_pixels(
        self, network: PixelNetwork, inputs: Iterable[ImageInput], batch_size: int | None
    ) -> Iterator[Prediction]:
        preprocessing = self.bundle.manifest.preprocessing or Preprocessing()

        def seen(chunk: list[ImageInput]) -> list[Prediction]:
            images = [ready_image(image.path, preprocessing) for image in chunk]
            rows = [self._probabilities(row) for row in see_images(images, network)]
            return [_prediction(*each) for each in zip(chunk, images, rows, strict=True)]

        chunks = _batched(inputs, batch_size or network.batch_size)
        for predictions in mapped_ahead(seen, chunks, threads=network.workers):
            yield from predictions

    def _probabilities(self, seen: Seen | None) -> npt.NDArray[np.float32] | None:
        return None if seen is None else self.bundle.to_probabilities(seen.outputs)

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


def _batched(items: Iterable[ImageInput], size: int) -> Iterator[list[ImageInput]]:
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
