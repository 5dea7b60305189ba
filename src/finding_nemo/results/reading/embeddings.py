"""The embeddings of predictions files as one array of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.arrays import Float32s, Ints
from finding_nemo.core.errors import PredictionsError
from finding_nemo.results.file_metadata import BROKEN_PARQUET, metadata_of, open_parquet, unreadable

_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """What networks see in images, one row an image.

    Attributes:
        image_ids: One a row.
        features: Float32, shape (images, features).
        n_without: Rows of the files that failed or hold no embedding, and are left out.
        n_bundles: How many bundles predicted them.
    """

    image_ids: tuple[str, ...]
    features: Float32s
    n_without: int = 0
    n_bundles: int = 1


def read_embeddings(paths: Sequence[Path]) -> Embeddings:
    """Read the embeddings of Parquet files, one row group at a time.

    Memory is that of the result: 4 bytes a number, 30 MB for 5,768 frames of 1,280 features.

    Args:
        paths: Predictions made with `--embeddings`, at least one; an image stands in one of them.

    Raises:
        PredictionsError: If a file is missing, damaged or holds no embeddings, if the files hold
            lists of different length, if an image stands twice, or if no row has an embedding.
    """
    ids: list[str] = []
    parts: list[Float32s] = []
    n_rows = 0
    bundles: set[Any] = set()
    for path in paths:
        file = _opened(path)
        bundles.add(metadata_of(file, path).get("bundle_hash"))
        n_rows += file.metadata.num_rows
        try:
            for group in range(file.num_row_groups):
                names, values = _of_group(file, group)
                ids += names
                parts.append(values)
        except BROKEN_PARQUET as error:
            raise unreadable(path, error) from None
    _check(ids, parts, paths)
    return Embeddings(
        image_ids=tuple(ids),
        features=np.concatenate(parts),
        n_without=n_rows - len(ids),
        n_bundles=len(bundles),
    )


def _opened(path: Path) -> pq.ParquetFile:
    if path.suffix.lower() != ".parquet":
        raise PredictionsError(
            f"{path}: only Parquet holds embeddings. Predict with --embeddings --out NAME.parquet."
        )
    file = open_parquet(path)
    if "embedding" not in file.schema_arrow.names or "image_id" not in file.schema_arrow.names:
        raise PredictionsError(f"{path} holds no embeddings. Predict again with --embeddings.")
    if not pa.types.is_fixed_size_list(file.schema_arrow.field("embedding").type):
        raise PredictionsError(
            f"{path}: the column embedding is not as predict writes it; another program saved the "
            "file. Use the file that predict wrote."
        )
    return file


def _of_group(file: pq.ParquetFile, group: int) -> tuple[list[Any], Float32s]:
    """Return the ids and embeddings of the rows that have one of finite numbers."""
    table = file.read_row_group(group, columns=["image_id", "embedding"])
    table = table.filter(table.column("embedding").is_valid())
    width = table.schema.field("embedding").type.list_size
    flat = table.column("embedding").combine_chunks().flatten()
    values = flat.to_numpy(zero_copy_only=False).reshape(-1, width).astype(np.float32)
    rows: Ints = np.flatnonzero(np.isfinite(values).all(axis=1))
    return table.column("image_id").take(pa.array(rows)).to_pylist(), values[rows]


def _check(ids: Sequence[str], parts: Sequence[Float32s], paths: Sequence[Path]) -> None:
    named = ", ".join(map(str, paths))
    if not ids:
        raise PredictionsError(f"No image of {named} has an embedding: all failed.")
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise PredictionsError(
            f"The embeddings of {named} have {widths[0]} and {widths[-1]} numbers: they are of "
            "different networks. Give predictions of one network."
        )
    if len(set(ids)) != len(ids):
        raise PredictionsError(f"{named}: an image stands twice; each must have one row.")


def unit_features(values: Float32s) -> Float32s:
    """Return embeddings on one scale and of unit length, so that a product is a cosine.

    Args:
        values: Shape (images, features); each feature is standardised over the images.
    """
    mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = values.std(axis=0, dtype=np.float64).astype(np.float32) + np.float32(_LEAST_SPREAD)
    found = (values - mean) / spread
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    units: Float32s = np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 0)
    return units
