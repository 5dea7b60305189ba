"""What a bundle says of one image, in words and rows that a terminal and a picture both show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.assessment import Answer, rank_of_level
from finding_nemo.core.records import Prediction
from finding_nemo.core.text.plurals import in_number
from finding_nemo.marine.name_words import name_with_rank
from finding_nemo.models.bundle.manifest import CategoryEvidence

# Up to here a frame is no more unusual than four of five of another dive.
_USUAL = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessRow:
    """One guess.

    Attributes:
        name: "Supercategory: category".
        probability: Calibrated, in [0, 1].
        evidence: Its rank where that is known, and how much of it training has seen, in words.
        dives: The same in fewer words.
        is_true: Whether the frame holds it; false where nobody knows.
    """

    name: str
    probability: float
    evidence: str
    dives: str
    is_true: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleGuesses:
    """What one bundle says of one image.

    Attributes:
        bundle: Its name for people.
        guesses: Best first.
        missed: Names that are true and not among the guesses.
        novelty: How unusual the frame is, in words; "" where the bundle cannot tell.
        answer: The one thing that is said, in words; "" where the bundle says none.
        heat: Where the first guess is seen, uint8 (rows, columns); `None` where nobody knows.
    """

    bundle: str
    guesses: tuple[GuessRow, ...]
    missed: tuple[str, ...]
    novelty: str
    answer: str
    heat: npt.NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGuesses:
    """What all bundles say of one image.

    Attributes:
        path: The image as the user named it.
        size: Width and height in px; 0 where no bundle opened it.
        truth: Names of what it holds; `None` where nobody annotated it.
        bundles: One a bundle.
    """

    path: str
    size: tuple[int, int]
    truth: tuple[str, ...] | None
    bundles: tuple[BundleGuesses, ...]


def guesses_of(
    prediction: Prediction,
    categories: Sequence[CategoryEvidence],
    *,
    bundle: str,
    truth: tuple[str, ...] | None,
    n_guesses: int,
    ranks: Mapping[str, str] | None = None,
) -> BundleGuesses:
    """Return what a bundle says of an image that could be read.

    Args:
        prediction: With probabilities.
        categories: The bundle's, in column order.
        bundle: Its name for people.
        truth: Names of what the image holds, if known.
        n_guesses: How many guesses are shown, at least 1.
        ranks: From name to its rank, where that is known.
    """
    if prediction.probabilities is None:
        raise ValueError(f"{prediction.path} has no probabilities: {prediction.failure}")
    row = prediction.probabilities
    best = prediction.order[:n_guesses].tolist()
    true = set(truth or ())
    shown = {categories[column].name for column in best}
    assessment = prediction.assessment
    return BundleGuesses(
        bundle=bundle,
        guesses=tuple(
            GuessRow(
                name=full_name(categories[column].supercategory, categories[column].name),
                probability=float(row[column]),
                evidence=_ranked(
                    (ranks or {}).get(categories[column].name, ""), categories[column]
                ),
                dives=dives_in_words(categories[column]),
                is_true=categories[column].name in true,
            )
            for column in best
        ),
        missed=tuple(name for name in truth or () if name not in shown),
        novelty="" if assessment is None else novelty_in_words(assessment.novelty_percentile),
        answer=answer_in_words(prediction.answer, ranks),
        heat=None if prediction.maps is None else prediction.maps[0],
    )


def full_name(supercategory: str, name: str) -> str:
    """Return "Supercategory: category"; the name alone where it has no group of its own."""
    alone = not supercategory.strip() or supercategory == name
    return name if alone else f"{supercategory}: {name}"


def evidence_in_words(category: CategoryEvidence) -> str:
    """Return how much of a category training has seen."""
    if not category.n_images:
        return "never seen in training"
    return f"{in_number(category.n_images, 'image')}, {dives_in_words(category)}"


def _ranked(rank: str, category: CategoryEvidence) -> str:
    words = evidence_in_words(category)
    return f"{rank}, {words}" if rank else words


def dives_in_words(category: CategoryEvidence) -> str:
    """Return from how many dives training knows a category."""
    if not category.n_images:
        return "never seen"
    return in_number(category.n_dives, "dive")


def novelty_in_words(percentile: float) -> str:
    """Return how unusual a frame is among those that the bundle was validated on.

    Args:
        percentile: Share of the validation frames that are less unusual; NaN where unknown.
    """
    if math.isnan(percentile):
        return ""
    if percentile < _USUAL:
        return "as usual"
    if percentile >= 1:
        return "more unusual than every validation frame"
    return f"more unusual than {math.floor(100 * percentile)} % of validation frames"


def answer_in_words(answer: Answer | None, ranks: Mapping[str, str] | None = None) -> str:
    """Return the one answer to an image, with the word for how far to trust it.

    Args:
        answer: As the bundle gives it.
        ranks: From name to its rank, where that is known.
    """
    if answer is None:
        return ""
    rank = rank_of_level(answer.level) or (ranks or {}).get(answer.text, "")
    return f"{name_with_rank(answer.text, rank)}, {answer.confidence}"


def probability_in_words(probability: float) -> str:
    """Return a probability with two digits, never more sure than it is."""
    if probability < 0.005:
        return "<0.01"
    return ">0.99" if probability > 0.995 else f"{probability:.2f}"
