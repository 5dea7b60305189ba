"""One image file at the network's size, and what the network says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.transforms import decode_resized
from finding_nemo.models.pixel_network import PixelNetwork, Seen


@dataclass(frozen=True, slots=True)
class ReadyImage:
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


def ready_image(source: Path | bytes, preprocessing: Preprocessing) -> ReadyImage:
    """Decode and resize one file; a file that cannot be used gives its reason."""
    try:
        decoded = decode_resized(source, preprocessing)
    except ImageError as error:
        return ReadyImage(None, None, None, str(error))
    return ReadyImage(decoded.pixels, decoded.width, decoded.height, None)


def see_images(images: Sequence[ReadyImage], network: PixelNetwork) -> list[Seen | None]:
    """Return what the network says of each image, `None` for those without pixels."""
    usable = [image.pixels for image in images if image.pixels is not None]
    if not usable:
        return [None] * len(images)
    seen = network.see(np.stack(usable))
    rows = iter(range(len(usable)))
    return [None if image.pixels is None else _one(seen, next(rows)) for image in images]


def _one(seen: Seen, row: int) -> Seen:
    return Seen(seen.outputs[row], None if seen.features is None else seen.features[row])
