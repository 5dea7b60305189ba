"""One hash for what a predictions file says, however its rows were cut, packed and written.

It covers the columns' names and types and every value in row order. It leaves out the file's
metadata (times, command) and the bytes of its format, so a run that was stopped and went on, a
run in shards and a run on a cluster have the hash of one that was not.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from finding_nemo.results.file_metadata import BROKEN_PARQUET, open_parquet, unreadable

_ROWS_AT_A_TIME = 1024


class ContentHash:
    """Takes rows as they come and gives their hash at the end."""

    def __init__(self, schema: pa.Schema) -> None:
        """Begin with no row of `schema`."""
        # One digest a column: columns are then hashed as streams of their own, whatever the cut.
        self._digests = {field.name: _Digest(field) for field in schema}

    def add(self, rows: pa.Table) -> None:
        """Add rows."""
        for name, digest in self._digests.items():
            for chunk in rows.column(name).chunks:
                digest.add(chunk)

    def hexdigest(self) -> str:
        """Return the SHA-256 of all rows so far, in hexadecimal."""
        whole = hashlib.sha256()
        for digest in self._digests.values():
            whole.update(digest.digest())
        return whole.hexdigest()


class _Digest:
    """Presence, lengths and values of one column, each a stream."""

    def __init__(self, field: pa.Field) -> None:
        self._name = f"{field.name}:{_kind(field.type)}".encode()
        names = ["present", "lengths", "values"]
        if _is_list(field.type) and pa.types.is_string(field.type.value_type):
            names.append("characters")  # of each text; other columns keep the hash that they had
        self._streams = {name: hashlib.sha256() for name in names}

    def add(self, column: pa.Array) -> None:
        self._update("present", np.asarray(column.is_valid()))
        present = column.drop_null()
        if pa.types.is_string(present.type):
            self._add_texts(present, "lengths")
        elif _is_list(present.type):
            lengths = pa.compute.list_value_length(present)
            self._update("lengths", lengths.to_numpy(zero_copy_only=False).astype("<i8"))
            entries = present.flatten()
            if "characters" in self._streams:
                self._add_texts(entries, "characters")
            else:
                self._update("values", entries.to_numpy(zero_copy_only=False))
        else:
            self._update("values", present.to_numpy(zero_copy_only=False))

    def _add_texts(self, texts: pa.Array, lengths_name: str) -> None:
        binary = texts.cast(pa.binary())
        lengths = pa.compute.binary_length(binary)
        self._update(lengths_name, lengths.to_numpy(zero_copy_only=False).astype("<i8"))
        self._streams["values"].update(b"".join(binary.to_pylist()))

    def _update(self, name: str, values: np.ndarray) -> None:
        little_endian = values.astype(values.dtype.newbyteorder("<"), copy=False)
        self._streams[name].update(np.ascontiguousarray(little_endian).tobytes())

    def digest(self) -> bytes:
        whole = hashlib.sha256(self._name)
        for stream in self._streams.values():
            whole.update(stream.digest())
        return whole.digest()


def _is_list(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_list(arrow_type) or pa.types.is_fixed_size_list(arrow_type))


def _kind(arrow_type: pa.DataType) -> str:
    """Return a type's name; files and memory call the entries of a list differently."""
    if pa.types.is_fixed_size_list(arrow_type):
        return f"list[{arrow_type.list_size}] of {arrow_type.value_type}"
    return f"list of {arrow_type.value_type}" if pa.types.is_list(arrow_type) else str(arrow_type)


def content_hash(path: Path) -> str:
    """Return the content hash of a Parquet predictions file.

    Raises:
        PredictionsError: If it is missing or damaged.
    """
    file = open_parquet(path)
    digest = ContentHash(file.schema_arrow)
    try:
        for batch in file.iter_batches(_ROWS_AT_A_TIME):
            digest.add(pa.Table.from_batches([batch]))
    except BROKEN_PARQUET as error:
        raise unreadable(path, error) from None
    return digest.hexdigest()
