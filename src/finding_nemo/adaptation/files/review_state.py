"""Predictions, the places of their frames and the reviews of some, as dives to work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.adaptation.adapt_dive import Dive
from finding_nemo.adaptation.files.dives_of_file import dives_of_file
from finding_nemo.adaptation.files.frame_places import place_frames
from finding_nemo.adaptation.files.predicted_frames import PredictedFrames, read_predicted_frames
from finding_nemo.adaptation.files.reviews import ReviewedLabels, labels_of_reviews, read_reviews
from finding_nemo.adaptation.simulate_reviews import no_labels
from finding_nemo.core.arrays import Ints
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset

NEW_SUPERCATEGORY = "none"


@dataclass(frozen=True, kw_only=True)
class ReviewState:
    """A predictions file and what a person said of its frames.

    Attributes:
        predicted: The file.
        reviewed: The labels, and the categories that they brought.
        dives: Of each dive by name, the dive and the rows of the file that are its frames.
        categories: The category table with its evidence, new ones behind, JSON-ready.
        notices: What was interpreted or passed over, in sentences.
    """

    predicted: PredictedFrames
    reviewed: ReviewedLabels
    dives: Mapping[str, tuple[Dive, Ints]]
    categories: tuple[Mapping[str, Any], ...]
    notices: tuple[str, ...]


def read_review_state(
    predictions: Path,
    *,
    reviews: Path | None = None,
    dataset: Dataset | None = None,
    dive_pattern: str | None = None,
) -> ReviewState:
    """Read predictions and reviews and part them by dive.

    Args:
        predictions: A Parquet file, best with embeddings.
        reviews: The file of reviews, if there is one yet.
        dataset: Where dive and time of each image are known.
        dive_pattern: Regular expression with a group named dive, for the paths.

    Raises:
        PredictionsError: If the predictions cannot be used.
        ReviewsError: If the reviews cannot be used.
        SettingsError: If the pattern cannot be used.
    """
    predicted = read_predicted_frames(predictions)
    table = _table(predicted)
    reviewed = (
        ReviewedLabels(no_labels(len(table)), (), ())
        if reviews is None
        else labels_of_reviews(read_reviews(reviews), predicted.image_ids, table)
    )
    places = place_frames(
        predicted.image_ids,
        predicted.paths,
        predicted.times_s,
        dives=predicted.dives,
        dataset=dataset,
        dive_pattern=dive_pattern,
    )
    base = predicted.base
    if reviewed.new_names:
        new = np.zeros((len(predicted), len(reviewed.new_names)), dtype=np.float32)
        base = np.concatenate([base, new], axis=1)
    failed = int((~predicted.usable).sum())
    notices = [*predicted.notices, *places.notices, *reviewed.notices]
    if failed:
        notices.append(
            f"frames that failed or lack what is needed, and so stay as they are: {failed}."
        )
    return ReviewState(
        predicted=predicted,
        reviewed=reviewed,
        dives=dives_of_file(predicted, places, base, reviewed.labels),
        categories=(*predicted.categories, *_new_entries(table, reviewed.new_names)),
        notices=tuple(notices),
    )


def _table(predicted: PredictedFrames) -> CategoryTable:
    return CategoryTable(
        tuple(
            Category(
                int(entry["category_id"]),
                str(entry.get("name", f"category {entry['category_id']}")),
                str(entry.get("supercategory", NEW_SUPERCATEGORY)),
            )
            for entry in predicted.categories
        )
    )


def _new_entries(table: CategoryTable, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return new categories as the table has its own, with ids above all others."""
    first = max(table.ids) + 1
    return [
        {
            "category_id": first + number,
            "name": name,
            "supercategory": NEW_SUPERCATEGORY,
            "n_images": 0,
            "n_dives": 0,
            "validation_ap": None,
        }
        for number, name in enumerate(names)
    ]
