"""What a Darwin Core archive says of itself: the terms of its tables, and the data set's record.

Source:
    https://dwc.tdwg.org/text/ (meta.xml); GBIF metadata profile 1.1, which OBIS takes (eml.xml).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from finding_nemo.exporting.export_frame import ExportSource, plain_text

_DWC = "http://rs.tdwg.org/dwc/terms/"
_DC = "http://purl.org/dc/terms/"
_OBIS = "http://rs.iobis.org/obis/terms/"
# Words of Dublin Core, by their bare names.
_OF_DUBLIN_CORE = frozenset(
    {"license", "modified", "type", "identifier", "title", "created", "rightsHolder"}
)
_OF_OBIS = frozenset({"measurementTypeID", "measurementValueID", "measurementUnitID"})
# Where the person who hands the archive on must write themselves.
TO_FILL_IN = "to be filled in before publication"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTable:
    """One file of the archive: its row type, and its columns as (name, address of the term)."""

    row_type: str
    terms: tuple[tuple[str, str], ...]
    is_core: bool = False


def _terms(names: str) -> tuple[tuple[str, str], ...]:
    found = []
    for name in names.split():
        space = _DC if name in _OF_DUBLIN_CORE else _OBIS if name in _OF_OBIS else _DWC
        found.append((name, f"{space}{name}"))
    return tuple(found)


TABLES = {
    "event.txt": ArchiveTable(
        row_type=f"{_DWC}Event",
        is_core=True,
        terms=_terms(
            "eventID parentEventID eventType eventDate decimalLatitude decimalLongitude "
            "geodeticDatum coordinateUncertaintyInMeters minimumDepthInMeters "
            "maximumDepthInMeters locality waterBody countryCode samplingProtocol "
            "sampleSizeValue sampleSizeUnit year month day eventRemarks datasetName datasetID "
            "institutionCode license modified"
        ),
    ),
    "occurrence.txt": ArchiveTable(
        row_type=f"{_DWC}Occurrence",
        terms=_terms(
            "eventID occurrenceID basisOfRecord occurrenceStatus scientificName scientificNameID "
            "taxonRank kingdom verbatimIdentification identificationQualifier identifiedBy "
            "dateIdentified identificationReferences identificationVerificationStatus "
            "identificationRemarks associatedMedia institutionCode type license modified"
        ),
    ),
    "extendedmeasurementorfact.txt": ArchiveTable(
        row_type=f"{_OBIS}ExtendedMeasurementOrFact",
        terms=_terms(
            "eventID measurementID occurrenceID measurementType measurementTypeID "
            "measurementValue measurementValueID measurementUnit measurementUnitID "
            "measurementDeterminedDate measurementDeterminedBy measurementMethod"
        ),
    ),
    "multimedia.txt": ArchiveTable(
        row_type="http://rs.gbif.org/terms/1.0/Multimedia",
        terms=_terms("eventID type identifier title created license rightsHolder"),
    ),
}


def meta_xml() -> str:
    """Return the description of the archive's tables."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">',
    ]
    for name, table in TABLES.items():
        tag, key = ("core", "id") if table.is_core else ("extension", "coreid")
        lines += [
            f'  <{tag} encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" '
            f'fieldsEnclosedBy="" ignoreHeaderLines="1" rowType={quoteattr(table.row_type)}>',
            f"    <files><location>{name}</location></files>",
            f'    <{key} index="0"/>',
        ]
        first = 0 if table.is_core else 1  # the key of an extension is no term of it
        lines += [
            f'    <field index="{place}" term={quoteattr(term)}/>'
            for place, (_, term) in enumerate(table.terms)
            if place >= first
        ]
        lines.append(f"  </{tag}>")
    return "\n".join([*lines, "</archive>", ""])


def eml_xml(source: ExportSource) -> str:
    """Return the record of the data set, from what people said of it.

    What nobody said and the form demands is marked as to be filled in.
    """
    about = source.about
    title = about.get("title") or f"Animals in frames of {source.name}"
    abstract = about.get("abstract") or (
        f"Animals in frames of {source.name}, named by {source.model_reference}; records of "
        "people are apart. What is not recorded in a frame was not shown to be absent."
    )
    rights = about.get("license") or TO_FILL_IN
    package_id = hashlib.sha256(f"{title}\n{source.exported}".encode()).hexdigest()[:32]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<eml:eml xmlns:eml="eml://ecoinformatics.org/eml-2.1.1" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="eml://ecoinformatics.org/eml-2.1.1 '
        'http://rs.gbif.org/schema/eml-gbif-profile/1.1/eml.xsd" '
        f'packageId="{package_id}" system="http://gbif.org" scope="system" xml:lang="en">',
        "  <dataset>",
        f'    <title xml:lang="en">{_xml(title)}</title>',
        *_people("creator", about.get("creators", "") or about.get("contact", ""), source),
        *_people("metadataProvider", about.get("contact", ""), source),
        f"    <pubDate>{_xml(source.exported[:10])}</pubDate>",
        "    <language>en</language>",
        f"    <abstract><para>{_xml(abstract)}</para></abstract>",
        f"    <intellectualRights><para>{_xml(rights)}</para></intellectualRights>",
        *_people("contact", about.get("contact", ""), source),
        *_methods(source),
        "  </dataset>",
        "  <additionalMetadata><metadata><gbif>",
        f"    <dateStamp>{_xml(source.exported)}</dateStamp>",
        f"    <citation>{_xml(about.get('citation') or title)}</citation>",
        "  </gbif></metadata></additionalMetadata>",
        "</eml:eml>",
        "",
    ]
    return "\n".join(lines)


def _people(tag: str, names: str, source: ExportSource) -> Iterator[str]:
    about = source.about
    listed = [name.strip() for name in names.split(";") if name.strip()] or [""]
    for name in listed:
        yield f"    <{tag}>"
        if name:
            *given, last = name.split()
            yield "      <individualName>"
            if given:
                yield f"        <givenName>{_xml(' '.join(given))}</givenName>"
            yield f"        <surName>{_xml(last)}</surName>"
            yield "      </individualName>"
        if about.get("institution"):
            yield f"      <organizationName>{_xml(about['institution'])}</organizationName>"
        elif not name:
            yield f"      <positionName>{TO_FILL_IN}</positionName>"
        if about.get("email"):
            yield f"      <electronicMailAddress>{_xml(about['email'])}</electronicMailAddress>"
        yield f"    </{tag}>"


def _methods(source: ExportSource) -> Iterator[str]:
    yield "    <methods>"
    step = f"Names by {source.model_reference}. Only answers over its thresholds are records."
    yield f"      <methodStep><description><para>{_xml(step)}</para></description></methodStep>"
    yield "    </methods>"


def _xml(text: str) -> str:
    return escape(plain_text(text))
