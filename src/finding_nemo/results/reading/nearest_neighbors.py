"""Look-alikes: the rows of a predictions file whose embeddings point the way of a given one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.results.file_metadata import BROKEN_PARQUET, metadata_of, open_parquet, unreadable

_COLUMNS = ("image_id", "path", "categories", "embedding")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One look-alike.

    Attributes:
        image_id: The image's name in the predictions.
        path: Its file.
        time_s: Seconds since its video's first frame, if it is a frame of a video.
        similarity: Cosine between the embeddings, in [-1, 1]; 1 is the same direction.
        categories: Its guesses, best first.
    """

    image_id: str
    path: str
    time_s: float | None
    similarity: float
    categories: tuple[int, ...]


def nearest(
    index: Path, embedding: Float32s, *, k: int = 10, bundle_hash: str | None = None
) -> list[Neighbour]:
    """Return the `k` rows of `index` most like `embedding`, best first, ties in row order.

    One row group is in memory at a time, and of it only the columns that are needed; the checksum
    of each page that is read is checked.

    Args:
        index: A predictions file (Parquet) written with embeddings.
        embedding: Shape (features,).
        k: How many, at least 1.
        bundle_hash: The bundle that gave `embedding`; the index must be of the same.

    Raises:
        PredictionsError: If the file cannot be read, holds no embeddings, or is of another
            bundle.
        SettingsError: If `k` is below 1.
    """
    if k < 1:
        raise SettingsError(f"The number of look-alikes must be at least 1, got {k}.")
    best: list[Neighbour] = []
    file = open_parquet(index)
    _check(index, file, embedding.size, bundle_hash)
    try:
        for group in _groups(file):
            best = _best([*best, *_candidates(group, embedding, k)], k)
    except BROKEN_PARQUET as error:
        raise unreadable(index, error) from None
    return best


def _check(index: Path, file: pq.ParquetFile, n_features: int, bundle_hash: str | None) -> None:
    schema = file.schema_arrow
    if "embedding" not in schema.names:
        raise PredictionsError(
            f"{index} holds no embeddings. Predict with --embeddings to make an index."
        )
    lacking = [name for name in _COLUMNS if name not in schema.names]
    if lacking:
        raise PredictionsError(f"{index} lacks the column {lacking[0]}; it is no index.")
    metadata = metadata_of(file, index)
    width = getattr(schema.field("embedding").type, "list_size", None)
    is_other = bundle_hash is not None and metadata.get("bundle_hash") != bundle_hash
    if is_other or width != n_features:
        raise PredictionsError(
            f"{index} was predicted with another bundle, whose embeddings mean something else. "
            "Name that bundle, or predict again."
        )


def _groups(file: pq.ParquetFile) -> Iterator[pa.Table]:
    names = [name for name in (*_COLUMNS, "time_s") if name in file.schema_arrow.names]
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=names)
        yield table.filter(table.column("embedding").is_valid())


def _candidates(group: pa.Table, embedding: Float32s, k: int) -> list[Neighbour]:
    if len(group) == 0:
        return []
    flat = group.column("embedding").combine_chunks().flatten()
    similarity = cosine(flat.to_numpy().reshape(len(group), -1), embedding)
    order = np.argsort(-similarity, kind="stable")[:k]
    rows = group.drop_columns("embedding").take(pa.array(order)).to_pylist()
    return [
        _neighbour(row, float(value)) for row, value in zip(rows, similarity[order], strict=True)
    ]


def _neighbour(row: dict[str, Any], similarity: float) -> Neighbour:
    return Neighbour(
        image_id=row["image_id"],
        path=row["path"],
        time_s=row.get("time_s"),
        similarity=similarity,
        categories=tuple(row["categories"] or ()),
    )


def cosine(rows: Float32s, embedding: Float32s) -> Float32s:
    """Return the cosine of each row with `embedding`; a row of zeros has 0."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(embedding)
    products = rows @ embedding
    found: Float32s = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return found


def _best(found: list[Neighbour], k: int) -> list[Neighbour]:
    return sorted(found, key=lambda neighbour: -neighbour.similarity)[:k]
