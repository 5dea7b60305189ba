"""The frames of a finished predictions file: small columns in memory, all else read on demand."""

from __future__ import annotations

import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.adaptation.files.adapted_answers import NO_CATEGORY
from finding_nemo.adaptation.files.fixed_lists import Moments, fixed_lists, standardized
from finding_nemo.adaptation.files.frame_places import place_frames
from finding_nemo.adaptation.files.predicted_frames import check_predictions
from finding_nemo.core.arrays import Bools, Float32s, Ints, Pixels
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.malloc import give_memory_back
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.results.file_metadata import BROKEN_PARQUET, metadata_of, open_parquet, unreadable
from finding_nemo.reviewing.frame_collection import (
    FrameColumns,
    FrameFile,
    FrameVectors,
    PlacesOptions,
)
from finding_nemo.reviewing.frame_files import FolderFiles, is_video

_VECTORS = ("vector", "embedding")
_LARGE = (*_VECTORS, "maps")
# Vectors of dives that are looked at now: two of 5,000 frames by 1,280 features.
_KEPT_BYTES = 32_000_000
_KEPT_TABLES = 4
NO_OPTIONS = PlacesOptions()
_START_AGAIN = "Put the file back, or start again with the one that you mean."

Result = TypeVar("Result")
Vectors = npt.NDArray[Any]  # float32 of probabilities, float16 of features


