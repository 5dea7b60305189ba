"""Video files: which frames there are, from the packets alone, and one frame after the other."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Any, Self

import numpy as np

from finding_nemo.core.errors import ImageError, MissingExtraError
from finding_nemo.core.extras import install_hint
from finding_nemo.data.images import DecodedImage
from finding_nemo.data.places import files_of, is_url, unreadable_reason

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".webm", ".wmv"}
)
# Cameras and encoders set a key frame at least every 10 s: within that, decoding on is no
# slower than jumping back to one.
_JUMP_S = 10.0


@dataclass(frozen=True, slots=True)
class FrameTime:
    """One frame of a video.

    Attributes:
        position: Its presentation time in the video's own unit; names it exactly.
        time_s: Seconds since the video's first frame.
    """

    position: int
    time_s: float


def frame_times(path: str, every_s: float) -> list[FrameTime]:
    """Return the first frame at or after each multiple of `every_s`, without decoding.

    Raises:
        ImageError: If the file is no video that can be read.
        MissingExtraError: If PyAV is not installed.
    """
    with _reasons(), _opened(path) as container:
        stream = container.streams.video[0]
        unit_s = float(stream.time_base)
        found = array("q")
        for packet in container.demux(stream):
            if packet.pts is not None and not packet.is_discard:
                found.append(packet.pts)
    positions = sorted(found)
    if not positions:
        raise ImageError("holds no frame")
    return list(_every(positions, every_s, unit_s))


def _every(positions: list[int], every_s: float, unit_s: float) -> Iterator[FrameTime]:
    first, step, place = positions[0], 0, 0
    while place < len(positions):
        position = positions[place]
        time_s = (position - first) * unit_s
        yield FrameTime(position, round(time_s, 6))
        # Where frames are further apart than `every_s`, each is taken once.
        step = max(step + 1, int(time_s / every_s + 1e-6) + 1)
        wanted = first + (step * every_s - 1e-6) / unit_s
        place = bisect_left(positions, wanted)


class VideoFrames:
    """Frames of one video, fastest when asked for in order."""

    def __init__(self, path: str) -> None:
        """Open a video.

        Raises:
            ImageError: If it is no video that can be read.
            MissingExtraError: If PyAV is not installed.
        """
        self.path = path
        with _reasons():
            self._container = _open(path)
            self._stream = self._container.streams.video[0]
            self._stream.thread_type = "AUTO"
        self._frames: Iterator[Any] = iter(())
        self._position: int | None = None

    def frame(self, position: int) -> DecodedImage:
        """Return the frame at `position`, as `frame_times` gave it.

        Raises:
            ImageError: If it cannot be decoded.
        """
        with _reasons():
            found = self._find(position)
            pixels = found.to_ndarray(format="rgb24")
        turned = np.rot90(pixels, k=round(getattr(found, "rotation", 0) / 90) % 4)
        upright = np.ascontiguousarray(turned)
        return DecodedImage(pixels=upright, width=upright.shape[1], height=upright.shape[0])

    def _find(self, position: int) -> Any:  # noqa: ANN401 - PyAV is optional
        if self._must_jump(position):
            self._frames = self._frames_before(position)
        for frame in self._frames:
            self._position = frame.pts
            if frame.pts is not None and frame.pts >= position:
                if frame.pts == position:
                    return frame
                break
        self._position = None
        raise ImageError("the frame at this time cannot be decoded")

    def _frames_before(self, position: int) -> Iterator[Any]:
        """Return the frames from a key frame at or before `position` on.

        A jump goes by the order of decoding: the key frame that it finds may be shown after
        `position`. Then it is made again from further back.
        """
        start = self._stream.start_time or 0
        for back_s in (0.0, 1.0, _JUMP_S):
            target = max(start, position - round(back_s / float(self._stream.time_base)))
            self._container.seek(target, stream=self._stream, backward=True)
            frames = self._container.decode(self._stream)
            first = next(frames, None)
            if first is not None and first.pts is not None and first.pts <= position:
                return chain([first], frames)
        self._container.seek(start, stream=self._stream, backward=True)
        return iter(self._container.decode(self._stream))

    def _must_jump(self, position: int) -> bool:
        if self._position is None or position <= self._position:
            return True
        return (position - self._position) * float(self._stream.time_base) > _JUMP_S

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    container = _open(path)
    try:
        yield container
    finally:
        container.close()


def _open(path: str) -> Any:  # noqa: ANN401 - PyAV is optional
    try:
        import av
    except ImportError:
        raise MissingExtraError(
            f"Reading the video {path} needs PyAV. {install_hint('video')}"
        ) from None
    container = av.open(files_of(path).open(path) if is_url(path) else path)
    if not container.streams.video:
        container.close()
        raise ImageError("holds no picture stream")
    return container


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn every error of the decoder into the reason why an image cannot be used."""
    try:
        yield
    except (ImageError, MissingExtraError):
        raise
    except Exception as error:  # the decoder's classes are known only where it is installed
        if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
            raise ImageError(unreadable_reason(error)) from None
        raise ImageError(f"is no video that can be read ({type(error).__name__})") from None
