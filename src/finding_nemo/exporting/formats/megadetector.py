"""MegaDetector's JSON, which Timelapse reads: a box of the whole frame a label.

Source:
    https://lila.science/megadetector-output-format, version 1.6.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finding_nemo.exporting.export_frame import ExportFrame
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.json_arrays import json_parts
from finding_nemo.exporting.label_ids import LabelIds

_FORMAT = "1.6"
_WHOLE_FRAME = [0, 0, 1, 1]
# The form refuses a category whose name is blank.
NO_NAME = "(no name)"
_BLANK = f'labels have a blank name, which the form does not allow; they stand as "{NO_NAME}"'
_OF_A_PERSON = 1.0  # the form demands a confidence, and a person's word is not to be doubted


def write_megadetector(frames: Iterable[ExportFrame], job: ExportJob, path: Path) -> None:
    """Write one file; frames without labels are in it, with no detections."""
    ids, head = LabelIds(job.source), dict[str, Any]()
    with json_parts(path, {"images": "[]"}, head=head) as parts:
        for frame in frames:
            detections = [
                {
                    "category": str(ids.number_of(label)),
                    "conf": _OF_A_PERSON if label.probability is None else label.probability,
                    "bbox": _WHOLE_FRAME,
                }
                for label in frame.one_voice
            ]
            image: dict[str, Any] = {"file": frame.file_name, "detections": detections}
            if frame.has_time_of_day and frame.captured is not None:
                image["datetime"] = frame.captured.strftime("%Y:%m:%d %H:%M:%S")
            parts.add("images", image)
        head["info"] = {
            "format_version": _FORMAT,
            "detector": job.source.model_reference,
            "detection_completion_time": job.source.predicted or job.source.exported,
        }
        names = {str(each.number): each.name for each in ids.all()}
        head["detection_categories"] = {key: _named(name, job) for key, name in names.items()}
        head["classification_categories"] = {}


def _named(name: str, job: ExportJob) -> str:
    if name.strip():
        return name
    job.notes[_BLANK] += 1
    return NO_NAME
