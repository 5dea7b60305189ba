"""What kind of file some bytes are, by how they begin, and who opens the kinds that are read.

Pillow can open 43 kinds, one of them (EPS) by starting another program. Here only those open that
are named to users; of any other the reason says what it is, so far as its first bytes tell.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import cast

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits

READ = "PNG, JPEG, TIFF, WebP, BMP, GIF or PPM"
_READ_STARTS = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]|MM[*]\0|II\0[*]"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "BMP": re.compile(rb"BM"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "PPM": re.compile(rb"P[0-9Ffy]"),
}
_TEXT = rb"(?:\xef\xbb\xbf)?\s*"
_OTHER_STARTS = {
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "HEIC": re.compile(rb"....ftyp(?:he[ivx]|hev|mif1|msf1)", re.DOTALL),
    "Canon raw (CR3)": re.compile(rb"....ftypcrx", re.DOTALL),
    "an MP4 or QuickTime video": re.compile(rb"....(?:ftyp|moov|mdat)", re.DOTALL),
    "JPEG XL": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
    "EPS": re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"),
    "PDF": re.compile(rb"%PDF"),
    "SVG": re.compile(_TEXT + rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg", re.DOTALL),
    "an HTML page": re.compile(_TEXT + rb"<(?:!doctype html|html|head|body)", re.IGNORECASE),
    "XML": re.compile(_TEXT + rb"<\?xml"),
    "JSON": re.compile(_TEXT + rb"[\[{]\s*[\"{\[\]}]"),
    "PSD": re.compile(rb"8BPS"),
    "an icon (ICO)": re.compile(rb"\x00\x00\x01\x00[^\x00]"),
    "FITS": re.compile(rb"SIMPLE  ="),
    "HDF5": re.compile(rb"\x89HDF"),
    "a NumPy array": re.compile(rb"\x93NUMPY"),
    "a ZIP archive": re.compile(rb"PK\x03\x04"),
    "gzip": re.compile(rb"\x1f\x8b"),
    "an AVI video": re.compile(rb"RIFF....AVI ", re.DOTALL),
    "a Matroska or WebM video": re.compile(rb"\x1a\x45\xdf\xa3"),
    "a pointer of Git LFS; fetch the file itself": re.compile(rb"version https://git-lfs"),
}
# Text may begin with spaces; more is not looked at.
_LOOKED_AT = 1024
_OPENERS = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.jpeg_factory,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
}


def format_of(content: bytes) -> str:
    """Return which of the formats that are read `content` is: "PNG", "JPEG", "TIFF", ...

    Raises:
        ImageError: If it is empty or none of them.
    """
    if not content:
        raise ImageError("is empty (0 bytes)")
    start = content[:_LOOKED_AT]
    for name, pattern in _READ_STARTS.items():
        if pattern.match(start):
            return name
    for name, pattern in _OTHER_STARTS.items():
        if pattern.match(start):
            raise ImageError(f"is {name}, not one of the formats that are read ({READ})")
    if not start.strip(b"\0"):
        raise ImageError("is not an image that can be read: it begins with zeros only")
    raise ImageError("is not an image that can be read")


def check_pixels(width: int, height: int, limits: InputLimits) -> None:
    """Refuse a frame that is larger than may be.

    Raises:
        ImageError: If it is.
    """
    if width * height > limits.max_pixels:
        raise ImageError(
            f"is {width} x {height} px, more than the {limits.max_pixels / 1e6:g} megapixels that "
            "are decoded (--max-megapixels)"
        )


def opened(name: str, stream: io.BytesIO) -> ImageFile.ImageFile:
    """Return `stream`, a file of format `name`, with its header read.

    Pillow's general opener is passed by: it would warn of sizes by a limit of its own.
    """
    opener = cast(Callable[[io.BytesIO, str], ImageFile.ImageFile], _OPENERS[name])
    return opener(stream, "")
