"""The ways of resizing: every name has its function, and gives frames of the wanted size."""

from __future__ import annotations

import io
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.preprocessing import Preprocessing, ResizeName
from finding_nemo.data.images.resize import RESIZERS, decode_resized, resize_pixels

_NAMES: tuple[ResizeName, ...] = get_args(ResizeName)


def test_every_way__has_its_function() -> None:
    assert set(RESIZERS) == set(_NAMES)


@pytest.mark.parametrize("name", _NAMES)
def test_every_way__gives_the_wanted_size_from_file_and_from_pixels(name: ResizeName) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 90, 3), dtype=np.uint8)
    found = resize_pixels(pixels, width_px=32, height_px=24, resize=name)
    assert found.shape == (24, 32, 3)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    spec = Preprocessing(width_px=32, height_px=24, resize=name)
    np.testing.assert_array_equal(decode_resized(file.getvalue(), spec).pixels, found)


def test_stretch__keeps_no_aspect_ratio() -> None:
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    pixels[:, 10:] = 255  # the right half is white
    found = resize_pixels(pixels, width_px=10, height_px=10)
    assert found[:, :4].max() == 0
    assert found[:, 6:].min() == 255
