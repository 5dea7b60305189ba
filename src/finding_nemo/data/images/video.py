"""Video files: which frames there are, from the packets alone, and one frame after the other."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.data.images.decode import DecodedImage
from finding_nemo.data.images.video_file import (
    VideoFile,
    check_pixels,
    is_decoder_error,
    video_reasons,
)

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".webm", ".wmv"}
)
# Cameras and encoders set a key frame at least every 10 s: within that, decoding on is no
# slower than jumping back to one.
_JUMP_S = 10.0
# Packets kept while a key frame nearer to the wanted frame is looked for: 10 s of 50 Mbit/s.
_MAX_HELD_BYTES = 64 << 20
# Frames between one and the next that is no B-frame: encoders allow 16 at most, most use 2 or 3.
_MAX_B_FRAMES = 16
_B_FRAME = 3  # FFmpeg's AV_PICTURE_TYPE_B


@dataclass(frozen=True, slots=True)
class FrameTime:
    """One frame of a video.

    Attributes:
        position: Its presentation time in the video's own unit; names it exactly.
        time_s: Seconds since the video's first frame.
    """

    position: int
    time_s: float


def frame_times(
    path: str, every_s: float, *, limits: InputLimits = USUAL_LIMITS
) -> list[FrameTime]:
    """Return the first frame at or after each multiple of `every_s`, without decoding.

    Frames before the first key frame are not counted: nobody can decode them. Where a file breaks
    off, a last frame is listed that cannot be decoded, whatever its time, so that the loss shows.

    Raises:
        ImageError: If the file is no video that can be read.
        MissingExtraError: If PyAV is not installed.
    """
    with video_reasons():
        file = VideoFile(path, limits=limits)
        try:
            positions, broken = _positions(file)
        finally:
            file.close()
    if not positions:
        raise ImageError("holds no frame that can be decoded")
    found = list(_every(positions, every_s, file.unit_s))
    if broken is not None and found[-1].position < broken:
        time_s = round((broken - positions[0]) * file.unit_s, 6)
        found.append(FrameTime(broken, time_s))
    return found


def _positions(file: VideoFile) -> tuple[array[int], int | None]:
    """Return the times of all frames, sorted, and of the one where the file breaks off."""
    found: set[int] = set()
    first: int | None = None
    last_is_whole = True
    is_whole = not file.is_cut_off
    try:
        for packet in file.packets():
            position = _position_of(packet)
            if position is None:
                continue
            if first is None and packet.is_keyframe:
                first = position
            if first is not None and position >= first and not packet.is_discard:
                found.add(position)
                last_is_whole = not packet.is_corrupt
    except Exception:
        if not found:
            raise
        is_whole = False
    if not is_whole and last_is_whole and found:
        found.add(max(found) + 1)
    positions = array("q", sorted(found))
    return positions, positions[-1] if found and not (is_whole and last_is_whole) else None


def _position_of(packet: Any) -> int | None:  # noqa: ANN401 - PyAV is optional
    position = packet.dts if packet.pts is None else packet.pts
    return position if packet.size else None


def _every(positions: array[int], every_s: float, unit_s: float) -> Iterator[FrameTime]:
    first, step, place = positions[0], 0, 0
    while place < len(positions):
        position = positions[place]
        time_s = (position - first) * unit_s
        yield FrameTime(position, round(time_s, 6))
        # Where frames are further apart than `every_s`, each is taken once.
        step = max(step + 1, int(time_s / every_s + 1e-6) + 1)
        wanted = first + (step * every_s - 1e-6) / unit_s
        # Times above 2^53 are no exact floats: the next place is never the same again.
        place = max(place + 1, bisect_left(positions, wanted))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A decoded frame, and whether all that it was made of was whole."""

    position: int
    frame: Any
    is_sound: bool


