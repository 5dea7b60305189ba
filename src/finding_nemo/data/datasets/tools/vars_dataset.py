"""Annotations of VARS, as its server (annosaurus) gives them: a list with one entry a concept.

Source:
    https://github.com/mbari-org/annosaurus (AnnotationSC)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.json_text import kind_of, parse_json
from finding_nemo.data.datasets.dives import dive_from_text
from finding_nemo.data.datasets.tools.annotated_frame import (
    AnnotatedFrame,
    FrameLabel,
    Sides,
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
from finding_nemo.data.filesystems.filesystem import is_web

# The first that an annotation has counts; a video is at most a part of a dive.
_DIVES = ("dive_number", "video_sequence_name")
_VIDEO = "video_reference_uuid"


@dataclass(slots=True)
class _Moment:
    """One image with all annotations of its moment."""

    where: str
    entry: Mapping[str, Any]
    image: Mapping[str, Any]
    url: str
    labels: list[FrameLabel] = field(default_factory=list)


def read_vars_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read a list of annotations; those of one image are one frame.

    An image is the reference that the boxes name, else the first PNG, else the first. Annotations
    of moments without an image are passed over. The dive is `dive_number` or
    `video_sequence_name` where there are any, else looked for in the address, else the video. An
    annotation with the association identified-by = machine, as `convert` writes it, is a
    machine's.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is no such list, a value cannot be what it must be, or no annotation
            has an image; with the number of the annotation.
    """
    content = read_json(path)
    if not isinstance(content, list):
        raise AnnotationError(
            f"{path} must hold a list of annotations of VARS, got {kind_of(content)}."
        )
    source = ToolFile(path=path, images=images, pattern=pattern)
    moments = _moments(content, source)
    if content and not moments:
        raise AnnotationError(
            f"{path}: none of its {len(content):,} annotations has an image (image_references). "
            "Only annotated images can be learned from: grab frames of the videos first; where "
            "`convert` wrote the file, give image_address in --about."
        )
    return assemble_dataset(_frames(moments, source), source)


def _moments(entries: list[Any], source: ToolFile) -> list[_Moment]:
    found: dict[str, _Moment] = {}
    for number, value in enumerate(entries):
        where = f"annotation {number}"
        with at_place(source.path, where):
            entry = object_of(value, "it")
            name = label_name(entry.get("concept"), "concept")
            associations = [
                object_of(each, "an entry of associations")
                for each in list_of(entry.get("associations"), "associations")
            ]
            boxes = list(_boxes(associations))
            image = _image(entry, {str(box.get("image_reference_uuid")) for box in boxes})
            if image is None:
                source.notes.add("annotations have no image, and are passed over", name)
                continue
            url = str(optional_text(image.get("url")))
            moment = found.setdefault(url, _Moment(where, entry, image, url))
            moment.labels += _labels(name, associations, boxes, image, source)
    return list(found.values())


def _boxes(associations: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for each in associations:
        if each.get("link_name") == "bounding box":
            value = each.get("link_value")
            if isinstance(value, str):
                value = parse_json(value, "link_value of a bounding box", refusal=AnnotationError)
            yield object_of(value, "link_value of a bounding box")


def _image(entry: Mapping[str, Any], of_boxes: set[str]) -> Mapping[str, Any] | None:
    """Return the image of an annotation: of the boxes, else a PNG, else the first."""
    images = [
        object_of(each, "an entry of image_references")
        for each in list_of(entry.get("image_references"), "image_references")
    ]
    images = [each for each in images if optional_text(each.get("url")) is not None]

    def rank(image: Mapping[str, Any]) -> tuple[bool, bool]:
        return (
            str(image.get("uuid")) not in of_boxes,
            "png" not in str(image.get("format")).casefold(),
        )

    return min(images, key=rank, default=None)


def _labels(
    name: str,
    associations: list[Mapping[str, Any]],
    boxes: list[Mapping[str, Any]],
    image: Mapping[str, Any],
    source: ToolFile,
) -> Iterator[FrameLabel]:
    by_machine = any(
        each.get("link_name") == "identified-by" and each.get("link_value") == "machine"
        for each in associations
    )
    found = [_sides(box, image, source) for box in boxes]
    for sides in found or [None]:
        yield FrameLabel(name=name, sides=sides, by_machine=by_machine)


def _sides(box: Mapping[str, Any], image: Mapping[str, Any], source: ToolFile) -> Sides | None:
    numbers = finite_numbers(box.get(key) for key in ("x", "y", "width", "height"))
    if numbers is None:
        raise AnnotationError(
            f"a bounding box must have finite x, y, width and height, got {quoted(dict(box))}"
        )
    reference, own = box.get("image_reference_uuid"), image.get("uuid")
    if isinstance(reference, str) and isinstance(own, str) and reference != own:
        source.notes.add("boxes are of another image of their moment, and are left out", reference)
        return None
    return with_area(*numbers)


def _frames(moments: list[_Moment], source: ToolFile) -> Iterator[AnnotatedFrame]:
    names = names_of_addresses([moment.url for moment in moments])
    for moment, file_names in zip(moments, names, strict=True):
        with at_place(source.path, moment.where):
            yield _frame(moment, file_names, source)


def _frame(moment: _Moment, file_names: tuple[str, ...], source: ToolFile) -> AnnotatedFrame:
    entry, image = moment.entry, moment.image
    data = object_of(entry.get("ancillary_data") or {}, "ancillary_data")
    return AnnotatedFrame(
        where=moment.where,
        file_names=file_names,
        labels=tuple(moment.labels),
        width=size_px(image.get("width_pixels"), source.notes),
        height=size_px(image.get("height_pixels"), source.notes),
        url=moment.url if is_web(moment.url) else "",
        captured=optional_text(entry.get("recorded_timestamp")),
        dive=_dive(entry, moment.url, source),
        place=place_of(
            data.get("depth_meters"), data.get("latitude"), data.get("longitude"), source.notes
        ),
    )


def _dive(entry: Mapping[str, Any], url: str, source: ToolFile) -> str | None:
    named = next((name for key in _DIVES if (name := optional_text(entry.get(key)))), None)
    if named is not None or dive_from_text(url, source.pattern).dive is not None:
        return named
    video = optional_text(entry.get(_VIDEO))
    if video is not None:
        source.notes.add(
            "images say no dive; their video stands for it, so that a dive of several videos "
            "counts as several",
            video,
        )
    return video
