"""From a predictions file to the files of another form: the door of this folder."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.files.atomic_files import (
    OUTPUT_MARKER,
    atomic_write,
    new_output_folder,
    raise_output_error,
    refuse_existing,
)
from finding_nemo.core.names.registries import find_entry, load
from finding_nemo.core.provenance import now_utc
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.plurals import in_number
from finding_nemo.exporting.about_dataset import read_about
from finding_nemo.exporting.export_frame import ExportCategory, ExportFrame, ExportSource
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.export_kinds import EXPORT_KINDS, ExportKind
from finding_nemo.exporting.positions.frame_positions import PositionSources
from finding_nemo.exporting.read_export_frames import (
    FrameCounts,
    FrameSelection,
    PredictionRows,
    export_frames,
)
from finding_nemo.exporting.review_labels import NO_REVIEWS, ReviewLabels, read_review_labels
from finding_nemo.exporting.taxon_names import NameLookup, TaxonNames, groups_of
from finding_nemo.results.submission import N_CATEGORIES
from finding_nemo.uncertainty.answers import CONFIDENCES, SURE

_ZIP = ".zip"


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What to hand on, and how.

    Attributes:
        kind: A name of `EXPORT_KINDS`.
        words: How sure an answer must be.
        also_named: Whether the other categories named at the wanted precision are labels, too.
        reviews: The file of reviews, if there is one.
        about: What people say of the data set (TOML), if anything.
        positions: What may say where frames were filmed.
        dataset: Where dive and time are known.
        dive_pattern: Regular expression with a group named dive, for the paths.
        lookup: What knows names; without one they stand as they are.
        frame_boxes: Whether forms without labels of whole frames get boxes of that size.
        verify: Whether the file's rows are checked against their hash.
        overwrite: Whether what is there may be replaced.
    """

    kind: str
    words: frozenset[str] = frozenset({SURE})
    also_named: bool = False
    reviews: Path | None = None
    about: Path | None = None
    positions: PositionSources = field(default_factory=PositionSources)
    dataset: Dataset | None = None
    dive_pattern: str | None = None
    lookup: NameLookup | None = None
    frame_boxes: bool = False
    verify: bool = True
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class ExportSummary:
    """What was handed on.

    Attributes:
        counts: What became of the rows.
        notices: What a person should know, in sentences.
    """

    counts: FrameCounts
    notices: tuple[str, ...]

    def in_words(self) -> str:
        """Return how much was handed on."""
        counts = self.counts
        if counts.n_names:
            return _rows_in_words(counts)
        n_machine, n_person = counts.n_labels["machine"], counts.n_labels["person"]
        return (
            f"{in_number(counts.n_rows - counts.n_failed, 'frame')}, "
            f"{in_number(n_machine, 'label')} of the model, {n_person:,} of people"
        )


def _rows_in_words(counts: FrameCounts) -> str:
    fewest, most = min(counts.n_names), max(counts.n_names)
    names = in_number(most, "name") if fewest == most else f"{fewest} to {in_number(most, 'name')}"
    text = f"{in_number(counts.n_rows, 'row')} of {names} each"
    if not counts.n_failed:
        return text
    all_or_some = "all" if counts.n_failed == counts.n_rows else f"{counts.n_failed:,}"
    return (
        f"{text}; {all_or_some} for images that could not be read, with the names that training "
        "saw most"
    )


