"""A test bed for novelty: named categories leave the training part whole."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import SettingsError, SplitError
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.data.splits.splitters.by_dive import assign_dives

# Below this share of images left to train on, what is measured is no longer novelty.
_LEAST_TRAINING_SHARE = 0.2


def split_by_novelty(
    dataset: Dataset,
    *,
    categories: Sequence[int | str],
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int = 0,
) -> Split:
    """Hold out every dive that shows one of `categories`; divide the other dives as usual.

    Frames that hold such a category are out of sample in the test part, the other frames of
    their dives are in sample on an unseen dive, as are those of the ordinary test dives. With
    `folds` the held-out dives form a part `novel` of their own beside the folds.

    Args:
        dataset: The data set.
        categories: Ids or names to hold out.
        fraction: Share of the other dives' images held out as `test`.
        val_fraction: Share of the other dives' images held out as `val`.
        folds: If given, that many folds of the other dives.
        seed: Decides between equally good assignments.

    Raises:
        SettingsError: If a category is unknown or none is named.
        SplitError: If no frame holds one, too little is left to train on, or dives are unknown.
    """
    held_out = _category_ids(categories, dataset.categories)
    holding = [r for r in dataset.annotated if held_out & set(r.category_ids or ())]
    novel_dives = {record.dive for record in holding}
    others = [record for record in dataset.annotated if record.dive not in novel_dives]
    _check_enough(dataset, held_out, novel_dives, others)
    part_of = assign_dives(
        others,
        dataset.categories,
        fraction=fraction,
        val_fraction=val_fraction,
        folds=folds,
        seed=seed,
    )
    novel_part = "test" if folds is None else "novel"
    return Split(
        rows=tuple(
            SplitRow(record.image_id, str(record.dive), part_of.get(str(record.dive), novel_part))
            for record in dataset.annotated
        ),
        kind="novel",
        seed=seed,
        notices=(_notice(len(holding), len(novel_dives), held_out),),
    )


def _notice(n_frames: int, n_dives: int, held_out: set[int]) -> str:
    numbers = ", ".join(str(number) for number in sorted(held_out))
    seen_on = f"{n_frames} frames on {n_dives} dives"
    return f"{seen_on} hold a category that training never sees ({numbers})."


def _check_enough(
    dataset: Dataset,
    held_out: set[int],
    novel_dives: set[str | None],
    others: Sequence[ImageRecord],
) -> None:
    if not novel_dives:
        raise SplitError(f"No annotated image holds any of the categories {sorted(held_out)}.")
    if len(others) < _LEAST_TRAINING_SHARE * len(dataset.annotated):
        raise SplitError(
            f"Categories {sorted(held_out)} are on {len(novel_dives)} dives with "
            f"{len(dataset.annotated) - len(others)} of {len(dataset.annotated)} images: "
            "too little is left to train on. Hold out rarer categories."
        )


def _category_ids(wanted: Sequence[int | str], table: CategoryTable) -> set[int]:
    by_name = {name.casefold(): number for name, number in zip(table.names, table.ids, strict=True)}
    found, unknown = set(), []
    for entry in wanted:
        text = str(entry).strip()
        number = int(text) if text.isdigit() else by_name.get(text.casefold())
        if number is None or number not in table.columns:
            unknown.append(text)
        else:
            found.add(number)
    if unknown or not found:
        raise SettingsError(
            f"--categories must name categories of the data set by id or name; unknown: "
            f"{', '.join(unknown) or '(none named)'}."
        )
    return found
