"""Which file shows a judged image, and which of them a page may open."""

from __future__ import annotations

import os
from pathlib import Path

from finding_nemo.core.records import Dataset, ImageRecord


class Pictures:
    """Finds the file of a judged image.

    A predictions file may come from anybody and names any path; a page that showed it would carry
    whatever is there. So its paths are followed only into the data set's folder, with every link
    resolved. Where the data set has the file itself, that one is shown, wherever it is.
    """

    def __init__(self, dataset: Dataset) -> None:
        """Note the data set's folder."""
        self._folder = os.path.realpath(dataset.root)

    def path_of(self, record: ImageRecord, named: str) -> str:
        """Return the data set's file if it is there, else the path that predictions name."""
        return str(record.path) if os.path.isfile(record.path) else named

    def is_outside(self, record: ImageRecord, named: str) -> bool:
        """Return whether the image's only file lies outside the data set."""
        if os.path.isfile(record.path) or not os.path.isfile(named):
            return False
        return not Path(os.path.realpath(named)).is_relative_to(self._folder)
