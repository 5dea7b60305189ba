"""Whether a file is an image, the whole of it, and which."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.data.filesystems.regular_files import read_regular
from finding_nemo.data.images.decode import decode_image

# Each part is decoded all the same; a smaller frame takes less time and memory.
_ENOUGH_PX = (64, 64)
_END_OF_PNG = b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedImage:
    """An image file that can be decoded.

    Attributes:
        sha256: Of its bytes, in hexadecimal digits.
        n_bytes: Its size.
        width: In px.
        height: In px.
    """

    sha256: str
    n_bytes: int
    width: int
    height: int


def verify_image(path: Path, *, limits: InputLimits = USUAL_LIMITS) -> VerifiedImage:
    """Decode a file, and return what it is.

    Raises:
        ImageError: If it is no image, or not a whole one; a web page is named as such.
    """
    content = read_regular(path, limits)
    if content[:256].lstrip()[:1] == b"<":
        raise ImageError("is a web page, not an image")
    if _is_cut_off(content):
        raise ImageError("is cut off before its end")
    found = decode_image(content, at_least=_ENOUGH_PX, limits=limits)
    return VerifiedImage(
        sha256=hashlib.sha256(content).hexdigest(),
        n_bytes=len(content),
        width=found.width,
        height=found.height,
    )


def _is_cut_off(content: bytes) -> bool:
    """Return whether the last bytes are missing, which a decoder may do without.

    A frame of which only the last sums are lost can be looked at, but is not the file that was
    asked for, and its hash is another one.
    """
    if content.startswith(b"\x89PNG"):
        return _END_OF_PNG not in content
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return len(content) < 8 + int.from_bytes(content[4:8], "little")
    return False
