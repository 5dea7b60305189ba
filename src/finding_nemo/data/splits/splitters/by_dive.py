"""The default split: no dive on two sides, every category in its share as far as dives allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.core.text.wrong_argument import check_argument
from finding_nemo.data.splits.splitters.dive_groups import group_by_dive, single_dive_categories
from finding_nemo.data.splits.splitters.stratified_groups import assign_groups
from finding_nemo.data.splits.splitters.val_shares import named_shares


def split_by_dive(
    dataset: Dataset,
    *,
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int = 0,
) -> Split:
    """Divide the annotated images by dive, stratified by category.

    The same data set and seed give the same split, whatever the order of the images.

    Args:
        dataset: The data set; every annotated image needs a dive.
        fraction: Share of images held out as `test`.
        val_fraction: Share held out as `val`, 0 for none.
        folds: If given, that many folds `fold0`, `fold1`, ... instead.
        seed: Decides between equally good assignments.

    Returns:
        The split, with the parts `train`, `val` and `test`, or `fold0`, `fold1`, ...

    Raises:
        SplitError: If an image has no dive, or there are fewer dives than parts.
        SettingsError: If the shares are out of range.

    Example:
        >>> finding_nemo.split_by_dive(dataset, folds=4).parts  # doctest: +SKIP
    """
    read = 'a Dataset, as read_dataset("folder") returns it'
    check_argument(dataset, Dataset, "split_by_dive()", read)
    names, _ = named_shares(fraction=fraction, val_fraction=val_fraction, folds=folds)
    part_of_dive = assign_dives(
        dataset.annotated,
        dataset.categories,
        fraction=fraction,
        val_fraction=val_fraction,
        folds=folds,
        seed=seed,
    )
    groups = group_by_dive(dataset.annotated, dataset.categories)
    unsplittable = single_dive_categories(groups, dataset.categories)
    return Split(
        rows=tuple(
            SplitRow(record.image_id, str(record.dive), part_of_dive[str(record.dive)])
            for record in dataset.annotated
        ),
        kind="dive",
        seed=seed,
        notices=_notices(len(unsplittable), len(names)),
        unsplittable=unsplittable,
    )


def assign_dives(
    records: Sequence[ImageRecord],
    categories: CategoryTable,
    *,
    fraction: float,
    val_fraction: float,
    folds: int | None,
    seed: int,
) -> Mapping[str, str]:
    """Return the part of each dive of `records`.

    Raises:
        SplitError: If an image has no dive, or there are fewer dives than parts.
        SettingsError: If the shares are out of range.
    """
    names, targets = named_shares(fraction=fraction, val_fraction=val_fraction, folds=folds)
    groups = group_by_dive(records, categories)
    if len(groups.names) < len(names):
        raise SplitError(
            f"{len(groups.names)} dive(s) cannot fill {len(names)} parts ({', '.join(names)}): "
            "each part needs a dive of its own. Use more dives, fewer parts, or --by random "
            "(which leaks)."
        )
    parts = assign_groups(groups.label_counts, groups.sizes, targets, seed=seed)
    empty = sorted(set(range(len(names))) - set(parts.tolist()))
    for part in empty:
        # A huge dive can fill a part's share alone; the smallest dive of the fullest part moves.
        held = [int(groups.sizes[parts == p].sum()) for p in range(len(names))]
        counts = [int((parts == p).sum()) for p in range(len(names))]
        donor = max((p for p in range(len(names)) if counts[p] > 1), key=lambda p: held[p])
        members = [g for g in range(len(parts)) if parts[g] == donor]
        parts[min(members, key=lambda g: groups.sizes[g])] = part
    return {dive: names[part] for dive, part in zip(groups.names, parts, strict=True)}


def _notices(n_unsplittable: int, n_parts: int) -> tuple[str, ...]:
    if not n_unsplittable:
        return ()
    return (
        f"{n_unsplittable} categories occur in one dive only: each is in one of the {n_parts} "
        "parts, so no score can say how well it is recognised on another dive.",
    )
