"""`bundle.json`: everything that a trained model must say of itself."""

from __future__ import annotations

from typing import Any, Literal

from finding_nemo.core.config import Settings
from finding_nemo.core.preprocessing import Preprocessing

SCHEMA_VERSION = 1

Runner = Literal["network", "prior", "time-copy"]
Activation = Literal["sigmoid", "clip"]


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

    category_id: int
    name: str
    supercategory: str
    n_images: int
    n_dives: int
    validation_ap: float | None = None
    n_validation_images: int = 0


class PartStory(Settings):
    """How large one part of the split was."""

    n_images: int
    n_dives: int


class SplitStory(Settings):
    """The split that the model was trained on.

    Attributes:
        kind: "dive", "random", "time", "novel" or "file".
        seed: The seed that made it, if known.
        parts: Images and dives of each part.
        sha256: Hash of the split file's text.
    """

    kind: str
    seed: int | None
    parts: dict[str, PartStory]
    sha256: str


class ValidationStory(Settings):
    """How the model did on the validation part, which also chose its epoch.

    Attributes:
        n_images: Validation images with a true category.
        n_dives: Their dives.
        map_at_20: Mean AP@20 over images.
        map_at_20_ci: Its 95 % interval by dive.
        prior_map_at_20: What class frequency scores on the same images.
        best_epoch: The epoch whose weights these are; `None` for what has no epochs.
        training_loss: Mean training loss of that epoch, if there was one.
    """

    n_images: int
    n_dives: int
    map_at_20: float
    map_at_20_ci: tuple[float, float]
    prior_map_at_20: float
    best_epoch: int | None = None
    training_loss: float | None = None


class BundleManifest(Settings):
    """The contents of `bundle.json`.

    Attributes:
        schema_version: The form of the bundle.
        recipe: The recipe's name.
        runner: What predicts: the network, or a baseline that opens no image.
        activation: From the network's output to a probability.
        settings: The recipe's settings as used.
        categories: In column order.
        preprocessing: What is done to pixels, `None` where none are opened.
        split: What was trained and validated on.
        validation: Scores on the validation part, if it had a true category.
        calibration: How probabilities were made to mean what they say, in words; "" if not.
        provenance: Version, command, times, libraries, device; not part of the bundle's hash.
    """

    schema_version: int = SCHEMA_VERSION
    recipe: str
    runner: Runner
    activation: Activation = "sigmoid"
    settings: dict[str, Any]
    categories: tuple[CategoryEvidence, ...]
    preprocessing: Preprocessing | None
    split: SplitStory
    validation: ValidationStory | None
    calibration: str = ""
    provenance: dict[str, Any]
