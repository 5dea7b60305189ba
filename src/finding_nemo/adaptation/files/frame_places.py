"""Dive, clip and time of predicted frames: from a data set, a pattern, or their paths alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.adaptation.covariance import NO_CLIP
from finding_nemo.core.arrays import Float64s, Ints
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.datasets.fields.record_fields import record_of_path
from finding_nemo.metrics.baselines import frame_key

# Of frames that no folder holds.
NO_DIVE = "all frames"
_HOURS_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class FramePlaces:
    """Where each predicted frame was filmed, as far as it is known.

    Attributes:
        dives: The dive of each frame, never empty.
        clips: A number a clip, shape (frames,); `NO_CLIP` where none is known.
        numbers: The number in the clip, NaN where unknown, same shape.
        times_s: Seconds of a clock that the dive's frames share, NaN where unknown, same shape.
        notices: What was interpreted or passed over, in sentences.
    """

    dives: tuple[str, ...]
    clips: Ints
    numbers: Float64s
    times_s: Float64s
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    dive: str
    clip: str
    number: float
    time_s: float
    is_guessed: bool


def place_frames(
    image_ids: Sequence[str],
    paths: Sequence[str],
    times_s: Sequence[float | None],
    *,
    dives: Sequence[str | None] | None = None,
    dataset: Dataset | None = None,
    dive_pattern: str | None = None,
) -> FramePlaces:
    """Return the places of frames.

    A frame that the data set does not have, or whose path names no dive, belongs to the dive named
    as its video or its folder.

    Args:
        image_ids: Of the predictions.
        paths: The file of each.
        times_s: Seconds since its video's first frame, `None` where it is no frame of a video.
        dives: The dive of each as the predictions say it, `None` where they do not.
        dataset: Where dive and time of each image are known.
        dive_pattern: Regular expression with a group named dive, for the paths.

    Raises:
        SettingsError: If the pattern cannot be used.
    """
    by_id = {} if dataset is None else dataset.by_id
    places, n_strange = [], 0
    known = [None] * len(paths) if dives is None else dives
    for image_id, path, time_s, dive in zip(image_ids, paths, times_s, known, strict=True):
        record = by_id.get(image_id)
        if record is None:
            n_strange += dataset is not None
            record = record_of_path(Path(path), dive_pattern)
        if record.dive is None:
            record = replace(record, dive=dive)
        places.append(_place(record, path, time_s))
    one_clock = _dives_of_one_clock(places)
    _, clips = np.unique([f"{p.dive}\n{p.clip}" for p in places], return_inverse=True)
    has_clip = np.array([bool(p.clip) for p in places], dtype=np.bool_)
    return FramePlaces(
        dives=tuple(p.dive for p in places),
        clips=np.where(has_clip, clips.reshape(-1), NO_CLIP).astype(np.int64),
        numbers=np.array([p.number for p in places], dtype=np.float64),
        times_s=np.array([p.time_s if p.dive in one_clock else np.nan for p in places]),
        notices=_notices(places, n_strange),
    )


def _place(record: ImageRecord, path: str, time_s: float | None) -> _Place:
    folder = PurePosixPath(path).parent.name
    if time_s is not None:
        # In frames as far apart as the kernel's reach in seconds says: one measure for all.
        kernel = KernelSettings()
        number = time_s * kernel.near_frames / kernel.near_s
        dive = record.dive or PurePosixPath(path).name or NO_DIVE
        return _Place(dive, path, number, time_s, record.dive is None)
    key = frame_key(record)
    dive = record.dive or folder or NO_DIVE
    clip = record.sequence if record.frame_number is not None else ""
    if not np.isnan(key.time_s):
        clip = clip or "one clock"
    return _Place(dive, clip, key.frame_number, key.time_s, record.dive is None)


def _dives_of_one_clock(places: Sequence[_Place]) -> set[str]:
    """Return the dives whose times can be compared: not those of several videos."""
    videos: dict[str, set[str]] = {}
    for place in places:
        is_video = not np.isnan(place.time_s) and place.time_s < 10 * 24 * _HOURS_S
        videos.setdefault(place.dive, set()).add(place.clip if is_video else "")
    return {dive for dive, names in videos.items() if len(names) == 1}


def _notices(places: Sequence[_Place], n_strange: int) -> tuple[str, ...]:
    notices = []
    if n_strange:
        notices.append(f"{n_strange} predicted images are not in the data set; paths place them.")
    guessed = [place for place in places if place.is_guessed]
    if guessed:
        names = list(dict.fromkeys(place.dive for place in guessed))
        notices.append(
            f"{len(guessed)} frames name no dive; those of one folder or video count as one "
            f"({len(names)}, first: {names[0]!r}). Give --data or --dive-pattern to say better."
        )
    return tuple(notices)
