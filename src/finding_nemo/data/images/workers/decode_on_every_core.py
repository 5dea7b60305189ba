"""Decoding for callers of several threads: no image keeps the threads of others waiting.

The fast decoder of PNG keeps Python's lock while it decodes, so that two threads decode no more
than one. Such files are decoded in worker processes. All other decoders let go of the lock, and
their files are decoded where they are asked for.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.processes.worker_process import (
    WorkerGoneError,
    WorkerProcess,
    is_unable,
)
from finding_nemo.data.filesystems.regular_files import read_start
from finding_nemo.data.images.decode import DecodedImage
from finding_nemo.data.images.formats.png_decoder import START_BYTES, keeps_the_lock
from finding_nemo.data.images.large_frames import LARGE_PX
from finding_nemo.data.images.resize import decode_resized
from finding_nemo.data.images.workers.decode_request import ANSWER, decode_request, decoded_image

# A worker takes half a second of its core to start, 25 frames of 1920 x 1080 to decode.
_BEFORE_START = 16
_PX_OF_A_START = 25 * 1920 * 1080
# A request takes 0.2 ms, such a frame 2 ms to decode.
_LEAST_PX = 200_000
# Each takes 70 MB.
_MOST_WORKERS = 16


def decode_on_every_core(
    source: Path | bytes, preprocessing: Preprocessing, *, limits: InputLimits = USUAL_LIMITS
) -> DecodedImage:
    """Return what `decode_resized` does, to a byte, without keeping other threads from working.

    Raises:
        ImageError: As `decode_resized`.
    """
    if is_for_workers(source):
        found = _workers.decode(source, preprocessing, limits)
        if found is not None:
            return found
    return decode_resized(source, preprocessing, limits=limits)


def start_ahead_of(first: Path, n_images: int) -> None:
    """Start the workers before the images come, where the images take longer than the start.

    While one thread opens a network the other cores have nothing to do.

    Args:
        first: A file that stands for all.
        n_images: How many there are.
    """
    if is_for_workers(first):
        _workers.start_for(n_images * _pixels_of(first))


def is_for_workers(source: Path | bytes) -> bool:
    """Return whether a file's decoder would keep the lock for milliseconds."""
    return _LEAST_PX <= _pixels_of(source) <= LARGE_PX


def _pixels_of(source: Path | bytes) -> int:
    """Return how many pixels a file holds whose decoder keeps the lock, 0 of any other file."""
    start = source[:START_BYTES] if isinstance(source, bytes) else read_start(source, START_BYTES)
    size = keeps_the_lock(start)
    return 0 if size is None else size[0] * size[1]


class DecodingWorkers:
    """Worker processes that start when there have been enough images to pay for them.

    Whoever finds none free decodes for himself, and so does who asked one that ended.
    """

    def __init__(self, n_workers: int, *, before_start: int = _BEFORE_START) -> None:
        """Start nothing yet.

        Args:
            n_workers: How many there will be; one or none is no help.
            before_start: How many images come before.
        """
        self._n_workers = n_workers if n_workers > 1 else 0
        self._before_start = before_start
        self._free: deque[WorkerProcess] = deque()
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a forked process must: workers answer the one who started them."""
        for worker in self._free:
            worker.leave()
        self._lock = threading.Lock()
        self._n_asked = 0
        self._free = deque()
        self._is_started = self._is_closed = False

    def decode(
        self, source: Path | bytes, preprocessing: Preprocessing, limits: InputLimits
    ) -> DecodedImage | None:
        """Return the image, `None` where no worker can decode it now.

        Raises:
            ImageError: As `decode_resized`.
        """
        worker = self._take()
        if worker is None:
            return None
        try:
            answer = worker.ask(decode_request(source, preprocessing, limits))
        except WorkerGoneError:
            worker.close()
            return None
        except BaseException:  # half a request or answer is in the pipe
            worker.close()
            raise
        self._give_back(worker)
        return None if is_unable(answer) else decoded_image(answer)

    def _take(self) -> WorkerProcess | None:
        with self._lock:
            self._n_asked += 1
            is_due = self._n_asked > self._before_start
        if is_due:
            self._start_all()
        with self._lock:
            return self._free.popleft() if self._free else None

    def start_for(self, n_px: int) -> None:
        """Start them now if all the pixels ahead take longer than that.

        Args:
            n_px: Of all images together.
        """
        if n_px >= self._n_workers * _PX_OF_A_START:
            self._start_all()

    def _start_all(self) -> None:
        with self._lock:
            if self._is_started or self._is_closed:
                return
            self._is_started = True
        for _ in range(self._n_workers):
            threading.Thread(target=self._start, name="decoder", daemon=True).start()

    def _start(self) -> None:
        with suppress(WorkerGoneError):
            worker = WorkerProcess(ANSWER)
            try:
                worker.wait_ready()
            except WorkerGoneError:
                worker.close()
                raise
            self._give_back(worker)

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            if not self._is_closed:
                self._free.append(worker)
                return
        worker.close()

    @property
    def n_free(self) -> int:
        """Return how many could be asked now."""
        return len(self._free)

    def close(self) -> None:
        """End the workers; those that are being asked end after their answer."""
        with self._lock:
            self._is_closed = True
            free, self._free = self._free, deque()
        for worker in free:
            worker.close()


_workers = DecodingWorkers(min(usable_cores(), _MOST_WORKERS))
atexit.register(_workers.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.forget)
