"""The ways of resizing: every name has its function, and gives frames of the wanted size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.preprocessing import RESIZES, Preprocessing, ResizeRow
from finding_nemo.data.images import resize
from finding_nemo.data.images.resize import (
    decode_resized,
    normalise_pixels,
    preprocess,
    resize_pixels,
)
from finding_nemo.training.recipes.registry import find_recipe, recipe_settings


@pytest.mark.parametrize("name", RESIZES)
def test_every_way__gives_the_wanted_size_from_file_and_from_pixels(name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 90, 3), dtype=np.uint8)
    found = resize_pixels(pixels, width_px=32, height_px=24, resize=name)
    assert found.shape == (24, 32, 3)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    spec = Preprocessing(width_px=32, height_px=24, resize=name)
    np.testing.assert_array_equal(decode_resized(file.getvalue(), spec).pixels, found)
    np.testing.assert_array_equal(preprocess(pixels, spec), normalise_pixels(found, spec))


@pytest.mark.parametrize("name", RESIZES)
def test_every_way__can_be_set_where_the_frame_is_seen_whole(name: str) -> None:
    for recipe in ("probe", "resnet18"):
        settings = recipe_settings(find_recipe(recipe), {"resize": name})
        assert settings.model_dump()["resize"] == name


def test_preprocessing__takes_the_way_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    black = ResizeRow("black", "nothing is seen", "somewhere:black")
    monkeypatch.setattr(resize, "RESIZES", {"black": black})
    monkeypatch.setattr(resize, "load", lambda _: lambda image, size: Image.new("RGB", size))
    spec = Preprocessing(width_px=4, height_px=4).model_copy(update={"resize": "black"})
    pixels = np.full((9, 9, 3), 255, dtype=np.uint8)
    assert preprocess(pixels, spec).max() == 0


def test_stretch__keeps_no_aspect_ratio() -> None:
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    pixels[:, 10:] = 255  # the right half is white
    found = resize_pixels(pixels, width_px=10, height_px=10)
    assert found[:, :4].max() == 0
    assert found[:, 6:].min() == 255
