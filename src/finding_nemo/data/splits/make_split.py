"""The way to split that a person named."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.registries import load
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.text.wrong_argument import check_argument
from finding_nemo.data.splits.split_kinds import SPLITS


def make_split(
    dataset: Dataset,
    by: str = "dive",
    *,
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int | None = None,
    categories: Sequence[int | str] = (),
) -> Split:
    """Divide the annotated images.

    Args:
        dataset: The data set.
        by: The way, a name of `SPLITS`.
        fraction: Share of images for `test`.
        val_fraction: Share of images for `val`.
        folds: If given, that many folds instead.
        seed: `None` for the way's own: 42 for "random", otherwise 0.
        categories: What to hold out, for a way that holds categories out.

    Returns:
        The split, with the parts `train`, `val` and `test`, or `fold0`, `fold1`, ...

    Raises:
        ArgumentError: If `dataset` is no data set.
        SettingsError: If `by` is none of these, or a share is out of range.
        SplitError: If the data set cannot be divided so.

    Example:
        >>> split = finding_nemo.make_split(dataset, "dive", seed=0)  # doctest: +SKIP
        >>> split.parts  # doctest: +SKIP
        {'test': 4335, 'train': 15175, 'val': 2167}
    """
    read = 'a Dataset, as read_dataset("folder") returns it'
    check_argument(dataset, Dataset, "make_split()", read)
    kind = SPLITS.get(by)
    if kind is None:
        raise SettingsError(f"Cannot split by {by!r}; known: {', '.join(SPLITS)}.")
    held_out = {"categories": categories} if kind.takes_categories else {}
    split: Split = load(kind.function)(
        dataset,
        fraction=fraction,
        val_fraction=val_fraction,
        folds=folds,
        seed=kind.seed if seed is None else seed,
        **held_out,
    )
    return split
