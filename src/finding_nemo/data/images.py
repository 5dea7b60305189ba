"""Image files into pixels: one decoder for training and prediction, and one kind of failure."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from finding_nemo.core.errors import ImageError
from finding_nemo.data.png_files import decode_plain_png
from finding_nemo.data.reduction import reduced, reduction_for

# The largest frame that is decoded. 8K video is 33 megapixels; a file of a few kB can claim
# 20,000 x 20,000 and would take 1.2 GB of memory.
MAX_PIXELS = 100_000_000
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm"}
)
# EXIF's tag for the way up; 1 is upright.
_ORIENTATION = 0x0112
_SIXTEEN_BIT_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})


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


def decode_image(source: Path | bytes, *, at_least: tuple[int, int] | None = None) -> DecodedImage:
    """Decode one image, a file or a file's bytes, to upright RGB.

    Grey, palette, CMYK, 16-bit and transparent files are converted (16-bit by their full
    range, transparency over black); an EXIF rotation is applied. Truncated files are refused:
    a half-grey frame would be predicted without a word.

    Args:
        source: The file, or its bytes.
        at_least: Width and height in px that are enough. A frame that is twice, four or eight
            times as large is reduced by that factor, which is several times faster.

    Raises:
        ImageError: If the file is missing, empty, no image, truncated or too large. The
            message says which and does not hold the path.
    """
    opened = open_upright(source, at_least=at_least)
    pixels = np.asarray(opened.image, dtype=np.uint8)
    return DecodedImage(pixels=pixels, width=opened.width, height=opened.height)


def open_upright(source: Path | bytes, *, at_least: tuple[int, int] | None = None) -> OpenedImage:
    """Decode as `decode_image` does, into Pillow's form.

    Raises:
        ImageError: As `decode_image`.
    """
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        plain = decode_plain_png(content, max_pixels=MAX_PIXELS)
        if plain is not None:
            return _reduced(Image.fromarray(plain), at_least)
        with warnings.catch_warnings():
            # Our own limit is checked before decoding; PIL's warning would come from its own.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                _check_size(image)
                return _loaded(image, at_least)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise ImageError(_reason(source, error)) from None
    except Image.DecompressionBombError:
        raise ImageError(f"is larger than {MAX_PIXELS // 1_000_000} megapixels") from None


def _loaded(image: Image.Image, at_least: tuple[int, int] | None) -> OpenedImage:
    if image.format != "JPEG" or image.mode != "RGB" or image.getexif().get(_ORIENTATION, 1) != 1:
        return _reduced(_to_rgb(ImageOps.exif_transpose(image)), at_least)
    width, height = image.size
    factor = reduction_for(width, height, at_least)
    if factor > 1:
        # The decoder leaves out the high frequencies of each 8 x 8 block: the same average.
        image.draft("RGB", (width // factor, height // factor))
    image.load()
    return OpenedImage(image, width, height)


def _reduced(image: Image.Image, at_least: tuple[int, int] | None) -> OpenedImage:
    return OpenedImage(reduced(image, at_least), image.width, image.height)


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f"is {image.width} x {image.height} px, more than the "
            f"{MAX_PIXELS // 1_000_000} megapixels that are decoded"
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in _SIXTEEN_BIT_MODES:
        return _from_sixteen_bit(image)
    if image.mode == "F":
        raise ImageError("holds floating-point pixels, whose range is unknown")
    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, rgba).convert("RGB")
    return image.convert("RGB")


def _from_sixteen_bit(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255; PIL's own conversion clips at 255 and gives a white frame."""
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError("holds 32-bit integer pixels, whose range is unknown")
    grey = ((values * 255 + 32767) // 65535).astype(np.uint8)
    return Image.fromarray(grey, mode=None).convert("RGB")


def _reason(source: Path | bytes, error: BaseException) -> str:
    if isinstance(error, ImageError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "file not found"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not an image"
    if isinstance(error, PermissionError):
        return "may not be read (permission denied)"
    if _is_empty(source):
        return "is empty (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        return "is not an image that can be read"
    return f"is truncated or damaged ({error})"


def _is_empty(source: Path | bytes) -> bool:
    if isinstance(source, bytes):
        return not source
    return source.is_file() and source.stat().st_size == 0
