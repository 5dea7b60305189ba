"""The competition's submission, from predictions that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.submission import write_submission_file


def write_submission_rows(rows: Iterable[Mapping[str, Any]], job: ExportJob, path: Path) -> None:
    """Write a row for each row, those of images that could not be read among them."""
    fallback = most_frequent_first(job.source.metadata["categories"])
    write_submission_file(rows, path, fallback)
