"""What a bundle was trained on, found again from its own records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset, Split
    from finding_nemo.models.bundle import Bundle


def read_dataset_of(
    bundle: Bundle,
    *,
    dataset: Path | None = None,
    images: Path | None = None,
    dive_pattern: str | None = None,
) -> Dataset:
    """Return the data set at `dataset`, else the one that the bundle names."""
    from finding_nemo.data.dataset import read_dataset

    return read_dataset(
        dataset or _dataset_of(bundle),
        images=images or _images_of(bundle),
        dive_pattern=dive_pattern,
    )


def _dataset_of(bundle: Bundle) -> Path:
    known = bundle.manifest.provenance.get("dataset")
    if not isinstance(known, str) or not Path(known).exists():
        raise typer.BadParameter(
            f"the bundle's data set is not there ({known or 'not recorded'}): give --dataset, "
            "whose frames are needed to measure on."
        )
    return Path(known)


def _images_of(bundle: Bundle) -> Path | None:
    known = bundle.manifest.provenance.get("images")
    return Path(known) if isinstance(known, str) else None


def split_of(bundle: Bundle, path: Path | None) -> Split:
    """Return the split at `path`, else the one beside the bundle."""
    from finding_nemo.data.splits.file import read_split

    beside = bundle.path.parent / "split.csv"
    if path is None and not beside.is_file():
        raise typer.BadParameter(
            f"{beside} is not there: give --split, so that no trained frame is measured on."
        )
    return read_split(path or beside)
