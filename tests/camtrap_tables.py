"""What Camtrap DP 1.0.2 requires of a package, for frictionless, and the reader that asks it.

The facts of its table schemas and its profile in our own words, so that no test needs a network:
names, types, limits and keys, as far as `convert` writes them.

Source:
    https://camtrap-dp.tdwg.org/data/ and https://camtrap-dp.tdwg.org/metadata/ (MIT).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MOMENT = {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%S%z"}
_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_YES_NO = {"type": "boolean"}
# A file within the package or an address: not hidden, not from the root, no way up.
_FILE_PATH = r"^(?=^[^./~])(^((?!\.{2}).)*$).*$"


def _field(name: str, kind: Mapping[str, str] = _TEXT, /, **limits: Any) -> dict[str, Any]:
    return {"name": name, **kind, "constraints": limits}


def _one_of(name: str, *values: str, **limits: Any) -> dict[str, Any]:
    return _field(name, enum=list(values), **limits)


_KEY: Mapping[str, Any] = {"required": True, "unique": True}
_SHARE: Mapping[str, Any] = {"minimum": 0, "maximum": 1}
_TO_DEPLOYMENT = {
    "fields": "deploymentID",
    "reference": {"resource": "deployments", "fields": "deploymentID"},
}
_TO_MEDIUM = {"fields": "mediaID", "reference": {"resource": "media", "fields": "mediaID"}}
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "deployments": {
        "fields": [
            _field("deploymentID", **_KEY),
            *(_field("locationID"), _field("locationName")),
            _field("latitude", _NUMBER, required=True, minimum=-90, maximum=90),
            _field("longitude", _NUMBER, required=True, minimum=-180, maximum=180),
            _field("coordinateUncertainty", _WHOLE, minimum=1),
            _field("deploymentStart", _MOMENT, required=True),
            _field("deploymentEnd", _MOMENT, required=True),
            *(_field("setupBy"), _field("cameraID"), _field("cameraModel")),
            _field("cameraDelay", _WHOLE, minimum=0),
            _field("cameraHeight", _NUMBER, minimum=0),
            _field("cameraDepth", _NUMBER, minimum=0),
            _field("cameraTilt", _WHOLE, minimum=-90, maximum=90),
            _field("cameraHeading", _WHOLE, minimum=0, maximum=360),
            _field("detectionDistance", _NUMBER, minimum=0),
            *(_field("timestampIssues", _YES_NO), _field("baitUse", _YES_NO)),
            *(_field("featureType"), _field("habitat"), _field("deploymentGroups")),
            *(_field("deploymentTags"), _field("deploymentComments")),
        ],
        "primaryKey": "deploymentID",
    },
    "media": {
        "fields": [
            _field("mediaID", **_KEY),
            _field("deploymentID", required=True),
            _one_of("captureMethod", "activityDetection", "timeLapse"),
            _field("timestamp", _MOMENT, required=True),
            _field("filePath", required=True, pattern=_FILE_PATH),
            _field("filePublic", _YES_NO, required=True),
            _field("fileName"),
            _field("fileMediatype", required=True, pattern=r"^(image|video|audio)/.*$"),
            *(_field("exifData"), _field("favorite", _YES_NO), _field("mediaComments")),
        ],
        "primaryKey": "mediaID",
        "foreignKeys": [_TO_DEPLOYMENT],
    },
    "observations": {
        "fields": [
            _field("observationID", **_KEY),
            _field("deploymentID", required=True),
            *(_field("mediaID"), _field("eventID")),
            _field("eventStart", _MOMENT, required=True),
            _field("eventEnd", _MOMENT, required=True),
            _one_of("observationLevel", "media", "event", required=True),
            _one_of(
                "observationType",
                *("animal", "human", "vehicle", "blank", "unknown", "unclassified"),
                required=True,
            ),
            _one_of("cameraSetupType", "setup", "calibration"),
            _field("scientificName"),
            _field("count", _WHOLE, minimum=1),
            _one_of("lifeStage", "adult", "subadult", "juvenile"),
            _one_of("sex", "female", "male"),
            *(_field("behavior"), _field("individualID")),
            _field("individualPositionRadius", _NUMBER, minimum=0),
            _field("individualPositionAngle", _NUMBER, minimum=-90, maximum=90),
            _field("individualSpeed", _NUMBER, minimum=0),
            *(_field(f"bbox{each}", _NUMBER, **_SHARE) for each in ("X", "Y", "Width", "Height")),
            _one_of("classificationMethod", "human", "machine"),
            _field("classifiedBy"),
            _field("classificationTimestamp", _MOMENT),
            _field("classificationProbability", _NUMBER, **_SHARE),
            *(_field("observationTags"), _field("observationComments")),
        ],
        "primaryKey": "observationID",
        "foreignKeys": [_TO_DEPLOYMENT, _TO_MEDIUM],
    },
}
_NAMED_TEXT = {"type": "string", "minLength": 1}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_CORNER = {"type": "array", "items": {"type": "number"}, "minItems": 2}
_PROFILE: Mapping[str, Any] = {
    "type": "object",
    "required": [
        *("resources", "profile", "created", "contributors", "project", "spatial", "temporal"),
        "taxonomic",
    ],
    "properties": {
        "name": {"type": "string", "pattern": "^([-a-z0-9._/])+$"},
        "created": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+"},
        "contributors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["title"],
                "properties": {
                    "title": _NAMED_TEXT,
                    "email": {"type": "string", "pattern": "^[^@ ]+@[^@ ]+$"},
                    "role": {
                        "enum": [
                            *("contact", "principalInvestigator", "rightsHolder", "publisher"),
                            "contributor",
                        ]
                    },
                },
            },
        },
        "sources": {"type": "array", "minItems": 1, "items": {"required": ["title"]}},
        "licenses": {
            "type": "array",
            "minItems": 2,
            "items": {
                "required": ["scope"],
                "anyOf": [{"required": ["name"]}, {"required": ["path"]}],
                "properties": {
                    "scope": {"enum": ["data", "media"]},
                    "name": {"type": "string", "pattern": "^([-a-zA-Z0-9._])+$"},
                    "path": {"type": "string", "pattern": _FILE_PATH},
                },
            },
        },
        "project": {
            "type": "object",
            "required": [
                *("title", "samplingDesign", "captureMethod", "individualAnimals"),
                "observationLevel",
            ],
            "properties": {
                "title": {"type": "string"},
                "samplingDesign": {
                    "enum": [
                        *("simpleRandom", "systematicRandom", "clusteredRandom", "experimental"),
                        *("targeted", "opportunistic"),
                    ]
                },
                "captureMethod": {
                    "type": "array",
                    "items": {"enum": ["activityDetection", "timeLapse"]},
                    "uniqueItems": True,
                    "minItems": 1,
                },
                "individualAnimals": {"type": "boolean"},
                "observationLevel": {"type": "array", "items": {"enum": ["media", "event"]}},
            },
        },
        "spatial": {
            "type": "object",
            "required": ["type", "coordinates"],
            "properties": {
                "type": {"enum": ["Polygon"]},
                "coordinates": {
                    "type": "array",
                    "items": {"type": "array", "minItems": 4, "items": _CORNER},
                },
            },
        },
        "temporal": {
            "type": "object",
            "required": ["start", "end"],
            "properties": {"start": _DAY, "end": _DAY},
        },
        "taxonomic": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["scientificName"],
                "properties": {
                    "scientificName": {"type": "string"},
                    "taxonID": {"type": "string"},
                    "taxonRank": {
                        "enum": [
                            *("kingdom", "phylum", "class", "order", "family", "genus"),
                            *("species", "subspecies"),
                        ]
                    },
                },
            },
        },
        "resources": {
            "type": "array",
            "minItems": 3,
            "items": {
                "required": ["name", "path", "profile", "schema"],
                "properties": {
                    "name": {"enum": sorted(_SCHEMAS)},
                    "profile": {"enum": ["tabular-data-resource"]},
                },
            },
        },
    },
}


def camtrap_faults(folder: Path, beside: Path) -> list[str]:
    """Return what frictionless finds wrong with a package, "table.field: what" each.

    Args:
        folder: The package.
        beside: An empty folder, where the package is read with its schemas beside it: their
            addresses are in a network.
    """
    from frictionless import FrictionlessException, Package, system

    shutil.copytree(folder, beside, dirs_exist_ok=True)
    package = json.loads((beside / "datapackage.json").read_text(encoding="utf-8"))
    assert package["profile"].endswith("/1.0.2/camtrap-dp-profile.json")
    package["profile"] = str(beside / "profile.json")
    (beside / "profile.json").write_text(json.dumps(_PROFILE))
    for resource in package["resources"]:
        table = resource["name"]
        assert resource["schema"].endswith(f"/1.0.2/{table}-table-schema.json")
        resource["schema"] = f"{table}.json"
        (beside / f"{table}.json").write_text(
            json.dumps({**_SCHEMAS[table], "missingValues": [""]})
        )
    (beside / "datapackage.json").write_text(json.dumps(package))
    try:
        with system.use_context(trusted=True):
            report = Package(str(beside / "datapackage.json")).validate()
    except FrictionlessException as refusal:
        return [refusal.error.message, *(error.message for error in refusal.reasons)]
    found = [error.message for error in report.errors]
    for task in report.tasks:
        for error in task.errors:
            place = f"{task.name}.{getattr(error, 'field_name', '')}"
            found.append(f"{place}: {error.message}")
    return found
