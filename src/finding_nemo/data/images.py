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

# The largest frame that is decoded. 8K video is 33 megapixels; a file of a few kB can claim
# 20,000 x 20,000 and would take 1.2 GB of memory.
MAX_PIXELS = 100_000_000
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm"}
)
_SIXTEEN_BIT_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """The pixels of one frame.

    Attributes:
        pixels: Red, green, blue, uint8, shape (height, width, 3), upright.
        width: Its width in px.
        height: Its height in px.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int


def decode_image(source: Path | bytes) -> DecodedImage:
    """Decode one image, a file or a file's bytes, to upright RGB.

    Grey, palette, CMYK, 16-bit and transparent files are converted (16-bit by their full
    range, transparency over black); an EXIF rotation is applied. Truncated files are refused:
    a half-grey frame would be predicted without a word.

    Raises:
        ImageError: If the file is missing, empty, no image, truncated or too large. The
            message says which and does not hold the path.
    """
    try:
        with warnings.catch_warnings():
            # Our own limit is checked before decoding; PIL's warning would come from its own.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                _check_size(image)
                rgb = _to_rgb(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise ImageError(_reason(source, error)) from None
    except Image.DecompressionBombError:
        raise ImageError(f"is larger than {MAX_PIXELS // 1_000_000} megapixels") from None
    pixels = np.asarray(rgb, dtype=np.uint8)
    return DecodedImage(pixels=pixels, width=rgb.width, height=rgb.height)


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f"is {image.width} x {image.height} px, more than the "
            f"{MAX_PIXELS // 1_000_000} megapixels that are decoded"
        )


def _to_rgb(image: Image.Image) -> Image.Image:
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
