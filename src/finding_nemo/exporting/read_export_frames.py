"""Predictions, a few rows at a time, as frames to hand on."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.datasets.fields.record_fields import record_of_path
from finding_nemo.data.filesystems.name_text import name_of_text
from finding_nemo.exporting.export_frame import ExportFrame, ExportLabel
from finding_nemo.exporting.positions.frame_positions import PositionSources
from finding_nemo.exporting.positions.navigation_file import names_of_file
from finding_nemo.exporting.review_labels import NO_REVIEWS, ReviewLabels, as_persons, joined_labels
from finding_nemo.results.content_hash import ContentHash
from finding_nemo.results.file_metadata import (
    BROKEN_PARQUET,
    metadata_of,
    open_parquet,
    refuse_other_rows,
    unreadable,
)
from finding_nemo.uncertainty.answers import SURE

# 100,000 rows of 290 categories are never in memory together.
_ROWS_AT_A_TIME = 2048
_NEEDED = ("image_id", "path", "failure", "categories", "answer", "confidence")
_USED = (
    *_NEEDED,
    *("width", "height", "time_s", "dive", "captured", "novelty", "probabilities", "present"),
    *("answer_level", "answer_probability", "method"),
)
_REVIEWED = "reviewed"


@dataclass(frozen=True, kw_only=True)
class FrameSelection:
    """What is handed on of the rows, and what else is known of them.

    Attributes:
        words: How sure an answer must be, such as {"sure"}.
        also_named: Whether the other categories that the row names at the wanted precision are
            labels, too.
        reviews: What people values.
        positions: What may say where frames were filmed.
        dataset: Where dive and time are known.
        dive_pattern: Regular expression with a group named dive, for the paths.
        verify: Whether a file's rows are checked against their hash, at the end.
    """

    words: frozenset[str] = frozenset({SURE})
    also_named: bool = False
    reviews: ReviewLabels = NO_REVIEWS
    positions: PositionSources = field(default_factory=PositionSources)
    dataset: Dataset | None = None
    dive_pattern: str | None = None
    verify: bool = True


@dataclass
class FrameCounts:
    """What became of the rows.

    Attributes:
        n_rows: Read.
        n_failed: Of images that could not be read; they are left out.
        n_labels: Handed on, by "machine" and "person".
        n_not_sure: Answers whose word was not asked for.
        n_contradicted: Answers that a person contradicts.
        n_reviewed: Frames that a person looked at.
        n_matched_reviews: Of those, the ones that stand in the file of reviews.
        n_without: Frames that lack "time", "time of day", "position", "depth" or "dive".
        n_names: Rows by how many names each holds, in a form that takes every row.
    """

    n_rows: int = 0
    n_failed: int = 0
    n_not_sure: int = 0
    n_contradicted: int = 0
    n_reviewed: int = 0
    n_matched_reviews: int = 0
    n_labels: Counter[str] = field(default_factory=Counter)
    n_without: Counter[str] = field(default_factory=Counter)
    n_names: Counter[int] = field(default_factory=Counter)


class PredictionRows:
    """The rows of a predictions file, read as often as they are asked for.

    Attributes:
        path: The file.
        metadata: What it tells of itself.
        root: The folder that all files share, with "/" behind it, or "".
        shared_names: Names that files of several folders have.
    """

    def __init__(self, path: Path, *, images: Path | None = None, verify: bool = True) -> None:
        """Read the file's own words, and the folder that its files share.

        Args:
            path: The file.
            images: A folder; where all files are below it, it is their root.
            verify: Whether pages, metadata and rows are checked against their hashes.

        Raises:
            PredictionsError: If it is no Parquet file with answers, is damaged, or names an image
                twice.
        """
        if not os.path.exists(path):
            raise PredictionsError(f"The predictions file {path} does not exist.")
        if path.suffix.lower() not in ("", ".parquet"):
            raise PredictionsError(
                f"convert reads Parquet predictions, and {path.name} ends in {path.suffix!r}. "
                "Predict into a .parquet file."
            )
        self.path, self._verify = path, verify
        file = open_parquet(path, verify=verify)
        self.metadata = metadata_of(file, path, verify=verify)
        self._schema = file.schema_arrow
        lacking = [name for name in _NEEDED if name not in self._schema.names]
        if lacking:
            raise PredictionsError(
                f"{path} holds no answers to hand on ({', '.join(lacking)} is missing): an earlier "
                "version made it. Predict again."
            )
        self.root, self.shared_names = self._files()
        wanted = "" if images is None else f"{posix_path(str(images)).rstrip('/')}/"
        if wanted and self.root.startswith(wanted):
            self.root = wanted

    def _files(self) -> tuple[str, frozenset[str]]:
        """Return the folder that all files share, and the names that several folders have."""
        names, roots = set[str](), None
        folder_of, shared = dict[str, str](), set[str]()
        for batch in self._batches(("image_id", "path")):
            columns = batch.to_pydict()
            for image_id in columns["image_id"]:
                if image_id in names:
                    raise PredictionsError(f"{self.path} names an image twice ({image_id!r}).")
                names.add(image_id)
            for path in columns["path"]:
                *folders, name = posix_path(path).split("/")
                roots = folders if roots is None else _shared(roots, folders)
                folder = "/".join(folders)
                if folder_of.setdefault(name, folder) != folder:
                    shared.add(name)
        return "".join(f"{folder}/" for folder in roots or []), frozenset(shared)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each row; the hash of all is checked after the last.

        Raises:
            PredictionsError: If the file is damaged.
        """
        used = [name for name in _USED if name in self._schema.names]
        digest = ContentHash(self._schema)
        checks = self._verify and "content_sha256" in self.metadata
        for batch in self._batches(None if checks else used):
            if checks:
                digest.add(pa.Table.from_batches([batch]))
            yield from batch.select(used).to_pylist()
        if checks:
            refuse_other_rows(self.path, self.metadata, digest.hexdigest())

    def _batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        try:
            file = open_parquet(self.path, verify=self._verify)
            kept = None if columns is None else list(columns)
            yield from file.iter_batches(_ROWS_AT_A_TIME, columns=kept)
        except PredictionsError:
            raise
        except BROKEN_PARQUET as error:
            raise unreadable(self.path, error) from None


