"""One image file at the network's size, and what the network says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import decode_resized
from finding_nemo.data.images.workers.decode_on_every_core import decode_on_every_core


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """One image at the network's size, or the reason why not.

    Attributes:
        pixels: uint8, shape (height, width, 3), or `None`.
        width: Frame width in px, if it could be read.
        height: Frame height in px, if it could be read.
        failure: Why it cannot be used, or `None`.
    """

    pixels: npt.NDArray[np.uint8] | None
    width: int | None
    height: int | None
    failure: str | None


def prepare_image(
    source: Path | bytes,
    preprocessing: Preprocessing,
    *,
    limits: InputLimits = USUAL_LIMITS,
    in_threads: bool = False,
) -> PreparedImage:
    """Decode and resize one file; a file that cannot be used gives its reason.

    Args:
        source: The file, or its bytes.
        preprocessing: What the network takes.
        limits: What it may cost.
        in_threads: Whether other threads decode or compute meanwhile.
    """
    decode = decode_on_every_core if in_threads else decode_resized
    try:
        decoded = decode(source, preprocessing, limits=limits)
    except ImageError as error:
        return PreparedImage(None, None, None, str(error))
    return PreparedImage(decoded.pixels, decoded.width, decoded.height, None)
