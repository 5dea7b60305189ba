"""The images of one run, written down before the first is opened.

A plan is a Parquet file. It fixes which images there are, in which order and under which ids, so
that a run goes on where it stopped, machines share one, and nothing of it stays in memory. It is
cut in parts of `ROWS_IN_CHUNK` images; a part is what is predicted, stored and repeated as one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.files.atomic_files import raise_no_space
from finding_nemo.core.records import ImageRecord
from finding_nemo.prediction.sources.image_ids import IdResolver, location_of
from finding_nemo.prediction.sources.image_sources import ImageInput

# A part is 0.3 MB of vectors, and a third of a second to some seconds of work: what a
# stop can cost. It holds whole batches, so that a batch never straddles two parts.
ROWS_IN_CHUNK = 256
_CHUNKS_IN_GROUP = 16
_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("position", pa.int64()),
        pa.field("size", pa.int64()),
        pa.field("time_s", pa.float64()),
        pa.field("failure", pa.string()),
        pa.field("record", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class PlanSize:
    """What a plan holds.

    Attributes:
        n_images: How many images.
        sha256: Hash of their ids and places, in order.
        has_frames: Whether some are frames of a video.
    """

    n_images: int
    sha256: str
    has_frames: bool

    @property
    def n_chunks(self) -> int:
        """How many parts; the last may be short."""
        return -(-self.n_images // ROWS_IN_CHUNK)

    def rows_in(self, chunk: int) -> int:
        """Return how many images part number `chunk` has."""
        return min(ROWS_IN_CHUNK, self.n_images - chunk * ROWS_IN_CHUNK)


def write_plan(images: Iterable[ImageInput], path: Path) -> PlanSize:
    """Write `images` to `path` with an id of its own for each, and return how many there are.

    Raises:
        NoSpaceError: If the disk is full.
    """
    listed = path.with_name(f"{path.name}.listed")
    resolver = IdResolver()
    with raise_no_space(path):
        _write_rows(_seen(images, resolver), listed)
        resolver.close()
        counted = _Counted()
        with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            for rows in _groups(listed):
                writer.write_table(_with_own_ids(rows, resolver, counted))
        listed.unlink()
    return PlanSize(counted.n_images, counted.digest.hexdigest(), counted.has_frames)


def listing_hash(images: Iterable[ImageInput]) -> str:
    """Return the hash of the ids and places of `images`, in order."""
    counted = _Counted()
    for image in images:
        is_frame = image.time_s is not None
        counted.add(image.image_id, image.path, image.position, image.size, is_frame=is_frame)
    return counted.digest.hexdigest()


class Plan:
    """A plan, read part by part."""

    def __init__(self, source: Path | pa.Buffer) -> None:
        """Open a plan: its file, or the file's bytes."""
        self._source = source
        self._file = pq.ParquetFile(source if isinstance(source, Path) else pa.BufferReader(source))

    def to_bytes(self) -> bytes:
        """Return the plan's file as bytes, from which it can be opened elsewhere."""
        source = self._source
        return source.read_bytes() if isinstance(source, Path) else source.to_pybytes()

    def chunk(self, chunk: int) -> list[ImageInput]:
        """Return the images of part number `chunk`."""
        group, location = divmod(chunk, _CHUNKS_IN_GROUP)
        table = self._file.read_row_group(group)
        rows = table.slice(location * ROWS_IN_CHUNK, ROWS_IN_CHUNK).to_pylist()
        return [_to_input(row) for row in rows]


@dataclass
class _Counted:
    n_images: int = 0
    has_frames: bool = False

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    def add(
        self, image_id: str, path: str, position: int | None, size: int | None, *, is_frame: bool
    ) -> None:
        self.n_images += 1
        self.has_frames |= is_frame
        location = f"{image_id}\0{path}\0{position}\0{size}\n"
        self.digest.update(location.encode(errors="surrogatepass"))


def _groups(path: Path) -> Iterator[pa.Table]:
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        yield file.read_row_group(group)


def _with_own_ids(rows: pa.Table, resolver: IdResolver, counted: _Counted) -> pa.Table:
    """Return the same rows with an id of its own for each, counting them."""
    names = ("image_id", "path", "position", "size", "time_s")
    ids = []
    for image_id, path, position, size, time_s in zip(
        *(rows.column(name).to_pylist() for name in names), strict=True
    ):
        own = resolver.resolve(image_id, location_of(path, time_s))
        counted.add(own, path, position, size, is_frame=time_s is not None)
        ids.append(own)
    return rows.set_column(0, _SCHEMA.field("image_id"), pa.array(ids, type=pa.string()))


def _seen(images: Iterable[ImageInput], resolver: IdResolver) -> Iterator[ImageInput]:
    for image in images:
        resolver.add(image.image_id, image.location)
        yield image


def _write_rows(images: Iterable[ImageInput], path: Path) -> None:
    iterator = iter(images)
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        while chunk := list(islice(iterator, ROWS_IN_CHUNK * _CHUNKS_IN_GROUP)):
            rows = [_to_row(image) for image in chunk]
            writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))


def _to_row(image: ImageInput) -> dict[str, Any]:
    return {
        "image_id": image.image_id,
        "path": image.path,
        "position": image.position,
        "size": image.size,
        "time_s": image.time_s,
        "failure": image.failure,
        "record": json.dumps(_record_values(image.record)),
    }


# What a prediction may use of a record; boxes and truth are not among it.
_RECORD_FIELDS = tuple(
    field.name for field in fields(ImageRecord) if field.name not in ("boxes", "category_ids")
)


def _record_values(record: ImageRecord) -> dict[str, Any]:
    captured = record.captured.isoformat() if record.captured else None
    values = {name: getattr(record, name) for name in _RECORD_FIELDS}
    values |= {"path": str(record.path), "captured": captured}
    return {name: value for name, value in values.items() if value is not None}


def _to_input(row: Mapping[str, Any]) -> ImageInput:
    values = json.loads(row["record"])
    captured = values.pop("captured", None)
    record = ImageRecord(
        **{**values, "path": Path(values["path"])},
        category_ids=None,
        captured=datetime.fromisoformat(captured) if captured else None,
    )
    return ImageInput(**{**row, "record": record})
