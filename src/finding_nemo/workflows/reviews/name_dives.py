"""From Python: which frames to look at, and the rest of their dives named by what was seen."""

from __future__ import annotations

from pathlib import Path

from finding_nemo.adaptation.adapt_predictions import AdaptationSummary, adapt_predictions
from finding_nemo.adaptation.files.review_state import ReviewState, read_review_state
from finding_nemo.adaptation.suggest_frames import Suggestions, suggest_frames
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.wrong_argument import check_argument, check_path

_PREDICTIONS = "the path of a predictions file (Parquet)"
_REVIEWS = "the path of a table of reviews, id,categories"


def suggest(
    predictions: Path | str,
    *,
    reviews: Path | str | None = None,
    per_dive: int | None = None,
    budget: int | None = None,
    dataset: Dataset | None = None,
    reporter: Reporter | None = None,
) -> Suggestions:
    """Ask for the frames that tell most about the rest of their dives.

    Args:
        predictions: A predictions file of a `Predictor` with `with_embedding`.
        reviews: What was seen so far, a table `id,categories`.
        per_dive: So many frames of each dive; or
        budget: so many in all, where they help most.
        dataset: A data set that knows the images' dives and times.
        reporter: Told what is chosen, progress, and what was passed over.

    Returns:
        `rows`, the frames with their dives and why, the most useful first; and where the dives
        stand after the reviews: `quality`, `more_frames`.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        PredictionsError: If the predictions cannot be used.
        ReviewsError: If the reviews cannot be used.
        SettingsError: If not just one of `per_dive` and `budget` is given, or it is below 1.

    Example:
        >>> asked = finding_nemo.suggest("dive.parquet", budget=5)  # doctest: +SKIP
        >>> [(row.image_id, row.why) for row in asked.rows]  # doctest: +SKIP
    """
    state = _read_state("suggest", predictions, reviews, dataset, reporter)
    return suggest_frames(state, per_dive=per_dive, budget=budget, reporter=reporter)


def adapt(
    predictions: Path | str,
    *,
    reviews: Path | str,
    out: Path | str,
    dataset: Dataset | None = None,
    overwrite: bool = False,
    reporter: Reporter | None = None,
) -> AdaptationSummary:
    """Name the rest of a dive by what was seen in a few of its frames.

    A name that the bundle never learnt is found in the rest of the dive, too. Dives without a
    review stay as they were predicted.

    Args:
        predictions: A predictions file of a `Predictor` with `with_embedding`.
        reviews: What was seen, a table `id,categories`.
        out: The predictions file to write; its suffix says the format.
        dataset: A data set that knows the images' dives and times.
        overwrite: Whether `out` may be there already.
        reporter: Told what is chosen, progress, and what was passed over.

    Returns:
        How many frames were looked at, how many others they name, and `quality`: how good those
        are now.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        PredictionsError: If the predictions cannot be used.
        ReviewsError: If the reviews cannot be used, or no reviewed frame could be read.
        OutputError: If `out` cannot be written.
        SettingsError: If the suffix of `out` names no format.

    Example:
        >>> done = finding_nemo.adapt(  # doctest: +SKIP
        ...     "dive.parquet", reviews="reviews.csv", out="adapted.parquet"
        ... )
        >>> done.n_rest, done.quality.map_at_20  # doctest: +SKIP
    """
    check_path(reviews, "adapt(reviews=...)", _REVIEWS)
    check_path(out, "adapt(out=...)", "the path of the predictions file to write")
    state = _read_state("adapt", predictions, reviews, dataset, reporter)
    return adapt_predictions(
        state, Path(out), reviews=Path(reviews), overwrite=overwrite, reporter=reporter
    )


def _read_state(
    verb: str,
    predictions: Path | str,
    reviews: Path | str | None,
    dataset: Dataset | None,
    reporter: Reporter | None,
) -> ReviewState:
    check_path(predictions, f"{verb}()", _PREDICTIONS)
    if reviews is not None:
        check_path(reviews, f"{verb}(reviews=...)", _REVIEWS)
    if dataset is not None:
        check_argument(dataset, Dataset, f"{verb}(dataset=...)", "a Dataset")
    state = read_review_state(
        Path(predictions), reviews=None if reviews is None else Path(reviews), dataset=dataset
    )
    for notice in state.notices:
        (reporter or Reporter()).message(notice)
    return state
