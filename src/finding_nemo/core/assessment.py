"""What stands beside the probabilities of one image: how far to trust them, and who says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable


@dataclass(frozen=True, slots=True)
class GuessEvidence:
    """What the guess of each category rests on, in column order.

    Attributes:
        n_images: Training images that hold it, shape (categories,); 0 means never seen.
        n_dives: Training dives that they come from, same shape.
        validation_ap: Average precision on the validation part, NaN where unknown, same shape.
    """

    n_images: npt.NDArray[np.int32]
    n_dives: npt.NDArray[np.int32]
    validation_ap: npt.NDArray[np.float32]


Confidence = Literal["sure", "likely", "guess"]
# "category", "supercategory", or a rank such as "family".
AnswerLevel = str
_OF_THE_CATEGORY_TABLE = ("category", "supercategory")


def rank_of_level(level: AnswerLevel | None) -> str:
    """Return the rank of an answer that is a taxon, "" for any other answer and for none."""
    return "" if level is None or level in _OF_THE_CATEGORY_TABLE else level


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The one answer to an image.

    Attributes:
        text: The name of a category, supercategory or taxon; never empty.
        level: Which of them: "category", "supercategory", or the taxon's rank.
        confidence: How far to trust it, in one word.
        probability: Of the answer, in [0, 1].
        why: Why it is no finer and no surer, for people.
    """

    text: str
    level: AnswerLevel
    confidence: Confidence
    probability: float
    why: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """How far to trust what is said of one image.

    Attributes:
        evidence: What each category's guess rests on; one object for all images.
        novelty_percentile: Share of the validation images, of dives that training never saw,
            that are less far out, in [0, 1]; NaN where the bundle has no reference.
        novelty_scores: Every novelty score, in the order that the file's metadata names.
        named_ids: Categories named at the wanted precision, most probable first.
        prediction_set: The set that misses a true category in about one frame of ten, most
            probable first.
        label: The finest thing that can be said: a category, a supercategory, or "".
        label_probability: Of that, NaN where nothing is said.
        label_source: Why that and nothing finer.
        brightness: Mean of the frame's pixels in [0, 1].
    """

    evidence: GuessEvidence
    novelty_percentile: float
    novelty_scores: npt.NDArray[np.float32]
    named_ids: tuple[int, ...]
    prediction_set: tuple[int, ...]
    label: str
    label_probability: float
    label_source: str
    brightness: float


@dataclass(frozen=True)
class PredictionOrigin:
    """What all predictions of one predictor have in common; one object for all of them.

    Attributes:
        categories: The category of each column of their probabilities.
        read_metadata: Gives what a file of these predictions says of its bundle, JSON-ready.
    """

    categories: CategoryTable
    read_metadata: Callable[[], Mapping[str, Any]]

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What a file of these predictions says of its bundle, JSON-ready."""
        return self.read_metadata()

    def __reduce__(self) -> tuple[Any, ...]:
        # The bundle stays where it is.
        return PredictionOrigin, (self.categories, partial(dict, self.metadata))