def posix_path(path: str) -> str:
    """Return a path of Windows with "/"; others as they are."""
    return path.replace("\\", "/") if ":\\" in path[:3] or path.startswith("\\\\") else path


def _shared(first: Sequence[str], second: Sequence[str]) -> list[str]:
    shared = []
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        shared.append(left)
    return shared


def export_frames(
    rows: PredictionRows, selection: FrameSelection, counts: FrameCounts
) -> Iterator[ExportFrame]:
    """Yield the frames of a predictions file that could be read, in its order.

    Args:
        rows: The file.
        selection: What is wanted of it.
        counts: Filled on the way.
    """
    entries = rows.metadata.get("categories", ())
    tables = _Tables(
        names={int(entry["category_id"]): str(entry.get("name", "")) for entry in entries},
        groups={str(entry.get("name", "")): _group(entry) for entry in entries},
        ids={str(entry.get("name", "")): int(entry["category_id"]) for entry in entries},
    )
    by_id = {} if selection.dataset is None else selection.dataset.by_id
    for row in rows:
        counts.n_rows += 1
        if row["failure"] is not None:
            counts.n_failed += 1
            continue
        frame = _frame(row, rows, selection, tables, by_id.get(row["image_id"]), counts)
        _count(frame, counts)
        yield frame


@dataclass(frozen=True)
class _Tables:
    names: Mapping[int, str]
    groups: Mapping[str, str]
    ids: Mapping[str, int]


def _group(entry: Mapping[str, Any]) -> str:
    group = str(entry.get("supercategory") or "")
    return "" if group == "none" else group


