"""Camtrap DP 1.0.2: a dive is a deployment, a frame a medium, a label an observation.

Source:
    https://camtrap-dp.tdwg.org
"""

from __future__ import annotations

import json
import math
import mimetypes
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.data.datasets.dives import parse_capture_time
from finding_nemo.data.filesystems.filesystem import is_web
from finding_nemo.exporting.exact_tables import ExactTable, exact_tables
from finding_nemo.exporting.export_frame import (
    PERSON,
    ExportFrame,
    ExportLabel,
    id_text,
    moment_text,
    plain_text,
)
from finding_nemo.exporting.export_job import ExportJob

DEPLOYMENTS, MEDIA, OBSERVATIONS = "deployments.csv", "media.csv", "observations.csv"
PACKAGE = "datapackage.json"
_BASE = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"
_COLUMNS_IN_WORDS = {
    DEPLOYMENTS: (
        "deploymentID locationID locationName latitude longitude coordinateUncertainty "
        "deploymentStart deploymentEnd setupBy cameraID cameraModel cameraDelay cameraHeight "
        "cameraDepth cameraTilt cameraHeading detectionDistance timestampIssues baitUse "
        "featureType habitat deploymentGroups deploymentTags deploymentComments"
    ),
    MEDIA: (
        "mediaID deploymentID captureMethod timestamp filePath filePublic fileName fileMediatype "
        "exifData favorite mediaComments"
    ),
    OBSERVATIONS: (
        "observationID deploymentID mediaID eventID eventStart eventEnd observationLevel "
        "observationType cameraSetupType scientificName count lifeStage sex behavior individualID "
        "individualPositionRadius individualPositionAngle individualSpeed bboxX bboxY bboxWidth "
        "bboxHeight classificationMethod classifiedBy classificationTimestamp "
        "classificationProbability observationTags observationComments"
    ),
}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    file: tuple(names.split()) for file, names in _COLUMNS_IN_WORDS.items()
}
Moment = TypeVar("Moment", datetime, date)
_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species", "subspecies")
_EARTH_RADIUS_M = 6_371_008.8
_NO_DIVE = "no known dive"
_NO_TIME = "frames have no time of day, which Camtrap DP requires; their timestamp is empty"
_NO_PLACE = "deployments have no position, which Camtrap DP requires; theirs is empty"
_NO_DAYS = "package has no first and last day, which Camtrap DP requires: no frame has a date"
_BAD_PATH = (
    'files have names that Camtrap DP does not allow: they begin with ".", "/" or "~" or have '
    '".." within; rename them before you publish'
)
# What its schemas take as the path of a file and as the id of a licence.
_ALLOWED_PATH = re.compile(r"[^./~](?!.*\.\.)")
_NOT_OF_A_LICENCE_ID = re.compile(r"[^-a-zA-Z0-9._]+")


def write_camtrap_dp(frames: Iterable[ExportFrame], job: ExportJob, folder: Path) -> None:
    """Write the package's tables and its description into `folder`."""
    dives: dict[str, _Deployment] = {}
    names: dict[tuple[str, bool], None] = {}
    with exact_tables(folder, COLUMNS, tabs=False) as tables:
        for frame in frames:
            deployment = plain_text(frame.dive).strip() or _NO_DIVE
            dives.setdefault(deployment, _Deployment()).add(frame)
            _add_medium(frame, deployment, job, tables[MEDIA])
            for label in frame.labels:
                tables[OBSERVATIONS].add(_observation(frame, deployment, label, job))
                names[label.name, label.is_group] = None
        for name, dive in dives.items():
            tables[DEPLOYMENTS].add(dive.row(name, job))
    write_text(folder / PACKAGE, json.dumps(_package(job, dives, list(names)), indent=1) + "\n")


def _widened(span: tuple[Moment, Moment] | None, moment: Moment) -> tuple[Moment, Moment]:
    first, last = span or (moment, moment)
    return min(first, moment), max(last, moment)


class _Deployment:
    """What a dive's frames say together."""

    def __init__(self) -> None:
        self.times: tuple[datetime, datetime] | None = None
        self.days: tuple[date, date] | None = None
        self.depths: list[float] = []
        self._box: tuple[float, float, float, float] | None = None

    def add(self, frame: ExportFrame) -> None:
        position, moment = frame.position, frame.captured
        if moment is not None:
            self.days = _widened(self.days, moment.date())
        if moment is not None and frame.has_time_of_day:
            self.times = _widened(self.times, moment)
        if position.depth_m is not None:
            held = [*self.depths, position.depth_m]
            self.depths = [min(held), max(held)]
        if position.latitude is not None and position.longitude is not None:
            south, west, north, east = self._box or (math.inf, math.inf, -math.inf, -math.inf)
            self._box = (
                *(min(south, position.latitude), min(west, position.longitude)),
                *(max(north, position.latitude), max(east, position.longitude)),
            )

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """South, west, north and east."""
        return self._box

    def row(self, name: str, job: ExportJob) -> dict[str, Any]:
        start, end = self.times or (None, None)
        latitude, longitude, radius = self._middle()
        if latitude is None:
            job.notes[_NO_PLACE] += 1
        depth = self.depths[0] if self.depths and self.depths[0] == self.depths[-1] else None
        comments = (
            f"depth {self.depths[0]:g} to {self.depths[-1]:g} m"
            if self.depths and depth is None
            else ""
        )
        return {
            "deploymentID": name,
            "locationName": job.source.about.get("locality"),
            "latitude": latitude,
            "longitude": longitude,
            "coordinateUncertainty": radius,
            "deploymentStart": _whole_second(start),
            "deploymentEnd": _whole_second(end),
            "cameraModel": job.source.about.get("camera"),
            "cameraDepth": depth,
            "deploymentComments": comments,
        }

    def _middle(self) -> tuple[float | None, float | None, int | None]:
        """Return the middle of the frames' positions, and the metres to the corner from there."""
        if self._box is None:
            return None, None, None
        south, west, north, east = self._box
        latitude, longitude = (south + north) / 2, (west + east) / 2
        radius = distance_m(latitude, longitude, north, east)
        radius = max(radius, distance_m(latitude, longitude, south, east))
        return latitude, longitude, max(1, math.ceil(radius))


