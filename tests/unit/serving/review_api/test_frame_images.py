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
        alpha = np.asarray(image)[:, :, 3]
    assert alpha.tolist() == [[0, 191, 13], [75, 38, 3]]
