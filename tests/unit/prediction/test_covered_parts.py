"""Maps by covering: windows by hand, means against a slow version, a planted patch found."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finding_nemo.core.arrays import Pixels
from finding_nemo.models.inference.pixel_network import NetworkOutput, RuntimeChoice
from finding_nemo.prediction.covered_parts import (
    GRID,
    maps_by_covering,
    mean_color,
    mean_over_windows,
    windows,
)


class GreenNetwork:
    """Its second category is how green a frame is and its greenest pixel; its first is always 1."""

    choice = RuntimeChoice("onnxruntime", "cpu", "float32", "by hand")
    workers = 1
    batch_size = 1
    n_features = 0

    def forward(self, pixels: Pixels) -> NetworkOutput:
        shares = pixels.astype(np.float32).mean(axis=(1, 2)) / 255
        green = shares[:, 1] - (shares[:, 0] + shares[:, 2]) / 2
        outputs = np.stack([np.ones_like(green), green, -shares.mean(axis=1)], axis=1)
        peak = pixels[..., 1].reshape(len(pixels), -1).max(axis=1) / 255
        outputs[:, 1] = peak * green
        return NetworkOutput(outputs.astype(np.float32), None)


def test_windows__by_hand() -> None:
    # Two middles at 1/4 and 3/4 of 4 px, whose middles are 1/8, 3/8, 5/8 and 7/8; half a side wide.
    found = windows(4, 2, grid=2, share=0.6)
    assert found.shape == (4, 4, 2)
    assert found[0].tolist() == [[True, False], [True, False], [False, False], [False, False]]
    assert found[3].tolist() == [[False, False], [False, False], [False, True], [False, True]]


def test_mean_over_windows__by_hand() -> None:
    # Windows that reach only their own cell: nothing is averaged.
    falls = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 5.0], [4.0, 0.0]])
    alone = mean_over_windows(falls, grid=2, share=0.4)
    assert alone.tolist() == [[[1, 2], [3, 4]], [[0, 0], [5, 0]]]
    # Windows that reach every cell: each has the mean of all.
    assert mean_over_windows(falls, grid=2, share=2.0).tolist() == [
        [[2.5, 2.5], [2.5, 2.5]],
        [[1.25, 1.25], [1.25, 1.25]],
    ]


@settings(deadline=None, max_examples=30)
@given(arrays(np.float64, (25, 2), elements=st.floats(-5, 5)), st.sampled_from([0.3, 0.5, 0.9]))
def test_mean_over_windows__equals_the_slow_version(falls: Any, share: float) -> None:
    found = mean_over_windows(falls, grid=5, share=share)
    for category in range(2):
        for row in range(5):
            for column in range(5):
                reach = [
                    falls[5 * other_row + other_column, category]
                    for other_row in range(5)
                    for other_column in range(5)
                    if abs(other_row - row) / 5 < share / 2
                    and abs(other_column - column) / 5 < share / 2
                ]
                wanted = sum(reach) / len(reach)
                assert abs(found[category, row, column] - wanted) < 1e-9


def test_planted_animal__is_found_where_it_is() -> None:
    for left, top in ((4, 10), (40, 50), (66, 12)):
        frame = np.full((72, 96, 3), 50, dtype=np.uint8)
        frame[top : top + 12, left : left + 16] = (20, 230, 40)
        maps = maps_by_covering(GreenNetwork(), frame, [1, 0])
        assert maps.shape == (2, GRID, GRID)
        row, column = np.unravel_index(int(maps[0].argmax()), (GRID, GRID))
        assert abs((row + 0.5) / GRID - (top + 6) / 72) < 0.12
        assert abs((column + 0.5) / GRID - (left + 8) / 96) < 0.12
        # What no part speaks for has a map of zeros.
        assert not maps[1].any()


def test_mean_color__by_hand() -> None:
    frame = np.zeros((1, 4, 3), dtype=np.uint8)
    frame[0, 0] = (40, 100, 202)
    assert mean_color(frame).tolist() == [10, 25, 50]
