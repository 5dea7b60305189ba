"""The split that a bundle was trained with, as predictions record it to be found again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import SplitError
from finding_nemo.core.provenance import find_recorded, path_from
from finding_nemo.core.records import Split
from finding_nemo.data.splits.split_csv import read_split, split_hash
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.results.file_metadata import TRAINING_SPLIT, recorded_training_split

_SPLIT = "split.csv"


def training_split_metadata(bundle: Bundle, folder: Path) -> dict[str, dict[str, str]]:
    """Return what predictions in `folder` record of the split that lies beside their bundle.

    Its path is recorded from that folder, so that both can be moved together. Nothing is recorded
    of a bundle that lies alone.
    """
    path = bundle.path.parent / _SPLIT
    if not path.is_file():
        return {}
    recorded = {"path": path_from(folder, path), "sha256": bundle.manifest.split.sha256}
    return {TRAINING_SPLIT: recorded}


def read_training_split(metadata: Mapping[str, Any], folder: Path) -> Split | None:
    """Return the split that the bundle of the predictions in `folder` was trained with.

    Args:
        metadata: Of the predictions.
        folder: Where they lie.

    Returns:
        The split; `None` where none is recorded, or what is there is another one by now.
    """
    recorded = recorded_training_split(metadata)
    if recorded is None:
        return None
    # A predictions file may come from anybody and name any file.
    path = find_recorded(recorded["path"], folder)
    if path is None or path.name != _SPLIT or not os.path.isfile(path):
        return None
    try:
        split = read_split(path)
    except SplitError:
        return None
    return split if split_hash(split) == recorded.get("sha256") else None
