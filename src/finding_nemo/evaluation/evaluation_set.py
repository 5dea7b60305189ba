"""Predictions laid beside the truth, image by image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.evaluation.dataset.same_categories import match_categories
from finding_nemo.results.schema import PredictionTable

# A failed image is below every readable one in every category.
_BELOW_ALL = -1.0


@dataclass(frozen=True)
class EvaluationSet:
    """The images that predictions and truth share, in the predictions' order.

    Attributes:
        dataset: The data set, with the predictions' ids.
        records: One a judged image.
        rows: Their rows in the predictions.
        truth: Shape (images, categories).
        scores: Probabilities, same shape; rows of failed images are -1.
        ranking: Scores in the order that the predictions show, same shape; rows of failed images
            are -1.
        failed: Which images could not be read.
        train: The records that the model may have learnt from, if a split says so.
        notices: What a reader should know.
    """

    dataset: Dataset
    records: tuple[ImageRecord, ...]
    rows: npt.NDArray[np.int64]
    truth: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    ranking: npt.NDArray[np.float64]
    failed: npt.NDArray[np.bool_]
    train: tuple[ImageRecord, ...]
    notices: tuple[str, ...]

    @property
    def dives(self) -> list[str]:
        """The dive of each image; an image without one is a dive of its own."""
        return [record.dive_or_own for record in self.records]

    @property
    def read_dives(self) -> list[str]:
        """The dive of each image that could be read."""
        return [dive for dive, bad in zip(self.dives, self.failed, strict=True) if not bad]

    @property
    def truth_of_all(self) -> npt.NDArray[np.bool_]:
        """Which images hold a category and so have a score."""
        return np.asarray(self.truth.any(axis=1))


def align_with_truth(
    predictions: PredictionTable, dataset: Dataset, *, split: Split | None, part: str | None
) -> EvaluationSet:
    """Match predictions with the annotated images of the data set, or of one part of a split.

    Raises:
        PredictionsError: If no image is shared, a part lacks predictions, or the category tables
            differ.
        SplitError: If the split has no such part.
    """
    dataset, matched = match_categories(predictions, dataset)
    wanted = None if split is None or part is None else set(split.ids_in(part))
    by_id = dataset.by_id
    rows, records = [], []
    for row, image_id in enumerate(predictions.image_ids):
        record = by_id.get(image_id)
        annotated = record is not None and record.category_ids is not None
        if record is not None and annotated and (wanted is None or image_id in wanted):
            rows.append(row)
            records.append(record)
    _check_shared(predictions, dataset, records, wanted, part)
    ids = dataset.categories.ids
    scores, ranking = (
        predictions.probabilities_in(ids)[rows],
        predictions.ranking_scores_in(ids)[rows],
    )
    failed = np.asarray(np.isnan(scores).any(axis=1))
    train = () if split is None or part is None else _training(split, part, dataset)
    return EvaluationSet(
        dataset=dataset,
        records=tuple(records),
        rows=np.array(rows, dtype=np.int64),
        truth=dataset.truth(records),
        scores=np.where(failed[:, np.newaxis], _BELOW_ALL, scores),
        ranking=np.where(failed[:, np.newaxis], _BELOW_ALL, ranking),
        failed=failed,
        train=train,
        notices=(*matched, *_notices(predictions, records, failed)),
    )


def _check_shared(
    predictions: PredictionTable,
    dataset: Dataset,
    records: Sequence[ImageRecord],
    wanted: set[str] | None,
    part: str | None,
) -> None:
    if not records:
        where = f"part {part!r} of the split" if wanted else f"the data set {dataset.root}"
        raise PredictionsError(
            f"None of the {len(predictions)} predicted images is an annotated image of {where}."
        )
    missing = (wanted or set()) - {record.image_id for record in records}
    annotated = {record.image_id for record in dataset.annotated}
    lacking = sorted(missing & annotated)
    if lacking:
        raise PredictionsError(
            f"{len(lacking)} images of part {part!r} have no prediction (first: {lacking[0]}). "
            "A score of the rest would flatter; predict them too."
        )


def _training(split: Split, part: str, dataset: Dataset) -> tuple[ImageRecord, ...]:
    by_id = dataset.by_id
    ids = split.training_ids_for(part) if part != "train" else ()
    return tuple(by_id[image_id] for image_id in ids if image_id in by_id)


def _notices(
    predictions: PredictionTable,
    records: Sequence[ImageRecord],
    failed: npt.NDArray[np.bool_],
) -> tuple[str, ...]:
    notices = []
    left_out = len(predictions) - len(records)
    if left_out:
        notices.append(
            f"{left_out} predicted images are not judged: no annotation, or another part."
        )
    if failed.any():
        notices.append(f"Judged images that could not be read: {int(failed.sum())}; each counts 0.")
    if predictions.vector is None:
        notices.append(
            "The predictions hold the 20 best categories only: macro AP takes the others as 0."
        )
    if any(record.dive is None for record in records):
        notices.append(
            "Images without a dive count as dives of their own: intervals are too narrow."
        )
    return tuple(notices)


class Pictures:
    """Finds the file of a judged image.

    A predictions file may come from anybody and names any path; a page that showed it would carry
    whatever is there. So its paths are followed only into the data set's folder, with every link
    resolved. Where the data set has the file itself, that one is shown, wherever it is.
    """

    def __init__(self, dataset: Dataset) -> None:
        """Note the data set's folder."""
        self._folder = os.path.realpath(dataset.root)

    def path_of(self, record: ImageRecord, named: str) -> str:
        """Return the data set's file if it is there, else the path that predictions name."""
        return str(record.path) if os.path.isfile(record.path) else named

    def is_outside(self, record: ImageRecord, named: str) -> bool:
        """Return whether the image's only file lies outside the data set."""
        if os.path.isfile(record.path) or not os.path.isfile(named):
            return False
        return not Path(os.path.realpath(named)).is_relative_to(self._folder)
