"""The competition's submission, from predictions that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.core.files.table_files import RowWriter
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.submission import submission_row


def write_submission_rows(rows: Iterable[Mapping[str, Any]], job: ExportJob, path: Path) -> None:
    """Write a row for each row, those of images that could not be read among them.

    Ids stand as they are, line breaks included: the competition looks for exactly them.
    """
    fallback = most_frequent_first(job.source.metadata["categories"])
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = RowWriter(file)
        writer.write(("id", "categories", "osd"))
        for row in rows:
            writer.write(submission_row(row, fallback))
