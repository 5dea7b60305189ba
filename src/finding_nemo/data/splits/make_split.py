"""The way to split that a person named."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.data.splits.by_category import split_by_novelty
from finding_nemo.data.splits.by_dive import split_by_dive
from finding_nemo.data.splits.by_frame import split_at_random
from finding_nemo.data.splits.by_time import split_by_time
from finding_nemo.data.splits.by_video import split_by_video

_WAYS = {
    "dive": split_by_dive,
    "video": split_by_video,
    "random": split_at_random,
    "time": split_by_time,
}
# The study's seed makes `--by random` its very protocol.
_SEEDS = {"random": 42}


def make_split(
    dataset: Dataset,
    by: str,
    *,
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int | None = None,
    categories: Sequence[int | str] = (),
) -> Split:
    """Divide the annotated images by "dive", "video", "random", "time" or "novel".

    Args:
        dataset: The data set.
        by: The way.
        fraction: Share of images for `test`.
        val_fraction: Share of images for `val`.
        folds: If given, that many folds instead.
        seed: `None` for the way's own: 42 for "random", otherwise 0.
        categories: For "novel", what to hold out.

    Raises:
        SettingsError: If `by` is none of these, or a share is out of range.
        SplitError: If the data set cannot be divided so.
    """
    used = _SEEDS.get(by, 0) if seed is None else seed
    shares = {"fraction": fraction, "val_fraction": val_fraction}
    if by == "novel":
        return split_by_novelty(dataset, categories=categories, folds=folds, seed=used, **shares)
    if by not in _WAYS:
        raise SettingsError(f"Cannot split by {by!r}; known: {', '.join(_WAYS)}, novel.")
    return _WAYS[by](dataset, folds=folds, seed=used, **shares)
