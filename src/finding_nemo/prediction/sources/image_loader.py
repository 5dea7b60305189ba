"""Inputs into images as the network takes them, wherever they are: file, store, tar, video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.data.filesystems.filesystem import is_url, read_file, read_range
from finding_nemo.data.filesystems.name_text import name_of_text
from finding_nemo.data.filesystems.regular_files import check_length
from finding_nemo.data.filesystems.tar import tar_of
from finding_nemo.data.images.decode import DecodedImage
from finding_nemo.data.images.resize import resize_pixels
from finding_nemo.data.images.video import VideoFrames
from finding_nemo.data.images.workers.decode_on_every_core import start_ahead_of
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.prediction.sources.prepared_image import PreparedImage, prepare_image

# A store answers after some 50 ms: 16 requests at a time are 300 images/s.
_READ_THREADS = 16

Item = TypeVar("Item")
Result = TypeVar("Result")
LoadedImage = tuple[ImageInput, PreparedImage]
# What is read of an image: a local file's path, its bytes, or what is ready or failed already.
_Source = Path | bytes | Pixels | PreparedImage
_Read = tuple[ImageInput, _Source]


def load_images(
    inputs: Iterable[ImageInput],
    preprocessing: Preprocessing,
    *,
    threads: int | None = None,
    limits: InputLimits = USUAL_LIMITS,
) -> Iterator[LoadedImage]:
    """Yield each input with its pixels or the reason why it has none, in order.

    Args:
        inputs: The images.
        preprocessing: What the network takes.
        threads: 1 decodes on request, in the caller's thread; default: one a core.
        limits: What one image may cost.
    """
    batches = used_images(inputs, preprocessing, list, batch_size=1, threads=threads, limits=limits)
    for loaded in batches:
        yield from loaded


def load_image(
    image: ImageInput, preprocessing: Preprocessing, limits: InputLimits = USUAL_LIMITS
) -> LoadedImage:
    """Return one image that is no frame of a video with its pixels, in the caller's thread.

    Args:
        image: The image.
        preprocessing: What the network takes.
        limits: What it may cost.
    """
    return _ready(*_read(image, limits), preprocessing, limits)


def start_decoding_ahead(first: ImageInput, n_images: int) -> None:
    """Start the processes that will decode many images like the first, where there are such.

    Args:
        first: An image that stands for all; only a local file says anything.
        n_images: How many there are.
    """
    is_elsewhere = first.content is not None or first.size is not None or first.time_s is not None
    name = name_of_text(first.path)
    if first.failure is None and not is_elsewhere and not is_url(name):
        start_ahead_of(Path(name), n_images)


def used_images(
    inputs: Iterable[ImageInput],
    preprocessing: Preprocessing,
    use: Callable[[list[LoadedImage]], Result],
    *,
    batch_size: int,
    threads: int | None = None,
    limits: InputLimits = USUAL_LIMITS,
) -> Iterator[Result]:
    """Yield what `use` makes of each batch of images with their pixels, in order.

    A thread takes a batch the whole way, so that every core decodes or computes at any moment.
    Frames of a video depend on the ones before, so they are decoded one after the other, by the
    decoder's own threads.

    Args:
        inputs: The images.
        preprocessing: What the network takes.
        use: Called from several threads.
        batch_size: Images that a thread takes at once.
        threads: 1 works on request, in the caller's thread; default: one a core.
        limits: What one image may cost.
    """
    threads = threads or usable_cores()
    ready = partial(_ready, preprocessing=preprocessing, limits=limits, in_threads=threads > 1)

    def work(items: list[_Read]) -> Result:
        return use([ready(image, source) for image, source in items])

    batches = batched(_read_all(inputs, preprocessing, limits), batch_size)
    if threads == 1:
        yield from map(work, batches)
    else:
        yield from prefetch_map(work, batches, threads=threads)


def _ready(
    image: ImageInput,
    source: _Source,
    preprocessing: Preprocessing,
    limits: InputLimits,
    *,
    in_threads: bool = False,
) -> LoadedImage:
    if isinstance(source, PreparedImage):
        return image, source
    if isinstance(source, np.ndarray):
        return image, _prepared(source, preprocessing)
    return image, prepare_image(source, preprocessing, limits=limits, in_threads=in_threads)


def _prepared(pixels: Pixels, preprocessing: Preprocessing) -> PreparedImage:
    """Return pixels of any size at the network's."""
    small = resize_pixels(
        pixels,
        width_px=preprocessing.width_px,
        height_px=preprocessing.height_px,
        resize=preprocessing.resize,
    )
    return PreparedImage(small, pixels.shape[1], pixels.shape[0], None)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield `items` in lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _read_all(
    inputs: Iterable[ImageInput], preprocessing: Preprocessing, limits: InputLimits
) -> Iterator[_Read]:
    """Yield what is read of each input, many at a time where the first is far away."""
    iterator = iter(inputs)
    first = list(islice(iterator, 1))
    images = chain(first, iterator)
    if first and is_url(_container(first[0])) and first[0].time_s is None:
        return prefetch_map(partial(_read, limits=limits), images, threads=_READ_THREADS)
    return _with_frames(images, preprocessing, limits)


def _container(image: ImageInput) -> str:
    return image.path if image.size is None else tar_of(image.path)


def _read(image: ImageInput, limits: InputLimits) -> _Read:
    try:
        return image, _source(image, limits)
    except ImageError as error:
        return image, _failed(error)


def _failed(error: ImageError) -> PreparedImage:
    return PreparedImage(None, None, None, str(error))


def _source(image: ImageInput, limits: InputLimits) -> Path | bytes | Pixels:
    """Return the local file, or the bytes of what is no local file, or pixels in memory."""
    if image.failure is not None:
        raise ImageError(image.failure)
    if image.content is not None:
        return image.content
    if image.size is not None:
        check_length(image.size, limits)
        return read_range(tar_of(image.path), image.position or 0, image.size, limits)
    name = name_of_text(image.path)
    return read_file(name, limits) if is_url(name) else Path(name)


def _with_frames(
    images: Iterable[ImageInput], preprocessing: Preprocessing, limits: InputLimits
) -> Iterator[_Read]:
    """Yield what is read of each input, frames of a video one after the other.

    A frame is made small here: many whole ones, waiting, would fill the memory.
    """
    video = _OneVideo()
    try:
        for image in images:
            if image.time_s is None:
                yield _read(image, limits)
                continue
            try:
                frame = video.frame(image)
            except ImageError as error:
                yield image, _failed(error)
            else:
                yield image, _prepared(frame.pixels, preprocessing)
    finally:
        video.close()


class _OneVideo:
    """The video of the last frame, open."""

    def __init__(self) -> None:
        self._open: VideoFrames | None = None

    def frame(self, image: ImageInput) -> DecodedImage:
        path = name_of_text(image.path)
        if self._open is None or self._open.path != path:
            self.close()
            self._open = VideoFrames(path)
        return self._open.frame(image.position or 0)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None
