"""SQUIDLE+: labels of whole frames as a plain table, and where each label lies in a scheme."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.exporting.exact_tables import exact_tables
from finding_nemo.exporting.export_frame import PERSON, ExportFrame
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.label_ids import LabelIds
from finding_nemo.uncertainty.answers import SURE

ANNOTATIONS, LABEL_MAP = "annotations.csv", "label_map.json"
_COLUMNS = (
    *("media_key", "deployment", "timestamp", "latitude", "longitude", "depth"),
    *("label", "likelihood", "needs_review", "user", "comment"),
)


def write_squidle(frames: Iterable[ExportFrame], job: ExportJob, folder: Path) -> None:
    """Write the table of labels and the map from label to scientific name and AphiaID."""
    ids = LabelIds(job.source)
    with exact_tables(folder, {ANNOTATIONS: _COLUMNS}, tabs=False) as tables:
        for frame in frames:
            for label in frame.one_voice:
                ids.number_of(label)
                by_person = label.means == PERSON
                tables[ANNOTATIONS].add(
                    {
                        "media_key": frame.file_name,
                        "deployment": frame.dive,
                        "timestamp": frame.event_date,
                        "latitude": frame.position.latitude,
                        "longitude": frame.position.longitude,
                        "depth": frame.position.depth_m,
                        "label": label.name,
                        "likelihood": label.probability,
                        "needs_review": str(not by_person and label.word != SURE).lower(),
                        "user": label.reviewer if by_person else job.source.model_name,
                        "comment": "" if by_person else job.source.model_reference,
                    }
                )
    found = {}
    for each in ids.all():
        name = job.names.of(each.name, is_group=each.is_group)
        found[each.name] = {
            "scientific_name": name.scientific if name.is_known else None,
            "aphia_id": name.aphia_id,
            "label_id": None,
        }
    write_text(folder / LABEL_MAP, json.dumps(found, indent=1) + "\n")
