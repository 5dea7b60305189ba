"""Exports of Label Studio: JSON (tasks with their annotations) and JSON-MIN.

Source:
    https://labelstud.io/guide/export
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.json_text import kind_of
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.datasets.tools.annotated_frame import (
    AnnotatedFrame,
    FrameLabel,
    names_of_addresses,
)
from finding_nemo.data.datasets.tools.assemble_dataset import ToolFile, assemble_dataset
from finding_nemo.data.datasets.tools.label_studio_results import labels_of_min, labels_of_result
from finding_nemo.data.datasets.tools.tool_fields import (
    at_place,
    list_of,
    object_of,
    optional_text,
    place_of,
    read_json,
)
from finding_nemo.data.filesystems.filesystem import is_web
from finding_nemo.data.images.decode import IMAGE_SUFFIXES

_IMAGE_KEYS = ("image", "img", "image_url", "url", "path", "file")
_LOCAL_FILES = "/data/local-files/"
_UPLOADS = "/data/upload/"
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")
_TIMES = ("captured", "time", "timestamp", "taken_at", "date_captured")


@dataclass(frozen=True, slots=True)
class _Task:
    """One image with what is known of it.

    Attributes:
        where: Its place in the file.
        image: The image as the task names it.
        data: What the task says beside.
        labels: All of them.
        is_viewed: Whether somebody sent in an annotation of it.
    """

    where: str
    image: str
    data: Mapping[str, Any]
    labels: tuple[FrameLabel, ...]
    is_viewed: bool


def read_label_studio_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read an export as JSON or JSON-MIN.

    Annotations are people's and truth, one that is empty too; predictions are a machine's, and
    annotations that were skipped do not count. Labels of all annotations of an image are joined.
    The dive and the time stand in the task's data (`dive`, `captured`), if anywhere.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is no such export, or a value cannot be what it must be; with the
            number of the task.
    """
    content = read_json(path)
    if not isinstance(content, list):
        raise AnnotationError(
            f"{path} must hold a list of tasks of Label Studio, got {kind_of(content)}."
        )
    source = ToolFile(path=path, images=images, pattern=pattern)
    tasks = list(_tasks(content, source))
    return assemble_dataset(_frames(tasks, source), source)


def _tasks(entries: list[Any], source: ToolFile) -> Iterator[_Task]:
    for number, value in enumerate(entries):
        where = f"task {number} of Label Studio"
        with at_place(source.path, where):
            entry = object_of(value, "it")
            yield (_task if "data" in entry else _task_of_min)(entry, source, where)


def _task(entry: Mapping[str, Any], source: ToolFile, where: str) -> _Task:
    data = object_of(entry.get("data"), "data")
    given = entry.get("annotations")
    annotations = list_of(entry.get("completions") if given is None else given, "annotations")
    labels: list[FrameLabel] = []
    n_sent = 0
    for each in annotations:
        annotation = object_of(each, "an annotation")
        if annotation.get("was_cancelled") is True:
            source.notes.add("annotations were skipped by the person, and do not count", where)
            continue
        n_sent += 1
        labels += labels_of_result(annotation.get("result"), source.notes, by_machine=False)
    for each in list_of(entry.get("predictions"), "predictions"):
        if isinstance(each, dict):  # an export without predictions lists their numbers
            labels += labels_of_result(each.get("result"), source.notes, by_machine=True)
    return _Task(where, _image_of(data), data, tuple(labels), n_sent > 0)


def _task_of_min(entry: Mapping[str, Any], source: ToolFile, where: str) -> _Task:
    image = _image_of(entry)
    rest = {key: value for key, value in entry.items() if not _is_text(value, image)}
    labels = tuple(labels_of_min(rest, source.notes))
    return _Task(where, image, entry, labels, is_viewed=True)


def _is_text(value: object, text: str) -> bool:
    return isinstance(value, str) and value.strip() == text


def _image_of(data: Mapping[str, Any]) -> str:
    """Return what a task calls its image: by the usual keys, else the one value that looks so.

    Raises:
        AnnotationError: If it names none that can be found.
    """
    named = [data[key] for key in _IMAGE_KEYS if isinstance(data.get(key), str)]
    looks = [
        value
        for value in data.values()
        if isinstance(value, str) and PurePosixPath(value).suffix.lower() in IMAGE_SUFFIXES
    ]
    found = next((value.strip() for value in (*named, *looks) if value.strip()), "")
    if not found:
        raise AnnotationError(
            f"it names no image; its data needs a key such as image, got {quoted(list(data), 100)}"
        )
    if found.startswith("data:"):
        raise AnnotationError("its image stands in the file itself (data:...), which is not read")
    return found


def _frames(tasks: list[_Task], source: ToolFile) -> Iterator[AnnotatedFrame]:
    images = list(dict.fromkeys(task.image for task in tasks))
    remote = [image for image in images if "://" in image]
    names = dict(zip(remote, names_of_addresses(remote), strict=True))
    for task in tasks:
        with at_place(source.path, task.where):
            yield AnnotatedFrame(
                where=task.where,
                file_names=names.get(task.image) or _local_names(task.image),
                labels=task.labels,
                is_viewed=task.is_viewed,
                url=task.image if is_web(task.image) else "",
                captured=next(
                    (text for key in _TIMES if (text := optional_text(task.data.get(key)))), None
                ),
                dive=optional_text(task.data.get("dive")),
                vehicle=optional_text(task.data.get("vehicle")),
                place=place_of(
                    task.data.get("depth_m"),
                    task.data.get("latitude"),
                    task.data.get("longitude"),
                    source.notes,
                ),
            )


def _local_names(image: str) -> tuple[str, ...]:
    """Return what the file of an image in Label Studio's own storage may be called."""
    path, _, query = image.partition("?")
    if path.startswith(_LOCAL_FILES) and query.startswith("d="):
        return (slashed(unquote(query[2:].partition("&")[0])).lstrip("/"),)
    if not path.startswith(_UPLOADS):
        return (image,)
    # An upload gets eight letters before its name.
    stored = unquote(path.rsplit("/", 1)[-1])
    original = _UPLOAD_PREFIX.sub("", stored, count=1)
    return (stored, original) if original else (stored,)
