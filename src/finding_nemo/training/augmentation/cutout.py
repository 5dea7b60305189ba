"""From stored pixels to what a network takes, with the study's one augmentation and one's own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels
from finding_nemo.training.augmentation.device_batches import normalise_on_device, to_device
from finding_nemo.training.augmentation.own_augmentation import Augment


class PreparePixels:
    """Normalise a batch; while training augment it and cut a square from each image."""

    def __init__(
        self,
        preprocessing: Preprocessing,
        *,
        cutout_px: int,
        channels_last: bool,
        augment: Augment | None = None,
        device: str = "cpu",
    ) -> None:
        """Remember how.

        Args:
            preprocessing: Mean and standard deviation.
            cutout_px: Side of the square, 0 for none.
            channels_last: Memory order that convolutions on a CPU like: 1.5 times faster.
            augment: What is done to the pixels of training images first.
            device: Where they are normalised: "cuda" is sent bytes, a quarter of the floats, and
                the processor is left to render.
        """
        self._preprocessing = preprocessing
        self._cutout_px = cutout_px
        self._channels_last = channels_last
        self._augment = augment
        self._device = torch.device(device)

    def __call__(
        self, rows: npt.NDArray[np.generic], generator: torch.Generator | None
    ) -> torch.Tensor:
        """Return float32 (images, 3, height, width); with a generator it augments."""
        stored = np.asarray(rows, np.uint8)
        if generator is not None and self._augment is not None:
            stored = self._augment(stored, generator)
        pixels = self._normalised(stored)
        if generator is not None and self._cutout_px:
            cut_squares(pixels, self._cutout_px, generator)
        if self._channels_last:
            return pixels.to(memory_format=torch.channels_last)
        return pixels

    def _normalised(self, stored: Pixels) -> torch.Tensor:
        if self._device.type == "cpu":
            return torch.from_numpy(normalise_pixels(stored, self._preprocessing))
        return normalise_on_device(
            to_device(torch.from_numpy(stored), self._device), self._preprocessing
        )


def cut_squares(pixels: torch.Tensor, side_px: int, generator: torch.Generator) -> None:
    """Set one square of each image to 0, in place; its centre may be anywhere.

    Source:
        DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with
        Cutout", 2017, arXiv:1708.04552.
    """
    n_images, _, height, width = pixels.shape
    tops = torch.randint(height, (n_images,), generator=generator) - side_px // 2
    lefts = torch.randint(width, (n_images,), generator=generator) - side_px // 2
    for image, top, left in zip(pixels, tops.tolist(), lefts.tolist(), strict=True):
        image[:, max(top, 0) : top + side_px, max(left, 0) : left + side_px] = 0.0
