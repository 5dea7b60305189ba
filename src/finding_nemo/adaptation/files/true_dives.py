"""Predictions laid beside their truth, as dives on which reviews can be simulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from finding_nemo.adaptation.adapt_dive import Dive
from finding_nemo.adaptation.files.dives_of_file import frames_of
from finding_nemo.adaptation.files.frame_places import place_frames
from finding_nemo.adaptation.files.predicted_frames import read_predicted_frames
from finding_nemo.adaptation.simulate_reviews import MIN_FRAMES, TrueDive, no_labels
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Dataset


def true_dives(dataset: Dataset, files: Sequence[Path]) -> list[TrueDive]:
    """Return the dives of at least 20 frames whose truth the data set holds.

    Args:
        dataset: With the labels, the dives and the clips.
        files: Predictions with embeddings, one file a fold, of dives that its bundle did not see.

    Raises:
        PredictionsError: If a file cannot be used, or guesses categories of another table.
    """
    found = []
    for fold, path in enumerate(files):
        predicted = read_predicted_frames(path)
        ids = [int(entry["category_id"]) for entry in predicted.categories]
        strange = sorted(set(ids) - set(dataset.categories.ids))
        if strange:
            raise PredictionsError(
                f"{path} guesses category id {strange[0]}, which the data set does not have: it "
                "comes from another category table."
            )
        places = place_frames(
            predicted.image_ids, predicted.paths, predicted.times_s, dataset=dataset
        )
        by_id = dataset.by_id
        names = np.asarray(places.dives)
        has_truth = np.array(
            [i in by_id and by_id[i].category_ids is not None for i in predicted.image_ids]
        )
        columns = [dataset.categories.column_of(number) for number in ids]
        for name in dict.fromkeys(places.dives):
            rows = np.flatnonzero((names == name) & has_truth & predicted.usable)
            if len(rows) < MIN_FRAMES:
                continue
            truth = dataset.truth(by_id[predicted.image_ids[row]] for row in rows)[:, columns]
            dive = Dive(
                name=name,
                frames=frames_of(predicted, places, rows),
                base=predicted.base[rows],
                labels=no_labels(len(ids)),
                usable=np.ones(len(rows), dtype=np.bool_),
            )
            found.append(TrueDive(dive=dive, truth=truth, fold=fold))
    return found
