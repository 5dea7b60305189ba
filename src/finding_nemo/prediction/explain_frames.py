"""Where in a frame each guess comes from: by the network's own maps, or by covering parts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s, Pixels
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.inference.open_bundle_network import (
    DEFAULT_INFERENCE,
    InferenceOptions,
    grid_of_maps,
    open_bundle_network,
)
from finding_nemo.prediction.covered_parts import maps_by_covering
from finding_nemo.prediction.guess_maps import above_mean, in_bytes
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.sources.image_loader import load_images
from finding_nemo.prediction.sources.image_sources import ImageInput

MapWay = Literal["exact", "by covering parts"]
EXACT: MapWay = "exact"
COVERING: MapWay = "by covering parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedGuess:
    """One category and where in the frame its probability comes from.

    Attributes:
        column: The category's column.
        name: Its name.
        supercategory: Its group.
        probability: Calibrated, in [0, 1].
        heat: uint8 (rows, columns): 255 where most speaks for it, 0 where nothing does.
    """

    column: int
    name: str
    supercategory: str
    probability: float
    heat: npt.NDArray[np.uint8]

    @property
    def peak(self) -> tuple[float, float] | None:
        """Where most speaks for it, as shares from the left and from the top; `None`: nowhere."""
        if not self.heat.any():
            return None
        row, column = np.unravel_index(int(self.heat.argmax()), self.heat.shape)
        rows, columns = self.heat.shape
        return (float(column) + 0.5) / columns, (float(row) + 0.5) / rows


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameExplanation:
    """One frame, and where its guesses come from.

    Attributes:
        image: The frame.
        prediction: What is said of it, or why it could not be read.
        way: How the maps were made.
        guesses: Best first; none where it could not be read.
    """

    image: ImageInput
    prediction: Prediction
    way: MapWay
    guesses: tuple[ExplainedGuess, ...]


class Explainer:
    """A bundle, ready to say where in frames its guesses come from."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        network: InferenceOptions = DEFAULT_INFERENCE,
        limits: InputLimits = USUAL_LIMITS,
    ) -> None:
        """Open the bundle's network.

        Args:
            bundle: Whose runner is a network.
            network: How it is to be computed.
            limits: What one image may cost.

        Raises:
            BundleError: If the bundle opens no images, as the baselines do not.
        """
        if bundle.manifest.runner != "network":
            raise BundleError(
                f"The bundle {bundle.path} of recipe {bundle.manifest.recipe} opens no image, so "
                "no place in a frame speaks for its guesses. Name a bundle of a network."
            )
        self.bundle = bundle
        self.way: MapWay = COVERING if grid_of_maps(bundle, network) is None else EXACT
        self._predictor = Predictor(bundle, network=network, limits=limits)
        self._network = open_bundle_network(bundle, network, with_maps=True)
        self._limits = limits

    def explain(
        self, images: Iterable[ImageInput], *, n_guesses: int = 3, column: int | None = None
    ) -> Iterator[FrameExplanation]:
        """Yield each frame with where its guesses come from, in order; a failed one has none.

        Args:
            images: The frames.
            n_guesses: How many of the best guesses.
            column: The one category to explain instead of the best guesses.
        """
        kept = list(images)
        predictions = self._predictor.predict_inputs(kept)
        loaded = load_images(kept, self.bundle.preprocessing, threads=1, limits=self._limits)
        for prediction, (image, prepared) in zip(predictions, loaded, strict=True):
            guesses: tuple[ExplainedGuess, ...] = ()
            if prediction.probabilities is not None and prepared.pixels is not None:
                best = prediction.order[:n_guesses].tolist()
                columns = best if column is None else [column]
                guesses = self._guesses(prediction, prepared.pixels, columns)
            yield FrameExplanation(
                image=image, prediction=prediction, way=self.way, guesses=guesses
            )

    def _guesses(
        self, prediction: Prediction, pixels: Pixels, columns: Sequence[int]
    ) -> tuple[ExplainedGuess, ...]:
        heats = in_bytes(self._shares(pixels, columns))
        table = self.bundle.categories
        probabilities = prediction.probabilities
        return tuple(
            ExplainedGuess(
                column=column,
                name=table.names[column],
                supercategory=table.supercategories[column],
                probability=0.0 if probabilities is None else float(probabilities[column]),
                heat=heat,
            )
            for column, heat in zip(columns, heats, strict=True)
        )

    def _shares(self, pixels: Pixels, columns: Sequence[int]) -> Float64s:
        """Return maps of the columns as shares of their largest, (columns, rows, columns)."""
        if self.way == COVERING:
            return above_mean(maps_by_covering(self._network, pixels, columns))
        patch_logits = self._network.forward(pixels[np.newaxis]).patch_logits
        if patch_logits is None or np.isnan(patch_logits).any():
            raise BundleError(
                f"The network of {self.bundle.path} gives no numbers for the parts of an image: "
                "its weights are damaged, or its training went astray. Train or copy it again."
            )
        return above_mean(patch_logits[0, list(columns)])


def find_category(table: CategoryTable, wanted: str) -> int:
    """Return the column of a category by its name, its name in other capitals, or its id.

    Raises:
        SettingsError: If there is none, or several.
    """
    exact = [column for column, name in enumerate(table.names) if name == wanted]
    folded = [
        column for column, name in enumerate(table.names) if name.casefold() == wanted.casefold()
    ]
    found = exact or folded
    if len(found) > 1:
        ids = ", ".join(str(table.ids[column]) for column in found[:5])
        raise SettingsError(f"{wanted!r} names {len(found)} categories; give one of the ids {ids}.")
    if found:
        return found[0]
    if wanted.isdecimal() and int(wanted) in table.columns:
        return table.column_of(int(wanted))
    close = difflib.get_close_matches(wanted, table.names, n=3)
    hint = f" Did you mean {', '.join(close)}?" if close else ""
    raise SettingsError(
        f"The bundle knows no category {wanted!r}; it has {len(table)}, such as "
        f"{', '.join(table.names[:3])}.{hint}"
    )
