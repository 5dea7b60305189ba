"""FiftyOne's image classification data set: `labels.json`, which needs no copy of the images.

Source:
    https://docs.voxel51.com, FiftyOneImageClassificationDataset.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

from finding_nemo.exporting.export_frame import ExportFrame, ExportLabel
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.json_arrays import json_parts
from finding_nemo.exporting.label_ids import LabelIds

LABELS = "labels.json"


def write_fiftyone(frames: Iterable[ExportFrame], job: ExportJob, folder: Path) -> None:
    """Write `labels.json`.

    A frame is named by its absolute path, where the predictions have one; else by its name below
    the folder of the images without its suffix, as files below `data/` are.
    """
    ids, head = LabelIds(job.source), dict[str, Any]()
    with json_parts(folder / LABELS, {"labels": "{}"}, head=head) as parts:
        for frame in frames:
            for label in frame.one_voice:
                ids.number_of(label)
            parts.add("labels", [_label(each) for each in frame.one_voice], key=_key(frame))
        head["classes"] = list(dict.fromkeys(each.name for each in ids.all()))


def _key(frame: ExportFrame) -> str:
    path = PurePath(frame.path)
    if path.is_absolute() and "#t=" not in frame.file_name:
        return frame.path
    name = PurePath(frame.file_name)
    return str(name.with_suffix("")) if name.suffix and "#t=" not in name.name else str(name)


def _label(label: ExportLabel) -> dict[str, Any]:
    attributes = {"source": label.means, "word": label.word, "reviewer": label.reviewer}
    values: dict[str, Any] = {"label": label.name}
    if label.probability is not None:
        values["confidence"] = label.probability
    return {**values, "attributes": {key: value for key, value in attributes.items() if value}}
