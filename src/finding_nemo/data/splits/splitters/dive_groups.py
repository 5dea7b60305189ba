"""The dives of a data set as groups with their label counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import ImageRecord


@dataclass(frozen=True)
class DiveGroups:
    """Dives in order of name, so that the order of the images changes nothing.

    Attributes:
        names: The dives.
        sizes: Images of each dive.
        label_counts: Images of each dive that hold each category, shape (dives, categories).
    """

    names: tuple[str, ...]
    sizes: npt.NDArray[np.int64]
    label_counts: npt.NDArray[np.int64]


def group_by_dive(records: Sequence[ImageRecord], categories: CategoryTable) -> DiveGroups:
    """Count labels by dive.

    Raises:
        SplitError: If there is no image, or an image has no dive.
    """
    if not records:
        raise SplitError("There is no annotated image to split.")
    without = [record.image_id for record in records if record.dive is None]
    if without:
        raise SplitError(
            f"{len(without)} of {len(records)} images have no dive (first: {without[0]}). Name it "
            "with --dive-pattern or a dive column, or split with --by random (which leaks)."
        )
    names, index = np.unique([str(record.dive) for record in records], return_inverse=True)
    truth = categories.multi_hot(record.category_ids or () for record in records)
    counts = np.zeros((len(names), len(categories)), dtype=np.int64)
    np.add.at(counts, index, truth.astype(np.int64))
    return DiveGroups(tuple(names.tolist()), np.bincount(index).astype(np.int64), counts)


def single_dive_categories(groups: DiveGroups, categories: CategoryTable) -> tuple[int, ...]:
    """Return the ids of categories that occur in one dive only: no split can divide them."""
    n_dives = (groups.label_counts > 0).sum(axis=0)
    return tuple(
        category_id
        for category_id, count in zip(categories.ids, n_dives, strict=True)
        if count == 1
    )
