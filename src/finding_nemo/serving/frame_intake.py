"""Files that a page sends to keep: saved, predicted and added to the frames under review."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BufferedWriter
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from PIL import Image

from finding_nemo.core.errors import ImageError, MissingExtraError, RequestError
from finding_nemo.core.records import ImageRecord, Prediction
from finding_nemo.data.datasets.fields.record_fields import record_of_path
from finding_nemo.data.filesystems.name_text import text_of_name
from finding_nemo.data.images.formats.image_formats import format_of
from finding_nemo.data.images.video import VIDEO_SUFFIXES, FrameTime, VideoFrames, frame_times
from finding_nemo.prediction.sources.image_ids import clock_time
from finding_nemo.prediction.sources.image_loader import batched
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.serving.batching import BatchingPredictor
from finding_nemo.serving.middleware.request_limits import MB, RequestLimits
from finding_nemo.serving.session_folder import KeptFrame, SessionFolder
from finding_nemo.serving.upload_reader import LOOKED_AT, Upload

NO_VIDEO = (
    "is a video, and this server reads none: it was installed without the extra finding-nemo[video]"
)
_JPEG_QUALITY = 92
# Whole frames of a video in memory at once.
_FRAMES_AT_ONCE = 8
_AGAIN_AFTER_S = 0.2


class ReviewedFrames(Protocol):
    """Where predicted frames go, to be looked at and reviewed."""

    def add_frames(self, frames: Sequence[tuple[str, Path, Prediction]]) -> Sequence[Any]:
        """Add frames, and return a `FrameRow` of each, in order.

        Args:
            frames: The client's name of each, the file that shows it, and what is said of it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedUpload(Upload):
    """A file that lies in the session's folder.

    Attributes:
        path: The file; `None` where it failed and is gone.
        is_video: Whether frames are to be taken of it.
    """

    path: Path | None = None
    is_video: bool = False


