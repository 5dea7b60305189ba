"""VARS: annotations as its server, annosaurus, takes and gives them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finding_nemo.exporting.exact_tables import number_text
from finding_nemo.exporting.export_frame import PERSON, ExportFrame, ExportLabel, moment_text
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.formats.biigle import source_uuid
from finding_nemo.exporting.json_arrays import json_list

_NO_VIDEO = (
    "annotations name no video, which VARS needs to take them: give video_reference_uuid in --about"
)


def write_vars(frames: Iterable[ExportFrame], job: ExportJob, path: Path) -> None:
    """Write one JSON list with an annotation a label; frames without labels are not in it."""
    namespace = source_uuid(job.source, "annotations")
    with json_list(path) as parts:
        for frame in frames:
            moment = str(uuid.uuid5(namespace, f"moment:{frame.image_id}"))
            for label in frame.one_voice:
                own = str(uuid.uuid5(namespace, f"{frame.image_id}\n{label.means}\n{label.name}"))
                parts.add("", _annotation(frame, label, job, {"moment": moment, "own": own}))


def _annotation(
    frame: ExportFrame, label: ExportLabel, job: ExportJob, ids: dict[str, str]
) -> dict[str, Any]:
    source, by_person = job.source, label.means == PERSON
    video = source.about.get("video_reference_uuid")
    if not video:
        job.notes[_NO_VIDEO] += 1
    address = source.address_of(frame)
    found: dict[str, Any] = {
        "concept": label.name,
        "observer": label.reviewer if by_person else source.model_name,
        "observation_timestamp": (label.when if by_person else source.predicted) or None,
        "observation_uuid": ids["own"],
        "imaged_moment_uuid": ids["moment"],
        "video_reference_uuid": video,
        "elapsed_time_millis": None if frame.time_s is None else round(1000 * frame.time_s),
        "recorded_timestamp": (
            moment_text(frame.captured) if frame.captured and frame.has_time_of_day else None
        ),
        "ancillary_data": _ancillary(frame),
        "associations": _associations(label),
        "image_references": [_image(frame, address)] if address else None,
    }
    return {key: value for key, value in found.items() if value is not None and value != ""}


def _ancillary(frame: ExportFrame) -> dict[str, Any] | None:
    position = frame.position
    found = {
        "latitude": position.latitude,
        "longitude": position.longitude,
        "depth_meters": position.depth_m,
        "altitude": position.height_m,
    }
    known: dict[str, Any] = {key: value for key, value in found.items() if value is not None}
    if position.is_on_map:
        known["crs"] = "EPSG:4326"
    return known or None


def _associations(label: ExportLabel) -> list[dict[str, str]]:
    values: dict[str, str] = {"identified-by": label.means}
    if label.probability is not None:
        values["confidence"] = number_text(label.probability)
    return [
        {"link_name": name, "to_concept": "self", "link_value": value, "mime_type": "text/plain"}
        for name, value in values.items()
    ]


def _image(frame: ExportFrame, address: str) -> dict[str, Any]:
    return {"url": address, "width_pixels": frame.width, "height_pixels": frame.height}
