"""One video file, opened so that it can reach nothing but its own bytes, and never for ever.

FFmpeg reads some 350 formats, among them playlists and scripts that name other files and servers.
Here it gets a file that Python opened, may recognise only the formats below, and may open nothing.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from finding_nemo.core.errors import FindingNemoError, ImageError, MissingExtraError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.data.filesystems.filesystem import file_system_of, is_url, unreadable_reason

# As FFmpeg names what holds MP4, MOV, Matroska, WebM, AVI, MPEG-PS, MPEG-TS, WMV and a bare
# MPEG-1/2 stream. None of them refers to other files, but for MOV's `dref`, which is off.
_FORMATS = "mov,matroska,avi,mpeg,mpegts,asf,mpegvideo"
# These have an index, so that a jump lands on a key frame with the times that it has when the
# file is read from its beginning. In a broadcast stream a jump is a guess by its size.
_INDEXED_FORMATS = frozenset({"mov", "matroska", "avi", "asf"})
# AVI stores the order of decoding alone; FFmpeg's guess of the order shown is wrong for H.264.
_FORMATS_WITHOUT_TIMES = frozenset({"avi"})
# MP4's outermost boxes; a fragmented file has two for each second or so.
_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_MAX_BOXES = 100
_INDEX_BOXES = frozenset({b"moov", b"moof"})
# 64 MiB list 8 million frames; a list of 1 million takes FFmpeg 40 MB and 0.2 s.
_MAX_INDEX_BYTES = 64 << 20
_FEW_FRAMES = 1_000_000
_WIDE_SIZE = (1).to_bytes(4, "big")  # the size follows, in 8 bytes
# Writers disagree by a few bytes on where padding belongs.
_PADDING_BYTES = 16
_REFERENCES = (b"#EXTM3U", b"ffconcat", b"v=0", b"<", b"[playlist]", b"[Reference]", b"http")


class VideoFile:
    """An opened video.

    Attributes:
        container: PyAV's container.
        stream: Its picture stream.
        unit_s: Seconds of one step of its times.
        is_indexed: Whether a jump to a time can be trusted.
        has_times: Whether the file stores when frames are shown.
        is_cut_off: Whether it ends before the end that it declares.
    """

    def __init__(self, path: str, *, limits: InputLimits = USUAL_LIMITS) -> None:
        """Open a video.

        Raises:
            ImageError: If it is no video that can be read.
            MissingExtraError: If PyAV is not installed.
        """
        av = _decoder(path)
        file = _opened(path)
        self._file = _WatchedFile(file, limits.max_seconds)
        try:
            self.is_cut_off = _declared_bytes(file) > file.seek(0, os.SEEK_END) + _PADDING_BYTES
            file.seek(0)
            self.container: Any = av.open(
                self._file,
                io_open=_open_nothing,
                options={"max_pixels": str(limits.max_pixels)},
                container_options={"format_whitelist": _FORMATS, "protocol_whitelist": "none"},
                timeout=limits.max_seconds,
            )
            self.stream: Any = _picture_stream(self.container)
            _check_size(self.stream, limits)
        except BaseException:
            self.close()
            raise
        self.stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
        # MPEG-4 Part 2 marks a damaged frame in one thread after another may have copied it.
        is_marked_late = self.stream.codec_context.name == "mpeg4"
        self.stream.thread_type = "SLICE" if is_marked_late else "AUTO"
        self.unit_s = float(self.stream.time_base)
        names = set(self.container.format.name.split(","))
        self.is_indexed = not names.isdisjoint(_INDEXED_FORMATS)
        self.has_times = names.isdisjoint(_FORMATS_WITHOUT_TIMES)

    def packets(self) -> Iterator[Any]:
        """Yield the pictures' packets from here on; each has `max_seconds` to come.

        Raises:
            ImageError: If the next one does not come.
        """
        self._file.wait_again()
        for packet in self.container.demux(self.stream):
            yield packet
            self._file.wait_again()

    def has_jumped(self, position: int) -> bool:
        """Go to a key frame near `position`; return whether the file allows it."""
        self._file.wait_again()
        try:
            self.container.seek(position, stream=self.stream, backward=True)
        except Exception as error:
            if is_decoder_error(error):
                return False
            raise
        return True

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "container"):
            self.container.close()
        self._file.close()


class _WatchedFile:
    """What FFmpeg reads: a file without a name, since a name can stand for a server."""

    def __init__(self, file: BinaryIO, max_seconds: float) -> None:
        self._file = file
        self._max_seconds = max_seconds
        self.wait_again()

    def wait_again(self) -> None:
        """Let the time for the next packet begin."""
        self._until = time.monotonic() + self._max_seconds

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes.

        Raises:
            ImageError: If the time is up.
        """
        self._check_time()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to `offset`.

        Raises:
            ImageError: If the time is up.
        """
        self._check_time()
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the next byte is."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise ImageError(f"gave no frame within {self._max_seconds:g} s")


def _decoder(path: str) -> Any:  # noqa: ANN401 - PyAV is optional
    try:
        import av
    except ImportError:
        raise MissingExtraError(
            f"Reading the video {path} needs PyAV. {install_hint('video')}"
        ) from None
    # torchvision turns FFmpeg's messages on. Then FFmpeg's threads wait for Python's lock to tell
    # them, while the thread that holds the lock waits for them, and now and then a film never ends.
    av.logging.set_level(None)
    return av


def _opened(path: str) -> BinaryIO:
    """Open `path` as a file that can only be read.

    Raises:
        ImageError: If it is no regular file, is empty or only refers to other files.
    """
    if not is_url(path):
        # Asked before it is opened: opening a named pipe waits for whoever writes to it.
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ImageError("is a folder, not a video")
        if not stat.S_ISREG(mode):
            raise ImageError("is no regular file (a pipe, socket or device)")
    file = file_system_of(path).open(path)
    try:
        _check_beginning(file)
    except BaseException:
        file.close()
        raise
    return file


def _check_beginning(file: BinaryIO) -> None:
    beginning = file.read(64)
    file.seek(0)
    if not beginning:
        raise ImageError("is empty")
    if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_REFERENCES):
        raise ImageError("is a playlist or script that names other files, which are not followed")


def _declared_bytes(file: BinaryIO) -> int:
    """Return where MP4's frames, AVI's first part or Matroska's segment say that they end, or 0."""
    file.seek(0)
    beginning = file.read(64)
    if beginning.startswith(b"RIFF"):
        return int.from_bytes(beginning[4:8], "little")
    if beginning.startswith(b"\x1a\x45\xdf\xa3"):
        # Segment, and a size of 8 bytes whose first is the mark of that length: all writers do so.
        found = beginning.find(b"\x18\x53\x80\x67\x01")
        size = int.from_bytes(beginning[found + 5 : found + 12], "big")
        return found + 12 + size if found > 0 and size != (1 << 56) - 1 else 0
    return _end_of_boxes(file) if beginning[4:8] in _FIRST_BOXES else 0