class VideoFrames:
    """Frames of one video, fastest when asked for in order.

    A frame's pixels do not depend on which was asked for before: decoding begins at a key frame,
    and what refers to frames before that is not used.
    """

    def __init__(self, path: str, *, limits: InputLimits = USUAL_LIMITS) -> None:
        """Open a video.

        Raises:
            ImageError: If it is no video that can be read.
            MissingExtraError: If PyAV is not installed.
        """
        self.path = path
        self._limits = limits
        with video_reasons():
            self._file = VideoFile(path, limits=limits)
        self._packets: Iterator[Any] = iter(())
        self._frames: Iterator[_Shown] = iter(())
        self._waiting: deque[_Shown] = deque()
        # Of the last frame taken out of the decoder; what lies between it and the first that
        # waits cannot be decoded.
        self._passed: int | None = None

    def frame(self, position: int) -> DecodedImage:
        """Return the frame at `position`, as `frame_times` gave it.

        Raises:
            ImageError: If it cannot be decoded.
        """
        with video_reasons():
            found = self._find(position)
            check_pixels(found.width, found.height, self._limits)
            pixels = found.to_ndarray(format="rgb24")
        turned = np.rot90(pixels, k=round(getattr(found, "rotation", 0) / 90) % 4)
        upright = np.ascontiguousarray(turned)
        return DecodedImage(pixels=upright, width=upright.shape[1], height=upright.shape[0])

    def _find(self, position: int) -> Any:  # noqa: ANN401 - PyAV is optional
        if self._must_jump(position):
            self._jump(position)
        while self._has_next() and self._waiting[0].position < position:
            self._passed = self._waiting.popleft().position
        if not self._waiting or self._waiting[0].position != position:
            raise ImageError("the frame at this time cannot be decoded")
        if not self._is_sound_with_next():
            raise ImageError("the frame at this time is damaged")
        return self._waiting[0].frame

    def _has_next(self) -> bool:
        if not self._waiting:
            self._waiting.extend(self._more(1))
        return bool(self._waiting)

    def _more(self, n_frames: int) -> Iterator[_Shown]:
        for _, shown in zip(range(n_frames), self._frames, strict=False):
            yield shown

    def _is_sound_with_next(self) -> bool:
        """Return whether the first waiting frame is whole, and the later one it was made of."""
        wanted = self._waiting[0]
        if not wanted.is_sound or not _is_b_frame(wanted):
            return wanted.is_sound
        for place in range(1, _MAX_B_FRAMES):
            if len(self._waiting) == place:
                self._waiting.extend(self._more(1))
            if len(self._waiting) == place:
                return True
            if not _is_b_frame(self._waiting[place]):
                return self._waiting[place].is_sound
        return True

    def _must_jump(self, position: int) -> bool:
        if not self._waiting:
            return True
        ahead = position - self._waiting[0].position
        if ahead < 0:
            return self._passed is None or position <= self._passed
        return ahead * self._file.unit_s > _JUMP_S

    def _jump(self, position: int) -> None:
        """Begin at a key frame at or before `position`.

        A jump goes by the order of decoding, so the key frame that it finds may be shown after
        `position`, and a decoder may show nothing before the next one. Then the jump is made again
        from further back, at last from the beginning.
        """
        for back_s in (0.0, 1.0, _JUMP_S, None):
            wanted = None if back_s is None else position - round(back_s / self._file.unit_s)
            self._frames = self._shown(self._packets_before(wanted))
            self._waiting.clear()
            self._passed = None
            if self._has_next() and self._waiting[0].position <= position:
                return

    def _packets_before(self, position: int | None) -> Iterator[Any]:
        """Return the packets from a key frame at or before `position` on, or all from the first."""
        if position is None or not self._file.is_indexed or not self._file.has_jumped(position):
            self._file.close()
            self._file = VideoFile(self.path, limits=self._limits)
        packets = _from_key_frame(self._file.packets())
        return packets if position is None else _skipped(packets, position)

    def _shown(self, packets: Iterator[Any]) -> Iterator[_Shown]:
        """Yield the frames that need nothing before the first packet, in the order shown.

        After damage no frame is sound until the next whole key frame: later ones refer to it.
        """
        first: int | None = None
        fed: list[int] = []
        cut: set[int | None] = set()
        is_sound = True
        for packet in packets:
            position = _position_of(packet)
            first = position if first is None else first
            if position is not None and not self._file.has_times:
                heapq.heappush(fed, position)
            # In a broadcast stream this also marks the first packet after a seam, which is whole.
            if packet.is_corrupt and self._file.is_indexed:
                cut.add(position)
            try:
                frames = packet.decode()
            except Exception as error:
                if not is_decoder_error(error):
                    raise
                is_sound, frames = False, []
            for frame in frames:
                position = _shown_at(frame, fed)
                is_whole = not frame.is_corrupt and position not in cut
                is_sound = is_whole and (is_sound or bool(frame.key_frame))
                if first is not None and position is not None and position >= first:
                    yield _Shown(position, frame, is_sound)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _from_key_frame(packets: Iterator[Any]) -> Iterator[Any]:
    for packet in packets:
        if packet.is_keyframe and _position_of(packet) is not None:
            yield packet
            break
    yield from packets


def _skipped(packets: Iterator[Any], position: int) -> Iterator[Any]:
    """Return the packets from the last key frame at or before `position` on."""
    held: list[Any] = []
    n_bytes = 0
    for packet in packets:
        shown_at = _position_of(packet)
        if packet.is_keyframe and shown_at is not None and shown_at <= position:
            held, n_bytes = [], 0
        held.append(packet)
        n_bytes += packet.size
        decoded_at = shown_at if packet.dts is None else packet.dts
        if n_bytes > _MAX_HELD_BYTES or (decoded_at is not None and decoded_at > position):
            break
    yield from held
    yield from packets


def _shown_at(frame: Any, fed: list[int]) -> int | None:  # noqa: ANN401 - PyAV is optional
    """Return when a frame is shown.

    Args:
        frame: The decoded frame.
        fed: Times of the packets whose frames are still to come, as a heap, where the packets do
            not say which of them is whose: frames come in the order shown.
    """
    if not fed:
        position: int | None = frame.dts if frame.pts is None else frame.pts
        return position
    while frame.key_frame and len(fed) > 1 and frame.pts is not None and fed[0] < frame.pts:
        heapq.heappop(fed)
    return heapq.heappop(fed)


def _is_b_frame(shown: _Shown) -> bool:
    return int(shown.frame.pict_type) == _B_FRAME
