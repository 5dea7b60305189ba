"""A heat map as a picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from finding_nemo.serving.review_api.frame_images import map_picture


def test_map__is_one_pixel_a_patch_and_clear_where_nothing_speaks() -> None:
    values = np.array([[0, 255, 17], [100, 50, 4]], dtype=np.uint8)
    picture = map_picture(values)
    assert picture.media_type == "image/png"
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (image.mode, image.size) == ("RGBA", (3, 2))
        pixels = np.asarray(image)
    # 165 * (value / 255) ** 2: what says little stays nearly clear, as on the page of a dive.
    assert pixels[:, :, 3].tolist() == [[0, 165, 1], [25, 6, 0]]
    assert pixels[0, :2, :3].tolist() == [[255, 235, 90], [255, 105, 30]]


def test_map_that_says_little__does_not_look_as_if_it_did() -> None:
    picture = map_picture(np.array([[0, 32]], dtype=np.uint8))
    with Image.open(io.BytesIO(picture.content)) as image:
        assert np.asarray(image)[0, :, 3].tolist() == [0, 41]  # 165 * (32 / 64) ** 2