class DiskSink:
    """Keeps one file in the session's folder; what is neither image nor video is not kept."""

    def __init__(self, name: str, path: Path, limits: RequestLimits) -> None:
        """Begin a file at `path`."""
        self._name, self._path, self._limits = name, path, limits
        self._stream: BufferedWriter | None = path.open("wb")
        self._start = bytearray()
        self._n_bytes = 0
        self._suffix = ""
        self._failure: str | None = None

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            RequestError: 507 if the disk is full.
        """
        if self._failure is not None or self._stream is None:
            return
        self._n_bytes += len(data)
        if len(self._start) < LOOKED_AT:
            self._start += data[:LOOKED_AT]
            if len(self._start) >= LOOKED_AT:
                self._look()
        is_image = self._suffix not in VIDEO_SUFFIXES
        if is_image and self._n_bytes > self._limits.max_file_bytes:
            self._fail(f"is larger than {self._limits.max_file_bytes / MB:g} MB")
        if self._failure is None:
            with _full_disk():
                self._stream.write(data)

    def close(self) -> Upload:
        """Return the file under its last name, or why there is none."""
        if not self._suffix and self._failure is None:
            self._look()
        if self._failure is not None or self._stream is None:
            return SavedUpload(name=self._name, failure=self._failure)
        with _full_disk():
            self._stream.close()
        path = self._path.with_suffix(self._suffix)
        self._path.rename(path)
        self._path = path
        return SavedUpload(name=self._name, path=path, is_video=self._suffix in VIDEO_SUFFIXES)

    def abort(self) -> None:
        """Remove what came."""
        if self._stream is not None:
            with suppress(OSError):  # a full disk takes not even what is buffered
                self._stream.close()
            self._stream = None
        self._path.unlink(missing_ok=True)

    def _look(self) -> None:
        try:
            self._suffix = f".{format_of(bytes(self._start[:LOOKED_AT])).lower()}"
        except ImageError as error:
            suffix = PurePosixPath(self._name).suffix.lower()
            if suffix not in VIDEO_SUFFIXES or not self._n_bytes:
                self._fail(str(error))
            else:
                self._suffix = suffix

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self.abort()


class _full_disk:
    """Tell a full disk to the client."""

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RequestError(
                507, "The server's disk is full.", do="Free space there, then send it again."
            ) from None


class FrameIntake:
    """From files of a request to frames under review."""

    def __init__(
        self,
        batching: BatchingPredictor,
        folder: SessionFolder,
        frames: ReviewedFrames,
        limits: RequestLimits,
        *,
        every_s: float = 1.0,
        dive_pattern: str | None = None,
    ) -> None:
        """Make ready.

        Args:
            batching: What predicts.
            folder: Where files are kept.
            frames: Where frames go.
            limits: What a request may cost.
            every_s: Seconds between the frames taken of a video.
            dive_pattern: Where to find the dive in a name.
        """
        self._batching, self._folder, self._frames = batching, folder, frames
        self._limits, self._every_s, self._dive_pattern = limits, every_s, dive_pattern
        self._adding = asyncio.Lock()
        self.n_added = 0

    def make_sink(self, name: str) -> DiskSink:
        """Return what keeps one file."""
        return DiskSink(name, self._folder.new_file(), self._limits)

    async def add(self, uploads: Sequence[Upload]) -> Sequence[Any]:
        """Predict files, add their frames, and return a row of each, in order.

        Raises:
            RequestError: 429 if too much waits.
        """
        saved = [upload for upload in uploads if isinstance(upload, SavedUpload)]
        images = [self._input_of(upload) for upload in saved if not upload.is_video]
        predictions = iter(await self._batching.predict(images))
        found: list[tuple[str, Path, Prediction]] = []
        for upload in saved:
            if upload.is_video:
                found += await self._video_in_thread(upload)
            else:
                found.append((upload.name, upload.path or Path(), next(predictions)))
        async with self._adding:
            return await asyncio.to_thread(self._keep, found)

    async def add_again(self, tell: Callable[[int, int], None]) -> None:
        """Predict and add the frames that the folder holds from before.

        Args:
            tell: Told how many are done, of how many.
        """
        kept = list(self._folder.frames)
        for some in batched(kept, 64):
            images = [self._input_again(frame) for frame in some]
            predictions = await self._batching.predict(images)
            rows = [
                (
                    frame.name,
                    self._folder.path / frame.file if frame.file else Path(),
                    replace(prediction, path=frame.name, time_s=frame.time_s),
                )
                for frame, prediction in zip(some, predictions, strict=True)
            ]
            await asyncio.to_thread(self._frames.add_frames, rows)
            self.n_added += len(rows)
            tell(self.n_added, len(kept))

    def _keep(self, found: list[tuple[str, Path, Prediction]]) -> Sequence[Any]:
        named = [
            (
                name,
                path,
                replace(p, path=name, image_id=self._folder.unique_id(p.image_id, _place(name, p))),
            )
            for name, path, p in found
        ]
        lines = [
            KeptFrame(
                image_id=prediction.image_id,
                name=name,
                file=path.name,
                failure=None if path.name else prediction.failure,
                time_s=prediction.time_s,
            )
            for name, path, prediction in named
        ]
        with _full_disk(), self._folder.added(lines):
            rows = self._frames.add_frames(named)
        self.n_added += len(named)
        return rows

    def _record(self, name: str) -> ImageRecord:
        return record_of_path(Path(name), self._dive_pattern)

    def _input_of(self, upload: SavedUpload) -> ImageInput:
        record = self._record(upload.name)
        path = "" if upload.path is None else text_of_name(str(upload.path))
        return ImageInput(record.image_id, path, record, failure=upload.failure)

    def _input_again(self, frame: KeptFrame) -> ImageInput:
        path = text_of_name(str(self._folder.path / frame.file))
        return ImageInput(frame.image_id, path, self._record(frame.name), failure=frame.failure)

    async def _video_in_thread(self, upload: SavedUpload) -> list[tuple[str, Path, Prediction]]:
        """Return the frames of a video; its thread ends soon if the request is given up."""
        is_over = threading.Event()
        try:
            return await asyncio.to_thread(lambda: list(self._video(upload, is_over)))
        finally:
            is_over.set()

    def _video(
        self, upload: SavedUpload, is_over: threading.Event
    ) -> Iterator[tuple[str, Path, Prediction]]:
        """Yield the frames of a video, each kept as a JPEG; the video itself is not kept."""
        record = self._record(upload.name)
        path = upload.path or Path()
        try:
            times = self._times(path)
            with VideoFrames(str(path), limits=self._limits.of_images) as video:
                for some in batched(times, _FRAMES_AT_ONCE):
                    if is_over.is_set():
                        return
                    yield from self._video_frames(upload.name, record, video, some)
        except ImageError as error:
            yield upload.name, Path(), self._failed(record, str(error))
        except MissingExtraError:
            yield upload.name, Path(), self._failed(record, NO_VIDEO)
        finally:
            path.unlink(missing_ok=True)

    def _times(self, path: Path) -> list[FrameTime]:
        times = frame_times(str(path), self._every_s, limits=self._limits.of_images)
        if len(times) > self._limits.max_video_frames:
            raise ImageError(
                f"holds {len(times):,} frames at one every {self._every_s:g} s, more than the "
                f"{self._limits.max_video_frames:,} that are taken of one video; start the server "
                "with a larger --every"
            )
        return times

    def _video_frames(
        self, name: str, record: ImageRecord, video: VideoFrames, times: Sequence[FrameTime]
    ) -> Iterator[tuple[str, Path, Prediction]]:
        inputs, files = [], []
        for frame in times:
            image_id = f"{record.image_id}@{clock_time(frame.time_s)}"
            file, failure, pixels = Path(), None, None
            try:
                pixels = video.frame(frame.position).pixels
            except ImageError as error:
                failure = str(error)
            else:
                file = self._folder.new_file().with_suffix(".jpeg")
                with _full_disk():
                    Image.fromarray(pixels).save(file, quality=_JPEG_QUALITY)
            inputs.append(ImageInput(image_id, name, record, failure=failure, content=pixels))
            files.append(file)
        predictions = self._waited_for(inputs)
        for frame, file, prediction in zip(times, files, predictions, strict=True):
            yield name, file, replace(prediction, time_s=frame.time_s)

    def _waited_for(self, inputs: Sequence[ImageInput]) -> list[Prediction]:
        """Predict within a thread of its own, however long the queue is."""
        while True:
            try:
                return [found.result() for found in self._batching.submit(inputs)]
            except RequestError:
                time.sleep(_AGAIN_AFTER_S)

    def _failed(self, record: ImageRecord, reason: str) -> Prediction:
        image = ImageInput(record.image_id, "", record, failure=reason)
        predictor = self._batching.predictor
        return predictor.predict_loaded([predictor.load(image)])[0]


def _place(name: str, prediction: Prediction) -> str:
    """Return the client's name of a frame, with its time in a video."""
    return name if prediction.time_s is None else f"{name}@{clock_time(prediction.time_s)}"
