"""A bundle and images into predictions: in order, failures kept, nothing fatal."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.assessment import Answer, Assessment, PredictionOrigin
from finding_nemo.core.errors import ArgumentError, BundleError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.core.records import Dataset, Prediction
from finding_nemo.core.reporter import ProgressCallback
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.core.text.wrong_argument import check_path, wrong_argument
from finding_nemo.metrics.baselines import frame_key, time_copy_scores
from finding_nemo.models.bundle.bundle import Bundle, load_bundle
from finding_nemo.models.bundle.time_table import unpack_time_table
from finding_nemo.models.inference.open_bundle_network import (
    DEFAULT_INFERENCE,
    InferenceOptions,
    grid_of_maps,
    open_bundle_network,
)
from finding_nemo.models.inference.pixel_network import PixelNetwork
from finding_nemo.prediction.guess_maps import guess_maps
from finding_nemo.prediction.postprocess import PRECISION, PostProcessor, brightness_of
from finding_nemo.prediction.rank_answers import Ranks
from finding_nemo.prediction.run.one_thread import ONE_BLAS_THREAD
from finding_nemo.prediction.run.uncertainty_metadata import bundle_metadata
from finding_nemo.prediction.sources.image_loader import (
    LoadedImage,
    batched,
    load_image,
    used_images,
)
from finding_nemo.prediction.sources.image_sources import (
    ImageInput,
    collect_images,
    input_of_record,
)
from finding_nemo.prediction.sources.memory_images import (
    MemoryImages,
    images_of_batch,
    is_in_memory,
)
from finding_nemo.prediction.sources.prepared_image import PreparedImage
from finding_nemo.prediction.stream import PredictionStream
from finding_nemo.uncertainty.answers import WHY_UNSEEN, guesses
from finding_nemo.uncertainty.ood.logit_scores import max_probability_novelty

# Images that a thread takes at once: on a CPU what is said of 8 costs little more than of 1.
BATCH_SIZE = 8
_UNSEEN_AT_A_TIME = 256
# Two threads that open networks on OpenVINO at once can wait for each other for ever.
_OPENING = threading.Lock()


class Scored(NamedTuple):
    """What is known of one image; nothing where it could not be read."""

    probabilities: Float32s | None = None
    novelty: float | None = None
    assessment: Assessment | None = None
    answer: Answer | None = None
    ranking_scores: Float32s | None = None
    embedding: Float32s | None = None
    maps: npt.NDArray[np.uint8] | None = None


class Predictor(ShortRepr):
    """A bundle, ready to predict, from any number of threads at once.

    Example:
        >>> predictor = finding_nemo.Predictor("runs/probe")  # doctest: +SKIP
        >>> for prediction in predictor.predict("frames/"):  # doctest: +SKIP
        ...     print(prediction.image_id, prediction.top(3))
    """

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        with_embedding: bool = False,
        precision: float = PRECISION,
        threads: int | None = None,
        network: InferenceOptions = DEFAULT_INFERENCE,
        limits: InputLimits = USUAL_LIMITS,
        with_maps: bool = False,
        ranks: Ranks = False,
    ) -> None:
        """Load `bundle`, if it is not loaded yet.

        Args:
            bundle: The trained model.
            with_embedding: Whether each prediction holds the network's features.
            precision: Share of the categories named that should be right, in (0, 1].
            threads: How many threads to use, 1 for one core; `None`: one a core.
            network: How the network is to be computed.
            limits: What one image may cost: bytes, pixels, scans, seconds.
            with_maps: Whether each prediction says where its guesses are seen, if the network can.
            ranks: Whether the answer is a genus, ... where no species is sure; or their own tree.

        Raises:
            ArgumentError: If `bundle` is neither a bundle nor a path.
            BundleError: If it is missing, broken, of another version, or lacks features asked for.
        """
        if not isinstance(bundle, Bundle):
            check_path(bundle, "Predictor()", "a Bundle, or the path of a bundle or run folder")
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle))
        self.with_embedding = with_embedding
        self._threads = threads
        self._precision = precision
        self._wish = network
        self._opened: PixelNetwork | None = None
        self._limits, self._with_maps, self._ranks = limits, with_maps, ranks
        if with_embedding:
            self.n_features()

    def __getstate__(self) -> dict[str, object]:
        """Return what another process makes the same predictor of: no open network travels."""
        return {
            "bundle": str(self.bundle.path),
            "with_embedding": self.with_embedding,
            "precision": self._precision,
            "threads": self._threads,
            "network": self._wish,
            "limits": self._limits,
            "with_maps": self._with_maps,
            "ranks": self._ranks,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the bundle anew."""
        bundle = state.pop("bundle")
        self.__init__(bundle, **state)  # type: ignore[misc]

    def facts(self) -> Mapping[str, object]:
        """Return what it predicts with."""
        threads = "one a core" if self._threads is None else self._threads
        return {**self.bundle.facts(), "threads": threads, "precision": self._precision}

    @property
    def _network(self) -> PixelNetwork:
        """The network, opened on first use."""
        with _OPENING:
            if self._opened is None:
                raise_malloc_thresholds()
                self._opened = open_bundle_network(
                    self.bundle, self._wish, workers=self._threads, with_maps=self._with_maps
                )
            return self._opened

    @cached_property
    def postprocessor(self) -> PostProcessor | None:
        """What is said of network outputs; `None` where no image is opened."""
        if self.bundle.manifest.runner != "network":
            return None
        return PostProcessor(self.bundle, precision=self._precision, ranks=self._ranks)

    @cached_property
    def origin(self) -> PredictionOrigin:
        """What all its predictions have in common."""
        return PredictionOrigin(
            self.bundle.categories, partial(bundle_metadata, self.bundle, self.postprocessor)
        )

    @cached_property
    def map_grid(self) -> tuple[int, int] | None:
        """Rows and columns of the maps; `None` where none are asked for or the network has none."""
        return grid_of_maps(self.bundle, self._wish) if self._with_maps else None

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
        self,
        images: object,
        *,
        batch_size: int | None = None,
    ) -> PredictionStream:
        """Give one prediction an image, in order; images are opened as predictions are asked for.

        Args:
            images: The path of a file, folder, list, tar, video or data set; a `Dataset`; an image
                in memory (the bytes of a file; a NumPy array or torch tensor, uint8 or floats
                from 0 to 1, (height, width[, channels]) or channels first; a PIL image); or any of
                these in anything that can be gone through, a torch `DataLoader` too, whose batches
                are images, (images, labels) or {"image": images}.
            batch_size: Images that a thread takes at once; default: what suits the device. On a
                CPU it changes no number.

        Returns:
            A stream: go through it, or make a table or a file of it.

        Raises:
            ArgumentError: If `images` is, or holds, anything else.
            DatasetNotFoundError: If a folder, list or data set does not exist.
            DatasetError: If a name stands for no image at all.
        """
        given = _checked(images)
        inputs: Iterable[ImageInput] = _inputs(given)
        if isinstance(given, Sequence):
            inputs = list(inputs)  # so that names that stand for nothing are told at once
        return PredictionStream(
            self.predict_inputs(inputs, batch_size=batch_size),
            self.bundle,
            self.origin,
            n_features=self.n_features() if self.with_embedding else 0,
            map_grid=self.map_grid,
        )

    def predict_inputs(
        self, inputs: Iterable[ImageInput], *, batch_size: int | None = None
    ) -> Generator[Prediction, None, None]:
        """Yield one prediction an input, in order, with a few inputs in memory at a time."""
        if self.bundle.manifest.runner == "network":
            yield from self._predict_pixels(inputs, batch_size)
        else:
            yield from self._predict_unseen(inputs)

    def load(self, image: ImageInput) -> LoadedImage:
        """Return an image that is no frame of a video with its pixels, in the caller's thread."""
        return load_image(image, self.bundle.preprocessing, self._limits)

    def predict_loaded(self, loaded: Sequence[LoadedImage]) -> list[Prediction]:
        """Return one prediction a loaded image, in order, all computed in the caller's thread.

        Several threads may call it at once, within `ONE_BLAS_THREAD`.
        """
        postprocessor = self.postprocessor
        if postprocessor is None:
            return list(self._predict_unseen(source for source, _ in loaded))
        scored = iter(self._rows([image for _, image in loaded], self._network, postprocessor))
        return [
            self._prediction(source, image, None if image.pixels is None else next(scored))
            for source, image in loaded
        ]

    def batching(self) -> tuple[int, int]:
        """Return how many threads keep it busy, and how many images each takes at once."""
        if self.postprocessor is None:
            return 1, _UNSEEN_AT_A_TIME
        return self._network.workers, max(BATCH_SIZE, self._network.batch_size)

    def _predict_pixels(
        self, inputs: Iterable[ImageInput], batch_size: int | None
    ) -> Iterator[Prediction]:
        threads, usual_size = self.batching()
        batches = used_images(
            inputs,
            self.bundle.preprocessing,
            self.predict_loaded,
            batch_size=batch_size or usual_size,
            threads=threads,
            limits=self._limits,
        )
        # Every worker has a core; threads of the linear algebra beside them would only spin, which
        # took as much time as the network itself. And they add in another order: novelty's last
        # digits (2e-6), and so the file's hash, would depend on the number of cores.
        with ONE_BLAS_THREAD:
            for predictions in batches:
                yield from predictions

    def _rows(
        self, images: Sequence[PreparedImage], network: PixelNetwork, postprocessor: PostProcessor
    ) -> list[Scored]:
        """Return what is known of each image that has pixels."""
        usable = [image.pixels for image in images if image.pixels is not None]
        if not usable:
            return []
        output = network.forward(np.stack(usable))
        read = postprocessor.read(
            output.outputs, output.features, [brightness_of(p) for p in usable]
        )
        features = output.features if self.with_embedding else None
        kept = [None] * len(read) if features is None else features
        maps: Sequence[npt.NDArray[np.uint8] | None] = [None] * len(read)
        if output.patch_logits is not None:
            order = np.stack([row.order_scores for row in read])
            maps = list(guess_maps(output.patch_logits, order))
        return [Scored(*row, *more) for row, *more in zip(read, kept, maps, strict=True)]

    def _prediction(
        self, source: ImageInput, image: PreparedImage, scored: Scored | None
    ) -> Prediction:
        scored = scored or Scored()
        return Prediction(
            image_id=source.image_id,
            path=source.path,
            width=image.width,
            height=image.height,
            failure=image.failure,
            probabilities=scored.probabilities,
            novelty=scored.novelty,
            time_s=source.time_s,
            embedding=scored.embedding,
            assessment=scored.assessment,
            answer=scored.answer,
            dive=source.record.dive,
            captured=source.record.captured,
            maps=scored.maps,
            ranking_scores=scored.ranking_scores,
            origin=self.origin,
        )

    def _predict_unseen(self, inputs: Iterable[ImageInput]) -> Iterator[Prediction]:
        """Predict without opening an image; sizes are those that the data set recorded."""
        for chunk in batched(inputs, _UNSEEN_AT_A_TIME):
            scores = self._unseen_scores(chunk).astype(np.float32)
            answers = guesses(scores, self.bundle.categories.names, why=WHY_UNSEEN)
            for source, row, answer in zip(chunk, scores, answers, strict=True):
                unseen = PreparedImage(None, source.record.width, source.record.height, None)
                novelty = float(max_probability_novelty(row[np.newaxis])[0])
                yield self._prediction(source, unseen, Scored(row, novelty, answer=answer))

    def _unseen_scores(self, inputs: Sequence[ImageInput]) -> npt.NDArray[np.float64]:
        if self.bundle.manifest.runner == "prior":
            return np.tile(self.bundle.prior, (len(inputs), 1))
        keys, truth = unpack_time_table(
            self.bundle.weights, n_categories=len(self.bundle.categories)
        )
        return time_copy_scores(keys, truth, [frame_key(image.record) for image in inputs])


