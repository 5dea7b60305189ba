"""What people and models chose and drew in Label Studio, as labels of a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from finding_nemo.core.errors import AnnotationError
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.datasets.tools.annotated_frame import FrameLabel, Sides
from finding_nemo.data.datasets.tools.shapes import (
    around_ellipse,
    around_points,
    around_turned,
    numbers_in,
)
from finding_nemo.data.datasets.tools.tool_fields import (
    finite,
    finite_numbers,
    label_name,
    list_of,
    object_of,
)

_CHOSEN = (
    *("choices", "labels", "rectanglelabels", "polygonlabels", "ellipselabels"),
    *("keypointlabels", "brushlabels", "hypertextlabels"),
)
# Of JSON-MIN, where a single choice is a bare text, as the task's own data are.
_CHOICE_KEYS = ("choice", "choices", "label", "labels", "class", "category", "species", "taxonomy")
_OWN_KEYS = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "sentiment"}
)
_NO_LABELS = "results of Label Studio are no labels of an image (ratings, texts), and are left out"


def labels_of_result(result: object, notes: Notes, *, by_machine: bool) -> Iterator[FrameLabel]:
    """Yield the labels of one annotation or prediction.

    Args:
        result: Its list of results.
        notes: What counts the results that are no labels.
        by_machine: Whether it is a prediction.

    Raises:
        AnnotationError: If a result is not what Label Studio writes.
    """
    for each in list_of(result, "result"):
        item = object_of(each, "an entry of result")
        if item.get("type") == "relation":
            continue
        value = object_of(item.get("value"), "value of a result")
        names = _names_in(value)
        if not names:
            notes.add(_NO_LABELS, item.get("type"))
        sides = _sides(value, item) if names else None
        for name in names:
            yield FrameLabel(name=name, sides=sides, by_machine=by_machine)


def labels_of_min(values: Mapping[str, Any], notes: Notes) -> Iterator[FrameLabel]:
    """Yield the labels of one entry of JSON-MIN; what is no label is left.

    Raises:
        AnnotationError: If a label is not what Label Studio writes.
    """
    for key, value in values.items():
        if key not in _OWN_KEYS:
            yield from _labels_at(key, value, notes)


def _labels_at(key: str, value: object, notes: Notes) -> Iterator[FrameLabel]:
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        for drawn in value:
            names = _names_in(drawn)
            sides = _sides(drawn, drawn) if names else None
            for name in names:
                yield FrameLabel(name=name, sides=sides)
        return
    is_choice = isinstance(value, str | list) and key.casefold() in _CHOICE_KEYS
    chosen = {"choices": value} if is_choice else value
    if isinstance(chosen, dict) and "choices" in chosen:
        for name in _names_in(chosen):
            yield FrameLabel(name=name)
    elif isinstance(value, str):
        notes.add("values of JSON-MIN are no labels, by their key, and are left out", key)


def _names_in(value: Mapping[str, Any]) -> list[str]:
    chosen = [value[key] for key in _CHOSEN if value.get(key) is not None]
    names = []
    for each in chosen:
        for name in [each] if isinstance(each, str) else list_of(each, "a choice"):
            names.append(label_name(name, "a choice"))
    for path in list_of(value.get("taxonomy"), "taxonomy"):
        steps = list_of(path, "an entry of taxonomy")
        if steps:
            names.append(label_name(steps[-1], "the last step of a taxonomy"))
    return list(dict.fromkeys(names))


def _sides(value: Mapping[str, Any], item: Mapping[str, Any]) -> Sides | None:
    """Return the box around what was drawn, of numbers in percent of the frame."""
    width, height = finite(item.get("original_width")), finite(item.get("original_height"))
    if not any(key in value for key in ("points", "width", "radiusX")):
        return None
    if not width or not height or width < 0 or height < 0:
        raise AnnotationError(
            "a shape needs original_width and original_height above 0, since it is in percent"
        )
    if "points" in value:
        points = numbers_in(value["points"])
        if points is None:
            raise AnnotationError("points must be a list of finite numbers")
        return around_points(_scaled(points, width / 100, height / 100))
    keys = ("x", "y", "radiusX", "radiusY") if "radiusX" in value else ("x", "y", "width", "height")
    numbers = finite_numbers(value.get(key) for key in keys)
    if numbers is None:
        raise AnnotationError(f"a shape must have finite {', '.join(keys)}")
    x, y, across, down = _scaled(numbers, width / 100, height / 100)
    if "radiusX" in value:
        return around_ellipse(x, y, across, down)
    turn = finite(value.get("rotation")) or 0.0
    return around_turned(x, y, across, down, degrees=turn, about_center=False)


def _scaled(numbers: list[float], of_x: float, of_y: float) -> list[float]:
    return [number * (of_y if place % 2 else of_x) for place, number in enumerate(numbers)]
