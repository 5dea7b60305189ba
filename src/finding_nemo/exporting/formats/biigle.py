"""BIIGLE: a label tree, the metadata of a volume, and image labels as its reports have them."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile
from collections.abc import Iterable
from pathlib import Path

from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.exporting.exact_tables import exact_tables
from finding_nemo.exporting.export_frame import PERSON, ExportFrame, ExportSource, plain_text
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.label_ids import LabelIds

LABEL_TREE, METADATA, IMAGE_LABELS = "label_tree.zip", "metadata.csv", "image_labels.csv"
_METADATA_COLUMNS = (*("filename", "taken_at", "lng", "lat", "gps_altitude", "distance_to_ground"),)
_LABEL_COLUMNS = (
    *("image_label_id", "image_id", "filename", "longitude", "latitude", "user_id", "firstname"),
    *("lastname", "label_id", "label_name", "label_hierarchy", "created_at"),
)
_TREE_ID = 1
_COLORS = ("0099ff", "ff6600", "33aa55", "cc3366", "8855cc", "999900", "00aaaa", "bb5511")


def write_biigle(frames: Iterable[ExportFrame], job: ExportJob, folder: Path) -> None:
    """Write the label tree, the metadata and the image labels into `folder`.

    BIIGLE takes no labels through its metadata table; the labels of its reports are for programs,
    and the form "ifdo-2.1.0" is what it imports.
    """
    ids, n_labels = LabelIds(job.source), 0
    columns = {METADATA: _METADATA_COLUMNS, IMAGE_LABELS: _LABEL_COLUMNS}
    with exact_tables(folder, columns, tabs=False) as tables:
        for number, frame in enumerate(frames, start=1):
            tables[METADATA].add(_metadata_row(frame))
            for label in frame.one_voice:
                n_labels += 1
                by_person = label.means == PERSON
                group = label.supercategory
                tables[IMAGE_LABELS].add(
                    {
                        "image_label_id": n_labels,
                        "image_id": number,
                        "filename": frame.file_name,
                        "longitude": frame.position.longitude,
                        "latitude": frame.position.latitude,
                        "user_id": 2 if by_person else 1,
                        "firstname": "" if by_person else "Finding Nemo",
                        "lastname": label.reviewer if by_person else job.source.recipe,
                        "label_id": ids.number_of(label),
                        "label_name": label.name,
                        "label_hierarchy": f"{group} > {label.name}" if group else label.name,
                        "created_at": label.when if by_person else job.source.predicted,
                    }
                )
    _write_tree(folder / LABEL_TREE, ids, job)


def _metadata_row(frame: ExportFrame) -> dict[str, object]:
    position = frame.position
    taken = frame.captured if frame.has_time_of_day else None
    return {
        "filename": frame.file_name,
        "taken_at": None if taken is None else taken.isoformat(sep=" ", timespec="seconds"),
        "lng": position.longitude,
        "lat": position.latitude,
        # Metres above the sea, so that what is below is negative.
        "gps_altitude": None if position.depth_m is None else 0.0 - position.depth_m,
        "distance_to_ground": position.height_m,
    }


def _write_tree(path: Path, ids: LabelIds, job: ExportJob) -> None:
    rows = io.StringIO(newline="")
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(("id", "name", "parent_id", "color", "label_tree_id", "source_id"))
    for place, label in enumerate(ids.all()):
        aphia_id = job.names.of(label.name, is_group=label.is_group).aphia_id
        writer.writerow(
            (
                *(label.number, plain_text(label.name), label.parent),
                *(_COLORS[place % len(_COLORS)], _TREE_ID, aphia_id),
            )
        )
    with atomic_write(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        archive.writestr("label_tree.json", json.dumps(_tree(job.source), indent=1))
        archive.writestr("labels.csv", rows.getvalue())


def _tree(source: ExportSource) -> dict[str, object]:
    moment = source.exported.replace("T", " ")[:19]
    return {
        "id": _TREE_ID,
        "name": f"Categories of {source.name}",
        "description": f"What {source.model_reference} can name",
        "created_at": moment,
        "updated_at": moment,
        "uuid": str(source_uuid(source, "label tree")),
        "version": None,
    }


def source_uuid(source: ExportSource, what: str) -> uuid.UUID:
    """Return a UUID that the same source always gets for the same thing."""
    content = json.dumps([source.about.get("dataset_id") or source.name, source.bundle_hash, what])
    return uuid.uuid5(uuid.NAMESPACE_URL, content)
