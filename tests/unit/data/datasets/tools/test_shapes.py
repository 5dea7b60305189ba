"""Boxes around shapes, worked by hand and by many points along the shape."""

from __future__ import annotations

import math

import pytest

from finding_nemo.data.datasets.tools.shapes import (
    around_circle,
    around_ellipse,
    around_points,
    around_turned,
    numbers_in,
    with_area,
)


def test_boxes__by_hand() -> None:
    assert around_points([1, 2, 4, 2, 4, 6, 1, 6]) == (1, 2, 3, 4)
    assert around_circle([10, 20, 5]) == (5, 15, 10, 10)
    assert around_ellipse(10, 20, 5, 2) == (5, 18, 10, 4)
    assert with_area(1, 2, 3, 4) == (1, 2, 3, 4)
    # A quarter turn about the middle of 4 x 2 gives 2 x 4 with the same middle (2, 1).
    turned = around_turned(0, 0, 4, 2, degrees=90, about_center=True)
    assert turned is not None
    assert turned == pytest.approx((1, -1, 2, 4))
    # About its corner (0, 0), clockwise as the y axis goes down: x from -2 to 0, y from 0 to 4.
    turned = around_turned(0, 0, 4, 2, degrees=90, about_center=False)
    assert turned == pytest.approx((-2, 0, 2, 4))


@pytest.mark.parametrize("degrees", [0.0, 10.0, 45.0, 200.0, -30.0])
def test_turned__holds_every_corner_by_complex_numbers(degrees: float) -> None:
    found = around_turned(3, 5, 8, 2, degrees=degrees, about_center=True)
    turn, middle = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees))), 7 + 6j
    corners = [middle + (z - middle) * turn for z in (3 + 5j, 11 + 5j, 11 + 7j, 3 + 7j)]
    left, top = min(z.real for z in corners), min(z.imag for z in corners)
    right, bottom = max(z.real for z in corners), max(z.imag for z in corners)
    assert found == pytest.approx((left, top, right - left, bottom - top))


def test_points_and_lines__have_no_box() -> None:
    assert around_points([3, 4]) is None
    assert around_points([3, 4, 9, 4]) is None
    assert around_points([1, 2, 3]) is None
    assert around_circle([1, 2, 0]) is None
    assert around_circle([1, 2]) is None
    assert with_area(1, 2, -3, 4) is None


def test_numbers__of_lists_in_lists() -> None:
    assert numbers_in([[1, 2.5], [3, "4"]]) == [1, 2.5, 3, 4]
    assert numbers_in([1, float("nan")]) is None
    assert numbers_in([1, None]) is None
    assert numbers_in("1,2") is None