def _checked(images: object) -> Iterable[object]:
    """Return what is to be gone through; what is a list already is checked at once."""
    if isinstance(images, str | Path | ImageInput | Dataset) or is_in_memory(images):
        return [images]
    if not isinstance(images, Iterable):
        raise _wrong(images)
    if isinstance(images, Sequence):
        for item in images:
            _check(item)
    return images


def _check(item: object) -> None:
    if not isinstance(item, str | Path | ImageInput | Dataset) and not is_in_memory(
        images_of_batch(item)
    ):
        raise _wrong(item)


def _wrong(item: object) -> ArgumentError:
    return wrong_argument(
        "predict()",
        "the path of an image, folder, list, tar, video or data set (str or Path), a Dataset, an "
        "image in memory (bytes of a file, NumPy array, PIL image, a loader's batch), or several "
        "of them",
        item,
    )


def _inputs(given: Iterable[object]) -> Iterator[ImageInput]:
    """Yield the images that are meant, in order; names that follow each other are one listing."""
    in_memory = MemoryImages()
    for is_name, group in groupby(given, lambda item: isinstance(item, str | Path)):
        if is_name:
            yield from collect_images([str(item) for item in group])
            continue
        for item in group:
            _check(item)
            if isinstance(item, ImageInput):
                yield item
            elif isinstance(item, Dataset):
                yield from map(input_of_record, item.records)
            else:
                yield from in_memory.inputs(images_of_batch(item))


def counted(
    predictions: Iterable[Prediction], total: int, progress: ProgressCallback
) -> Iterator[Prediction]:
    """Pass predictions on, telling `progress` (done, total, failures) of each."""
    failures = 0
    for done, prediction in enumerate(predictions, start=1):
        failures += prediction.failure is not None
        progress(done, total, failures)
        yield prediction
