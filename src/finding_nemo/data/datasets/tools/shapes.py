"""Shapes that people draw, as the upright boxes around them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from finding_nemo.data.datasets.tools.annotated_frame import Sides
from finding_nemo.data.datasets.tools.tool_fields import finite_numbers

# What is noted of a label whose shape `with_area` gives no box.
NO_BOX = "labels are of points or lines, taken for their whole frame"


def numbers_in(values: object) -> list[float] | None:
    """Return the numbers of a list, or of lists in it; `None` if anything else is among them."""
    if not isinstance(values, list):
        return None
    return finite_numbers(
        item for each in values for item in (each if isinstance(each, list) else [each])
    )


def around_points(numbers: Sequence[float]) -> Sides | None:
    """Return the box around points `x, y, x, y, ...`; `None` where it has no area."""
    if len(numbers) < 4 or len(numbers) % 2:
        return None
    xs, ys = numbers[0::2], numbers[1::2]
    return with_area(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def around_circle(numbers: Sequence[float]) -> Sides | None:
    """Return the box around a circle `x, y, radius`; `None` where it has no area."""
    if len(numbers) != 3:
        return None
    x, y, radius = numbers
    return with_area(x - radius, y - radius, 2 * radius, 2 * radius)


def with_area(x: float, y: float, width: float, height: float) -> Sides | None:
    """Return a box, or `None` where it has no area."""
    return Sides(x, y, width, height) if width > 0 and height > 0 else None


def around_turned(
    x: float, y: float, width: float, height: float, *, degrees: float, about_center: bool
) -> Sides | None:
    """Return the upright box around a rectangle that was turned clockwise.

    Args:
        x: Of its top left corner before it was turned, in px.
        y: Of the same.
        width: In px.
        height: In px.
        degrees: How far it was turned.
        about_center: Whether about its middle; otherwise about its top left corner.
    """
    box = with_area(x, y, width, height)
    if box is None or not degrees % 360:
        return box
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    about_x, about_y = (x + width / 2, y + height / 2) if about_center else (x, y)
    turned: list[float] = []
    for corner_x, corner_y in ((x, y), (x + width, y), (x + width, y + height), (x, y + height)):
        off_x, off_y = corner_x - about_x, corner_y - about_y
        turned += [about_x + off_x * cos - off_y * sin, about_y + off_x * sin + off_y * cos]
    return around_points(turned)


def around_ellipse(x: float, y: float, radius_x: float, radius_y: float) -> Sides | None:
    """Return the box around an ellipse about `x, y` whose axes are upright."""
    return with_area(x - radius_x, y - radius_y, 2 * radius_x, 2 * radius_y)
