"""Label errors of a data set found and written: the page, the tables, the frames to review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from finding_nemo.core.files.atomic_files import prepare_output_folder, users_path
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.quality.file_check import NearPair
from finding_nemo.evaluation.label_errors.find_label_errors import LabelErrors, find_label_errors
from finding_nemo.evaluation.label_errors.label_error_files import (
    frames_to_review,
    write_label_json,
    write_label_table,
    write_review_file,
)
from finding_nemo.reporting.html.label_errors_page import write_label_errors_page
from finding_nemo.results.file_metadata import open_parquet
from finding_nemo.results.reading.embeddings import read_embeddings

PAGE, TABLE, JSON, REVIEW = (
    "label_errors.html",
    "label_errors.csv",
    "label_errors.json",
    "review.parquet",
)


@dataclass(frozen=True, kw_only=True)
class LabelOutputs:
    """Where label errors are written.

    Attributes:
        folder: The folder to make; `None` writes nothing.
        name: The data set's name for the heading.
        overwrite: Whether an earlier folder of this program may be replaced.
    """

    folder: Path | None
    name: str
    overwrite: bool = False


def inspect_labels(
    dataset: Dataset,
    predictions: Sequence[Path],
    outputs: LabelOutputs,
    *,
    near: Sequence[NearPair] = (),
    reporter: Reporter,
) -> LabelErrors:
    """Find the label errors of a data set, and write them where that is wanted.

    Args:
        dataset: With labels and dives.
        predictions: Of its images, with embeddings; an image stands in one of them.
        outputs: Where to write.
        near: Look-alike frames of different dives, from `check_files`.
        reporter: Told what happens, and progress.

    Raises:
        PredictionsError: If a file cannot be used, or holds no embeddings.
        DatasetError: If fewer than 20 annotated images have an embedding.
        OutputError: If the folder cannot be written.
    """
    reporter.activity("reading the embeddings")
    found = find_label_errors(dataset, read_embeddings(predictions), near=near, reporter=reporter)
    if outputs.folder is None:
        return found
    folder = prepare_output_folder(outputs.folder, overwrite=outputs.overwrite)
    review = ""
    if len({str(open_parquet(path).schema_arrow) for path in predictions}) == 1:
        write_review_file(predictions, frames_to_review(found), folder / REVIEW)
        review = f"finding-nemo review {users_path(folder / REVIEW)} --open"
    else:
        reason = "the predictions have different columns, so there is no file to review them"
        found = replace(found, notices=(*found.notices, reason))
    write_label_table(found, folder / TABLE)
    write_label_json(found, folder / JSON)
    with reporter.progress("opening images") as progress:
        write_label_errors_page(
            found, dataset, folder / PAGE, name=outputs.name, review=review, progress=progress
        )
    return found
