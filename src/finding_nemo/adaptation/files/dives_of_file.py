"""The dives of a predictions file, each with its frames and its reviews."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finding_nemo.adaptation.adapt_dive import Dive
from finding_nemo.adaptation.covariance import DiveFrames
from finding_nemo.adaptation.files.frame_places import FramePlaces
from finding_nemo.adaptation.files.predicted_frames import PredictedFrames
from finding_nemo.adaptation.label_regression import DiveLabels
from finding_nemo.core.arrays import AnyFloats, Ints


def frames_of(predicted: PredictedFrames, places: FramePlaces, rows: Ints) -> DiveFrames:
    """Return some rows of a file as frames of a dive."""
    return DiveFrames(
        features=None if predicted.features is None else predicted.features[rows],
        clips=places.clips[rows],
        numbers=places.numbers[rows],
        times_s=places.times_s[rows],
    )


def rows_by_dive(dives: Sequence[str]) -> dict[str, Ints]:
    """Return the rows of each dive, dives in the order of their first frame."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(dives):
        found.setdefault(name, []).append(row)
    return {name: np.array(rows, dtype=np.int64) for name, rows in found.items()}


def dives_of_file(
    predicted: PredictedFrames, places: FramePlaces, base: AnyFloats, labels: DiveLabels
) -> dict[str, tuple[Dive, Ints]]:
    """Return each dive by name with the rows of the file that are its frames.

    Args:
        predicted: The file.
        places: Of its rows.
        base: Its probabilities, with a column for each category that reviews brought.
        labels: Of the reviewed rows of the file.
    """
    label_at = {int(row): position for position, row in enumerate(labels.rows)}
    found = {}
    for name, rows in rows_by_dive(places.dives).items():
        pairs = [(at, label_at[row]) for at, row in enumerate(rows.tolist()) if row in label_at]
        positions = np.array([position for _, position in pairs], dtype=np.int64)
        own = DiveLabels(
            rows=np.array([at for at, _ in pairs], dtype=np.int64),
            present=labels.present[positions],
            known=labels.known[positions],
        )
        dive = Dive(
            name=name,
            frames=frames_of(predicted, places, rows),
            base=base[rows],
            labels=own,
            usable=predicted.usable[rows],
        )
        found[name] = (dive, rows)
    return found
