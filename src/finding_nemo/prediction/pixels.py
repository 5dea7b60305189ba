"""One image file into what the network takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images import decode_image
from finding_nemo.data.transforms import preprocess

# Two threads fill two cores: Pillow decodes and resizes without holding Python's lock.
DECODE_THREADS = 2


@dataclass(frozen=True, slots=True)
class ReadyImage:
    """One image as the network takes it, or the reason why not.

    Attributes:
        values: float32, shape (3, height, width), or `None`.
        width: Frame width in px, if it could be read.
        height: Frame height in px, if it could be read.
        failure: Why it cannot be used, or `None`.
    """

    values: npt.NDArray[np.float32] | None
    width: int | None
    height: int | None
    failure: str | None


def ready_image(source: Path | bytes, preprocessing: Preprocessing) -> ReadyImage:
    """Decode and preprocess one file; a file that cannot be used gives its reason."""
    try:
        decoded = decode_image(source)
    except ImageError as error:
        return ReadyImage(None, None, None, str(error))
    values = preprocess(decoded.pixels, preprocessing)
    return ReadyImage(values, decoded.width, decoded.height, None)
