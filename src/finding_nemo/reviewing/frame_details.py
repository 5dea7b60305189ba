"""All that is known of one frame, for a person who looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from finding_nemo.adaptation.files.adapted_answers import answer_frames, answer_seen
from finding_nemo.core.arrays import Float32s, Float64s, Pixels
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.results.schema import TOP_K
from finding_nemo.reviewing.adapting.dive_in_review import DiveInReview
from finding_nemo.reviewing.frame_collection import FrameCollection
from finding_nemo.reviewing.review_objects import (
    FrameDetail,
    FrameReference,
    FrameReview,
    FrameRow,
    Guess,
)


def describe_frame(
    collection: FrameCollection,
    frame: FrameRow,
    *,
    dive: DiveInReview | None,
    categories: Sequence[Mapping[str, Any]],
    review: FrameReview | None,
    suggested_why: str | None,
) -> FrameDetail:
    """Return a frame with its guesses, and where they come from.

    Args:
        collection: Where it is.
        frame: As a list shows it.
        dive: Its dive, if anybody reviewed a frame of it.
        categories: The present category table, JSON-ready.
        review: What a person said of it.
        suggested_why: Why it was suggested, if it was.
    """
    held = collection.values(frame.row)
    model = model_guesses(held, collection.categories)
    guesses, source, why = model, None, held.get("why")
    if dive is not None and frame.failure is None:
        values, shares = dive.probabilities(frame.row, len(categories))
        guesses = best_guesses(values, categories)
        why = _why(frame, review, values, categories)
        if frame.method == "propagated" and shares is not None:
            source = _counted_most(collection, dive, shares[:, int(values.argmax())])
    return FrameDetail(
        **asdict(frame),
        guesses=guesses,
        model_guesses=model,
        why=why,
        unusual_words=unusual_words(frame.unusual),
        captured=_moment(held.get("captured")),
        time_s=held.get("time_s"),
        width=held.get("width"),
        height=held.get("height"),
        review=review,
        propagated_from=source,
        suggested_why=suggested_why,
        maps=map_category_ids(held, collection.maps(frame.row)),
    )


def _why(
    frame: FrameRow,
    review: FrameReview | None,
    values: Float32s,
    categories: Sequence[Mapping[str, Any]],
) -> str:
    if frame.method == "human" and review is not None:
        there = {entry.id for entry in review.categories}
        present = np.array([[int(c["category_id"]) in there for c in categories]], dtype=np.bool_)
        return answer_seen(present, values[np.newaxis], categories).reasons[0]
    return answer_frames(values[np.newaxis], categories).reasons[0]


def best_guesses(values: Float32s, categories: Sequence[Mapping[str, Any]]) -> list[Guess]:
    """Return the 20 best categories of a frame, best first.

    Args:
        values: Probabilities in column order, shape (categories,).
        categories: The category table, JSON-ready.
    """
    best = rank_columns(values[np.newaxis], k=TOP_K)[0].tolist()
    return [guess_of(categories[column], float(values[column])) for column in best]


def model_guesses(held: Mapping[str, Any], categories: Sequence[Mapping[str, Any]]) -> list[Guess]:
    """Return the guesses that a row of predictions holds, best first.

    Args:
        held: The row's columns by name.
        categories: The category table of the predictions, JSON-ready.
    """
    by_id = {int(entry["category_id"]): entry for entry in categories}
    ids, chances = held.get("categories") or (), held.get("probabilities") or ()
    return [
        guess_of(by_id[number], float(chance))
        for number, chance in zip(ids, chances, strict=True)
        if number in by_id
    ]


def guess_of(entry: Mapping[str, Any], probability: float) -> Guess:
    """Return an entry of the category table as a guess."""
    return Guess(
        id=int(entry["category_id"]),
        name=str(entry.get("name", "")),
        supercategory=str(entry.get("supercategory", "none")),
        probability=probability,
        evidence=_evidence(entry),
    )


def _evidence(entry: Mapping[str, Any]) -> str | None:
    n_images, n_dives = entry.get("n_images"), entry.get("n_dives")
    if n_images is None:
        return None
    if not n_images:
        return "no frame to learn from but the reviewed ones"
    frames = f"learnt from {n_images} frame{'s' * (n_images != 1)}"
    return frames if not n_dives else f"{frames} of {n_dives} dive{'s' * (n_dives != 1)}"


def unusual_words(share: float | None) -> str | None:
    """Return how unusual a frame is, in words; `None` where nobody knows.

    Args:
        share: Of training images that are less unusual, in [0, 1].
    """
    if share is None:
        return None
    return f"more unusual than {min(int(share * 100), 99)} of 100 frames that the model learnt from"


def map_category_ids(held: Mapping[str, Any], maps: Pixels | None) -> list[int]:
    """Return the category of each map: the best guesses of the network, in their order."""
    return [] if maps is None else list(held.get("categories") or ())[: len(maps)]


def _counted_most(
    collection: FrameCollection, dive: DiveInReview, shares: Float64s
) -> FrameReference | None:
    at = int(shares.argmax())
    if shares[at] <= 0:
        return None
    row = int(dive.rows[dive.labels.rows[at]])
    return FrameReference(row=row, id=collection.columns.image_ids[row])


def _moment(value: object) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None