def _end_of_boxes(file: BinaryIO) -> int:
    end, n_bytes = 0, file.seek(0, os.SEEK_END)
    for _ in range(_MAX_BOXES):
        file.seek(end)
        head = file.read(16)
        size = int.from_bytes(head[8:16] if head[:4] == _WIDE_SIZE else head[:4], "big")
        if len(head) < 8 or size < 8:
            return 0
        if head[4:8] in _INDEX_BOXES:
            _check_counts(head + file.read(max(0, min(size, _MAX_INDEX_BYTES) - 16)), n_bytes)
        end += size
        if head[4:8] == b"mdat" and n_bytes < end:
            return end
    return 0


def _check_counts(index: bytes, n_bytes: int) -> None:
    """Refuse a file of a few kB that claims so many frames that a list of them fills the memory.

    Raises:
        ImageError: If it claims more frames than it has bytes.
    """
    for name, place in ((b"stsz", 12), (b"trun", 8)):
        found = index.find(name)
        while found >= 0:
            count = int.from_bytes(index[found + place : found + place + 4], "big")
            if count > max(n_bytes, _FEW_FRAMES):
                raise ImageError(f"claims {count} frames in {n_bytes} bytes")
            found = index.find(name, found + 4)


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> BinaryIO:
    raise ImageError("refers to another file, which is not opened")


def _picture_stream(container: Any) -> Any:  # noqa: ANN401 - PyAV is optional
    """Return the first picture stream that is no cover picture.

    Raises:
        ImageError: If there is none, or none that can be decoded.
    """
    for stream in container.streams.video:
        if stream.disposition & type(stream.disposition).attached_pic:
            continue
        if stream.codec_context is None:
            raise ImageError("holds pictures in a coding that is not known")
        if not stream.time_base:
            raise ImageError("does not say when its frames are shown")
        return stream
    raise ImageError("holds no picture stream")


def _check_size(stream: Any, limits: InputLimits) -> None:  # noqa: ANN401 - PyAV is optional
    check_pixels(stream.codec_context.width, stream.codec_context.height, limits)


def check_pixels(width: int, height: int, limits: InputLimits) -> None:
    """Refuse a frame that is too large.

    Raises:
        ImageError: If it has more pixels than allowed.
    """
    if width * height > limits.max_pixels:
        raise ImageError(
            f"has frames of {width} x {height} pixels, more than the "
            f"{limits.max_pixels / 1e6:g} million that one may have"
        )


def is_decoder_error(error: Exception) -> bool:
    """Return whether PyAV raised `error`; its classes are known only where it is installed."""
    return type(error).__module__.partition(".")[0] == "av"


@contextmanager
def video_reasons() -> Iterator[None]:
    """Turn every error of the decoder into the reason why an image cannot be used."""
    try:
        yield
    except (ImageError, MissingExtraError):
        raise
    except FindingNemoError as error:
        raise ImageError(str(error)) from None
    except MemoryError:
        raise ImageError("needs more memory than there is") from None
    except Exception as error:
        if isinstance(error, OSError) and not is_decoder_error(error):
            raise ImageError(unreadable_reason(error)) from None
        raise ImageError(f"is no video that can be read ({type(error).__name__})") from None
