"""Train on the past, judge on what was filmed later; dives stay whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset, Split, SplitRow
from finding_nemo.data.splits.splitters.dive_groups import group_by_dive
from finding_nemo.data.splits.splitters.val_shares import named_shares


def split_by_time(
    dataset: Dataset,
    *,
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int = 0,
) -> Split:
    """Divide the annotated images by the day of their dive: train, then val, then test.

    A dive whose date is unknown is trained on and never judged. Folds are successive spans of
    time. Dives of one day keep the order of their names; `seed` is recorded and decides nothing.

    Raises:
        SplitError: If an image has no dive, or fewer dives are dated than there are parts.
        SettingsError: If the shares are out of range.
    """
    names, targets = named_shares(fraction=fraction, val_fraction=val_fraction, folds=folds)
    groups = group_by_dive(dataset.annotated, dataset.categories)
    starts = _first_capture(dataset)
    sizes = dict(zip(groups.names, groups.sizes.tolist(), strict=True))
    dated = sorted(starts, key=lambda dive: (starts[dive], dive))
    if len(dated) < len(names):
        raise SplitError(
            f"{len(dated)} dive(s) have a date, too few for the parts {', '.join(names)}. "
            "Split with --by dive."
        )
    cumulative = np.cumsum([sizes[dive] for dive in dated])
    middle = (cumulative - np.array([sizes[dive] for dive in dated]) / 2) / cumulative[-1]
    part_index = np.searchsorted(np.cumsum(targets)[:-1], middle)
    part_of = {dive: names[part] for dive, part in zip(dated, part_index, strict=True)}
    undated = [dive for dive in groups.names if dive not in starts]
    notices = (f"{len(undated)} dives without a date are in {names[0]}.",) if undated else ()
    return Split(
        rows=tuple(
            SplitRow(record.image_id, str(record.dive), part_of.get(str(record.dive), names[0]))
            for record in dataset.annotated
        ),
        kind="time",
        seed=seed,
        notices=notices,
    )


def _first_capture(dataset: Dataset) -> Mapping[str, datetime]:
    starts: dict[str, datetime] = {}
    for record in dataset.annotated:
        if record.captured is not None:
            dive = str(record.dive)
            starts[dive] = min(record.captured, starts.get(dive, record.captured))
    return starts
