"""Answers of FathomNet's interface for programs: images with their boxes, as JSON.

Source:
    https://github.com/fathomnet/fathomnet-py (models.AImageDTO, models.ABoundingBoxDTO)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.data.datasets.tools.annotated_frame import (
    AnnotatedFrame,
    FrameLabel,
    names_of_addresses,
)
from finding_nemo.data.datasets.tools.assemble_dataset import ToolFile, assemble_dataset
from finding_nemo.data.datasets.tools.shapes import with_area
from finding_nemo.data.datasets.tools.tool_fields import (
    at_place,
    finite_numbers,
    label_name,
    list_of,
    object_of,
    optional_text,
    place_of,
    read_json,
    size_px,
)
from finding_nemo.data.images.decode import IMAGE_SUFFIXES


def read_fathomnet_api_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read an answer of FathomNet: a list of images, or one image.

    An image's file is its uuid with the suffix of its address, as FathomNet's own programs name
    it. Boxes that a reviewer rejected are left out. The dive is looked for in the address.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is no such answer, or a value cannot be what it must be; with the
            number of the image.
    """
    content = read_json(path)
    source = ToolFile(path=path, images=images, pattern=pattern)
    entries = content if isinstance(content, list) else [content]
    return assemble_dataset(_frames(entries, source), source)


def _frames(entries: list[Any], source: ToolFile) -> Iterator[AnnotatedFrame]:
    for number, entry in enumerate(entries):
        where = f"image {number}"
        with at_place(source.path, where):
            yield _frame(object_of(entry, "it"), source, where)


def _frame(entry: Mapping[str, Any], source: ToolFile, where: str) -> AnnotatedFrame:
    uuid, url = optional_text(entry.get("uuid")), optional_text(entry.get("url")) or ""
    if uuid is None:
        raise AnnotationError(f"uuid must be a text, got {quoted(entry.get('uuid'))}")
    suffix = PurePosixPath(names_of_addresses([url])[0][-1]).suffix.lower() if url else ""
    boxes = list_of(entry.get("boundingBoxes"), "boundingBoxes")
    return AnnotatedFrame(
        where=where,
        file_names=(uuid + (suffix if suffix in IMAGE_SUFFIXES else ".png"),),
        labels=tuple(_labels(boxes, source)),
        width=size_px(entry.get("width"), source.notes),
        height=size_px(entry.get("height"), source.notes),
        url=url,
        captured=optional_text(entry.get("timestamp")),
        place=place_of(
            entry.get("depthMeters"), entry.get("latitude"), entry.get("longitude"), source.notes
        ),
    )


def _labels(boxes: list[Any], source: ToolFile) -> Iterator[FrameLabel]:
    for value in boxes:
        box = object_of(value, "an entry of boundingBoxes")
        name = label_name(box.get("concept"), "concept of a box")
        if box.get("rejected") is True or box.get("reviewState") == "REJECTED":
            source.notes.add("boxes were rejected by a reviewer, and are left out", name)
            continue
        sides = finite_numbers(box.get(key) for key in ("x", "y", "width", "height"))
        found = None if sides is None else with_area(*sides)
        if found is None:
            source.notes.add("boxes have no area; their names are taken for the frame", name)
        yield FrameLabel(name=name, sides=found)
