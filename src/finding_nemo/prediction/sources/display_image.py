"""The pixels of an image at a size to look at, wherever the image is."""

from __future__ import annotations

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.prediction.sources.image_loader import used_images
from finding_nemo.prediction.sources.image_sources import ImageInput


def display_size(size: tuple[int, int], *, most_px: int) -> tuple[int, int]:
    """Return width and height of at most `most_px`, in proportion, at least 1.

    Args:
        size: Width and height of the frame in px.
        most_px: The longer side's length; smaller frames stay as they are.
    """
    width, height = size
    scale = min(1.0, most_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def display_pixels(
    image: ImageInput,
    size: tuple[int, int],
    *,
    most_px: int = 1200,
    limits: InputLimits = USUAL_LIMITS,
) -> Pixels | None:
    """Return an image's pixels, uint8 (height, width, 3); `None` where it cannot be read.

    Args:
        image: A file, a member of a tar, a frame of a video, or an image of a server.
        size: Width and height of the frame in px, as its prediction says.
        most_px: The longer side's length, at most.
        limits: What it may cost.
    """
    width, height = display_size(size, most_px=most_px)
    spec = Preprocessing(width_px=width, height_px=height)
    loaded = used_images(
        [image],
        spec,
        lambda batch: [prepared.pixels for _, prepared in batch],
        batch_size=1,
        threads=1,
        limits=limits,
    )
    return next(iter(loaded))[0]
