"""iFDO: a header and an item a frame, with labels of whole frames; 2.2.1, and what BIIGLE takes.

Source:
    https://marine-imaging.com/fair/ifdos/iFDO-overview/
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.provenance import hash_file
from finding_nemo.data.datasets.dives import parse_capture_time
from finding_nemo.exporting.export_frame import PERSON, ExportFrame, ExportLabel
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.json_arrays import json_parts
from finding_nemo.exporting.label_ids import LabelIds, NumberedLabel

# What the form requires of the header.
_REQUIRED = (
    *("image-set-handle", "image-datetime", "image-latitude", "image-longitude"),
    *("image-altitude-meters", "image-coordinate-uncertainty-meters", "image-context"),
    *("image-project", "image-event", "image-platform", "image-sensor", "image-pi"),
    *("image-creators", "image-license", "image-copyright", "image-abstract"),
)
# What only people know, by what `--about` calls it.
_OF_ABOUT = {
    "context": "image-context",
    "project": "image-project",
    "platform": "image-platform",
    "camera": "image-sensor",
    "principal_investigator": "image-pi",
    "license": "image-license",
}
_MACHINE_ID = "model"


@dataclass(frozen=True, slots=True)
class _Variant:
    """What differs between versions.

    Attributes:
        version: As the header states it.
        for_biigle: Whether whole frames are rectangles, and altitude has its older name beside.
    """

    version: str
    for_biigle: bool = False


def write_ifdo(frames: Iterable[ExportFrame], job: ExportJob, path: Path) -> None:
    """Write iFDO 2.2.1, for archives."""
    _write(frames, job, path, _Variant("v2.2.1"))


def write_ifdo_for_biigle(frames: Iterable[ExportFrame], job: ExportJob, path: Path) -> None:
    """Write the variant of iFDO 2.1.0 that BIIGLE imports, with whole frames as rectangles."""
    _write(frames, job, path, _Variant("v2.1.0", for_biigle=True))


def _write(frames: Iterable[ExportFrame], job: ExportJob, path: Path, variant: _Variant) -> None:
    ids, creators, head = LabelIds(job.source), dict[str, str](), dict[str, Any]()
    shared = _SharedFields()
    with json_parts(path, {"image-set-items": "{}"}, head=head) as parts:
        for frame in frames:
            item = _item(frame, job)
            shared.add(item)
            annotations = []
            for label in frame.one_voice if variant.for_biigle else frame.labels:
                annotation = _annotation(frame, label, job, ids, creators, variant)
                if annotation is not None:
                    annotations.append(annotation)
            if annotations:
                item["image-annotations"] = annotations
            if variant.for_biigle and "image-altitude-meters" in item:
                item["image-altitude"] = item["image-altitude-meters"]
            parts.add("image-set-items", item, key=frame.file_name)
        head["image-set-header"] = {
            **_header(job, ids, creators, variant),
            **shared.fields(),
        }
        _note_lacking(head["image-set-header"], job)


class _SharedFields:
    """The fields that the header may hold: those that every item has of its own.

    What a header says holds for items that do not say it, so that a field which only some frames
    have would be made up for the others.
    """

    def __init__(self) -> None:
        self._first: dict[str, Any] | None = None
        self._common: set[str] = set()

    def add(self, item: dict[str, Any]) -> None:
        if self._first is None:
            self._first, self._common = item, set(item) & set(_REQUIRED)
        self._common &= item.keys()

    def fields(self) -> dict[str, Any]:
        first = self._first or {}
        return {name: first[name] for name in _REQUIRED if name in self._common}


def _note_lacking(header: dict[str, Any], job: ExportJob) -> None:
    lacking = [name for name in _REQUIRED if not header.get(name)]
    if lacking:
        words = f"fields that iFDO requires of the header are not known ({', '.join(lacking)})"
        job.notes[f"{words}; --about and --navigation say them"] = len(lacking)


def stated_uuid(*parts: str) -> str:
    """Return a UUID of the form that iFDO takes (version 4), always the same of the same parts."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _header(
    job: ExportJob, ids: LabelIds, creators: dict[str, str], variant: _Variant
) -> dict[str, Any]:
    source, about = job.source, job.source.about
    header: dict[str, Any] = {
        "image-set-name": about.get("title") or source.name,
        "image-set-uuid": stated_uuid(about.get("dataset_id") or source.name, source.bundle_hash),
        "image-set-ifdo-version": variant.version,
        "image-acquisition": "photo",
        "image-coordinate-reference-system": "EPSG:4326",
    }
    # A reader of 2.2.1 takes an empty handle, but none without; for BIIGLE it is the other way.
    if about.get("handle") or not variant.for_biigle:
        header["image-set-handle"] = about.get("handle", "")
    for key, field in _OF_ABOUT.items():
        if about.get(key):
            header[field] = {"name": about[key]}
    people = [name.strip() for name in about.get("creators", "").split(";") if name.strip()]
    if people:
        header["image-creators"] = [{"name": name} for name in people]
    for key, field in (("copyright", "image-copyright"), ("abstract", "image-abstract")):
        if about.get(key):
            header[field] = about[key]
    header["image-annotation-labels"] = [
        {"id": str(each.number), "name": each.name, "info": _info(each, job)} for each in ids.all()
    ]
    header["image-annotation-creators"] = [
        {"id": number, "name": name} for name, number in creators.items()
    ]
    return header


