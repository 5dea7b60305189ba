"""A prediction as the JSON that the API gives of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle.manifest import CategoryEvidence
from finding_nemo.reporting.guess_rows import dives_in_words, novelty_in_words
from finding_nemo.serving.api_schemas import Guess, PredictResult

N_GUESSES = 20


def predict_result(
    name: str, prediction: Prediction, categories: Sequence[CategoryEvidence]
) -> PredictResult:
    """Return what is said of one image.

    Args:
        name: The image as the client calls it.
        prediction: What the bundle says.
        categories: The bundle's, in column order.
    """
    if prediction.failure is not None:
        return PredictResult(name=name, failure=prediction.failure)
    answer, assessment = prediction.answer, prediction.assessment
    percentile = math.nan if assessment is None else assessment.novelty_percentile
    return PredictResult(
        name=name,
        width=prediction.width,
        height=prediction.height,
        answer=None if answer is None else answer.text,
        confidence=None if answer is None else answer.confidence,
        why=None if answer is None else answer.why,
        guesses=best_guesses(prediction, categories),
        unusual=None if math.isnan(percentile) else percentile,
        unusual_words=novelty_in_words(percentile) or None,
        present=[] if assessment is None else list(assessment.named_ids),
    )


def best_guesses(
    prediction: Prediction, categories: Sequence[CategoryEvidence], n_guesses: int = N_GUESSES
) -> list[Guess]:
    """Return the best guesses, best first; none of an image that failed."""
    if prediction.probabilities is None:
        return []
    return [
        Guess(
            id=categories[column].category_id,
            name=categories[column].name,
            supercategory=categories[column].supercategory,
            probability=float(prediction.probabilities[column]),
            evidence=seen_in_words(categories[column]),
        )
        for column in prediction.order[:n_guesses].tolist()
    ]


def seen_in_words(category: CategoryEvidence) -> str:
    """Return from how many dives training knows a category, as a page shows it."""
    words = dives_in_words(category)
    return f"{words} in training" if not category.n_images else f"seen in {words}"
