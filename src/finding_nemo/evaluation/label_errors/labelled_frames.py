"""Annotated frames beside what a network sees in them, in order of dive and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Bools, Float32s, Ints
from finding_nemo.core.errors import DatasetError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.metrics.baselines import FrameKey, frame_key
from finding_nemo.results.reading.embeddings import Embeddings, unit_features

# Frames of no numbered clip are of one as long as no minute lies between them.
_PAUSE_S = 60.0
LEAST_FRAMES = 20


@dataclass(frozen=True, kw_only=True)
class LabelledFrames:
    """What label errors are looked for in.

    Attributes:
        records: The frames, by dive, clip and time.
        features: Of unit length, shape (frames, features).
        labels: As annotated, shape (frames, categories).
        dive_names: The dive of each; the folder where no dive is known.
        dives: A number a dive, shape (frames,).
        clips: A number a clip, shape (frames,).
        notices: What was passed over or interpreted, in sentences.
    """

    records: tuple[ImageRecord, ...]
    features: Float32s
    labels: Bools
    dive_names: tuple[str, ...]
    dives: Ints
    clips: Ints
    notices: tuple[str, ...] = ()


def label_frames(dataset: Dataset, embeddings: Embeddings) -> LabelledFrames:
    """Lay labels and features side by side.

    Args:
        dataset: With the labels.
        embeddings: Of its images; others are passed over.

    Raises:
        DatasetError: If fewer than 20 annotated images have an embedding.
    """
    row_of = {image_id: row for row, image_id in enumerate(embeddings.image_ids)}
    found = [record for record in dataset.annotated if record.image_id in row_of]
    if len(found) < LEAST_FRAMES:
        raise DatasetError(
            f"{len(found)} of the {len(dataset.annotated)} annotated images of {dataset.root} have "
            f"an embedding; label errors need at least {LEAST_FRAMES}. Predict the images of this "
            "data set with --embeddings."
        )
    keys = {record.image_id: frame_key(record) for record in found}
    found.sort(key=lambda record: (_dive_of(record), *_position(keys[record.image_id])))
    names = tuple(_dive_of(record) for record in found)
    _, dives = np.unique(np.array(names, dtype=np.str_), return_inverse=True)
    rows = [row_of[record.image_id] for record in found]
    return LabelledFrames(
        records=tuple(found),
        features=unit_features(embeddings.features[rows]),
        labels=dataset.truth(found),
        dive_names=names,
        dives=dives.reshape(-1).astype(np.int64),
        clips=_clips(names, [keys[record.image_id] for record in found]),
        notices=_notices(dataset, found, embeddings),
    )


def _dive_of(record: ImageRecord) -> str:
    return record.dive or record.path.parent.name or "all frames"


def _position(key: FrameKey) -> tuple[str, float, float]:
    """Return what puts frames of a dive in order."""
    return key.sequence, _known(key.time_s), _known(key.frame_number)


def _known(value: float) -> float:
    return -1.0 if np.isnan(value) else value


def _clips(dives: Sequence[str], keys: Sequence[FrameKey]) -> Ints:
    """Return a number for each clip: numbered frames of one name, or no minute between them.

    A frame without number and time is a clip of its own.
    """
    found = np.zeros(len(keys), dtype=np.int64)
    for row in range(1, len(keys)):
        is_same = dives[row] == dives[row - 1] and _follows(keys[row], keys[row - 1])
        found[row] = found[row - 1] + (not is_same)
    return found


def _follows(key: FrameKey, before: FrameKey) -> bool:
    if key.sequence != before.sequence:
        return False
    if not np.isnan(key.time_s) and not np.isnan(before.time_s):
        return key.time_s - before.time_s <= _PAUSE_S
    return not np.isnan(key.frame_number) and not np.isnan(before.frame_number)


def _notices(
    dataset: Dataset, found: Sequence[ImageRecord], embeddings: Embeddings
) -> tuple[str, ...]:
    n_without = len(dataset.annotated) - len(found)
    n_homeless = sum(record.dive is None for record in found)
    sentences = (
        (n_without, f"{n_without} annotated images have no embedding; their labels are not judged"),
        (
            embeddings.n_without,
            f"{embeddings.n_without} predicted images failed or hold no embedding",
        ),
        (
            n_homeless,
            f"{n_homeless} images name no dive; those of one folder count as one. Give "
            "--dive-pattern to say better",
        ),
        (
            embeddings.n_bundles > 1,
            f"the predictions are of {embeddings.n_bundles} bundles: only if all see the same "
            "(recipe probe) can frames of one teach of another",
        ),
    )
    return tuple(text for count, text in sentences if count)
