"""A Darwin Core archive: dives and frames as events, animals as occurrences, as OBIS takes it.

Source:
    Darwin Core text guide, https://dwc.tdwg.org/text/; OBIS manual, https://manual.obis.org
    (imaging data).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.exporting.exact_tables import ExactTable, exact_tables
from finding_nemo.exporting.export_frame import (
    PERSON,
    ExportFrame,
    ExportLabel,
    id_text,
)
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.formats.darwin_core_words import TABLES, eml_xml, meta_xml

EVENT, OCCURRENCE = "event.txt", "occurrence.txt"
MEASUREMENT, MULTIMEDIA = "extendedmeasurementorfact.txt", "multimedia.txt"
NOT_FILLED = "not-filled.csv"
# Terms that OBIS requires or strongly recommends and that may be empty, with the reason why.
_REASONS = {
    (EVENT, "eventDate"): "nothing says when the frame was filmed",
    (EVENT, "decimalLatitude"): "nothing says where the frame was filmed",
    (EVENT, "decimalLongitude"): "nothing says where the frame was filmed",
    (EVENT, "minimumDepthInMeters"): "nothing says how deep the frame was filmed",
    (OCCURRENCE, "scientificNameID"): "the name's number in WoRMS is not known",
    (OCCURRENCE, "identifiedBy"): "the review does not name the reviewer",
    (OCCURRENCE, "identificationReferences"): "a person named it, by no stated reference",
    (OCCURRENCE, "associatedMedia"): "no address of the images was given",
}


def write_darwin_core(frames: Iterable[ExportFrame], job: ExportJob, folder: Path) -> None:
    """Write the archive's files into `folder`.

    An event is written of each dive and of each frame; an occurrence of each label, one of the
    machine and one of a person where both see the same animal. Nothing is written of what is not
    seen: a frame without labels is effort, not an absence.
    """
    dives: dict[str, _Dive] = {}
    lacking: Counter[tuple[str, str]] = Counter()
    columns = {name: [term for term, _ in table.terms] for name, table in TABLES.items()}
    with exact_tables(folder, columns, tabs=True) as tables:
        for frame in frames:
            _add_frame(frame, job, tables, lacking)
            dives.setdefault(frame.dive, _Dive()).add(frame)
        for name, dive in dives.items():
            if name:
                tables[EVENT].add(_dive_event(name, dive, job))
    write_text(folder / "meta.xml", meta_xml())
    write_text(folder / "eml.xml", eml_xml(job.source))
    with exact_tables(
        folder, {NOT_FILLED: ("file", "term", "rows", "reason")}, tabs=False
    ) as notes:
        for (file, term), count in sorted(lacking.items()):
            reason = _REASONS[file, term]
            notes[NOT_FILLED].add({"file": file, "term": term, "rows": count, "reason": reason})
            job.notes[f"rows of {file} have no {term}: {reason}"] = count
    if job.names.unknown:
        job.notes[
            "names are in no table of names and stand as they are in scientificName "
            f"(first: {job.names.unknown[0]!r}); look at them before you publish"
        ] = len(job.names.unknown)


class _Dive:
    """What the event of a dive says of its frames together."""

    def __init__(self) -> None:
        self.moments: tuple[datetime, datetime] | None = None
        self.depths: tuple[float, float] | None = None
        self.days_only = False

    def add(self, frame: ExportFrame) -> None:
        moment, depth = frame.captured, frame.position.depth_m
        if moment is not None:
            first, last = self.moments or (moment, moment)
            self.moments = (min(first, moment), max(last, moment))
            self.days_only |= not frame.has_time_of_day
        if depth is not None:
            least, most = self.depths or (depth, depth)
            self.depths = (min(least, depth), max(most, depth))

    @property
    def dates(self) -> str:
        if self.moments is None:
            return ""
        texts = [
            moment.date().isoformat()
            if self.days_only
            else f"{moment.isoformat(timespec='seconds')}Z"
            for moment in self.moments
        ]
        return texts[0] if texts[0] == texts[1] else "/".join(texts)


def _add_frame(
    frame: ExportFrame,
    job: ExportJob,
    tables: dict[str, ExactTable],
    lacking: Counter[tuple[str, str]],
) -> None:
    event = _frame_event(frame, job)
    _note_lacking(EVENT, event, lacking)
    tables[EVENT].add(event)
    address = job.source.address_of(frame)
    if address:
        tables[MULTIMEDIA].add(
            {
                "eventID": event["eventID"],
                "type": "StillImage",
                "identifier": address,
                "title": frame.file_name,
                "created": frame.event_date,
                "license": job.source.about.get("license"),
                "rightsHolder": job.source.about.get("copyright"),
            }
        )
    for label in frame.labels:
        occurrence = _occurrence(frame, label, event, job)
        _note_lacking(OCCURRENCE, occurrence, lacking)
        tables[OCCURRENCE].add(occurrence)
        if label.probability is not None:
            tables[MEASUREMENT].add(_confidence(occurrence, label, job))


def _note_lacking(file: str, row: dict[str, Any], lacking: Counter[tuple[str, str]]) -> None:
    lacking.update(
        (named, term) for named, term in _REASONS if named == file and row.get(term) in (None, "")
    )


def event_id(kind: str, name: str, job: ExportJob) -> str:
    """Return the id of the event of a "dive" or a "frame"; no two names have one id."""
    prefix = job.source.about.get("dataset_id", "")
    own = f"{kind}:{id_text(name)}"
    return f"{prefix}:{own}" if prefix else own


def _shared_terms(job: ExportJob) -> dict[str, Any]:
    about = job.source.about
    return {
        "datasetName": about.get("title"),
        "datasetID": about.get("dataset_id"),
        "institutionCode": about.get("institution"),
        "license": about.get("license"),
        "modified": job.source.exported,
    }


def _place_terms(job: ExportJob) -> dict[str, Any]:
    about = job.source.about
    return {
        "locality": about.get("locality"),
        "waterBody": about.get("water_body"),
        "countryCode": about.get("country_code"),
        "samplingProtocol": about.get("protocol"),
    }


def _dive_event(name: str, dive: _Dive, job: ExportJob) -> dict[str, Any]:
    least, most = dive.depths or (None, None)
    return {
        **_shared_terms(job),
        **_place_terms(job),
        "eventID": event_id("dive", name, job),
        "eventType": "dive",
        "eventDate": dive.dates,
        "minimumDepthInMeters": least,
        "maximumDepthInMeters": most,
        "eventRemarks": f"Dive {name}; positions stand in the events of its frames",
    }


def _frame_event(frame: ExportFrame, job: ExportJob) -> dict[str, Any]:
    position, moment = frame.position, frame.captured
    return {
        **_shared_terms(job),
        **_place_terms(job),
        "eventID": event_id("frame", frame.image_id, job),
        "parentEventID": event_id("dive", frame.dive, job) if frame.dive else None,
        "eventType": "image",
        "eventDate": frame.event_date,
        "year": moment.year if moment else None,
        "month": moment.month if moment else None,
        "day": moment.day if moment else None,
        "decimalLatitude": position.latitude,
        "decimalLongitude": position.longitude,
        "geodeticDatum": "EPSG:4326" if position.is_on_map else None,
        "coordinateUncertaintyInMeters": position.uncertainty_m,
        "minimumDepthInMeters": position.depth_m,
        "maximumDepthInMeters": position.depth_m,
        "sampleSizeValue": 1,
        "sampleSizeUnit": "image",
        "eventRemarks": f"Position from {position.source}" if position.source else None,
    }


def _occurrence(
    frame: ExportFrame, label: ExportLabel, event: dict[str, Any], job: ExportJob
) -> dict[str, Any]:
    name, source = job.names.of(label.name, is_group=label.is_group), job.source
    by_person = label.means == PERSON
    return {
        "eventID": event["eventID"],
        "occurrenceID": f"{event['eventID']}:{label.means}:{id_text(label.name)}",
        "basisOfRecord": "HumanObservation" if by_person else "MachineObservation",
        "occurrenceStatus": "present",
        "scientificName": name.scientific,
        "scientificNameID": name.lsid,
        "taxonRank": name.rank,
        "kingdom": name.kingdom,
        "verbatimIdentification": label.name,
        "identificationQualifier": name.qualifier,
        "identifiedBy": label.reviewer if by_person else source.model_name,
        "dateIdentified": label.when if by_person else source.predicted,
        "identificationReferences": None if by_person else source.model_reference,
        "identificationVerificationStatus": (
            "ValidatedByHuman" if by_person else "PredictedByMachine"
        ),
        "identificationRemarks": _remarks(label),
        "associatedMedia": source.address_of(frame),
        "institutionCode": source.about.get("institution"),
        "type": "StillImage",
        "license": source.about.get("license"),
        "modified": source.exported,
    }


def _remarks(label: ExportLabel) -> str:
    words = [label.word] if label.word else []
    words += [f"group of categories {label.name}"] if label.is_group else []
    words += [f"method {label.method}"] if label.method else []
    return "; ".join(words)


def _confidence(occurrence: dict[str, Any], label: ExportLabel, job: ExportJob) -> dict[str, Any]:
    return {
        "eventID": occurrence["eventID"],
        "measurementID": f"{occurrence['occurrenceID']}:confidence",
        "occurrenceID": occurrence["occurrenceID"],
        "measurementType": "confidence",
        "measurementValue": label.probability,
        "measurementDeterminedDate": job.source.predicted,
        "measurementDeterminedBy": job.source.model_name,
        "measurementMethod": f"calibrated probability of {job.source.model_reference}",
    }
