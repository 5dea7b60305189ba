"""Frames that are added while they are reviewed, as they are predicted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.adaptation.files.adapted_answers import NO_CATEGORY
from finding_nemo.adaptation.files.fixed_lists import Moments, standardized
from finding_nemo.adaptation.files.frame_places import place_frames
from finding_nemo.core.arrays import Bools, Float32s, Ints, Pixels
from finding_nemo.core.files.atomic_files import raise_output_error
from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.schema import Columns
from finding_nemo.results.summary import PredictionSummary
from finding_nemo.results.writers import write_tables
from finding_nemo.reviewing.frame_collection import (
    FrameColumns,
    FrameFile,
    FrameVectors,
    PlacesOptions,
)

_ROWS_AT_A_TIME = 2048
_VECTORS_NAME = "vectors.f32"
_FILE_NAME = "predictions.parquet"


class LiveCollection:
    """A collection that grows; vectors lie in a file of its folder, all else is in memory.

    Features are standardised over all frames, so each frame that comes changes those of all others
    a little: what was computed of them is computed again.
    """

    def __init__(
        self, folder: Path, metadata: Mapping[str, Any], *, dive_pattern: str | None = None
    ) -> None:
        """Begin without frames.

        Args:
            folder: Of the session; a file of vectors is made in it.
            metadata: What `bundle_metadata` says.
            dive_pattern: Regular expression with a group named dive, for the names of files.

        Raises:
            OutputError: If the file cannot be made.
        """
        self._metadata = dict(metadata)
        self._options = PlacesOptions(dive_pattern=dive_pattern)
        self._vectors_path = folder / _VECTORS_NAME
        with raise_output_error(self._vectors_path):
            self._vectors_path.write_bytes(b"")
        self._tables: list[pa.Table] = []
        self._starts: list[int] = []
        self._times_s: list[float | None] = []
        self._dives: list[str | None] = []
        self._files: list[Path | None] = []
        self._slots: list[int] = []
        self._n_vectors = 0
        self._n_features = 0
        self._map_grid: tuple[int, int] | None = None
        self._moments = Moments()
        self._columns = FrameColumns(
            image_ids=[],
            paths=[],
            failures=[],
            usable=np.zeros(0, dtype=np.bool_),
            unusual=np.zeros(0, dtype=np.float32),
            answers=[],
            confidences=[],
            probabilities=np.zeros(0, dtype=np.float32),
            first_ids=np.zeros(0, dtype=np.int64),
            places=place_frames([], [], []),
        )

    def append(self, frames: Sequence[tuple[str, Path, Prediction]]) -> Ints:
        """Add frames, and return their row numbers.

        Args:
            frames: The client's name of each, the file that shows it (an empty path if it failed),
                and what is said of it; ids must be new.

        Raises:
            OutputError: If the disk is full.
        """
        if not frames:
            return np.zeros(0, dtype=np.int64)
        predictions = [prediction for _, _, prediction in frames]
        self._learn_widths(predictions)
        table = to_table(predictions, self._ids, self._schema_of(with_vectors=False))
        self._keep_vectors(predictions)
        start = len(self._columns)
        self._starts.append(start)
        self._tables.append(table)
        self._files += [path if path.name else None for _, path, _ in frames]
        self._times_s += [prediction.time_s for prediction in predictions]
        self._dives += [prediction.dive for prediction in predictions]
        self._columns = self._longer(table.to_pydict(), [name for name, _, _ in frames])
        return np.arange(start, len(self._columns))

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
        return self._columns.places.notices

    @property
    def has_features(self) -> bool:
        """Whether frames have embeddings."""
        return self._n_features > 0

    @property
    def content_sha256(self) -> str:
        """What tells a session from others: its bundle, as frames still come."""
        return f"session of {self._metadata.get('bundle_hash', '')}"

    @property
    def places_options(self) -> PlacesOptions:
        """How the frames were placed."""
        return self._options

    def vectors(self, rows: Ints, *, with_features: bool = True) -> Iterator[FrameVectors]:
        """Yield frames part by part."""
        for start in range(0, len(rows), _ROWS_AT_A_TIME):
            own = rows[start : start + _ROWS_AT_A_TIME]
            raw = self._raw(own)
            n_categories = len(self.categories)
            features = None
            if with_features and self.has_features:
                mean, spread = self._moments.mean, self._moments.spread
                features = standardized(raw[:, n_categories:], mean, spread)
                features[~self._columns.usable[own]] = 0.0
            yield FrameVectors(own, raw[:, :n_categories], features)

    def values(self, row: int) -> Mapping[str, Any]:
        """Return all other columns of one frame by name."""
        at = bisect_right(self._starts, row) - 1
        table = self._tables[at].slice(row - self._starts[at], 1)
        found: dict[str, Any] = table.to_pylist()[0]
        found.pop("maps", None)
        return found

    def maps(self, row: int) -> Pixels | None:
        """Return the maps of a frame's best guesses; `None` of none."""
        at = bisect_right(self._starts, row) - 1
        if self._map_grid is None or "maps" not in self._tables[at].column_names:
            return None
        values = self._tables[at].column("maps")[row - self._starts[at]].as_py()
        return None if not values else np.array(values, dtype=np.uint8).reshape(-1, *self._map_grid)

    def image_of(self, row: int) -> FrameFile | None:
        """Return the file that shows a frame."""
        path = self._files[row]
        return None if path is None else FrameFile(path)

    def as_file(self, folder: Path) -> Path:
        """Write all frames as a predictions file.

        Raises:
            OutputError: If it cannot be written.
        """
        path = folder / _FILE_NAME
        schema = self._schema_of(with_vectors=True).schema()
        summary = PredictionSummary()
        write_tables(
            summary.watched(self._whole_tables(schema), schema),
            path,
            schema=schema,
            metadata=lambda: {
                **self._metadata,
                "n_images": summary.n_images,
                "failures": dict(summary.failures),
                "content_sha256": summary.content_sha256,
            },
            fallback_ids=most_frequent_first(self.categories),
        )
        return path

    def _whole_tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        for start, table in zip(self._starts, self._tables, strict=True):
            rows = np.arange(start, start + len(table))
            raw = self._raw(rows)
            missing = pa.array([self._slots[row] < 0 for row in rows.tolist()])
            n_categories = len(self.categories)
            parts = {"vector": raw[:, :n_categories], "embedding": raw[:, n_categories:]}
            arrays = []
            for field in schema:
                if field.name in parts:
                    flat = np.ascontiguousarray(parts[field.name]).reshape(-1)
                    width = field.type.list_size
                    arrays.append(pa.FixedSizeListArray.from_arrays(flat, width, mask=missing))
                elif field.name in table.column_names:
                    arrays.append(table.column(field.name).combine_chunks())
                else:
                    arrays.append(pa.nulls(len(table), field.type))
            yield pa.Table.from_arrays(arrays, schema=schema)

    @property
    def _ids(self) -> list[int]:
        return [int(entry["category_id"]) for entry in self.categories]

    def _schema_of(self, *, with_vectors: bool) -> Columns:
        return Columns(
            len(self.categories),
            with_vector=with_vectors,
            with_time=True,
            n_features=self._n_features if with_vectors else 0,
            category_names=tuple(str(entry.get("name", "")) for entry in self.categories),
            map_grid=self._map_grid,
        )

    def _learn_widths(self, predictions: Sequence[Prediction]) -> None:
        """Take from the first frames that say so how wide vectors and maps are."""
        for prediction in predictions:
            if prediction.embedding is not None and not self._n_vectors:
                self._n_features = len(prediction.embedding)
            if prediction.maps is not None and self._map_grid is None:
                _, rows, columns = prediction.maps.shape
                self._map_grid = (rows, columns)
                self._metadata["maps"] = {"rows": rows, "columns": columns}

    def _keep_vectors(self, predictions: Sequence[Prediction]) -> None:
        found: list[Float32s] = []
        slots = []
        for prediction in predictions:
            whole = self._whole(prediction)
            slots.append(-1 if whole is None else self._n_vectors + len(found))
            if whole is not None:
                found.append(whole)
        if found:
            stacked = np.stack(found)
            # What a full disk left of frames that are none is written over.
            with raise_output_error(self._vectors_path), self._vectors_path.open("r+b") as file:
                file.seek(self._n_vectors * stacked.shape[1] * stacked.itemsize)
                file.write(stacked.tobytes())
            if self._n_features:
                self._moments.add(stacked[:, len(self.categories) :])
        # Only now, as a frame that could not be written must leave no slot behind.
        self._n_vectors += len(found)
        self._slots += slots

    def _whole(self, prediction: Prediction) -> Float32s | None:
        """Return probabilities and embedding of a frame; `None` where it lacks any."""
        if prediction.failure is not None or prediction.probabilities is None:
            return None
        parts = [prediction.probabilities]
        if self._n_features:
            if prediction.embedding is None:
                return None
            parts.append(prediction.embedding)
        found = np.concatenate(parts).astype(np.float32)
        return found if np.isfinite(found).all() else None

    def _raw(self, rows: Ints) -> Float32s:
        """Return probabilities and embeddings as they came, zeros where there are none."""
        width = len(self.categories) + self._n_features
        found = np.zeros((len(rows), width), dtype=np.float32)
        if not len(rows):
            return found
        slots = np.array([self._slots[row] for row in rows.tolist()], dtype=np.int64)
        held = np.flatnonzero(slots >= 0)
        if held.size:
            with self._vectors_path.open("rb") as file:
                # Rows that follow each other are read at once.
                for run in np.split(held, np.flatnonzero(np.diff(slots[held]) != 1) + 1):
                    file.seek(int(slots[run[0]]) * width * 4)
                    content = file.read(len(run) * width * 4)
                    found[run] = np.frombuffer(content, dtype=np.float32).reshape(-1, width)
        return found

    def _longer(self, new: Mapping[str, list[Any]], names: Sequence[str]) -> FrameColumns:
        before = self._columns
        paths = [*before.paths, *names]
        ids = [*before.image_ids, *new["image_id"]]
        firsts = [ids_of_row[0] if ids_of_row else NO_CATEGORY for ids_of_row in new["categories"]]
        usable: Bools = np.array([slot >= 0 for slot in self._slots], dtype=np.bool_)
        return FrameColumns(
            image_ids=ids,
            paths=paths,
            failures=[*before.failures, *new["failure"]],
            usable=usable,
            unusual=_joined(before.unusual, new["unusualness"]),
            answers=[*before.answers, *new["answer"]],
            confidences=[*before.confidences, *new["confidence"]],
            probabilities=_joined(before.probabilities, new["answer_probability"]),
            first_ids=np.concatenate([before.first_ids, np.array(firsts, dtype=np.int64)]),
            places=place_frames(
                ids,
                paths,
                self._times_s,
                dives=self._dives,
                dive_pattern=self._options.dive_pattern,
            ),
        )


def _joined(before: Float32s, new: Sequence[float | None]) -> Float32s:
    values = [np.nan if value is None else value for value in new]
    return np.concatenate([before, np.array(values, dtype=np.float32)])
