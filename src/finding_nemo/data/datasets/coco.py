"""COCO files: images, boxes and categories, checked record by record."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError, DatasetError, DatasetNotFoundError
from finding_nemo.core.files.text_files import read_text
from finding_nemo.core.records import Box
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.json_text import kind_of, parse_json
from finding_nemo.data.datasets.fields.coco_fields import (
    JoinKey,
    box_of,
    join_key,
    member,
    needed_text,
    side_px,
    text_or_none,
    whole_characters,
)
from finding_nemo.data.datasets.fields.label_cells import category_id
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.images.image_folder import check_file_name

# What other tools write as .json, by a key of its first object.
_OTHER_FORMS = {
    "_via_img_metadata": "a project of VGG Image Annotator",
    "regions": "an export of VGG Image Annotator",
    "shapes": "a file of LabelMe",
    "samples": "a data set of FiftyOne",
    "features": "GeoJSON",
    "score": "COCO results (guesses, not annotations)",
    "completions": "an export of Label Studio",
    "data": "an export of Label Studio",
    "image": "an export of CreateML",
    "file_name": "the list of images alone",
    "image_id": "the list of annotations alone",
}


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One entry of `images`, with the boxes that point to it."""

    file_name: str
    width: int | None
    height: int | None
    url: str
    captured: str | None
    dive: str | None
    vehicle: str | None
    boxes: list[Box] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CocoFile:
    """One COCO file, read.

    Attributes:
        images: In file order.
        categories: The file's own table, or `None` if it lists no category.
        has_annotations: Whether any box is in the file; a file without is not annotated.
        notices: What a reader should know, in sentences.
    """

    images: list[CocoImage]
    categories: CategoryTable | None
    has_annotations: bool
    notices: tuple[str, ...] = ()


def read_coco(path: Path) -> CocoFile:
    """Read a COCO file; keys that are not needed are not looked at.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is not JSON (with the line), a key is missing or of another type,
            an id is used twice, a box points to nothing, or a file name leaves the image folder.
    """
    if not os.path.exists(path):
        raise DatasetNotFoundError(f"The file {path} does not exist.")
    content = parse_json(
        read_text(path, refusal=AnnotationError), str(path), refusal=AnnotationError
    )
    if not isinstance(content, dict):
        raise AnnotationError(
            f"{path} must hold an object with 'images', got {kind_of(content)}"
            f"{_looks_like(content)}."
        )
    notes = Notes()
    categories = _category_table(_list_of(content, "categories", path, may_lack=True), path)
    images = _images(_list_of(content, "images", path), path)
    boxes = _list_of(content, "annotations", path, may_lack=True)
    _attach_boxes(boxes, images, categories, path)
    _note_repeated_ids(boxes, notes)
    return CocoFile(list(images.values()), categories, bool(boxes), notes.sentences())


def _list_of(
    content: Mapping[str, Any], key: str, path: Path, *, may_lack: bool = False
) -> list[Any]:
    entries = content.get(key)
    if entries is None and may_lack:
        return []
    if not isinstance(entries, list):
        raise AnnotationError(
            f"{path}: the key {key!r} must hold a list, got {kind_of(entries)}"
            f"{_looks_like(content) if entries is None else ''}."
        )
    return entries


def _looks_like(content: object) -> str:
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return ""
    form = next((form for key, form in _OTHER_FORMS.items() if key in first), None)
    return "" if form is None else f"; it looks like {form}: export it as COCO"


def _object(entry: object) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise AnnotationError(f"must be an object, got {kind_of(entry)}")
    return entry


def _category_table(entries: list[Any], path: Path) -> CategoryTable | None:
    if not entries:
        return None
    found = []
    for index, entry in enumerate(entries):
        try:
            found.append(_category(_object(entry)))
        except AnnotationError as error:
            raise AnnotationError(f"{path}, categories[{index}]: {error}.") from None
    try:
        return CategoryTable(tuple(found))
    except DatasetError as error:
        raise AnnotationError(f"{path}, categories: {error}") from None


def _category(entry: Mapping[str, Any]) -> Category:
    number = category_id(member(entry, "id"))
    name = text_or_none(member(entry, "name"), "name")
    if name is None or not name.strip():
        raise AnnotationError(f"name of category {number} must be a text, got {quoted(name)}")
    above = entry.get("supercategory")
    known = whole_characters(above, "supercategory") if isinstance(above, str) else ""
    return Category(number, name, known or "none")


def _images(entries: list[Any], path: Path) -> dict[JoinKey, CocoImage]:
    images: dict[JoinKey, CocoImage] = {}
    names: set[str] = set()
    for index, entry in enumerate(entries):
        where = f"{path}, images[{index}]"
        try:
            image = _image(_object(entry))
            key = join_key(member(entry, "id"), "id")
        except AnnotationError as error:
            raise AnnotationError(f"{where}: {error}.") from None
        if key in images or image.file_name in names:
            raise AnnotationError(
                f"{where}: id {quoted(key)} or file name {image.file_name!r} is there already; "
                "each must be used once."
            )
        images[key] = image
        names.add(image.file_name)
    return images


def _image(entry: Mapping[str, Any]) -> CocoImage:
    url = entry.get("coco_url")
    return CocoImage(
        file_name=check_file_name(needed_text(member(entry, "file_name"), "file_name")),
        width=side_px(entry.get("width"), "width"),
        height=side_px(entry.get("height"), "height"),
        url=whole_characters(url, "coco_url") if isinstance(url, str) else "",
        captured=text_or_none(entry.get("date_captured"), "date_captured"),
        dive=text_or_none(entry.get("dive"), "dive"),
        vehicle=text_or_none(entry.get("vehicle"), "vehicle"),
    )


def _attach_boxes(
    entries: list[Any],
    images: Mapping[JoinKey, CocoImage],
    categories: CategoryTable | None,
    path: Path,
) -> None:
    known = {} if categories is None else categories.columns
    by_text = _by_text(images)
    for index, entry in enumerate(entries):
        try:
            key = join_key(member(_object(entry), "image_id"), "image_id")
            image = images.get(key) or by_text.get(_as_text(key))
            if image is None:
                raise AnnotationError(f"image_id {quoted(key)} is no image's id")
            box = box_of(entry)
            if known and box.category_id not in known:
                raise AnnotationError(f"category id {box.category_id} is no category's id")
        except AnnotationError as error:
            raise AnnotationError(f"{path}, annotations[{index}]: {error}.") from None
        image.boxes.append(box)


def _by_text(images: Mapping[JoinKey, CocoImage]) -> dict[str, CocoImage]:
    """Return the images by id as text, for files that write 1 here and "1" there.

    Empty where two images have ids that are alike as text, so that neither is taken for the other.
    """
    found = {_as_text(key): image for key, image in images.items()}
    return found if len(found) == len(images) else {}


def _as_text(key: JoinKey) -> str:
    return key if isinstance(key, str) else quoted(key)


def _note_repeated_ids(entries: list[Any], notes: Notes) -> None:
    ids = [entry.get("id") for entry in entries]
    counts = Counter(value for value in ids if isinstance(value, int | str))
    for value, count in counts.items():
        if count > 1:
            notes.add("annotations have the id of another; each was counted", value, count - 1)
