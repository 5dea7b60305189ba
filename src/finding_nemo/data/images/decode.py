"""Image files into pixels: one decoder for training and prediction, and one kind of failure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, TiffImagePlugin

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.data.filesystems.regular_files import check_length, read_regular
from finding_nemo.data.images.formats.bmp_files import check_runs
from finding_nemo.data.images.formats.image_formats import check_pixels, format_of, opened
from finding_nemo.data.images.formats.jpeg_checks import check_layout, check_scans
from finding_nemo.data.images.formats.jpeg_decoding import WatchedJpeg
from finding_nemo.data.images.formats.jpeg_layout import read_layout
from finding_nemo.data.images.formats.png_decoder import check_sums, decode_plain_png
from finding_nemo.data.images.formats.quiet_pillow import quiet_pillow
from finding_nemo.data.images.formats.tiff_files import check_strips
from finding_nemo.data.images.formats.webp_files import canvas_of, check_zeros
from finding_nemo.data.images.large_frames import LARGE_PX, one_at_a_time
from finding_nemo.data.images.orientation import orientation_of, turned
from finding_nemo.data.images.pixel_forms import ToRgb, converted, is_plain, to_rgb
from finding_nemo.data.images.reduction import reduced, reduction_for
from finding_nemo.data.images.sixteen_bits import (
    LOW_BYTES,
    MODES,
    Depth,
    check_wide_colour,
    depth_of,
    grey_of_eight_bits,
    to_grey,
)

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm"}
)

_NO_MEMORY = "does not fit the memory that is free"
# What Pillow takes for RGB: a file as large as a large frame is read in turn, too.
_BYTES_A_PIXEL = 4


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """The pixels of one frame.

    Attributes:
        pixels: Red, green, blue, uint8, shape (height, width, 3), upright. Smaller than the frame
            where a smaller size was asked for.
        width: The frame's own width in px.
        height: The frame's own height in px.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class OpenedImage:
    """One frame in Pillow's own form, which needs no copy before it is resized.

    Attributes:
        image: RGB, upright, perhaps reduced.
        width: The frame's own width in px.
        height: The frame's own height in px.
    """

    image: Image.Image
    width: int
    height: int


def decode_image(
    source: Path | bytes,
    *,
    at_least: tuple[int, int] | None = None,
    limits: InputLimits = USUAL_LIMITS,
) -> DecodedImage:
    """Decode one image, a file or a file's bytes, to upright RGB.

    PNG, JPEG, TIFF, WebP, BMP, GIF and PPM are read, by what they hold and whatever their name; of
    a file with several pages or frames, the first. Grey, palette, CMYK, 16-bit and transparent
    files are converted (16-bit by the range that is stated, else by their full range; transparency
    over black); the rotation that EXIF states is applied.

    Files that are truncated or damaged are refused, so far as it shows: a half-grey frame would be
    predicted without a word. What shows: coded data that is missing, left over or overwritten
    (JPEG, WebP), sums that do not fit (PNG, deflate in TIFF), streams that end early (all). What
    does not: a few changed bytes in JPEG, WebP, GIF, and anything in uncompressed pixels (BMP, PPM,
    TIFF), which have no sums.

    Args:
        source: The file, or its bytes.
        at_least: Width and height in px that are enough. A frame that is twice, four or eight
            times as large is reduced by that factor, which is several times faster.
        limits: What it may cost.

    Raises:
        ImageError: If the file is missing, empty, no image, damaged, or costs more than `limits`.
            The message says which and does not hold the path.
    """
    with open_upright(source, at_least=at_least, limits=limits) as found:
        pixels = np.asarray(found.image, dtype=np.uint8)
        return DecodedImage(pixels=pixels, width=found.width, height=found.height)


