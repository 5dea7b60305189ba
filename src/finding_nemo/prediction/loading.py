"""Inputs into images as the network takes them, wherever they are: file, store, tar, video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.places import is_url, read_file, read_range
from finding_nemo.data.tar_files import tar_of
from finding_nemo.data.transforms import preprocess
from finding_nemo.data.video import VideoFrames
from finding_nemo.prediction.inputs import ImageInput
from finding_nemo.prediction.pixels import DECODE_THREADS, ReadyImage, mapped_ahead, ready_image

Loaded = tuple[ImageInput, ReadyImage]


def load_images(
    inputs: Iterable[ImageInput], preprocessing: Preprocessing, *, threads: int | None = None
) -> Iterator[Loaded]:
    """Yield each input with its pixels or the reason why it has none, in order.

    Files are read and decoded by threads, ahead of who asks. Frames of a video depend on the
    ones before, so they are decoded one after the other, by the decoder's own threads.

    Args:
        inputs: The images.
        preprocessing: What the network takes.
        threads: 1 decodes on request, in the caller's thread.
    """
    loader = _Loader(preprocessing)
    items = loader.with_frames(inputs)
    if threads == 1:
        yield from map(loader.ready, items)
    else:
        yield from mapped_ahead(loader.ready, items, threads=threads or DECODE_THREADS)


@dataclass(frozen=True, slots=True)
class _Loader:
    preprocessing: Preprocessing

    def with_frames(
        self, inputs: Iterable[ImageInput]
    ) -> Iterator[tuple[ImageInput, ReadyImage | None]]:
        """Yield inputs in order, those that are frames of a video with their pixels."""
        video: VideoFrames | None = None
        try:
            for image in inputs:
                if image.time_s is None:
                    yield image, None
                    continue
                try:
                    if video is None or video.path != image.path:
                        if video is not None:
                            video.close()
                        video = None
                        video = VideoFrames(image.path)
                    yield image, self._frame(video, image)
                except ImageError as error:
                    yield image, ReadyImage(None, None, None, str(error))
        finally:
            if video is not None:
                video.close()

    def _frame(self, video: VideoFrames, image: ImageInput) -> ReadyImage:
        decoded = video.frame(image.position or 0)
        values = preprocess(decoded.pixels, self.preprocessing)
        return ReadyImage(values, decoded.width, decoded.height, None)

    def ready(self, item: tuple[ImageInput, ReadyImage | None]) -> Loaded:
        """Return one input with its pixels."""
        image, known = item
        return image, known or self._load(image)

    def _load(self, image: ImageInput) -> ReadyImage:
        try:
            return ready_image(_source(image), self.preprocessing)
        except ImageError as error:
            return ReadyImage(None, None, None, str(error))


def _source(image: ImageInput) -> Path | bytes:
    """Return the local file, or the bytes of what is no local file."""
    if image.failure is not None:
        raise ImageError(image.failure)
    if image.size is not None:
        return read_range(tar_of(image.path), image.position or 0, image.size)
    return read_file(image.path) if is_url(image.path) else Path(image.path)
