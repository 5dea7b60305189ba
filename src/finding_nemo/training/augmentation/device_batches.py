"""Batches onto the device that trains: copied while it works, and normalised there."""

from __future__ import annotations

import torch

from finding_nemo.core.preprocessing import Preprocessing

_LARGEST_LEVEL = 255.0


def to_device(batch: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a batch on a device.

    On a CUDA card it goes through pinned memory and nobody waits for the copy: the card does it
    before whatever it is given next.
    """
    if device.type == "cuda" and batch.device.type == "cpu":
        return batch.pin_memory().to(device, non_blocking=True)
    return batch.to(device)


def normalise_on_device(pixels: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Return pixels as a network takes them, computed where they lie.

    They differ from those of `normalise_pixels`, which are computed in float64 and rounded once, by
    less than 1e-6.

    Args:
        pixels: uint8, shape (images, height, width, 3).
        preprocessing: Mean and standard deviation of each channel.

    Returns:
        float32, shape (images, 3, height, width), channels last in memory.
    """
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=pixels.device)
        for values in (preprocessing.mean, preprocessing.std)
    )
    normalised = (pixels.to(torch.float32) / _LARGEST_LEVEL - mean) / std
    return normalised.permute(0, 3, 1, 2)
