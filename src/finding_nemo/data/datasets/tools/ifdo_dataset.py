"""iFDO files: a header, and an item an image with the labels that people and machines gave.

Source:
    https://marine-imaging.com/fair/ifdos/iFDO-overview/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.json_text import kind_of
from finding_nemo.data.datasets.tools.annotated_frame import (
    AnnotatedFrame,
    FrameLabel,
    Sides,
)
from finding_nemo.data.datasets.tools.assemble_dataset import ToolFile, assemble_dataset
from finding_nemo.data.datasets.tools.shapes import (
    NO_BOX,
    around_circle,
    around_points,
    numbers_in,
    with_area,
)
from finding_nemo.data.datasets.tools.tool_fields import (
    at_place,
    depth_of_altitude,
    label_name,
    list_of,
    object_of,
    optional_text,
    place_of,
    read_json,
)
from finding_nemo.data.filesystems.filesystem import is_web
from finding_nemo.data.images.video import VIDEO_SUFFIXES

_HEADER, _ITEMS = "image-set-header", "image-set-items"
_ALTITUDES = ("image-altitude-meters", "image-altitude")
# What versions of the form call a creator that is no person, and how `convert` marks its model.
_MACHINE_TYPES = frozenset({"ai", "machine", "algorithm", "machine-learning", "model"})
_OWN_MODEL = ("model", "Finding Nemo")


def read_ifdo_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read an iFDO file (JSON); what its header says holds for items that do not say it.

    The dive is `image-event`, the depth the negative altitude. An annotator whose type is AI, or
    that `convert` wrote for its model, is a machine. An item without `image-annotations` was not
    annotated; an empty list says that nothing is in it. Items of videos are passed over.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is no iFDO, or a value cannot be what it must be; with the item.
    """
    content = read_json(path)
    items = content.get(_ITEMS) if isinstance(content, dict) else None
    if not isinstance(items, dict):
        raise AnnotationError(
            f"{path} is no iFDO that can be read: {_ITEMS} must be an object from file names to "
            f"what is known of each, got {kind_of(items)}. Export the iFDO as JSON, items included."
        )
    source = ToolFile(path=path, images=images, pattern=pattern)
    with at_place(path, _HEADER):
        names = _Names(object_of(content.get(_HEADER) or {}, _HEADER), source)
    return assemble_dataset(_frames(items, names, source), source)


class _Names:
    """What the header says: common values, and the names of labels and annotators by their ids."""

    def __init__(self, header: Mapping[str, Any], source: ToolFile) -> None:
        self.header = header
        self.labels: dict[str, str] = {}
        for entry in list_of(header.get("image-annotation-labels"), "image-annotation-labels"):
            known = object_of(entry, "an entry of image-annotation-labels")
            name = label_name(known.get("name"), "name of an entry of image-annotation-labels")
            self.labels[str(known.get("id"))] = name
            source.declared.setdefault(name, "")
        self.machines: set[str] = set()
        creators = header.get("image-annotation-creators")
        for entry in list_of(creators, "image-annotation-creators"):
            known = object_of(entry, "an entry of image-annotation-creators")
            if _is_machine(known):
                self.machines.add(str(known.get("id")))

    def label_of(self, value: object) -> str:
        """Return the name of a label, which stands for itself where the header lists none."""
        name = self.labels.get(str(value)) if isinstance(value, str | int) else None
        return label_name(value, "label") if name is None else name


def _is_machine(creator: Mapping[str, Any]) -> bool:
    is_own = creator.get("id") == _OWN_MODEL[0] and str(creator.get("name")).startswith(
        _OWN_MODEL[1]
    )
    return is_own or str(creator.get("type")).casefold() in _MACHINE_TYPES


def _frames(items: Mapping[str, Any], names: _Names, source: ToolFile) -> Iterator[AnnotatedFrame]:
    for file_name, values in items.items():
        where = f"item {quoted(file_name)}"
        parts = values if isinstance(values, list) else [values]
        if len(parts) != 1 or PurePosixPath(file_name).suffix.lower() in VIDEO_SUFFIXES:
            source.notes.add("items are videos, which are passed over", file_name)
            continue
        with at_place(source.path, where):
            yield _frame(file_name, object_of(parts[0], "it"), names, source, where)


def _frame(
    file_name: str, own: Mapping[str, Any], names: _Names, source: ToolFile, where: str
) -> AnnotatedFrame:
    item = {**names.header, **{key: value for key, value in own.items() if value is not None}}
    altitude = next((item[key] for key in _ALTITUDES if item.get(key) is not None), None)
    annotations = list_of(own.get("image-annotations"), "image-annotations")
    address = own.get("image-handle")
    return AnnotatedFrame(
        where=where,
        file_names=(file_name,),
        labels=tuple(_labels(annotations, names, source)),
        is_viewed=own.get("image-annotations") == [],
        url=address.strip() if isinstance(address, str) and is_web(address.strip()) else "",
        captured=_moment(item),
        dive=_name_of(item.get("image-event")),
        vehicle=_name_of(item.get("image-platform")),
        place=place_of(
            depth_of_altitude(altitude),
            item.get("image-latitude"),
            item.get("image-longitude"),
            source.notes,
        ),
    )


def _name_of(value: object) -> str | None:
    """Return the name of an event or a platform, which is a text or an object with a name."""
    return optional_text(value.get("name") if isinstance(value, dict) else value)


def _moment(item: Mapping[str, Any]) -> str | None:
    """Return when an image was taken, in ISO 8601 where the file states another form."""
    text, form = optional_text(item.get("image-datetime")), item.get("image-datetime-format")
    if text is None or not isinstance(form, str):
        return text
    try:
        return datetime.strptime(text, form).isoformat()
    except ValueError:
        return text


def _labels(annotations: list[Any], names: _Names, source: ToolFile) -> Iterator[FrameLabel]:
    for entry in annotations:
        annotation = object_of(entry, "an entry of image-annotations")
        sides = _sides(annotation, source)
        for given in list_of(annotation.get("labels"), "labels of an annotation"):
            label = object_of(given, "an entry of labels")
            yield FrameLabel(
                name=names.label_of(label.get("label")),
                sides=sides,
                by_machine=str(label.get("annotator")) in names.machines,
            )


def _sides(annotation: Mapping[str, Any], source: ToolFile) -> Sides | None:
    """Return the box around a shape; four numbers are x, y, width and height."""
    coordinates = annotation.get("coordinates")
    if annotation.get("shape") == "whole-image" or not coordinates:
        return None
    numbers = numbers_in(coordinates)
    if numbers is None:
        raise AnnotationError(
            f"coordinates must be a list of finite numbers, got {quoted(coordinates)}"
        )
    if annotation.get("shape") in ("rectangle", "bounding-box") and len(numbers) == 4:
        found = with_area(*numbers)
    elif len(numbers) == 3:
        found = around_circle(numbers)
    else:
        found = around_points(numbers)
    if found is None:
        source.notes.add(NO_BOX, numbers)
    return found
