"""Images in memory as inputs: bytes of a file, arrays, PIL images, batches of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.errors import ArgumentError
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.images.decode import decode_image
from finding_nemo.prediction.sources.image_sources import ImageInput

_FORMS = (
    "uint8, or floats from 0 to 1, of shape (height, width), (height, width, 3), (3, height, "
    "width), or several such images in one more dimension in front"
)
_CHANNELS = (1, 3, 4)
_NO_PATH = Path()


def is_in_memory(item: object) -> bool:
    """Return whether `item` is an image, or a batch of images, and not a name of one."""
    if isinstance(item, bytes | bytearray | memoryview | Image.Image) or _is_tensor(item):
        return True
    return isinstance(item, np.ndarray) and item.dtype.kind in "uifb"


def images_of_batch(item: object) -> object:
    """Return the images of a loader's batch: the first of (images, labels), or "image" of a dict.

    Anything else is returned as it is.
    """
    if isinstance(item, dict):
        for key in ("image", "images", "pixel_values"):
            if key in item:
                return item[key]
    if isinstance(item, tuple | list) and item and _is_batch(item[0]):
        return item[0]
    return item


@dataclass
class MemoryImages:
    """Gives images in memory ids of their own, in the order they come: memory-000000 and on."""

    count: int = 0

    def inputs(self, item: object) -> Iterator[ImageInput]:
        """Yield the input of an image, or of each image of a batch.

        Raises:
            ArgumentError: If an array is no image.
        """
        for content in _contents(item):
            image_id = f"memory-{self.count:06d}"
            self.count += 1
            record = ImageRecord(image_id, path=_NO_PATH, category_ids=None)
            yield ImageInput(image_id, "", record, content=content)


def as_pixels(item: object) -> Pixels:
    """Return one image in memory as uint8 (height, width, 3).

    Raises:
        ArgumentError: If it is none, or several.
        ImageError: If the bytes of a file cannot be decoded.
    """
    if not is_in_memory(item):
        raise ArgumentError(f"A {type(item).__name__} is no image in memory: {_FORMS}.")
    contents = _contents(item)
    if len(contents) != 1:
        raise ArgumentError(f"{len(contents)} images where one is wanted.")
    content = contents[0]
    return decode_image(content).pixels if isinstance(content, bytes) else content


def _contents(item: object) -> Sequence[bytes | Pixels]:
    if isinstance(item, bytes | bytearray | memoryview):
        return [bytes(item)]
    if isinstance(item, Image.Image):
        upright = ImageOps.exif_transpose(item)
        return [np.asarray(upright.convert("RGB"), dtype=np.uint8)]
    array = _as_array(item)
    images = array if array.ndim == 4 else array[np.newaxis]
    return [_rgb(image) for image in images]


def _as_array(item: Any) -> npt.NDArray[Any]:  # noqa: ANN401 - a tensor of a library that may lack
    return np.asarray(item.detach().cpu().numpy() if _is_tensor(item) else item)


def _rgb(image: npt.NDArray[Any]) -> Pixels:
    """Return one array as pixels (height, width, 3)."""
    if image.ndim == 3 and image.shape[0] in _CHANNELS and image.shape[2] not in _CHANNELS:
        image = image.transpose(1, 2, 0)
    if image.ndim == 2:
        image = image[..., np.newaxis]
    if image.ndim != 3 or image.shape[2] not in _CHANNELS or not image.size:
        raise ArgumentError(f"An array of shape {image.shape} is no image: {_FORMS}.")
    pixels = _eight_bits(image)[..., :3]
    return np.ascontiguousarray(np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels)


def _eight_bits(image: npt.NDArray[Any]) -> Pixels:
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind == "f" and np.isfinite(image).all():
        low, high = float(image.min()), float(image.max())
        if low >= 0 and high <= 1:
            return np.asarray(np.rint(image * 255), dtype=np.uint8)
        raise ArgumentError(f"An image of floats from {low:.4g} to {high:.4g}: wanted {_FORMS}.")
    raise ArgumentError(f"An image of {image.dtype}: wanted {_FORMS}.")


def _is_tensor(item: object) -> bool:
    return type(item).__module__.split(".")[0] == "torch" and hasattr(item, "detach")


def _is_batch(item: object) -> bool:
    return getattr(item, "ndim", 0) == 4 and is_in_memory(item)