@contextmanager
def open_upright(
    source: Path | bytes,
    *,
    at_least: tuple[int, int] | None = None,
    limits: InputLimits = USUAL_LIMITS,
) -> Iterator[OpenedImage]:
    """Yield a frame decoded as `decode_image` does, in Pillow's form.

    A very large frame is used within the context: until it is left, other threads wait with theirs.

    Raises:
        ImageError: As `decode_image`.
    """
    with ExitStack() as turns:
        with _told():
            turns.enter_context(one_at_a_time(_n_bytes(source) // _BYTES_A_PIXEL))
            content = _content(source, limits)
            found = _decoded_fast(content, at_least, limits)
            if found is None:
                frame = _Frame(content, limits)
                turns.enter_context(one_at_a_time(frame.n_px))
                found = frame.decoded(at_least)
        yield found


@contextmanager
def _told() -> Iterator[None]:
    """Turn whatever a decoder raises into an `ImageError`; only a person's stop passes."""
    try:
        with quiet_pillow():
            yield
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(_NO_MEMORY) from None
    except Image.DecompressionBombError:  # of TIFF, GIF and WebP, where the limit was raised
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        reason = f"is larger than the {most:.0f} megapixels of its form that are decoded"
        raise ImageError(reason) from None
    except Exception as error:
        words = str(error) or type(error).__name__
        reason = _NO_MEMORY if "out of memory" in words else f"is truncated or damaged ({words})"
        raise ImageError(reason) from None


def _n_bytes(source: Path | bytes) -> int:
    """Return how many bytes will be read, 0 where the file cannot be looked at."""
    if isinstance(source, bytes):
        return 0
    try:
        return source.stat().st_size
    except (OSError, ValueError):
        return 0


def _content(source: Path | bytes, limits: InputLimits) -> bytes:
    if isinstance(source, bytes):
        check_length(len(source), limits)
        return source
    return read_regular(source, limits)


def _decoded_fast(
    content: bytes, at_least: tuple[int, int] | None, limits: InputLimits
) -> OpenedImage | None:
    """Return a frame of the commonest form, `None` for any other."""
    # A copy goes to Pillow: of a larger frame there is not memory for two.
    plain = decode_plain_png(content, max_pixels=min(limits.max_pixels, LARGE_PX))
    if plain is None:
        return None
    image = Image.fromarray(plain)
    return OpenedImage(reduced(image, at_least), image.width, image.height)


class _Frame:
    """One file with its header read and its budget checked, not yet decoded."""

    def __init__(self, content: bytes, limits: InputLimits) -> None:
        self._content = content
        self._limits = limits
        self._format = format_of(content)
        if self._format == "WEBP":
            check_pixels(*canvas_of(content), limits)  # its memory is taken on opening
        self._image, self._load = self._opened()
        check_pixels(*self._image.size, limits)
        self.n_px = self._image.width * self._image.height

    def _opened(self) -> tuple[ImageFile.ImageFile, Callable[[], object]]:
        """Return the file, and what decodes it."""
        if self._format != "JPEG":
            image = opened(self._format, io.BytesIO(self._content))
            return image, image.load
        layout = read_layout(self._content, self._limits)
        stream = WatchedJpeg(self._content, layout)
        image = opened(self._format, stream)
        if layout is not None:
            check_scans(layout, self._limits)
            check_layout(self._content, layout)
        return image, partial(stream.load, image)

    def decoded(self, at_least: tuple[int, int] | None) -> OpenedImage:
        """Return the frame upright, in RGB, perhaps reduced."""
        image = self._image
        self._check()
        if image.format == "JPEG" and image.mode == "RGB" and orientation_of(image) == 1:
            return self._draft(at_least)
        depth = depth_of(image, self._content)
        self._load()
        convert = self._conversion(depth)
        upright = turned(image, orientation_of(image))
        if is_plain(upright):
            small = reduced(upright, at_least)
        else:
            small = converted(upright, convert, at_least=at_least)
        return OpenedImage(small, upright.width, upright.height)

    def _check(self) -> None:
        """Look for damage that the decoder would pass over."""
        image = self._image
        if self._format == "PNG":
            check_sums(self._content)
        elif self._format == "WEBP":
            check_zeros(self._content)
        elif self._format == "BMP":
            check_runs(self._content)
        elif isinstance(image, TiffImagePlugin.TiffImageFile):
            check_strips(image, self._content, self._limits)

    def _draft(self, at_least: tuple[int, int] | None) -> OpenedImage:
        image = self._image
        width, height = image.size
        factor = reduction_for(width, height, at_least)
        if factor > 1:
            # The decoder leaves out the high frequencies of each 8 x 8 block: the same average.
            image.draft("RGB", (width // factor, height // factor))
        self._load()
        return OpenedImage(image, width, height)

    def _conversion(self, depth: Depth) -> ToRgb:
        if self._image.mode in MODES:
            return partial(to_grey, grey=grey_of_eight_bits(self._image, depth))
        if self._image.mode == "F":
            raise ImageError("holds floating-point pixels, whose range is unknown")
        check_wide_colour(self._image, depth, self._low_bytes)
        return to_rgb

    def _low_bytes(self) -> Image.Image | None:
        """Return the lower bytes of colours of 16 bits; `None` where they cannot be had."""
        image = opened(self._format, io.BytesIO(self._content))
        tiles = []
        for tile in image.tile:
            rawmode, *rest = tile.args if isinstance(tile.args, tuple) else (tile.args,)
            if rawmode not in LOW_BYTES:
                return None
            args = (LOW_BYTES[rawmode], *rest)
            tiles.append(tile._replace(args=args if rest else args[0]))
        image.tile = tiles
        image.load()
        return image
