"""Training images into what the loop takes: decoded pixels or features, computed once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError, TrainingError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import ProgressCallback, Reporter
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.workers.decode_on_every_core import decode_on_every_core
from finding_nemo.models.inference.pixel_network import PixelNetwork
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.training.examples.array_cache import ArrayCache, CachedRows, cache_folder

Item = TypeVar("Item")
Result = TypeVar("Result")

_WINDOW = 64
# 256 frames of `patches` are 100 MB and a quarter of a minute. Each part is a file that stays open,
# of which a process may have a thousand.
_LEAST_IN_PART = 256
_MOST_PARTS = 32
# Part of each store's name: rows of an earlier definition are never mixed with today's.
_PIXELS = "reduced-bilinear"


@dataclass(frozen=True)
class CachedInputs:
    """Stored rows of the images that could be used.

    Attributes:
        records: Their records, in order.
        rows: One row a record.
        failures: What could not be used, as "file: reason".
        content: Stands for the files' bytes; equal where every file is.
    """

    records: tuple[ImageRecord, ...]
    rows: CachedRows
    failures: tuple[str, ...]
    content: str = ""


def tell_unusable(train: CachedInputs, val: CachedInputs, reporter: Reporter) -> None:
    """Tell of the images that could not be used, with the first reasons."""
    for name, inputs in (("training", train), ("validation", val)):
        if inputs.failures:
            first = "; ".join(inputs.failures[:3])
            reporter.message(
                f"{len(inputs.failures)} {name} images cannot be used and are left out: {first}."
            )


def cache_pixels(
    records: Sequence[ImageRecord], preprocessing: Preprocessing, *, progress: ProgressCallback
) -> CachedInputs:
    """Return the frames decoded at the network's size: uint8 (height, width, 3) a row.

    Raises:
        TrainingError: If no image can be used.
        NoSpaceError: If the disk is full.
    """
    width, height = preprocessing.width_px, preprocessing.height_px
    store = ArrayCache(
        cache_folder() / f"pixels-{width}x{height}-{preprocessing.resize}-{_PIXELS}",
        row_shape=(height, width, 3),
        dtype=np.uint8,
    )

    def compute(paths: Sequence[Path]) -> Iterator[npt.NDArray[np.uint8] | None]:
        return _in_threads(lambda path: _pixels_or_none(path, preprocessing), paths)

    return _ready(records, store, compute, progress)


def cache_features(
    records: Sequence[ImageRecord],
    preprocessing: Preprocessing,
    backbone: bytes,
    *,
    row_shape: tuple[int, ...],
    dtype: npt.DTypeLike = np.float32,
    progress: ProgressCallback,
) -> CachedInputs:
    """Return the frames' features, one row of `row_shape` each, from an exported network.

    The same runtime computes them in prediction, so a head never meets other numbers there.

    Raises:
        TrainingError: If no image can be used.
        NoSpaceError: If the disk is full.
    """
    network = open_network(backbone, preprocessing)
    identity = f"{_PIXELS} {network.choice.runtime} {preprocessing.model_dump_json()}".encode()
    name = f"features-{hashlib.sha256(identity + backbone).hexdigest()[:16]}"
    store = ArrayCache(cache_folder() / name, row_shape=row_shape, dtype=dtype)

    def compute(paths: Sequence[Path]) -> Iterator[npt.NDArray[np.float32] | None]:
        step = network.batch_size
        chunks = [paths[start : start + step] for start in range(0, len(paths), step)]
        for rows in _in_threads(lambda chunk: _features(network, chunk, preprocessing), chunks):
            yield from rows

    return _ready(records, store, compute, progress)


def _features(
    network: PixelNetwork, paths: Sequence[Path], preprocessing: Preprocessing
) -> list[npt.NDArray[np.float32] | None]:
    pixels = [_pixels_or_none(path, preprocessing) for path in paths]
    usable = [image for image in pixels if image is not None]
    rows = iter(network.forward(np.stack(usable)).outputs if usable else ())
    return [None if image is None else next(rows) for image in pixels]


def _pixels_or_none(path: Path, preprocessing: Preprocessing) -> npt.NDArray[np.uint8] | None:
    try:
        return decode_on_every_core(path, preprocessing).pixels
    except ImageError:
        return None


def _in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield results in order; only a window of them waits in memory."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        for start in range(0, len(items), _WINDOW):
            yield from pool.map(function, items[start : start + _WINDOW])


def _ready(
    records: Sequence[ImageRecord],
    store: ArrayCache,
    compute: Callable[[Sequence[Path]], Iterable[npt.NDArray[Any] | None]],
    progress: ProgressCallback,
) -> CachedInputs:
    keys = [_content_key(record.path) for record in records]
    path_of = {key: record.path for key, record in zip(keys, records, strict=True) if key}
    missing = store.missing(key for key in keys if key)
    rows = _ticked(compute([path_of[key] for key in missing]), len(missing), progress)
    for part in _in_parts(missing):
        store.add(part, islice(rows, len(part)))
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
    used = [key for key, fine in zip(keys, usable, strict=True) if key and fine]
    content = hashlib.sha256("\n".join(used).encode()).hexdigest()
    return CachedInputs(tuple(kept), store.rows(used), tuple(failures), content)


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield keys in parts that are stored one by one: a stop loses no more than the last."""
    size = max(_LEAST_IN_PART, math.ceil(len(keys) / _MOST_PARTS))
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


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
    rows: Iterable[npt.NDArray[Any] | None], total: int, progress: ProgressCallback
) -> Iterator[npt.NDArray[Any] | None]:
    for done, row in enumerate(rows, start=1):
        progress(done, total)
        yield row
