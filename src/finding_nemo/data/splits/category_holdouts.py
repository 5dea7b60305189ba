"""Which categories to hold out, so that novelty is tested on several."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset

LEAST_IMAGES = 20
# More than half of the frames on a category's dives leaves too little to learn from.
MOST_SHARE = 0.5
# Fewer hold-outs say more of themselves than of a score.
LEAST_HOLDOUTS = 8


@dataclass(frozen=True, slots=True)
class Holdout:
    """Categories that leave the training part together.

    Attributes:
        category_ids: One category, or two of one supercategory that are too rare alone.
        name: Of them, for people.
        n_images: Images that hold one.
        n_dives: Their dives.
    """

    category_ids: tuple[int, ...]
    name: str
    n_images: int
    n_dives: int

    @property
    def slug(self) -> str:
        """A name for files."""
        return "category-" + "-".join(str(number) for number in self.category_ids)


def choose_holdouts(
    dataset: Dataset, *, least_images: int = LEAST_IMAGES, most_share: float = MOST_SHARE
) -> tuple[Holdout, ...]:
    """Return every hold-out that can be tested, in column order, single categories first.

    Args:
        dataset: Annotated, with dives.
        least_images: A hold-out with fewer images measures chance.
        most_share: Largest share of all images that may lie on its dives.

    Raises:
        SplitError: If there is none.
    """
    truth = dataset.truth()
    dives = np.array([record.dive_or_own for record in dataset.annotated])
    table = dataset.categories

    def holdout(columns: tuple[int, ...]) -> Holdout | None:
        held = truth[:, columns].any(axis=1)
        on = np.unique(dives[held])
        if held.sum() < least_images or np.isin(dives, on).mean() > most_share:
            return None
        ids = tuple(table.ids[column] for column in columns)
        name = " and ".join(table.names[column] for column in columns)
        return Holdout(ids, name, int(held.sum()), len(on))

    rare = np.flatnonzero((truth.sum(axis=0) > 0) & (truth.sum(axis=0) < least_images)).tolist()
    groups = table.supercategories
    pairs = [pair for pair in combinations(rare, 2) if groups[pair[0]] == groups[pair[1]]]
    wanted = [*((column,) for column in range(len(table))), *pairs]
    found = tuple(made for columns in wanted if (made := holdout(columns)) is not None)
    if not found:
        raise SplitError(
            f"No category can be held out: each has fewer than {least_images} images, or its "
            f"dives hold more than {100 * most_share:.0f} % of all. Take more "
            "frames, or hold out what you name: split --by novel --categories NAMES."
        )
    return found


def alone_first(
    holdouts: tuple[Holdout, ...], *, least: int = LEAST_HOLDOUTS
) -> tuple[Holdout, ...]:
    """Return single categories, and pairs only as far as there are fewer than `least` of them.

    A pair of rare categories was filmed on two or three dives and mostly says how those dives look.
    """
    alone = tuple(holdout for holdout in holdouts if len(holdout.category_ids) == 1)
    pairs = tuple(holdout for holdout in holdouts if len(holdout.category_ids) > 1)
    return alone + spread_out(pairs, max(0, least - len(alone)))


def spread_out(holdouts: tuple[Holdout, ...], most: int) -> tuple[Holdout, ...]:
    """Return at most `most` of them, evenly over their order."""
    if len(holdouts) <= most:
        return holdouts
    positions = np.linspace(0, len(holdouts) - 1, most).round().astype(int)
    return tuple(holdouts[position] for position in positions)
