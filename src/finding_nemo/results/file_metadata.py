"""What travels in the metadata of a predictions file: found, checked, and its rows against it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.files.text_files import open_regular
from finding_nemo.core.names.renamed_names import current_network
from finding_nemo.core.text.json_text import kind_of, parse_json
from finding_nemo.results.schema import METADATA_KEY

# What a file's metadata call the split that the bundle was trained with: its path and its hash.
TRAINING_SPLIT = "training_split"
_HASH_KEY = METADATA_KEY + b"_sha256"
# What Arrow's decoder raises on bytes that are not what it wrote.
BROKEN_PARQUET = (
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)


def to_file_metadata(metadata: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return the metadata of a Parquet file that tells `metadata`, and its hash."""
    content = json.dumps(metadata, ensure_ascii=False).encode()
    return {METADATA_KEY: content, _HASH_KEY: hashlib.sha256(content).hexdigest().encode()}


def recorded_training_split(metadata: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what is recorded of the training's split, with a path that is text; else `None`."""
    recorded = metadata.get(TRAINING_SPLIT)
    is_whole = isinstance(recorded, Mapping) and isinstance(recorded.get("path"), str)
    return recorded if is_whole else None


def open_parquet(path: Path, *, verify: bool = True) -> pq.ParquetFile:
    """Open a Parquet file; with `verify`, pages that have a checksum are checked as they are read.

    Raises:
        PredictionsError: If it does not exist, is no regular file, or is damaged.
    """
    open_regular(path, refusal=PredictionsError).close()
    try:
        return pq.ParquetFile(path, page_checksum_verification=verify)
    except BROKEN_PARQUET as error:
        raise unreadable(path, error) from None


def metadata_of(file: pq.ParquetFile, path: Path, *, verify: bool = True) -> dict[str, Any]:
    """Return our metadata of a file, empty where it has none.

    Raises:
        PredictionsError: If it is not the one that was written.
    """
    metadata = file.metadata.metadata or {}
    content, digest = metadata.get(METADATA_KEY), metadata.get(_HASH_KEY)
    if verify and digest is not None:
        found = hashlib.sha256(content or b"").hexdigest().encode()
        if content is None or found != digest:
            raise PredictionsError(
                f"{path}: its metadata are not those that were written; the file is damaged. "
                "Copy it again, or predict again."
            )
    return parse_metadata(content or b"{}", path)


def parse_metadata(content: bytes, path: Path) -> dict[str, Any]:
    """Return metadata from its JSON.

    Raises:
        PredictionsError: If it is not that of a predictions file.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise PredictionsError(f"{path}: its metadata are not UTF-8 text.") from None
    metadata = parse_json(text, f"the metadata of {path}", refusal=PredictionsError)
    if not isinstance(metadata, dict):
        raise PredictionsError(
            f"The metadata of {path} must be an object, got {kind_of(metadata)}."
        )
    _check_lists(metadata, path)
    return current_network(metadata)


def _check_lists(metadata: Mapping[str, Any], path: Path) -> None:
    categories, scores = metadata.get("categories", []), metadata.get("novelty_scores", [])
    knows_ids = isinstance(categories, list) and all(
        isinstance(entry, dict) and type(entry.get("category_id")) is int for entry in categories
    )
    if not knows_ids:
        raise PredictionsError(
            f"The metadata of {path}: 'categories' must list objects with a whole 'category_id'."
        )
    if not isinstance(scores, list) or not all(isinstance(name, str) for name in scores):
        raise PredictionsError(f"The metadata of {path}: 'novelty_scores' must list names.")


def refuse_other_rows(path: Path, metadata: Mapping[str, Any], digest: str) -> None:
    """Check the hash of a file's rows against the one that it tells, if it tells one.

    Raises:
        PredictionsError: If they differ.
    """
    words = metadata.get("content_sha256")
    if words and words != digest:
        raise PredictionsError(
            f"{path}: the file's rows are not those that were written (content_sha256 is "
            f"{digest[:12]}..., the file says {str(words)[:12]}...): it was damaged or changed. "
            "Copy it again, or predict again; evaluate --no-verify takes it as it is."
        )


def unreadable(path: Path, error: Exception) -> PredictionsError:
    """Return the error for a file that Arrow cannot decode, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return PredictionsError(
        f"{path} cannot be read as predictions: {lines[0].rstrip('.')}. Was it cut off or "
        "damaged on the way?"
    )
