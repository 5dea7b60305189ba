"""The archive for OBIS, read back by python-dwca-reader."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from dwca.read import DwCAReader

from eml_profile import eml_faults
from exported_frames import frame, job, machine, person
from finding_nemo.exporting.export_frame import NOWHERE, ExportFrame
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.formats.darwin_core import write_darwin_core
from finding_nemo.exporting.taxon_names import TaxonNames
from finding_nemo.marine.resolve_names import resolve_name

_REQUIRED_OF_EVENTS = ("eventID", "eventDate", "decimalLatitude", "decimalLongitude")
_REQUIRED_OF_OCCURRENCES = (
    *("occurrenceID", "occurrenceStatus", "basisOfRecord", "scientificName", "identifiedBy"),
    *("identificationReferences", "identificationVerificationStatus"),
)


def written(folder: Path, frames: list[ExportFrame], of: ExportJob | None = None) -> list[Row]:
    """Write an archive and return its core rows as python-dwca-reader has them."""
    folder.mkdir()
    write_darwin_core(iter(frames), of or job(), folder)
    with DwCAReader(str(folder), extensions_to_ignore=[]) as archive:
        assert archive.metadata is not None
        # Extensions are read when they are asked for, while the archive is open.
        return [Row(core) for core in archive]


class Row:
    """A row of the core, with those of the extensions that belong to it."""

    def __init__(self, core: Any) -> None:
        self.terms = _terms(core)
        self.extensions = [(each.rowtype, _terms(each)) for each in core.extensions]

    def of_kind(self, kind: str) -> list[dict[str, str]]:
        return [terms for row_type, terms in self.extensions if row_type.endswith(kind)]


def _terms(row: Any) -> dict[str, str]:
    return {key.rpartition("/")[2]: value for key, value in row.data.items()}


def test_archive__fills_what_obis_requires(tmp_path: Path) -> None:
    known = ExportJob(
        source=job(image_address="https://x.example/i").source, names=TaxonNames(resolve_name)
    )
    image, dive = written(tmp_path / "out", [frame()], known)
    event = image.terms
    assert all(event[name] for name in _REQUIRED_OF_EVENTS)
    assert event["eventDate"] == "2015-05-01T10:00:01Z"
    assert (event["decimalLatitude"], event["geodeticDatum"]) == ("36.5", "EPSG:4326")
    assert event["minimumDepthInMeters"] == event["maximumDepthInMeters"] == "900.5"
    assert event["parentEventID"] == dive.terms["eventID"] == "dive:Ventana%2012"
    (occurrence,) = image.of_kind("Occurrence")
    assert all(occurrence[name] for name in _REQUIRED_OF_OCCURRENCES)
    assert occurrence["scientificName"] == "Chionoecetes tanneri"
    assert (occurrence["taxonRank"], occurrence["kingdom"]) == ("species", "Animalia")
    assert occurrence["basisOfRecord"] == "MachineObservation"
    assert occurrence["identificationVerificationStatus"] == "PredictedByMachine"
    assert "bundle ab12" in occurrence["identificationReferences"]
    assert occurrence["associatedMedia"] == "https://x.example/i/a.png"
    (measure,) = image.of_kind("ExtendedMeasurementOrFact")
    assert (measure["measurementType"], measure["measurementValue"]) == ("confidence", "0.75")
    assert measure["occurrenceID"] == occurrence["occurrenceID"]
    (media,) = image.of_kind("Multimedia")
    assert media["identifier"] == "https://x.example/i/a.png"


def test_person_and_machine__are_two_records(tmp_path: Path) -> None:
    both = frame(labels=(person("Chionoecetes tanneri"), machine("Chionoecetes tanneri", 3)))
    image, _ = written(tmp_path / "out", [both])
    human, model = image.of_kind("Occurrence")
    assert human["basisOfRecord"] == "HumanObservation"
    assert human["identificationVerificationStatus"] == "ValidatedByHuman"
    assert (human["identifiedBy"], human["dateIdentified"]) == ("Ada", "2026-02-01T00:00:00Z")
    assert model["basisOfRecord"] == "MachineObservation"
    assert human["occurrenceID"] != model["occurrenceID"]
    assert len(image.of_kind("ExtendedMeasurementOrFact")) == 1


def test_open_names__have_a_qualifier_and_a_sure_name(tmp_path: Path) -> None:
    known = ExportJob(source=job().source, names=TaxonNames(resolve_name))
    image, _ = written(tmp_path / "out", [frame(labels=(machine("Aeolidiidae sp. 1", 7),))], known)
    (occurrence,) = image.of_kind("Occurrence")
    assert occurrence["scientificName"] == "Aeolidiidae"
    assert occurrence["identificationQualifier"] == "sp. 1"
    assert occurrence["verbatimIdentification"] == "Aeolidiidae sp. 1"


def test_frames_without_labels__are_effort_and_no_absence(tmp_path: Path) -> None:
    image, _ = written(tmp_path / "out", [frame(labels=())])
    assert image.extensions == []
    assert "absent" not in (tmp_path / "out/occurrence.txt").read_text()


def test_what_is_not_known__stands_empty_with_its_reason(tmp_path: Path) -> None:
    lost = frame(position=NOWHERE, captured=None, dive="", labels=(person("crab", reviewer=""),))
    of = job()
    (image,) = written(tmp_path / "out", [lost], of)
    event = image.terms
    assert (event["eventDate"], event["decimalLatitude"], event["geodeticDatum"]) == ("", "", "")
    with (tmp_path / "out/not-filled.csv").open() as file:
        found = {(row["file"], row["term"]): row for row in csv.DictReader(file)}
    assert found["event.txt", "eventDate"]["rows"] == "1"
    assert found["event.txt", "eventDate"]["reason"] == "nothing says when the frame was filmed"
    assert ("occurrence.txt", "identifiedBy") in found
    assert any("names are in no table of names" in notice for notice in of.notices())


def test_dive__spans_its_frames(tmp_path: Path) -> None:
    late = frame("b", captured=datetime(2015, 5, 1, 12))
    *_, dive = written(tmp_path / "out", [frame(), late])
    assert dive.terms["eventDate"] == "2015-05-01T10:00:01Z/2015-05-01T12:00:00Z"
    day = frame("b", captured=datetime(2015, 5, 2))
    *_, dive = written(tmp_path / "days", [frame(), day])
    assert dive.terms["eventDate"] == "2015-05-01/2015-05-02"


def test_metadata__has_what_the_profile_asks_for(tmp_path: Path) -> None:
    of = job(title="<Dives> & more", contact="Ada Lovelace", license="CC0", email="a@x.example")
    written(tmp_path / "out", [frame()], of)
    root = ElementTree.parse(tmp_path / "out/eml.xml").getroot()  # noqa: S314 - our own file
    assert root.tag == "{eml://ecoinformatics.org/eml-2.1.1}eml"
    # In the order in which the schema has them: a sequence.
    assert [each.tag for each in root[0]] == [
        *("title", "creator", "metadataProvider", "pubDate", "language", "abstract"),
        *("intellectualRights", "contact", "methods"),
    ]
    assert eml_faults(tmp_path / "out/eml.xml") == []
    assert root.findtext("dataset/title") == "<Dives> & more"
    assert root.findtext("dataset/contact/individualName/surName") == "Lovelace"
    assert root.findtext("additionalMetadata/metadata/gbif/citation") == "<Dives> & more"


@pytest.mark.parametrize("name", ["meta.xml"])
def test_tables__are_described_column_by_column(tmp_path: Path, name: str) -> None:
    written(tmp_path / "out", [frame()])
    space = "{http://rs.tdwg.org/dwc/text/}"
    for table in ElementTree.parse(tmp_path / "out" / name).getroot():  # noqa: S314 - our own file
        file = str(table.findtext(f"{space}files/{space}location"))
        header = (tmp_path / "out" / file).read_text().splitlines()[0].split("\t")
        for field in table.iter(f"{space}field"):
            place = int(str(field.get("index")))
            assert str(field.get("term")).rpartition("/")[2] == header[place]
