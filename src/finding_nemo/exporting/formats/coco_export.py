"""COCO: images, categories, and labels of whole frames, which COCO has no place for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finding_nemo.exporting.export_frame import ExportFrame, ExportLabel
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.json_arrays import json_parts
from finding_nemo.exporting.label_ids import LabelIds

_NO_PLACE = (
    'labels of whole frames stand in "image_labels", which programs for COCO do not read; add '
    "--frame-boxes to give each the box of its frame"
)
_NO_SIZE = "labels are left out: the size of their frame is not known, so it has no box"


def write_coco(frames: Iterable[ExportFrame], job: ExportJob, path: Path) -> None:
    """Write one COCO file.

    With `frame_boxes` each label is an annotation with the box of its frame; without, labels
    stand beside the annotations, of which there are none: one without a box breaks readers.
    """
    ids, head = LabelIds(job.source), {"info": _info(job)}
    brackets = {"images": "[]", "annotations": "[]", "image_labels": "[]", "categories": "[]"}
    n_annotations = 0
    with json_parts(path, brackets, head=head) as parts:
        for number, frame in enumerate(frames, start=1):
            parts.add("images", _image(number, frame, job))
            for label in frame.one_voice:
                values = _said(number, ids.number_of(label), label)
                if not job.frame_boxes:
                    parts.add("image_labels", values)
                    job.notes[_NO_PLACE] += 1
                elif frame.width and frame.height:
                    n_annotations += 1
                    parts.add("annotations", {"id": n_annotations, **values, **_box(frame)})
                else:
                    job.notes[_NO_SIZE] += 1
        for each in ids.all():
            entry = {"id": each.number, "name": each.name, "supercategory": each.group or "none"}
            parts.add("categories", entry)


def _info(job: ExportJob) -> dict[str, Any]:
    source = job.source
    what = (
        "each label has the box of its whole frame, not of the animal"
        if job.frame_boxes
        else "labels of whole frames, without boxes"
    )
    return {
        "description": f"Labels of {source.name} by {source.model_reference}; {what}",
        "version": source.version,
        "date_created": source.exported,
        "contributor": source.about.get("institution", ""),
        "url": source.about.get("handle", ""),
    }


def _image(number: int, frame: ExportFrame, job: ExportJob) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": frame.file_name,
        "width": frame.width,
        "height": frame.height,
        "coco_url": job.source.address_of(frame),
        "date_captured": frame.event_date,
    }


def _said(image: int, category: int, label: ExportLabel) -> dict[str, Any]:
    values: dict[str, Any] = {"image_id": image, "category_id": category, "source": label.means}
    if label.probability is not None:
        values["score"] = label.probability
    if label.reviewer:
        values["reviewer"] = label.reviewer
    return values


def _box(frame: ExportFrame) -> dict[str, Any]:
    return {
        "bbox": [0, 0, frame.width, frame.height],
        "area": frame.width * frame.height,
        "iscrowd": 0,
    }
