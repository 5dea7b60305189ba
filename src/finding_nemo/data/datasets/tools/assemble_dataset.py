"""Frames of any annotation tool into a data set: names into numbers, people's labels into truth."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box, Dataset
from finding_nemo.core.text.cells import INT32_MAX, quoted
from finding_nemo.data.datasets.coco import CocoImage
from finding_nemo.data.datasets.fields.category_key import read_category_key
from finding_nemo.data.datasets.fields.record_fields import record_from_coco
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.datasets.tools.annotated_frame import AnnotatedFrame, FrameLabel
from finding_nemo.data.datasets.tools.tool_fields import at_place
from finding_nemo.data.filesystems.image_names import ids_of_files
from finding_nemo.data.images.image_folder import ImageFolder, check_file_name

_MACHINE = "labels are a machine's that no person confirmed; they are no truth and are left out"
_NOBODY = "images have no label of a person, and count as not annotated"


@dataclass(slots=True, kw_only=True)
class ToolFile:
    """A file of an annotation tool as it is read.

    Attributes:
        path: The file.
        images: The image folder, where it was named.
        pattern: Where to find the dive, where that was given.
        declared: The names that the file lists as those that can be given, in its order, each with
            its group ("" where it has none).
        notes: What was passed over or interpreted.
    """

    path: Path
    images: Path | None
    pattern: re.Pattern[str] | None
    declared: dict[str, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)


def assemble_dataset(frames: Iterable[AnnotatedFrame], source: ToolFile) -> Dataset:
    """Return the data set of all frames.

    Truth is what people say: labels of a machine are counted and left out, and an image that no
    person gave a label to counts as not annotated. Names get the ids that `category_key.csv`
    beside the file gives them, names that it lacks the numbers after its last; without that table
    they are numbered from 1 in alphabetical order.

    Args:
        frames: In the order of the file.
        source: The file, and what is known of it.

    Raises:
        AnnotationError: If no category is named, or a file name leaves the image folder.
    """
    root = _image_root(source)
    joined = _joined_by_file(frames, source, root)
    table = _table(joined, source)
    numbers = dict(zip(table.names, table.ids, strict=True))
    folder = ImageFolder(root, named=joined)
    records = []
    for (name, frame), image_id in zip(joined.items(), ids_of_files(list(joined)), strict=True):
        labels = [label for label in frame.labels if not label.by_machine]
        _note_machine(frame, labels, source)
        if not frame.is_annotated:
            source.notes.add(_NOBODY, name)
        record = record_from_coco(
            _coco_image(frame, name, labels, numbers),
            image_id,
            path=folder.locate(name),
            category_ids=(
                tuple(sorted({numbers[label.name] for label in labels}))
                if frame.is_annotated
                else None
            ),
            origin=source.path.stem,
            pattern=source.pattern,
            notes=source.notes,
        )
        place = frame.place
        records.append(
            replace(
                record,
                vehicle=frame.vehicle or record.vehicle,
                depth_m=place.depth_m,
                latitude=place.latitude,
                longitude=place.longitude,
            )
        )
    notices = (*folder.notices(), *source.notes.sentences())
    return Dataset(source.path.parent, table, tuple(records), notices)


def _note_machine(frame: AnnotatedFrame, by_people: Sequence[FrameLabel], source: ToolFile) -> None:
    confirmed = {label.name for label in by_people}
    for label in frame.labels:
        if label.by_machine and label.name not in confirmed:
            source.notes.add(_MACHINE, label.name)


def _image_root(source: ToolFile) -> Path:
    beside = source.path.parent / "images"
    return source.images or (beside if beside.is_dir() else source.path.parent)


def _joined_by_file(
    frames: Iterable[AnnotatedFrame], source: ToolFile, root: Path
) -> dict[str, AnnotatedFrame]:
    """Return the frames by the name of their file; those of one file are joined."""
    found: dict[str, AnnotatedFrame] = {}
    for frame in frames:
        with at_place(source.path, frame.where):
            name = _file_name(frame.file_names, root)
        before = found.get(name)
        if before is None:
            found[name] = frame
            continue
        source.notes.add("images are there several times; their labels were joined", name)
        found[name] = replace(
            before,
            labels=(*before.labels, *frame.labels),
            is_viewed=before.is_viewed or frame.is_viewed,
        )
    return found


def _file_name(names: Sequence[str], root: Path) -> str:
    # `os.path` says no, and not an error, for a name that no disk takes.
    return check_file_name(
        next((name for name in names[:-1] if os.path.isfile(root / name)), names[-1])
    )


def _table(frames: dict[str, AnnotatedFrame], source: ToolFile) -> CategoryTable:
    """Return the categories: of the table beside the file, then names that it lacks."""
    groups = _named(frames, source)
    key = source.path.parent / "category_key.csv"
    known = read_category_key(key).categories if key.is_file() else ()
    _refuse_shared_names(known, groups, key)
    number = max((each.category_id for each in known), default=0)
    others = []
    for name in sorted(groups.keys() - {each.name for each in known}):
        number += 1
        if known:
            source.notes.add(
                "names are not in category_key.csv; their ids come after its last", name
            )
        if number > INT32_MAX:
            raise AnnotationError(
                f"{key}: its largest id leaves no number up to {INT32_MAX} for {quoted(name)}."
            )
        others.append(Category(number, name, groups[name] or "none"))
    if not known and not others:
        raise AnnotationError(
            f"{source.path} names no category: nobody gave a label in it, and it lists none. Label "
            "some images first, or put a category_key.csv (id,name,supercat) beside it."
        )
    return CategoryTable((*known, *others))


def _named(frames: dict[str, AnnotatedFrame], source: ToolFile) -> dict[str, str]:
    """Return the names that people gave, each with its group.

    Where they gave none, these are the names that the file lists, or else those of machines, so
    that a file whose images nobody has annotated yet can be read, too.
    """
    labels = [label for frame in frames.values() for label in frame.labels]
    by_people = _groups(label for label in labels if not label.by_machine)
    if not by_people:
        return dict(source.declared) or _groups(labels)
    for name in source.declared:
        if name not in by_people:
            source.notes.add("names are listed that no person gave; they are no categories", name)
    return by_people


def _groups(labels: Iterable[FrameLabel]) -> dict[str, str]:
    found: dict[str, str] = {}
    for label in labels:
        found[label.name] = found.get(label.name) or label.supercategory
    return found


def _refuse_shared_names(known: Sequence[Category], groups: Mapping[str, str], key: Path) -> None:
    counts = Counter(each.name for each in known)
    shared = next((name for name in groups if counts[name] > 1), None)
    if shared is not None:
        raise AnnotationError(
            f"{key}: {quoted(shared)} is the name of {counts[shared]} categories; give each a name "
            "of its own."
        )


def _coco_image(
    frame: AnnotatedFrame, name: str, labels: Sequence[FrameLabel], numbers: dict[str, int]
) -> CocoImage:
    boxes = [Box(numbers[each.name], *each.sides) for each in labels if each.sides is not None]
    return CocoImage(
        file_name=name,
        width=frame.width,
        height=frame.height,
        url=frame.url,
        captured=frame.captured,
        dive=frame.dive,
        vehicle=None,  # an event has a name of its own; only a bare number needs its vehicle's
        boxes=boxes,
    )
