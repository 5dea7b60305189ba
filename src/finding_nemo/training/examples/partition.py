"""Which images a training learns from and which choose its epoch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import DatasetError, SettingsError, SplitError
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.printable import printable
from finding_nemo.data.splits.kfold import parts_for_fold, with_validation_part
from finding_nemo.data.splits.split_csv import check_split, split_hash
from finding_nemo.data.splits.splitters.by_dive import split_by_dive
from finding_nemo.models.bundle.manifest import CategoryEvidence, PartCounts, SplitSummary


@dataclass(frozen=True)
class Partition:
    """A data set divided for one training.

    Attributes:
        dataset: The whole data set.
        split: With parts `train`, `val` and perhaps `test`.
        train: Records to learn from.
        val: Records that choose the epoch.
    """

    dataset: Dataset
    split: Split
    train: tuple[ImageRecord, ...]
    val: tuple[ImageRecord, ...]

    @property
    def train_truth(self) -> npt.NDArray[np.bool_]:
        """Truth of the training images, (images, categories)."""
        return self.dataset.truth(self.train)


def make_partition(
    dataset: Dataset, split: Split | None, *, fold: int | None, seed: int, reporter: Reporter
) -> Partition:
    """Return the parts of a training.

    Without a split one is made by dive. A validation part is set aside where the split has none.

    Raises:
        DatasetError: If a category cannot be kept in a bundle.
        SplitError: If the split does not fit the data set, folds come without `fold`, or
            nothing is left to train on.
    """
    _check_categories(dataset)
    if split is None:
        reporter.message("No split was given: dividing by dive into train, val and test.")
        split = split_by_dive(dataset, seed=seed)
    for notice in check_split(split, dataset):
        reporter.message(notice)
    split = _to_parts(split, fold, dataset, seed)
    for notice in split.notices:
        reporter.message(notice)
    by_id = dataset.by_id
    train = tuple(by_id[image_id] for image_id in split.training_ids_for("test"))
    val = tuple(by_id[image_id] for image_id in split.ids_in("val"))
    if not train:
        raise SplitError("The split's part 'train' is empty.")
    _tell_unseen(dataset, train, split, reporter)
    return Partition(dataset, split, train, val)


def _check_categories(dataset: Dataset) -> None:
    """Refuse before a training what its bundle could not say after it."""
    for category in dataset.categories.categories:
        try:
            CategoryEvidence.build(
                {**asdict(category), "n_images": 0, "n_dives": 0},
                source=f"category {printable(category.name)!r}, which no bundle can keep",
            )
        except SettingsError as error:
            raise DatasetError(str(error)) from None


def _to_parts(split: Split, fold: int | None, dataset: Dataset, seed: int) -> Split:
    if split.is_folds:
        if fold is None:
            raise SplitError(
                f"The split has folds ({', '.join(split.parts)}); name one with --fold."
            )
        return parts_for_fold(split, fold, dataset, seed=seed)
    if fold is not None:
        raise SplitError(f"--fold {fold} was given, but the split has {', '.join(split.parts)}.")
    return with_validation_part(split, dataset, seed=seed)


def _tell_unseen(
    dataset: Dataset, train: Sequence[ImageRecord], split: Split, reporter: Reporter
) -> None:
    trained = {number for record in train for number in record.category_ids or ()}
    evaluated = {
        number
        for row in split.rows
        if row.part != "train"
        for number in dataset.by_id[row.image_id].category_ids or ()
    }
    unseen = sorted(evaluated - trained)
    if unseen:
        names = [
            dataset.categories.categories[dataset.categories.column_of(n)].name for n in unseen
        ]
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        reporter.message(
            f"{len(unseen)} categories are judged but have no training image ({shown}): "
            "they can only be guessed by frequency."
        )


def category_evidence(partition: Partition) -> tuple[CategoryEvidence, ...]:
    """Return each category with how many training images and dives it rests on."""
    truth = partition.train_truth
    dives = np.array([record.dive_or_own for record in partition.train])
    return tuple(
        CategoryEvidence(
            category_id=category.category_id,
            name=category.name,
            supercategory=category.supercategory,
            n_images=int(truth[:, column].sum()),
            n_dives=len(np.unique(dives[truth[:, column]])),
        )
        for column, category in enumerate(partition.dataset.categories.categories)
    )


def summarize_split(split: Split, left_out: Collection[str] = ()) -> SplitSummary:
    """Return what the bundle says of its split, and of how much of it was used.

    Args:
        split: The split.
        left_out: The ids of images that could not be used.
    """
    parts = {}
    for part, n_images in split.parts.items():
        rows = [row for row in split.rows if row.part == part and row.image_id not in left_out]
        dives = {row.dive_or_own for row in rows}
        parts[part] = PartCounts(
            n_images=len(rows), n_dives=len(dives), n_left_out=n_images - len(rows)
        )
    return SplitSummary(kind=split.kind, seed=split.seed, parts=parts, sha256=split_hash(split))
