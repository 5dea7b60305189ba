"""Lists of one length in a predictions file, row group by row group, and features made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.adaptation.covariance import unit_rows
from finding_nemo.core.arrays import Float32s, Float64s
from finding_nemo.core.errors import PredictionsError

_LEAST_SPREAD = 1e-6


class Moments:
    """Mean and spread of rows that come in parts."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: Float64s = np.zeros(0)
        self._squares: Float64s = np.zeros(0)

    def add(self, values: Float32s) -> None:
        """Take in some rows, shape (rows, features)."""
        if not self.count:
            self._sum, self._squares = np.zeros((2, values.shape[1]))
        exact = values.astype(np.float64)
        self.count += len(values)
        self._sum = self._sum + exact.sum(axis=0)
        self._squares = self._squares + (exact**2).sum(axis=0)

    @property
    def mean(self) -> Float32s:
        """Of each feature."""
        return (self._sum / self.count).astype(np.float32)

    @property
    def spread(self) -> Float32s:
        """Standard deviation of each feature, never 0."""
        variance = self._squares / self.count - (self._sum / self.count) ** 2
        found = np.sqrt(np.maximum(variance, 0.0)) + _LEAST_SPREAD
        return found.astype(np.float32)


def standardized(values: Float32s, mean: Float32s, spread: Float32s) -> npt.NDArray[np.float16]:
    """Return embeddings as features: on one scale, of unit length, in float16.

    Args:
        values: Shape (frames, features).
        mean: Of each feature over the file.
        spread: The same.
    """
    return unit_rows(((values - mean) / spread).astype(np.float32)).astype(np.float16)


def fixed_lists(
    path: Path, file: pq.ParquetFile, name: str, *, groups: Sequence[int] | None = None
) -> Iterator[tuple[int, npt.NDArray[np.int64], Float32s]]:
    """Yield of each row group its first row, which of its rows have a list, and the lists.

    Args:
        path: The file, for messages.
        file: The same, open.
        name: The column.
        groups: Which row groups; default all.

    Raises:
        PredictionsError: If the column is no list of fixed length.
    """
    if not pa.types.is_fixed_size_list(file.schema_arrow.field(name).type):
        raise PredictionsError(
            f"{path}: the column {name} is not as predict writes it; another program saved the "
            "file. Use the file that predict wrote."
        )
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    starts = [sum(sizes[:group]) for group in range(len(sizes))]
    for group in range(len(sizes)) if groups is None else groups:
        column = file.read_row_group(group, columns=[name]).column(name).combine_chunks()
        rows = np.flatnonzero(np.asarray(column.is_valid()))
        width = column.type.list_size
        values = column.drop_null().flatten().to_numpy().reshape(-1, width)
        yield starts[group], rows, values.astype(np.float32, copy=False)
