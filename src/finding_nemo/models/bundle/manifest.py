"""`bundle.json`: everything that a trained model must say of itself."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from finding_nemo.core.config import Settings
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.text.plain_text import PlainText
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.models.bundle.bundle_files import FileRecord
from finding_nemo.models.weights_origin import WeightsOrigin

# 1 had other names of settings and recipes; it is read through `core.names.renamed_names`.
SCHEMA_VERSION = 2
OLDEST_SCHEMA_VERSION = 1

Runner = Literal["network", "prior", "time-copy"]
Activation = Literal["sigmoid", "clip"]

# Predictions files keep ids and counts in 32 bits.
LARGEST_NUMBER = 2**31 - 1
Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]


class CategoryEvidence(Settings):
    """One category, and what its score rests on.

    Attributes:
        category_id: FathomNet's number.
        name: The concept's name.
        supercategory: Its coarse group.
        n_images: Training images that hold it.
        n_dives: Training dives that they come from.
        validation_ap: Average precision on the validation part, `None` where nothing of it shows
            the category.
        n_validation_images: Validation images that hold it.
    """

    category_id: int = Field(ge=-LARGEST_NUMBER - 1, le=LARGEST_NUMBER)
    name: PlainText
    supercategory: PlainText
    n_images: Count
    n_dives: Count
    validation_ap: float | None = None
    n_validation_images: Count = 0


class PartCounts(Settings):
    """How large one part of the split was, as it was used.

    Attributes:
        n_images: Its images, without those left out.
        n_dives: Their dives.
        n_left_out: Its images that training or validation could not use: absent, or damaged.
    """

    n_images: Count
    n_dives: Count
    n_left_out: Count = 0


class SplitSummary(Settings):
    """The split that the model was trained on.

    Attributes:
        kind: "dive", "random", "time", "novel" or "file".
        seed: The seed that made it, if known.
        parts: Images and dives of each part.
        sha256: Hash of the split file's text.
    """

    kind: str
    seed: int | None
    parts: dict[str, PartCounts]
    sha256: str


class ValidationSummary(Settings):
    """How the model did on the validation part, which also chose its epoch.

    Attributes:
        n_images: Validation images with a true category.
        n_dives: Their dives.
        map_at_20: Mean AP@20 over images by the network's own ranking, which chose the epoch (by
            that of a baseline, for one).
        map_at_20_ci: Its 95 % interval by dive.
        prior_map_at_20: What class frequency scores on the same images.
        best_epoch: The epoch whose weights these are; `None` for what has no epochs.
        training_loss: Mean training loss of that epoch, if there was one.
        map_at_20_calibrated: By calibrated probability; `None` where it is not known.
        map_at_20_shown: By the ranking that predictions show; `None` where it is not known.
        train_map_at_20: By the network's own ranking, of training images after that epoch; `None`
            where it is not known.
    """

    n_images: int
    n_dives: int
    map_at_20: float
    map_at_20_ci: tuple[float, float]
    prior_map_at_20: float
    best_epoch: int | None = None
    training_loss: float | None = None
    map_at_20_calibrated: float | None = None
    map_at_20_shown: float | None = None
    train_map_at_20: float | None = None

    def rankings_in_words(self) -> str:
        """Return MAP@20 by each of the three rankings."""
        calibrated, shown = self.map_at_20_calibrated, self.map_at_20_shown
        return RankingScores(
            own=self.map_at_20,
            calibrated=math.nan if calibrated is None else calibrated,
            shown=math.nan if shown is None else shown,
        ).in_words()


class BundleManifest(Settings):
    """The contents of `bundle.json`.

    Attributes:
        schema_version: The form of the bundle.
        recipe: The recipe's name.
        built_as: The recipe in whose place it was built, and why; "" for the one asked for.
        runner: What predicts: the network, or a baseline that opens no image.
        activation: From the network's output to a probability; who set the network up says it.
        settings: The recipe's settings, all of them read by its training. Those of an older
            bundle may hold more; they are data.
        categories: In column order.
        preprocessing: What is done to pixels, `None` where none are opened.
        split: What was trained and validated on.
        validation: Scores on the validation part, if it had a true category.
        calibration: How probabilities were made to mean what they say, in words; "" if not.
        weights_origins: Where the weights of each backbone came from before the training; none for
            what has no network, `None` in a bundle of an earlier version, which did not record it.
        provenance: Version, command, times, libraries, device, and the data set (`dataset`, and
            if they were given `images` and `dive_pattern`): the path from the run folder where the
            data set lies beside or below the folder that the run folder is in, so that both can be
            moved together, else the whole path. Not part of the bundle's hash.
        files: Hash and size of each file beside `bundle.json` that decides a prediction; verified
            when the bundle is opened. None in a bundle of an earlier version. Not part of the
            bundle's hash, which covers the files themselves.
    """

    schema_version: int = SCHEMA_VERSION
    recipe: PlainText
    built_as: PlainText = ""
    runner: Runner
    activation: Activation = "sigmoid"
    settings: dict[str, Any]
    categories: tuple[CategoryEvidence, ...]
    preprocessing: Preprocessing | None
    split: SplitSummary
    validation: ValidationSummary | None
    calibration: str = ""
    weights_origins: tuple[WeightsOrigin, ...] | None = None
    provenance: dict[str, Any]
    files: dict[str, FileRecord] = Field(default_factory=dict)
