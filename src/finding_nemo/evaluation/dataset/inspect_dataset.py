"""All that can be said of a data set before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass

from finding_nemo.core.records import Dataset, Split
from finding_nemo.data.quality.file_check import FileCheck
from finding_nemo.data.splits.split_csv import check_split
from finding_nemo.evaluation.dataset.baseline_protocols import Protocol, compare_protocols
from finding_nemo.evaluation.dataset.dataset_statistics import Exploration, explore
from finding_nemo.evaluation.dataset.split_summary import PartSummary, summarise_split

# Five 80/20 splits of fewer images say nothing.
_LEAST_IMAGES = 20
WHY_NO_PROTOCOLS = (
    f"Fewer than {_LEAST_IMAGES} images hold a category: what baselines score on splits of them "
    "would say nothing."
)


@dataclass(frozen=True)
class Inspection:
    """A data set looked through.

    Attributes:
        dataset: The data set.
        exploration: Its counts.
        protocols: The baselines that open no image; empty for tiny data sets.
        parts: Of a split, if one was given.
        check: What opening the files showed, if they were opened.
        notices: What a reader should know.
    """

    dataset: Dataset
    exploration: Exploration
    protocols: tuple[Protocol, ...]
    parts: tuple[PartSummary, ...]
    check: FileCheck | None
    notices: tuple[str, ...]


def inspect_dataset(
    dataset: Dataset, *, split: Split | None = None, check: FileCheck | None = None
) -> Inspection:
    """Look through a data set.

    Args:
        dataset: The data set.
        split: A split whose parts and leakage are wanted.
        check: From `check_files`, if the images were opened.

    Raises:
        SplitError: If the split names images that the data set does not have.
    """
    enough = sum(bool(record.category_ids) for record in dataset.records) >= _LEAST_IMAGES
    return Inspection(
        dataset=dataset,
        exploration=explore(dataset),
        protocols=compare_protocols(dataset) if enough else (),
        parts=summarise_split(split, dataset) if split else (),
        check=check,
        notices=check_split(split, dataset) if split else (),
    )
