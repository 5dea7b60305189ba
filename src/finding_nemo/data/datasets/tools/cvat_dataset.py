"""CVAT for images 1.1: an XML file with tags and shapes of each image.

A file with a document type is refused before anything of it is read, so that no entity of a file
can grow and none can lead to another file.

Source:
    https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.core.files.text_files import read_text
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.data.datasets.tools.annotated_frame import AnnotatedFrame, FrameLabel, Sides
from finding_nemo.data.datasets.tools.assemble_dataset import ToolFile, assemble_dataset
from finding_nemo.data.datasets.tools.shapes import (
    NO_BOX,
    around_ellipse,
    around_points,
    around_turned,
    with_area,
)
from finding_nemo.data.datasets.tools.tool_fields import (
    finite,
    finite_numbers,
    label_name,
    size_px,
)

_SHAPES = frozenset(
    {"tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton"}
)
_OTHER_ROOTS = {
    "annotation": "an annotation of one image in Pascal VOC",
    "View": "a configuration of Label Studio",
}
_MAX_DEPTH = 100


@dataclass(slots=True)
class _Image:
    """An image as far as it is read."""

    where: str
    attributes: Mapping[str, str]
    labels: list[FrameLabel] = field(default_factory=list)


def read_cvat_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read an export "CVAT for images 1.1".

    Labels with source="auto" are a machine's. An image without any label counts as not annotated:
    CVAT does not say whether a person looked at it. It says neither dive nor time.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is no such file, or a value cannot be what it must be; with the line.
    """
    if not os.path.exists(path):
        raise DatasetNotFoundError(f"The file {path} does not exist.")
    source = ToolFile(path=path, images=images, pattern=pattern)
    reader = _Reader(source)
    reader.read(read_text(path, refusal=AnnotationError))
    return assemble_dataset(reader.frames(), source)


class _Reader:
    """Takes the elements of the file as they come."""

    def __init__(self, source: ToolFile) -> None:
        self._source = source
        self._open: list[str] = []
        self._text: list[str] | None = None
        self._images: list[_Image] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def read(self, text: str) -> None:
        """Read all of the file.

        Raises:
            AnnotationError: If it is no XML, or a value cannot be what it must be; with the line.
        """
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            raise AnnotationError(
                f"{self._source.path}, line {error.lineno}: not XML "
                f"({expat.ErrorString(error.code)}). Was the file cut off or changed by hand?"
            ) from None
        except AnnotationError as error:
            raise AnnotationError(
                f"{self._source.path}, line {self._parser.CurrentLineNumber}: {error}."
            ) from None

    def frames(self) -> list[AnnotatedFrame]:
        """Return all images that were read."""
        return [
            AnnotatedFrame(
                where=image.where,
                file_names=(image.attributes.get("name", "").strip(),),
                labels=tuple(image.labels),
                width=size_px(image.attributes.get("width"), self._source.notes),
                height=size_px(image.attributes.get("height"), self._source.notes),
            )
            for image in self._images
        ]

    def _refuse_document_type(self, *_: object) -> None:
        raise AnnotationError(
            "it declares a document type (<!DOCTYPE ...>), which CVAT does not write; files that "
            "do are not read"
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open and name != "annotations":
            form = _OTHER_ROOTS.get(name)
            shown = f"; it looks like {form}" if form else ""
            raise AnnotationError(
                f"it begins with <{name[:60]}> where CVAT for images 1.1 has <annotations>{shown}"
            )
        if len(self._open) >= _MAX_DEPTH:
            raise AnnotationError(f"elements are nested more than {_MAX_DEPTH} deep")
        self._open.append(name)
        if self._open == ["annotations", "track"]:
            raise AnnotationError(
                "it holds tracks: it is CVAT for video. Export it as CVAT for images 1.1"
            )
        if self._open == ["annotations", "image"]:
            line = self._parser.CurrentLineNumber
            self._images.append(_Image(f"line {line}", attributes))
        elif self._open[:2] == ["annotations", "image"] and len(self._open) == 3:
            self._take_shape(name, attributes)
        elif self._open[-3:] == ["labels", "label", "name"]:
            self._text = []

    def _take_shape(self, name: str, attributes: dict[str, str]) -> None:
        if name not in _SHAPES:
            self._source.notes.add("shapes are of a kind that is not read", name)
            return
        label = label_name(attributes.get("label"), f"label of a {name}")
        sides = None if name == "tag" else _sides(name, attributes)
        if name != "tag" and sides is None:
            self._source.notes.add(NO_BOX, label)
        by_machine = attributes.get("source", "").strip().casefold() == "auto"
        self._images[-1].labels.append(FrameLabel(name=label, sides=sides, by_machine=by_machine))

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if self._text is not None and self._open[-1] == "name":
            declared = "".join(self._text).strip()
            if declared:
                self._source.declared.setdefault(label_name(declared, "name of a label"), "")
            self._text = None
        self._open.pop()


def _sides(name: str, attributes: Mapping[str, str]) -> Sides | None:
    """Return the box around a shape."""
    if name == "box":
        left, top, right, bottom = _numbers(attributes, "xtl", "ytl", "xbr", "ybr")
        return around_turned(
            left,
            top,
            right - left,
            bottom - top,
            degrees=finite(attributes.get("rotation", "")) or 0.0,
            about_center=True,
        )
    if name == "ellipse":
        x, y, radius_x, radius_y = _numbers(attributes, "cx", "cy", "rx", "ry")
        return around_ellipse(x, y, radius_x, radius_y)
    if name == "mask":
        left, top, width, height = _numbers(attributes, "left", "top", "width", "height")
        return with_area(left, top, width, height)
    points = attributes.get("points", "")
    if not points:  # a cuboid or a skeleton, whose corners have names of their own
        return None
    numbers = finite_numbers(points.replace(";", ",").split(","))
    if numbers is None:
        raise AnnotationError(f"points must be numbers x,y;x,y;..., got {quoted(points)}")
    return around_points(numbers)


def _numbers(attributes: Mapping[str, str], *names: str) -> list[float]:
    numbers = finite_numbers(attributes.get(name, "") for name in names)
    if numbers is None:
        shown = ", ".join(f"{name}={quoted(attributes.get(name))}" for name in names)
        raise AnnotationError(f"a shape must have finite numbers, got {shown}")
    return numbers
