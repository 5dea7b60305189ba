"""COCO files: images, boxes and categories, checked record by record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.core.records import Box
from finding_nemo.data.category_lists import whole_number
from finding_nemo.data.image_files import check_file_name


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
    """

    images: list[CocoImage]
    categories: CategoryTable | None
    has_annotations: bool


def read_coco(path: Path) -> CocoFile:
    """Read a COCO file.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is not JSON (with the line), a key is missing, an id is used
            twice, a box points to nothing, or a file name leaves the image folder.
    """
    content = _read_object(path)
    entries = _list_of(content, "images", path)
    boxes = content.get("annotations") or []
    categories = _category_table(content.get("categories") or [], path)
    images: dict[object, CocoImage] = {}
    names: set[str] = set()
    for index, entry in enumerate(entries):
        where = f"{path}, images[{index}]"
        try:
            image = _image(entry)
            image_key = entry["id"]
        except KeyError as error:
            raise AnnotationError(f"{where}: the key {error} is missing.") from None
        except (AnnotationError, TypeError, AttributeError) as error:
            raise AnnotationError(f"{where}: {error}.") from None
        if image_key in images or image.file_name in names:
            raise AnnotationError(
                f"{where}: id {image_key!r} or file name {image.file_name!r} is there already; "
                "each must be used once."
            )
        images[image_key] = image
        names.add(image.file_name)
    _attach_boxes(boxes, images, categories, path)
    return CocoFile(list(images.values()), categories, bool(boxes))


def _read_object(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetNotFoundError(f"The file {path} does not exist.") from None
    except json.JSONDecodeError as error:
        raise AnnotationError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})."
        ) from None
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path} is not UTF-8 text: {error.reason}.") from None
    if not isinstance(content, dict):
        raise AnnotationError(f"{path} must hold an object with 'images', got a {_kind(content)}.")
    return content


def _kind(value: object) -> str:
    return {list: "list", str: "text", type(None): "null"}.get(type(value), "number")


def _list_of(content: Mapping[str, Any], key: str, path: Path) -> list[Any]:
    entries = content.get(key)
    if not isinstance(entries, list):
        raise AnnotationError(f"{path}: the key {key!r} must hold a list, got {_kind(entries)}.")
    return entries


def _category_table(entries: list[Mapping[str, Any]], path: Path) -> CategoryTable | None:
    if not entries:
        return None
    try:
        return CategoryTable(
            tuple(
                Category(
                    whole_number(entry["id"]),
                    str(entry["name"]),
                    str(entry.get("supercategory") or "none"),
                )
                for entry in entries
            )
        )
    except KeyError as error:
        raise AnnotationError(f"{path}, categories: the key {error} is missing.") from None


def _image(entry: Mapping[str, Any]) -> CocoImage:
    captured, dive, vehicle = (entry.get(key) for key in ("date_captured", "dive", "vehicle"))
    return CocoImage(
        file_name=check_file_name(str(entry["file_name"])),
        width=_size(entry.get("width")),
        height=_size(entry.get("height")),
        url=str(entry.get("coco_url") or ""),
        captured=None if captured is None else str(captured),
        dive=None if dive is None else str(dive),
        vehicle=None if vehicle is None else str(vehicle),
    )


def _size(value: object) -> int | None:
    return None if value is None else whole_number(value)


def _attach_boxes(
    entries: list[Mapping[str, Any]],
    images: Mapping[object, CocoImage],
    categories: CategoryTable | None,
    path: Path,
) -> None:
    known = {} if categories is None else categories.columns
    for index, entry in enumerate(entries):
        where = f"{path}, annotations[{index}]"
        try:
            image = images.get(entry["image_id"])
            box = _box(entry)
        except KeyError as error:
            raise AnnotationError(f"{where}: the key {error} is missing.") from None
        except (AnnotationError, TypeError, ValueError) as error:
            raise AnnotationError(f"{where}: {error}.") from None
        if image is None:
            raise AnnotationError(f"{where}: image_id {entry['image_id']!r} is no image's id.")
        if known and box.category_id not in known:
            raise AnnotationError(f"{where}: category id {box.category_id} is no category's id.")
        image.boxes.append(box)


def _box(entry: Mapping[str, Any]) -> Box:
    category_id = whole_number(entry["category_id"])
    sides = entry.get("bbox") or (0.0, 0.0, 0.0, 0.0)
    if len(sides) != 4:
        raise AnnotationError(f"bbox must be [x, y, width, height], got {sides!r}")
    x, y, width, height = (float(side) for side in sides)
    return Box(category_id, x, y, width, height)
