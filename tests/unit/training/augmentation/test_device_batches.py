"""Pixels normalised where they lie: the processor's numbers to 1e-6."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels
from finding_nemo.training.augmentation.cutout import PreparePixels
from finding_nemo.training.augmentation.device_batches import normalise_on_device, to_device

SPEC = Preprocessing(
    width_px=8, height_px=32, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
# Every level of every channel.
LEVELS = np.arange(256, dtype=np.uint8).reshape(1, 32, 8, 1).repeat(3, axis=3)


def test_normalised__is_what_the_processor_computes() -> None:
    found = normalise_on_device(torch.from_numpy(LEVELS), SPEC)
    assert (found.shape, found.dtype) == ((1, 3, 32, 8), torch.float32)
    assert found.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(found.numpy(), normalise_pixels(LEVELS, SPEC), atol=1e-6)


def test_normalised__by_hand() -> None:
    spec = Preprocessing(width_px=1, height_px=1, mean=(0.5, 0.25, 0.1), std=(0.5, 0.5, 0.2))
    pixel = torch.tensor([[[[255, 51, 102]]]], dtype=torch.uint8)
    assert normalise_on_device(pixel, spec).flatten().tolist() == pytest.approx([1, -0.1, 1.5])


def test_to_device__leaves_what_is_there() -> None:
    batch = torch.ones(3)
    assert to_device(batch, torch.device("cpu")) is batch


def test_prepare__on_another_device_cuts_the_same_squares() -> None:
    # "meta" holds shapes and no numbers: the way to a device, without one.
    prepare = PreparePixels(SPEC, cutout_px=4, channels_last=True, device="meta")
    generator, same = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    found = prepare(LEVELS, generator)
    assert (found.device.type, found.shape, found.dtype) == ("meta", (1, 3, 32, 8), torch.float32)
    assert found.is_contiguous(memory_format=torch.channels_last)
    PreparePixels(SPEC, cutout_px=4, channels_last=True)(LEVELS, same)
    assert torch.equal(generator.get_state(), same.get_state())
