"""Training images into what the loop takes: decoded pixels or features, computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError, TrainingError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.images import decode_image
from finding_nemo.data.transforms import normalise_pixels, resize_pixels
from finding_nemo.models.runtime import OnnxNetwork
from finding_nemo.training.array_store import ArrayStore, StoredRows, cache_folder

Tick = Callable[[int, int], None]

_THREADS = 2
_WINDOW = 64
_FEATURE_BATCH = 8


@dataclass(frozen=True)
class ReadyInputs:
    """Stored rows of the images that could be used.

    Attributes:
        records: Their records, in order.
        rows: One row a record.
        failures: What could not be used, as "file: reason".
    """

    records: tuple[ImageRecord, ...]
    rows: StoredRows
    failures: tuple[str, ...]


def ready_pixels(
    records: Sequence[ImageRecord], preprocessing: Preprocessing, *, tick: Tick
) -> ReadyInputs:
    """Return the frames decoded at the network's size: uint8 (height, width, 3) a row.

    Raises:
        TrainingError: If no image can be used.
        NoSpaceError: If the disk is full.
    """
    width, height = preprocessing.width_px, preprocessing.height_px
    store = ArrayStore(
        cache_folder() / f"pixels-{width}x{height}-{preprocessing.interpolation}",
        row_shape=(height, width, 3),
        dtype=np.uint8,
    )

    def compute(paths: Sequence[Path]) -> Iterator[npt.NDArray[np.uint8] | None]:
        return _in_threads(lambda path: _pixels_or_none(path, preprocessing), paths)

    return _ready(records, store, compute, tick)


def ready_features(
    records: Sequence[ImageRecord],
    preprocessing: Preprocessing,
    backbone: bytes,
    *,
    n_features: int,
    tick: Tick,
) -> ReadyInputs:
    """Return the frames' features, float32 (features,) a row, from an exported network.

    The same runtime computes them in prediction, so a head never meets other numbers there.

    Raises:
        TrainingError: If no image can be used.
        NoSpaceError: If the disk is full.
    """
    story = preprocessing.model_dump_json().encode() + backbone
    name = f"features-{hashlib.sha256(story).hexdigest()[:16]}"
    store = ArrayStore(cache_folder() / name, row_shape=(n_features,), dtype=np.float32)

    def compute(paths: Sequence[Path]) -> Iterator[npt.NDArray[np.float32] | None]:
        network = OnnxNetwork(backbone)
        pixels = _in_threads(lambda path: _pixels_or_none(path, preprocessing), paths)
        while batch := list(islice(pixels, _FEATURE_BATCH)):
            yield from _batch_features(network, batch, preprocessing)

    return _ready(records, store, compute, tick)


def _batch_features(
    network: OnnxNetwork,
    batch: Sequence[npt.NDArray[np.uint8] | None],
    preprocessing: Preprocessing,
) -> Iterator[npt.NDArray[np.float32] | None]:
    usable = [pixels for pixels in batch if pixels is not None]
    features = (
        iter(network.outputs(normalise_pixels(np.stack(usable), preprocessing)))
        if usable
        else iter(())
    )
    for pixels in batch:
        yield None if pixels is None else next(features)


def _pixels_or_none(path: Path, preprocessing: Preprocessing) -> npt.NDArray[np.uint8] | None:
    try:
        decoded = decode_image(path)
    except ImageError:
        return None
    return resize_pixels(
        decoded.pixels, width_px=preprocessing.width_px, height_px=preprocessing.height_px
    )


def _in_threads(
    function: Callable[[Path], Any], paths: Sequence[Path]
) -> Iterator[npt.NDArray[Any] | None]:
    """Yield results in order; only a window of them waits in memory."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(paths), _WINDOW):
            yield from pool.map(function, paths[start : start + _WINDOW])


def _ready(
    records: Sequence[ImageRecord],
    store: ArrayStore,
    compute: Callable[[Sequence[Path]], Iterable[npt.NDArray[Any] | None]],
    tick: Tick,
) -> ReadyInputs:
    keys = [_content_key(record.path) for record in records]
    path_of = {key: record.path for key, record in zip(keys, records, strict=True) if key}
    missing = store.missing(key for key in keys if key)
    store.add(missing, _ticked(compute([path_of[key] for key in missing]), len(missing), tick))
    unmade = set(store.missing(key for key in keys if key))
    usable = [key is not None and key not in unmade for key in keys]
    failures = [
        f"{record.path}: {_why(record.path)}"
        for record, fine in zip(records, usable, strict=True)
        if not fine
    ]
    if not any(usable):
        first = f" (first: {failures[0]})" if failures else ""
        raise TrainingError(f"None of the {len(records)} images can be used{first}.")
    kept = [record for record, fine in zip(records, usable, strict=True) if fine]
    rows = store.rows([key for key, fine in zip(keys, usable, strict=True) if key and fine])
    return ReadyInputs(tuple(kept), rows, tuple(failures))


def _content_key(path: Path) -> str | None:
    try:
        return hash_file(path)
    except OSError:
        return None


def _why(path: Path) -> str:
    try:
        decode_image(path)
    except ImageError as error:
        return str(error)
    return "could not be read before, but can be now; train again"


def _ticked(
    rows: Iterable[npt.NDArray[Any] | None], total: int, tick: Tick
) -> Iterator[npt.NDArray[Any] | None]:
    for done, row in enumerate(rows, start=1):
        yield row
        tick(done, total)