def _frame(
    row: Mapping[str, Any],
    rows: PredictionRows,
    selection: FrameSelection,
    tables: _Tables,
    record: ImageRecord | None,
    counts: FrameCounts,
) -> ExportFrame:
    path = posix_path(row["path"])
    file_name = path[len(rows.root) :] or row["image_id"]
    known_as = names_of_file(
        path, file_name, is_name_shared=path.rpartition("/")[2] in rows.shared_names
    )
    captured, dive = row.get("captured"), row.get("dive")
    if record is not None:
        captured, dive = record.captured or captured, record.dive or dive
    dive = _dive(row, dive, selection.dive_pattern)
    position, captured = selection.positions.place(row["path"], known_as, captured)
    machine, n_left_out = machine_labels(row, selection, tables)
    counts.n_not_sure += n_left_out
    reviewed = selection.reviews.frames.get(row["image_id"])
    labels, n_contradicted = joined_labels(machine, reviewed)
    counts.n_contradicted += n_contradicted
    counts.n_matched_reviews += reviewed is not None
    time_s = _finite(row.get("time_s"))
    return ExportFrame(
        image_id=row["image_id"],
        path=row["path"],
        # Frames of one video are told apart as addresses of media do it.
        file_name=file_name if time_s is None else f"{file_name}#t={time_s:.3f}",
        dive=dive,
        captured=captured,
        time_s=time_s,
        width=max(0, row.get("width") or 0),
        height=max(0, row.get("height") or 0),
        position=position,
        labels=labels,
        is_reviewed=reviewed is not None or row.get("method") == _REVIEWED,
    )


def _dive(row: Mapping[str, Any], dive: str | None, pattern: str | None) -> str:
    if dive and pattern is None:
        return dive
    of_path = record_of_path(Path(name_of_text(row["path"])), pattern).dive
    return (of_path or dive or "") if pattern is not None else (dive or of_path or "")


def machine_labels(
    row: Mapping[str, Any], selection: FrameSelection, tables: _Tables
) -> tuple[list[ExportLabel], int]:
    """Return the labels of one row, and how many answers were not sure enough."""
    method, answer = row.get("method") or "", row["answer"] or ""
    named = [tables.names.get(number, "") for number in row.get("present") or ()]
    if method == _REVIEWED:
        seen = dict.fromkeys(name for name in (answer, *named) if name)
        return [as_persons(_category(name, tables, method=method)) for name in seen], 0
    labels = []
    word = row["confidence"] or ""
    is_wanted = bool(answer) and word in selection.words
    probabilities = _probabilities(row, tables)
    if is_wanted:
        is_group = row.get("answer_level") not in (None, "category")
        probability = _finite(row.get("answer_probability"))
        if is_group:
            labels.append(
                ExportLabel(
                    name=answer, is_group=True, probability=probability, word=word, method=method
                )
            )
        else:
            labels.append(
                _category(answer, tables, probability=probability, word=word, method=method)
            )
    if selection.also_named:
        labels += [
            _category(name, tables, probability=probabilities.get(name), method=method)
            for name in named
            if name and all(name != label.name for label in labels)
        ]
    return labels, int(bool(answer) and not is_wanted)


def _category(
    name: str,
    tables: _Tables,
    *,
    probability: float | None = None,
    word: str = "",
    method: str = "",
) -> ExportLabel:
    return ExportLabel(
        name=name,
        supercategory=tables.groups.get(name, ""),
        category_id=tables.ids.get(name),
        probability=probability,
        word=word,
        method=method,
    )


def _probabilities(row: Mapping[str, Any], tables: _Tables) -> dict[str, float | None]:
    pairs = zip(row["categories"] or (), row.get("probabilities") or (), strict=False)
    return {tables.names.get(number, ""): _finite(value) for number, value in pairs}


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _count(frame: ExportFrame, counts: FrameCounts) -> None:
    counts.n_labels.update(label.means for label in frame.labels)
    counts.n_reviewed += frame.is_reviewed
    lacking = {
        "time": frame.captured is None,
        "time of day": frame.captured is not None and not frame.has_time_of_day,
        "position": not frame.position.is_on_map,
        "depth": frame.position.depth_m is None,
        "dive": not frame.dive,
    }
    counts.n_without.update(what for what, is_lacking in lacking.items() if is_lacking)
