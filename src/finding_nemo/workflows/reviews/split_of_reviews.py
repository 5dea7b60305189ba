"""Which part of a training reviewed frames join: that of their dive, else the training."""

from __future__ import annotations

from dataclasses import replace

from finding_nemo.core.records import Dataset, Split, SplitRow
from finding_nemo.data.splits.kfold import parts_for_fold, with_validation_part
from finding_nemo.data.splits.splitters.by_dive import split_by_dive


def split_with_reviews(
    base: Dataset, reviewed: Dataset, split: Split | None, *, fold: int | None, seed: int
) -> Split:
    """Return the split of `base` with the frames that reviews added to it.

    The frames of the data set stay in their parts, so that a training with reviews is judged on
    the same frames as one without. A frame that was added joins the part that its dive is in; the
    dives that the split does not know are trained on whole.

    Args:
        base: The data set without the reviews.
        reviewed: The same with them.
        split: As given; what it says of a frame decides. `None`: one by dive is made.
        fold: Of a split with folds, the one that is left out.
        seed: Of what is drawn.

    Raises:
        SplitError: If the split has no such fold, or nothing to train on.
    """
    chosen = split or split_by_dive(base, seed=seed)
    known = [row for row in chosen.rows if row.image_id in base.by_id]
    named = {row.image_id: row for row in chosen.rows if row.image_id not in base.by_id}
    parts = _in_parts(replace(chosen, rows=tuple(known)), base, fold=fold, seed=seed)
    if chosen.is_folds:
        named = {
            key: replace(row, part="test" if row.part in (f"fold{fold}", "novel") else "train")
            for key, row in named.items()
        }
    part_of_dive = {row.dive: row.part for row in (*parts.rows, *named.values()) if row.dive}
    added = [record for record in reviewed.annotated if record.image_id not in base.by_id]
    rows = []
    for record in added:
        row = named.get(record.image_id)
        dive = record.dive or ""
        rows.append(row or SplitRow(record.image_id, dive, part_of_dive.get(dive, "train")))
    left_over = [row for key, row in named.items() if key not in reviewed.by_id]
    counts = {part: sum(row.part == part for row in rows) for part in ("train", "val", "test")}
    words = ", ".join(f"{count:,} in {part}" for part, count in counts.items() if count)
    notice = f"Reviewed frames join the part that their dive is in, else the training: {words}."
    return replace(
        parts,
        rows=(*parts.rows, *rows, *left_over),
        notices=(*parts.notices, notice) if rows else parts.notices,
    )


def _in_parts(split: Split, base: Dataset, *, fold: int | None, seed: int) -> Split:
    if split.is_folds and fold is not None:
        return parts_for_fold(split, fold, base, seed=seed)
    if split.is_folds:
        return split  # without --fold the training refuses it, in its own words
    return with_validation_part(split, base, seed=seed)
