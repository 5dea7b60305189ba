"""From folds, or from a split without a validation part, to train, val and test."""

from __future__ import annotations

from dataclasses import replace

from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.data.splits.splitters.by_dive import assign_dives
from finding_nemo.data.splits.splitters.by_frame import torch_permutation

VAL_FRACTION = 0.15


def parts_for_fold(
    split: Split, fold: int, dataset: Dataset, *, val_fraction: float = VAL_FRACTION, seed: int = 0
) -> Split:
    """Return train, val and test where fold `fold` (and `novel`, if there is one) is the test.

    Raises:
        SplitError: If there is no such fold.
    """
    part = f"fold{fold}"
    if part not in split.parts:
        raise SplitError(f"The split has no {part}; it has {', '.join(split.parts)}.")
    rows = tuple(
        SplitRow(row.image_id, row.dive, "test" if row.part in (part, "novel") else "train")
        for row in split.rows
    )
    return with_validation_part(
        replace(split, rows=rows), dataset, val_fraction=val_fraction, seed=seed
    )


def with_validation_part(
    split: Split, dataset: Dataset, *, val_fraction: float = VAL_FRACTION, seed: int = 0
) -> Split:
    """Return `split` with a part `val` taken from `train`, if it has none yet.

    The part is taken by dive, so that the epoch is chosen on dives that training did not see;
    at random only where the split itself cuts dives or too few dives are known.

    Raises:
        SplitError: If the split has no part `train`.
    """
    if "val" in split.parts:
        return split
    chosen = set(split.ids_in("train"))
    training = [record for record in dataset.annotated if record.image_id in chosen]
    by_dive = split.kind != "random" and len({record.dive for record in training}) >= 3
    if by_dive and all(record.dive for record in training):
        validation, how = _by_dive(training, dataset, val_fraction, seed), "by dive"
    else:
        validation, how = _at_random(training, val_fraction, seed), "at random"
    rows = tuple(
        SplitRow(row.image_id, row.dive, "val" if row.image_id in validation else row.part)
        for row in split.rows
    )
    notice = (
        f"No validation part was given: {len(validation)} training images were set aside {how}."
    )
    return replace(split, rows=rows, notices=(*split.notices, notice))


def _by_dive(
    training: list[ImageRecord], dataset: Dataset, val_fraction: float, seed: int
) -> set[str]:
    part_of = assign_dives(
        training,
        dataset.categories,
        fraction=val_fraction,
        val_fraction=0.0,
        folds=None,
        seed=seed,
    )
    return {record.image_id for record in training if part_of[str(record.dive)] == "test"}


def _at_random(training: list[ImageRecord], val_fraction: float, seed: int) -> set[str]:
    if len(training) < 2:
        raise SplitError(f"{len(training)} training image(s) leave none to validate on.")
    order = torch_permutation(len(training), seed)
    count = max(1, round(val_fraction * len(training)))
    return {training[index].image_id for index in order[:count]}