def _info(label: NumberedLabel, job: ExportJob) -> str:
    known = job.names.of(label.name, is_group=label.is_group)
    if not known.is_known:
        return ""
    return f"{known.scientific} ({known.rank}) {known.lsid}".strip()


def _item(frame: ExportFrame, job: ExportJob) -> dict[str, Any]:
    position = frame.position
    item: dict[str, Any] = {"image-uuid": stated_uuid(job.source.name, frame.image_id)}
    if frame.captured is not None and frame.has_time_of_day:
        item["image-datetime"] = frame.captured.strftime("%Y-%m-%d %H:%M:%S.%f")
    if position.is_on_map:
        item |= {"image-latitude": position.latitude, "image-longitude": position.longitude}
    if position.depth_m is not None:
        item["image-altitude-meters"] = 0.0 - position.depth_m
    if position.height_m is not None:
        item["image-meters-above-ground"] = position.height_m
    if position.uncertainty_m is not None:
        item["image-coordinate-uncertainty-meters"] = position.uncertainty_m
    if frame.dive:
        item["image-event"] = {"name": frame.dive}
    address = job.source.address_of(frame)
    if address:
        item["image-handle"] = address
    file = job.file_of(frame)
    if file is None:
        job.notes["images are not here, so their items have no SHA-256 (name --images)"] += 1
    else:
        item["image-hash-sha256"] = hash_file(file)
    return item


def _annotation(
    frame: ExportFrame,
    label: ExportLabel,
    job: ExportJob,
    ids: LabelIds,
    creators: dict[str, str],
    variant: _Variant,
) -> dict[str, Any] | None:
    by_person = label.means == PERSON
    creator = (label.reviewer or "a reviewer") if by_person else job.source.model_reference
    annotator = creators.setdefault(
        creator, _MACHINE_ID if not by_person else f"person-{len(creators) + 1}"
    )
    made, _ = parse_capture_time(label.when if by_person else job.source.predicted)
    values: dict[str, Any] = {
        "label": str(ids.number_of(label)),
        "annotator": annotator,
        "created-at": job.source.exported if made is None else f"{made.isoformat()}Z",
    }
    if label.probability is not None:
        values["confidence"] = min(max(label.probability, 0.0), 1.0)
    if not variant.for_biigle:
        return {"shape": "whole-image", "coordinates": [], "labels": [values]}
    if not frame.width or not frame.height:
        job.notes["labels are left out: the size of their frame is not known"] += 1
        return None
    corners = [0, 0, frame.width, 0, frame.width, frame.height, 0, frame.height]
    return {"shape": "rectangle", "coordinates": [corners], "labels": [values]}
