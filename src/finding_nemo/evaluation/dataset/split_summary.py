"""What a split holds, and how much it leaks."""

from __future__ import annotations

from dataclasses import dataclass

from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.metrics.baselines import frame_key
from finding_nemo.metrics.leakage import Leakage, measure_leakage


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One part of a split.

    Attributes:
        name: The part.
        n_images: Its images.
        n_dives: Its dives, 0 where none is known.
        n_categories: Categories that occur in it.
        n_untrained: Of those, how many its training part does not hold.
        leakage: How near training frames are; `None` for the training part.
    """

    name: str
    n_images: int
    n_dives: int
    n_categories: int
    n_untrained: int
    leakage: Leakage | None


def summarise_split(split: Split, dataset: Dataset) -> tuple[PartSummary, ...]:
    """Return one summary a part, in order of name."""
    return tuple(_summary(split, dataset, name) for name in split.parts)


def _summary(split: Split, dataset: Dataset, name: str) -> PartSummary:
    records = _records(dataset, split.ids_in(name))
    training = [] if name == "train" else _records(dataset, split.training_ids_for(name))
    held, trained = _categories(records), _categories(training)
    leakage = None
    if training:
        leakage = measure_leakage(
            [frame_key(record) for record in training], [frame_key(record) for record in records]
        )
    return PartSummary(
        name=name,
        n_images=len(records),
        n_dives=len({record.dive for record in records if record.dive}),
        n_categories=len(held),
        n_untrained=len(held - trained) if training else 0,
        leakage=leakage,
    )


def _records(dataset: Dataset, ids: tuple[str, ...]) -> list[ImageRecord]:
    return [dataset.by_id[image_id] for image_id in ids if image_id in dataset.by_id]


def _categories(records: list[ImageRecord]) -> set[int]:
    return {number for record in records for number in record.category_ids or ()}
