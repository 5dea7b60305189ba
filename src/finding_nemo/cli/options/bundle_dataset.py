"""What a bundle was trained on, found again from its own records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset, Split
    from finding_nemo.models.bundle.bundle import Bundle


def read_dataset_of(
    bundle: Bundle,
    *,
    dataset: Path | None = None,
    images: Path | None = None,
    dive_pattern: str | None = None,
) -> Dataset:
    """Return the data set at `dataset`, else the one that the bundle names, read as it was."""
    from finding_nemo.data.dataset import read_dataset

    recorded = bundle.manifest.provenance
    pattern = recorded.get("dive_pattern")
    known = dataset or _dataset_of(bundle)
    folder = images or (None if dataset else _folder_of(bundle, "images", "--images"))
    pattern = dive_pattern or (pattern if isinstance(pattern, str) else None)
    if "reviews" not in recorded:
        return read_dataset(known, images=folder, dive_pattern=pattern)
    return _with_reviews(bundle, known, folder, pattern)


def _with_reviews(
    bundle: Bundle, known: Path, images: Path | None, dive_pattern: str | None
) -> Dataset:
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.workflows.reviews.reviewed_dataset import add_reviews

    reviews = _recorded(bundle, "reviews")
    if reviews is None:
        raise typer.BadParameter(
            "the reviews that the bundle was trained on are not there "
            f"({bundle.manifest.provenance['reviews']!r}, from {bundle.path.parent}): put the file "
            "back."
        )
    folder = _folder_of(bundle, "review_images", "the folder back")
    if known.samefile(reviews):
        return add_reviews(None, reviews, images=folder)
    base = read_dataset(known, images=images, dive_pattern=dive_pattern)
    return add_reviews(base, reviews, images=folder)


def _dataset_of(bundle: Bundle) -> Path:
    from finding_nemo.core.text.printable import printable

    found = _recorded(bundle, "dataset")
    if found is None:
        known = printable(str(bundle.manifest.provenance.get("dataset", "not recorded")))
        raise typer.BadParameter(
            f"the bundle's data set is not there ({known}, from {bundle.path.parent}): give "
            "--dataset, whose frames are needed to measure on."
        )
    if found.is_dir() and not _is_dataset(found):
        raise typer.BadParameter(
            f"the bundle says that its data set is in {found}, but not in which file: give "
            "--dataset with the COCO or CSV file that it was trained on."
        )
    return found


def _is_dataset(folder: Path) -> bool:
    from finding_nemo.data.datasets.dataset_forms import form_of

    return form_of(folder) is not None


def _folder_of(bundle: Bundle, key: str, give: str) -> Path | None:
    if key not in bundle.manifest.provenance:
        return None
    found = _recorded(bundle, key)
    if found is None:
        raise typer.BadParameter(
            "the image folder that the bundle was trained with is not there "
            f"({bundle.manifest.provenance[key]!r}, from {bundle.path.parent}): give {give}."
        )
    return found


def _recorded(bundle: Bundle, key: str) -> Path | None:
    from finding_nemo.core.provenance import find_recorded

    known = bundle.manifest.provenance.get(key)
    return find_recorded(known, bundle.path.parent) if isinstance(known, str) else None


def split_of(bundle: Bundle, path: Path | None) -> Split:
    """Return the split at `path`, else the one beside the bundle."""
    from finding_nemo.data.splits.split_csv import read_split

    beside = bundle.path.parent / "split.csv"
    if path is None and not beside.is_file():
        raise typer.BadParameter(
            f"{beside} is not there: give --split, so that no trained frame is measured on."
        )
    return read_split(path or beside)
