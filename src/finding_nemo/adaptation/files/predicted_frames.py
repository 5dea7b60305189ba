"""A predictions file with its embeddings, read row group by row group into small arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from finding_nemo.adaptation.files.fixed_lists import Moments, fixed_lists, standardized
from finding_nemo.core.arrays import Bools, Float32s
from finding_nemo.core.errors import PredictionsError
from finding_nemo.results.file_metadata import BROKEN_PARQUET, metadata_of, open_parquet, unreadable
from finding_nemo.results.schema import SCHEMA_VERSION

_NEEDED = ("image_id", "path", "failure", "categories", "probabilities")


@dataclass(frozen=True, kw_only=True)
class PredictedFrames:
    """What adaptation needs of a predictions file.

    Attributes:
        path: The file.
        image_ids: One a row.
        paths: The image file of each.
        times_s: Seconds since its video's first frame, `None` where it is no frame of a video.
        dives: The dive of each, `None` where the file does not know it.
        usable: Which rows did not fail and have what is needed, shape (frames,).
        base: Probabilities in column order, float32, shape (frames, categories); 0 on failure.
        features: Standardised over the file, of unit length, float16 (half the memory), shape
            (frames, features); `None` where the file holds no embeddings.
        categories: The bundle's category table with its evidence, JSON-ready, in column order.
        metadata: All that the file says of itself.
        notices: What a reader should know, in sentences.
    """

    path: Path
    image_ids: tuple[str, ...]
    paths: tuple[str, ...]
    times_s: tuple[float | None, ...]
    dives: tuple[str | None, ...]
    usable: Bools
    base: Float32s
    features: npt.NDArray[np.float16] | None
    categories: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.image_ids)


def read_predicted_frames(path: Path | str) -> PredictedFrames:
    """Read a Parquet predictions file; embeddings of one row group at a time are in memory.

    Raises:
        PredictionsError: If it is missing, no Parquet file, damaged, of another schema version,
            or lacks what adaptation needs.
    """
    path = Path(path)
    if path.suffix.lower() != ".parquet":
        raise PredictionsError(
            f"{path}: only Parquet holds embeddings. Predict with --embeddings --out NAME.parquet."
        )
    if not path.exists():
        raise PredictionsError(f"The predictions file {path} does not exist.")
    file = open_parquet(path)
    metadata = metadata_of(file, path)
    check_predictions(path, file, metadata)
    try:
        return _read(path, file, metadata)
    except BROKEN_PARQUET as error:
        if isinstance(error, PredictionsError):
            raise
        raise unreadable(path, error) from None


def check_predictions(path: Path, file: pq.ParquetFile, metadata: Mapping[str, Any]) -> None:
    """Check that an opened file is one of predictions that adaptation can use.

    Raises:
        PredictionsError: If it lacks a column, its categories or its rows, or is of another schema
            version.
    """
    names = file.schema_arrow.names
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        raise PredictionsError(
            f"{path} cannot be read as predictions: it lacks the columns {', '.join(lacking)}."
        )
    version = metadata.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise PredictionsError(
            f"{path} has schema version {version}; this program reads {SCHEMA_VERSION}. "
            "Predict again with this version."
        )
    if not metadata.get("categories"):
        raise PredictionsError(
            f"{path} does not say which categories it is of: its metadata were lost. Predict "
            "again, or use the file that predict wrote."
        )
    if not file.metadata.num_rows:
        raise PredictionsError(f"{path} holds no image. Predict at least one.")


def _read(path: Path, file: pq.ParquetFile, metadata: Mapping[str, Any]) -> PredictedFrames:
    names = file.schema_arrow.names
    texts = [name for name in ("image_id", "path", "time_s", "dive", "failure") if name in names]
    table = file.read(columns=texts)
    ids = tuple(table.column("image_id").to_pylist())
    if len(set(ids)) != len(ids):
        raise PredictionsError(f"{path} names an image twice; each must have one row.")
    failed = np.asarray(table.column("failure").is_valid())
    times = table.column("time_s").to_pylist() if "time_s" in names else [None] * len(ids)
    dives = table.column("dive").to_pylist() if "dive" in names else [None] * len(ids)
    categories = tuple(metadata["categories"])
    base, has_base = _base(path, file, [int(c["category_id"]) for c in categories])
    features, has_features = _features(path, file)
    notices = []
    if features is None:
        notices.append(
            "the predictions hold no embeddings: reviews are carried over by clip and time alone. "
            "Predict with --embeddings for more."
        )
    return PredictedFrames(
        path=path,
        image_ids=ids,
        paths=tuple(text or "" for text in table.column("path").to_pylist()),
        times_s=tuple(times),
        dives=tuple(dives),
        usable=~failed & has_base & has_features,
        base=base,
        features=features,
        categories=categories,
        metadata=metadata,
        notices=tuple(notices),
    )


def _base(path: Path, file: pq.ParquetFile, ids: list[int]) -> tuple[Float32s, Bools]:
    """Return probabilities in column order, and which rows have any."""
    n_rows = file.metadata.num_rows
    base = np.zeros((n_rows, len(ids)), dtype=np.float32)
    has_any = np.zeros(n_rows, dtype=np.bool_)
    if "vector" in file.schema_arrow.names:
        for start, rows, values in fixed_lists(path, file, "vector"):
            if values.shape[1] != len(ids):
                raise PredictionsError(
                    f"{path}: {values.shape[1]} probabilities a row, but its metadata list "
                    f"{len(ids)} categories."
                )
            base[start + rows] = values
            has_any[start + rows] = np.isfinite(values).all(axis=1)
    else:
        columns = {number: column for column, number in enumerate(ids)}
        table = file.read(columns=["categories", "probabilities"])
        guesses = zip(*(table.column(n).to_pylist() for n in table.column_names), strict=True)
        for row, (named, values) in enumerate(guesses):
            if named is not None and values is not None:
                base[row, [columns[number] for number in named]] = values
                has_any[row] = True
    outside = (base < 0).any(axis=1) | (base > 1 + 1e-5).any(axis=1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0]) + 1
        raise PredictionsError(f"{path}, row {row}: probabilities must be numbers from 0 to 1.")
    return base, has_any


def _features(path: Path, file: pq.ParquetFile) -> tuple[npt.NDArray[np.float16] | None, Bools]:
    """Return standardised features of unit length, and which rows have them: two passes."""
    n_rows = file.metadata.num_rows
    if "embedding" not in file.schema_arrow.names:
        return None, np.ones(n_rows, dtype=np.bool_)
    has_any = np.zeros(n_rows, dtype=np.bool_)
    moments = Moments()
    for start, rows, values in fixed_lists(path, file, "embedding"):
        finite = np.isfinite(values).all(axis=1)
        has_any[start + rows] = finite
        moments.add(values[finite])
    if not moments.count:
        return None, has_any
    mean, spread = moments.mean, moments.spread
    features = np.zeros((n_rows, len(mean)), dtype=np.float16)
    for start, rows, values in fixed_lists(path, file, "embedding"):
        finite = np.isfinite(values).all(axis=1)
        features[start + rows[finite]] = standardized(values[finite], mean, spread)
    return features, has_any
