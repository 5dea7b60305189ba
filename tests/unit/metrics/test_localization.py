"""Maps against boxes: by hand, and against a slow version that asks every piece of a patch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.metrics.localization import box_cover, energy_inside, peak_touches


def test_cover__by_hand() -> None:
    # A frame of 80 x 40 px in 2 x 4 patches of 20 px; a box over half of the second patch of the
    # upper row and a quarter of the one below it.
    cover = box_cover([(20, 0, 10, 30)], width_px=80, height_px=40, grid=(2, 4))
    assert cover.tolist() == [[0, 0.5, 0, 0], [0, 0.25, 0, 0]]
    assert box_cover([], width_px=80, height_px=40, grid=(2, 4)).sum() == 0
    whole = box_cover([(-5, -5, 500, 500)], width_px=80, height_px=40, grid=(2, 4))
    assert (whole == 1).all()


def test_cover__of_boxes_over_each_other_counts_once() -> None:
    once = box_cover([(0, 0, 20, 20)], width_px=80, height_px=40, grid=(2, 4))
    twice = box_cover([(0, 0, 20, 20), (0, 0, 20, 20)], width_px=80, height_px=40, grid=(2, 4))
    np.testing.assert_array_equal(once, twice)


def test_energy_and_peak__by_hand() -> None:
    cover = np.array([[0, 0.5], [0, 1.0]])
    assert energy_inside(np.array([[1, 2], [0, 1]]), cover) == 0.5
    assert energy_inside(np.ones((2, 2)), cover) == cover.mean()
    assert math.isnan(energy_inside(np.zeros((2, 2)), cover))
    assert peak_touches(np.array([[1, 2], [0, 1]]), cover)
    assert not peak_touches(np.array([[3, 2], [0, 1]]), cover)
    # Of equal patches the first counts.
    assert not peak_touches(np.ones((2, 2)), cover)


def slow_cover(boxes: Any, width: float, height: float, rows: int, columns: int) -> Any:
    cover = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            for down in range(16):
                for along in range(16):
                    x = (column + (along + 0.5) / 16) * width / columns
                    y = (row + (down + 0.5) / 16) * height / rows
                    inside = any(a <= x < a + w and b <= y < b + h for a, b, w, h in boxes)
                    cover[row, column] += inside / 256
    return cover


_BOX = st.tuples(st.floats(-20, 90), st.floats(-20, 90), st.floats(0.5, 60), st.floats(0.5, 60))


@settings(deadline=None, max_examples=25)
@given(st.lists(_BOX, max_size=3), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**31))
def test_all__equal_the_slow_version(boxes: Any, rows: int, columns: int, seed: int) -> None:
    cover = box_cover(boxes, width_px=90, height_px=60, grid=(rows, columns))
    np.testing.assert_allclose(cover, slow_cover(boxes, 90, 60, rows, columns), atol=1e-9)
    heat = np.random.default_rng(seed).random((rows, columns))
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    total = sum(heat[cell] for cell in cells)
    wanted = sum(heat[cell] * cover[cell] for cell in cells) / total
    assert math.isclose(energy_inside(heat, cover), wanted, abs_tol=1e-12)
    assert peak_touches(heat, cover) == (cover[max(cells, key=lambda cell: heat[cell])] > 0)