def parse_words(text: str) -> frozenset[str]:
    """Return the words of "sure,likely".

    Raises:
        SettingsError: If one is none of those that answers have.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in CONFIDENCES:
            raise SettingsError(
                f"{word!r} is no word of an answer; they are {', '.join(CONFIDENCES)}. Write "
                "--words sure or --words sure,likely."
            )
    if not words:
        raise SettingsError("No word is given. Write --words sure or --words sure,likely.")
    return frozenset(words)


def check_export_name(path: Path, kind: ExportKind) -> None:
    """Check that a name does not promise another form than the one that is written.

    Raises:
        SettingsError: If it does.
    """
    suffix = path.suffix.lower()
    if kind.suffix and suffix != kind.suffix:
        raise SettingsError(f"{kind.name} is one {kind.suffix} file; end {path.name!r} in that.")
    if not kind.suffix and suffix in (".json", ".csv", ".xml", ".parquet", ".txt"):
        raise SettingsError(
            f"{kind.name} is a folder of files, and {path.name!r} is the name of one file. Name a "
            f"folder, or {path.stem}.zip to have it packed."
        )


def write_export(
    predictions: Path, out: Path, request: ExportRequest, *, reporter: Reporter | None = None
) -> ExportSummary:
    """Write predictions in another form, whole or not at all.

    Args:
        predictions: A Parquet file with answers.
        out: The file, the folder, or the .zip of the folder.
        request: What is wanted.
        reporter: Told how far it is.

    Raises:
        PredictionsError: If the predictions cannot be used.
        ReviewsError: If the reviews cannot be used.
        SettingsError: If kind, name or the file of `about` cannot be used.
        OutputError: If `out` cannot be written.
    """
    reporter = reporter or Reporter()
    kind = find_entry(EXPORT_KINDS, request.kind, kind="kind")
    check_export_name(out, kind)
    refuse_existing(out, overwrite=request.overwrite)
    reporter.activity("reading the predictions")
    rows = PredictionRows(predictions, images=request.positions.images, verify=request.verify)
    table = _categories_of(rows)
    reviews = NO_REVIEWS if request.reviews is None else read_review_labels(request.reviews, table)
    source = _source_of(rows, table, reviews, request)
    job = ExportJob(
        source=source,
        names=TaxonNames(request.lookup, groups=groups_of(source.categories)),
        frame_boxes=request.frame_boxes,
        images=request.positions.images,
    )
    selection = FrameSelection(
        words=request.words,
        also_named=request.also_named,
        reviews=reviews,
        positions=request.positions,
        dataset=request.dataset,
        dive_pattern=request.dive_pattern,
        verify=request.verify,
    )
    counts = FrameCounts()
    n_rows = int(rows.metadata.get("n_images") or 0)
    frames = _watched(export_frames(rows, selection, counts), counts, n_rows, reporter)
    taken = _counted(rows, counts, len(table)) if kind.takes_rows else frames
    _write(taken, job, kind, out, overwrite=request.overwrite)
    if kind.takes_rows:
        return ExportSummary(counts=counts, notices=job.notices())
    notices = (*_file_notices(request, reviews), *_count_notices(counts, reviews), *job.notices())
    return ExportSummary(counts=counts, notices=notices)


def _watched(
    frames: Iterable[ExportFrame], counts: FrameCounts, n_rows: int, reporter: Reporter
) -> Iterable[ExportFrame]:
    with reporter.progress("handing on") as tell:
        for frame in frames:
            yield frame
            if counts.n_rows % 1000 == 0:
                tell(counts.n_rows, max(n_rows, counts.n_rows), counts.n_failed)


def _counted(
    rows: PredictionRows, counts: FrameCounts, n_categories: int
) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        counts.n_rows += 1
        counts.n_names[min(len(row["categories"] or ()) or n_categories, N_CATEGORIES)] += 1
        counts.n_failed += row["failure"] is not None
        yield row


def _categories_of(rows: PredictionRows) -> CategoryTable:
    if not rows.metadata.get("categories"):
        raise PredictionsError(
            f"{rows.path} does not hold the table of its categories, so its names mean nothing "
            "elsewhere. Predict again, or copy the file whole, with its metadata."
        )
    return CategoryTable(
        tuple(
            Category(
                int(entry["category_id"]),
                str(entry.get("name", f"category {entry['category_id']}")),
                str(entry.get("supercategory", "none")),
            )
            for entry in rows.metadata.get("categories", ())
        )
    )


def _source_of(
    rows: PredictionRows, table: CategoryTable, reviews: ReviewLabels, request: ExportRequest
) -> ExportSource:
    metadata = rows.metadata
    of_table = tuple(
        ExportCategory(
            category_id=each.category_id,
            name=each.name,
            supercategory="" if each.supercategory == "none" else each.supercategory,
        )
        for each in table.categories
    )
    return ExportSource(
        name=rows.path.stem,
        categories=(*of_table, *reviews.new_categories),
        recipe=str(metadata.get("recipe") or ""),
        bundle_hash=str(metadata.get("bundle_hash") or ""),
        version=str(metadata.get("version") or ""),
        predicted=str(metadata.get("ended") or ""),
        exported=now_utc(),
        about=read_about(request.about),
        metadata=metadata,
    )


def _write(
    frames: Iterable[object], job: ExportJob, kind: ExportKind, out: Path, *, overwrite: bool
) -> None:
    writer = load(kind.writer)
    if kind.suffix:
        with raise_output_error(out):
            out.parent.mkdir(parents=True, exist_ok=True)
        writer(frames, job, out)
    elif out.suffix.lower() == _ZIP:
        with tempfile.TemporaryDirectory() as name:
            writer(frames, job, Path(name))
            with atomic_write(out) as partial:
                _pack(Path(name), partial)
    else:
        with new_output_folder(out, overwrite=overwrite) as folder:
            writer(frames, job, folder)


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.name != OUTPUT_MARKER:
                archive.write(file, os.path.relpath(file, folder))


def _file_notices(request: ExportRequest, reviews: ReviewLabels) -> tuple[str, ...]:
    of_files = [notice for file in request.positions.files for notice in file.notices]
    return (*of_files, *reviews.notices)


def _count_notices(counts: FrameCounts, reviews: ReviewLabels) -> tuple[str, ...]:
    found = []
    if counts.n_failed:
        found.append(f"{counts.n_failed:,} images could not be read and are left out.")
    if counts.n_not_sure:
        found.append(f"{counts.n_not_sure:,} answers are not sure enough and are left out.")
    if counts.n_contradicted:
        found.append(
            f"{counts.n_contradicted:,} answers were contradicted by a person and are left out."
        )
    unused = len(reviews.frames) - counts.n_matched_reviews
    if unused:
        found.append(
            f"{unused:,} reviewed frames are not among those handed on; they are left out."
        )
    n_frames = counts.n_rows - counts.n_failed
    for what, count in sorted(counts.n_without.items()):
        found.append(f"{count:,} of {n_frames:,} frames have no known {what}.")
    return tuple(found)
