"""The pictures of frames: as they are where a browser shows them, small ones, and heat maps."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.data.filesystems.regular_files import read_regular
from finding_nemo.data.images.decode import open_upright
from finding_nemo.data.images.formats.image_formats import format_of
from finding_nemo.reporting.dive.thumbnail_sheets import Videos
from finding_nemo.reviewing.review_session import ReviewSession

THUMBNAIL_PX = 256
JPEG = "image/jpeg"
_SHOWN = {"JPEG": JPEG, "PNG": "image/png", "WEBP": "image/webp"}
_QUALITY = 90
_SMALL_QUALITY = 80
_KEPT_BYTES = 16_000_000
# Of a map's colour, as the pages of dives have it: warm, clear where nothing speaks for the guess.
# As on the page of a dive: from yellow to red, and what says little of a guess stays nearly clear.
_MAP_FAINT, _MAP_STRONG, _MAP_ALPHA = (255, 235, 90), (255, 105, 30), 165
# A map whose largest value is below this speaks for nothing, and is not made to look as if it did.
_MAP_LEAST = 64


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is sent.

    Attributes:
        content: The bytes of a file.
        media_type: As HTTP names it.
    """

    content: bytes
    media_type: str


class FrameImages:
    """Reads the images of a session's frames; threads may share it."""

    def __init__(self, session: ReviewSession, *, limits: InputLimits = USUAL_LIMITS) -> None:
        """Begin with no picture.

        Args:
            session: Whose frames they are.
            limits: What one image may cost.
        """
        self._session = session
        self._limits = limits
        self._lock = Lock()
        self._small: OrderedDict[int, Picture] = OrderedDict()

    def picture(self, row: int) -> Picture:
        """Return a frame as a browser shows it.

        Raises:
            NoSuchFrameError: If there is no such frame, or its file is not found.
            ImageError: If it cannot be read.
        """
        file = self._session.image_of(row)
        if file.time_s is not None:
            return _as_jpeg(_video_frame(file.path, file.time_s), _QUALITY)
        content = read_regular(file.path, self._limits)
        media_type = _SHOWN.get(format_of(content))
        if media_type is not None:
            return Picture(content, media_type)
        with open_upright(content, limits=self._limits) as opened:
            return _as_jpeg(opened.image, _QUALITY)

    def thumbnail(self, row: int) -> Picture:
        """Return a frame 256 px wide; the last ones are kept.

        Raises:
            NoSuchFrameError: If there is no such frame, or its file is not found.
            ImageError: If it cannot be read.
        """
        with self._lock:
            if row in self._small:
                self._small.move_to_end(row)
                return self._small[row]
        found = self._thumbnail(row)
        with self._lock:
            self._small[row] = found
            while sum(len(one.content) for one in self._small.values()) > _KEPT_BYTES:
                self._small.popitem(last=False)
        return found

    def _thumbnail(self, row: int) -> Picture:
        file = self._session.image_of(row)
        if file.time_s is not None:
            return _as_jpeg(_narrow(_video_frame(file.path, file.time_s)), _SMALL_QUALITY)
        # Twice as wide as wanted is enough to begin with, and quickly decoded.
        enough = (2 * THUMBNAIL_PX, 1)
        with open_upright(file.path, at_least=enough, limits=self._limits) as opened:
            return _as_jpeg(_narrow(opened.image), _SMALL_QUALITY)


def _video_frame(file: Path, time_s: float) -> Image.Image:
    with ExitStack() as opened:
        return Videos(opened).frame(file, time_s)


def _narrow(image: Image.Image) -> Image.Image:
    width = min(THUMBNAIL_PX, image.width)
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.BILINEAR)


def _as_jpeg(image: Image.Image, quality: int) -> Picture:
    return _saved(lambda file: image.convert("RGB").save(file, "JPEG", quality=quality), JPEG)


def _saved(save: Callable[[io.BytesIO], None], media_type: str) -> Picture:
    file = io.BytesIO()
    try:
        save(file)
    except OSError as error:
        raise ImageError(f"cannot be written as {media_type} ({error})") from None
    return Picture(file.getvalue(), media_type)


def map_picture(values: Pixels) -> Picture:
    """Return a heat map as a PNG with one pixel a patch, clear where nothing speaks for the guess.

    Args:
        values: 255 = the patch that speaks most for it, shape (rows, columns).
    """
    heat = values[..., np.newaxis] / max(_MAP_LEAST, int(values.max(initial=0)))
    colour = np.array(_MAP_FAINT) * (1 - heat) + np.array(_MAP_STRONG) * heat
    pixels = np.concatenate([colour, _MAP_ALPHA * heat**2], axis=2)
    image = Image.fromarray(np.rint(pixels).astype(np.uint8))
    return _saved(lambda file: image.save(file, "PNG"), "image/png")