class FileCollection:
    """A Parquet predictions file as a collection of frames.

    A file of 100,000 frames with 1,280 features holds 600 MB of numbers; row groups of 2,048 are
    read as they are asked for, and those of the last dives are kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        images: Path | None = None,
        dataset: Dataset | None = None,
        options: PlacesOptions = NO_OPTIONS,
        reporter: Reporter | None = None,
    ) -> None:
        """Read the small columns, and look through the vectors once.

        Args:
            path: Parquet with the vector of probabilities, best with embeddings.
            images: The folder of the images; `None` takes the paths of the predictions.
            dataset: Where dive and time of each image are known, read from `options.data`.
            options: How the frames are placed.
            reporter: Shown the progress.

        Raises:
            PredictionsError: If it is missing, no Parquet file, damaged, of another schema version,
                or lacks what adaptation needs.
            SettingsError: If the pattern cannot be used.
            DatasetError: If there is no such folder of images.
        """
        self.path = path
        self._options = options
        self._files = FolderFiles(images)
        if path.suffix.lower() != ".parquet":
            raise PredictionsError(
                f"{path}: only Parquet holds what a review needs. Predict with --embeddings --out "
                "NAME.parquet."
            )
        if not path.exists():
            raise PredictionsError(f"The predictions file {path} does not exist.")
        self._file = open_parquet(path)
        self._metadata = metadata_of(self._file, path)
        check_predictions(path, self._file, self._metadata)
        self._sha256 = _content_of(path, self._metadata)
        self._names = self._file.schema_arrow.names
        if "vector" not in self._names:
            raise PredictionsError(
                f"{path} holds the best guesses only. Predict again without --no-vector."
            )
        self._ends = np.cumsum(
            [self._file.metadata.row_group(g).num_rows for g in range(self._file.num_row_groups)]
        )
        self._tables: OrderedDict[int, pa.Table] = OrderedDict()
        self._kept: OrderedDict[tuple[int, str, int, int], tuple[Ints, Vectors]] = OrderedDict()
        self._read_all(dataset, reporter or Reporter())

    def _read_all(self, dataset: Dataset | None, reporter: Reporter) -> None:
        small = self._guarded(self._read_small)
        usable = self._guarded(lambda: self._look_through(reporter))
        dives = _list(small, "dive")
        times = _list(small, "time_s")
        places = place_frames(
            small["image_id"],
            small["path"],
            times,
            dives=dives,
            dataset=dataset,
            dive_pattern=self._options.dive_pattern,
        )
        failures = [None if text is None else sys.intern(text) for text in small["failure"]]
        answers = small["answer"] if "answer" in small else small["_first_name"]
        chances = small["answer_probability" if "answer" in small else "_first_probability"]
        self._columns = FrameColumns(
            image_ids=small["image_id"],
            paths=small["path"],
            failures=failures,
            usable=usable & np.array([failure is None for failure in failures], dtype=np.bool_),
            unusual=_floats(_list(small, "unusualness")),
            answers=[None if text is None else sys.intern(text) for text in answers],
            confidences=[c and sys.intern(c) for c in _list(small, "confidence")],
            probabilities=_floats(chances),
            first_ids=small["_first_id"],
            places=places,
        )
        self._notices = [*self._own_notices(), *places.notices]
        del small
        pa.default_memory_pool().release_unused()
        give_memory_back()

    def _own_notices(self) -> Iterator[str]:
        if not self.has_features:
            yield (
                "the predictions hold no embeddings: reviews are carried over by clip and time "
                "alone. Predict with --embeddings for more."
            )
        failed = int((~self._columns.usable).sum())
        if failed:
            yield f"frames that failed or lack what is needed, and so cannot be reviewed: {failed}."

    @property
    def columns(self) -> FrameColumns:
        """What is in memory."""
        return self._columns

    @property
    def categories(self) -> Sequence[Mapping[str, Any]]:
        """The category table with its evidence, JSON-ready, in column order."""
        found: Sequence[Mapping[str, Any]] = self._metadata["categories"]
        return found

    @property
    def metadata(self) -> Mapping[str, Any]:
        """All that the predictions say of themselves."""
        return self._metadata

    @property
    def notices(self) -> Sequence[str]:
        """What a reader should know, in sentences."""
        return tuple(self._notices)

    @property
    def has_features(self) -> bool:
        """Whether frames have embeddings."""
        return self._spread is not None

    @property
    def content_sha256(self) -> str:
        """Hash of what the rows said when the file was opened, or of it where it does not tell."""
        return self._sha256

    def vectors(self, rows: Ints, *, with_features: bool = True) -> Iterator[FrameVectors]:
        """Yield frames row group by row group.

        Raises:
            PredictionsError: If the file was damaged since it was opened.
        """
        groups = np.searchsorted(self._ends, rows, side="right")
        for group in np.unique(groups).tolist():
            own = rows[groups == group]
            base = self._part(group, "vector", rows, own)
            features = None
            if with_features and self.has_features:
                features = self._part(group, "embedding", rows, own)
            yield FrameVectors(own, base, features)

    def values(self, row: int) -> Mapping[str, Any]:
        """Return all other columns of one frame by name.

        Raises:
            PredictionsError: If the file was damaged since it was opened.
        """
        group, start = self._group_of(row)
        if group not in self._tables:
            names = [name for name in self._names if name not in _LARGE]
            self._tables[group] = self._guarded(
                lambda: self._file.read_row_group(group, columns=names)
            )
            while len(self._tables) > _KEPT_TABLES:
                self._tables.popitem(last=False)
        self._tables.move_to_end(group)
        found: Mapping[str, Any] = self._tables[group].slice(row - start, 1).to_pylist()[0]
        return found

    def maps(self, row: int) -> Pixels | None:
        """Return the maps of a frame's best guesses; `None` where the file holds none."""
        about = self._metadata.get("maps")
        if "maps" not in self._names or not isinstance(about, Mapping):
            return None
        group, start = self._group_of(row)
        column = self._guarded(lambda: self._file.read_row_group(group, columns=["maps"]))
        values = column.column("maps")[row - start].as_py()
        n_rows, n_columns = int(about.get("rows", 0)), int(about.get("columns", 0))
        if not values or n_rows < 1 or n_columns < 1 or len(values) % (n_rows * n_columns):
            return None
        return np.array(values, dtype=np.uint8).reshape(-1, n_rows, n_columns)

    @property
    def places_options(self) -> PlacesOptions:
        """How the frames were placed."""
        return self._options

    def image_of(self, row: int) -> FrameFile | None:
        """Return where the image of a frame is, `None` where it is not found."""
        columns = self._columns
        time_s = None
        if is_video(columns.paths[row]):
            time_s = self.values(row).get("time_s")
        return self._files.find(columns.paths[row], columns.image_ids[row], time_s)

    def as_file(self, folder: Path) -> Path:
        """Return the file that the frames are read from.

        Raises:
            PredictionsError: If it is gone, or holds other predictions by now.
        """
        del folder
        if not self.path.exists():
            raise PredictionsError(f"{self.path} is gone. {_START_AGAIN}")
        if _content_of(self.path, metadata_of(open_parquet(self.path), self.path)) != self._sha256:
            raise PredictionsError(
                f"{self.path} holds other predictions than when it was opened. {_START_AGAIN}"
            )
        return self.path

    def _group_of(self, row: int) -> tuple[int, int]:
        group = int(np.searchsorted(self._ends, row, side="right"))
        return group, int(self._ends[group - 1]) if group else 0

    def _part(self, group: int, name: str, rows: Ints, own: Ints) -> Vectors:
        """Return a column of some rows of a group, kept while it is one of the last."""
        key = (group, name, int(own[0]), len(own))
        kept = self._kept.get(key)
        if kept is None or not np.array_equal(kept[0], own):
            kept = (own, self._guarded(lambda: self._read_vectors(group, name, own)))
            # What is asked for with more rows than can be kept is read again each time.
            width = kept[1].shape[1] * kept[1].itemsize
            if len(rows) * width <= _KEPT_BYTES:
                self._kept[key] = kept
        if key in self._kept:
            self._kept.move_to_end(key)
        while sum(values.nbytes for _, values in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)
        return kept[1]

    def _read_vectors(self, group: int, name: str, own: Ints) -> Vectors:
        start = int(self._ends[group - 1]) if group else 0
        width = self._file.schema_arrow.field(name).type.list_size
        is_base = name == "vector"
        found = np.zeros((len(own), width), dtype=np.float32 if is_base else np.float16)
        for _, rows, values in fixed_lists(self.path, self._file, name, groups=[group]):
            wanted = np.searchsorted(rows, own - start)
            held = wanted < len(rows)
            held[held] = rows[wanted[held]] == (own - start)[held]
            chosen = values[wanted[held]]
            # What is not finite is as if it were absent.
            finite = np.isfinite(chosen).all(axis=1)
            places = np.flatnonzero(held)[finite]
            kept = chosen[finite]
            if not is_base and self._mean is not None and self._spread is not None:
                found[places] = standardized(kept, self._mean, self._spread)
            else:
                found[places] = kept
        return found

    def _look_through(self, reporter: Reporter) -> Bools:
        """Return which rows have all vectors; know the mean and spread of the embeddings then."""
        n_rows, n_groups = self._file.metadata.num_rows, self._file.num_row_groups
        has_base, has_features = np.zeros((2, n_rows), dtype=np.bool_)
        moments = Moments()
        with_features = "embedding" in self._names
        if not with_features:
            has_features[:] = True
        with reporter.progress("frames looked through", unit="frames") as show:
            for group in range(n_groups):
                for start, rows, values in fixed_lists(
                    self.path, self._file, "vector", groups=[group]
                ):
                    has_base[start + rows] = self._checked(values, start + rows)
                if with_features:
                    for start, rows, values in fixed_lists(
                        self.path, self._file, "embedding", groups=[group]
                    ):
                        finite = np.isfinite(values).all(axis=1)
                        has_features[start + rows] = finite
                        moments.add(values[finite])
                show(int(self._ends[group]), n_rows)
        known = bool(moments.count)
        self._mean: Float32s | None = moments.mean if known else None
        self._spread: Float32s | None = moments.spread if known else None
        return np.asarray(has_base & has_features, dtype=np.bool_)

    def _checked(self, values: Float32s, rows: Ints) -> Bools:
        if values.shape[1] != len(self.categories):
            raise PredictionsError(
                f"{self.path}: {values.shape[1]} probabilities a row, but its metadata list "
                f"{len(self.categories)} categories."
            )
        outside = (values < 0).any(axis=1) | (values > 1 + 1e-5).any(axis=1)
        if outside.any():
            row = int(rows[np.flatnonzero(outside)[0]]) + 1
            raise PredictionsError(
                f"{self.path}, row {row}: probabilities must be numbers from 0 to 1."
            )
        return np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)

    def _read_small(self) -> dict[str, Any]:
        wanted = ("image_id", "path", "time_s", "dive", "failure", "unusualness")
        of_answers = ("answer", "confidence", "answer_probability")
        has_answers = all(name in self._names for name in of_answers)
        names = [n for n in (*wanted, *of_answers) if n in self._names]
        found: dict[str, Any] = self._file.read(columns=names).to_pydict()
        if has_answers and not any(found["answer"]):
            has_answers = False
        if not has_answers:
            found.pop("answer", None)
        if len(set(found["image_id"])) != len(found["image_id"]):
            raise PredictionsError(f"{self.path} names an image twice; each must have one row.")
        found["path"] = [text or "" for text in found["path"]]
        first_ids = _first_of(self._file, "categories", NO_CATEGORY)
        found["_first_id"] = np.asarray(first_ids, dtype=np.int64)
        texts = {int(c["category_id"]): str(c.get("name", "")) for c in self.categories}
        if not has_answers:
            found["_first_name"] = [texts.get(int(number)) for number in first_ids]
            found["_first_probability"] = _first_of(self._file, "probabilities", math.nan)
        return found

    def _guarded(self, read: Callable[[], Result]) -> Result:
        try:
            return read()
        except BROKEN_PARQUET as error:
            if isinstance(error, PredictionsError):
                raise
            raise unreadable(self.path, error) from None


def _content_of(path: Path, metadata: Mapping[str, Any]) -> str:
    return str(metadata.get("content_sha256") or hash_file(path))


def _first_of(file: pq.ParquetFile, name: str, missing: float) -> list[Any]:
    """Return the first entry of each row's list, `missing` where the row has none."""
    found: list[Any] = []
    for group in range(file.num_row_groups):
        column = file.read_row_group(group, columns=[name]).column(name).combine_chunks()
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        starts = column.offsets.to_numpy()[:-1]
        values = column.values.to_numpy(zero_copy_only=False)
        part = np.full(len(column), missing, dtype=values.dtype if missing < 0 else np.float32)
        part[lengths > 0] = values[starts[lengths > 0]]
        found.extend(part.tolist())
    return found


def _list(columns: Mapping[str, list[Any]], name: str) -> list[Any]:
    return columns[name] if name in columns else [None] * len(columns["image_id"])


def _floats(values: Sequence[float | None]) -> Float32s:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float32)