def distance_m(latitude: float, longitude: float, other: float, other_longitude: float) -> float:
    """Return the metres between two places in degrees, on a sphere (haversine)."""
    first, second = math.radians(latitude), math.radians(other)
    step = math.radians(other_longitude - longitude)
    half = math.sin((second - first) / 2) ** 2
    half += math.cos(first) * math.cos(second) * math.sin(step / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def _add_medium(frame: ExportFrame, deployment: str, job: ExportJob, table: ExactTable) -> None:
    # In an address "%2E" is ".", and ".." is not allowed.
    path = job.source.address_of(frame).replace("..", ".%2E") or plain_text(frame.file_name)
    if not frame.has_time_of_day:
        job.notes[_NO_TIME] += 1
    if not _ALLOWED_PATH.match(path):
        job.notes[_BAD_PATH] += 1
    name = frame.file_name.rpartition("/")[2]
    kind = mimetypes.guess_type(name.partition("#")[0])[0] or ""
    table.add(
        {
            "mediaID": id_text(frame.image_id),
            "deploymentID": deployment,
            "timestamp": _timestamp(frame),
            "filePath": path,
            "filePublic": str(is_web(path)).lower(),
            "fileName": name,
            "fileMediatype": kind if kind.startswith(("image/", "video/")) else "image/unknown",
        }
    )


def _timestamp(frame: ExportFrame) -> str:
    return _whole_second(frame.captured) if frame.has_time_of_day else ""


def _whole_second(moment: datetime | None) -> str:
    """Return a moment as Camtrap DP takes it, without fractions of a second."""
    return "" if moment is None else moment_text(moment.replace(microsecond=0))


def _observation(
    frame: ExportFrame, deployment: str, label: ExportLabel, job: ExportJob
) -> dict[str, Any]:
    by_person, name = label.means == PERSON, job.names.of(label.name, is_group=label.is_group)
    return {
        "observationID": f"{id_text(frame.image_id)}:{label.means}:{id_text(label.name)}",
        "deploymentID": deployment,
        "mediaID": id_text(frame.image_id),
        "eventStart": _timestamp(frame),
        "eventEnd": _timestamp(frame),
        "observationLevel": "media",
        "observationType": "animal",
        "scientificName": name.scientific,
        "classificationMethod": "human" if by_person else "machine",
        "classifiedBy": label.reviewer if by_person else job.source.model_reference,
        "classificationTimestamp": _whole_second(
            parse_capture_time(label.when if by_person else job.source.predicted)[0]
        ),
        "classificationProbability": label.probability,
        "observationComments": "" if name.scientific == label.name else f"named {label.name}",
    }


def _package(
    job: ExportJob, dives: Mapping[str, _Deployment], names: Iterable[tuple[str, bool]]
) -> dict[str, Any]:
    about, source = job.source.about, job.source
    days = [dive.days for dive in dives.values() if dive.days is not None]
    if not days:
        job.notes[_NO_DAYS] = 1
    known = [job.names.of(name, is_group=is_group) for name, is_group in names]
    taxa = {}
    for name in known:
        entry = {"scientificName": name.scientific}
        entry |= {"taxonID": name.lsid} if name.lsid else {}
        entry |= {"taxonRank": name.rank} if name.rank in _RANKS else {}
        taxa[name.scientific] = entry
    package: dict[str, Any] = {
        "profile": f"{_BASE}/camtrap-dp-profile.json",
        "name": "".join(c if c.isascii() and c.isalnum() else "-" for c in source.name.lower())
        or "predictions",
        "title": about.get("title") or source.name,
        "created": source.exported,
        "contributors": [
            {
                "title": about.get("contact") or "to be filled in before publication",
                "role": "contact",
                **({"email": about["email"]} if about.get("email") else {}),
            }
        ],
        "sources": [{"title": source.model_reference}],
        "project": {
            "title": about.get("project") or about.get("title") or source.name,
            "samplingDesign": "opportunistic",
            "captureMethod": ["timeLapse"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": _spatial([dive.box for dive in dives.values() if dive.box is not None]),
        "temporal": {
            "start": min(first for first, _ in days).isoformat() if days else "",
            "end": max(last for _, last in days).isoformat() if days else "",
        },
        "taxonomic": list(taxa.values()),
        "resources": [_resource(file) for file in COLUMNS],
    }
    if about.get("license"):
        licence = _licence(about["license"])
        package["licenses"] = [licence | {"scope": scope} for scope in ("data", "media")]
    return package


def _licence(text: str) -> dict[str, str]:
    """Return a licence by its address, or by an id made of its name."""
    if is_web(text) and ".." not in text:
        return {"path": text}
    return {"name": _NOT_OF_A_LICENCE_ID.sub("-", text), "title": text}


def _resource(file: str) -> dict[str, Any]:
    name = file.removesuffix(".csv")
    return {
        "name": name,
        "path": file,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": f"{_BASE}/{name}-table-schema.json",
    }


def _spatial(boxes: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    """Return the box of all positions as GeoJSON, its corners against the clock."""
    if not boxes:
        return {"type": "Polygon", "coordinates": []}
    south, west = min(box[0] for box in boxes), min(box[1] for box in boxes)
    north, east = max(box[2] for box in boxes), max(box[3] for box in boxes)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
