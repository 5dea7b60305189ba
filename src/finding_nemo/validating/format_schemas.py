"""The formats as JSON Schemas: of one row of a table, or of `bundle.json`."""

from __future__ import annotations

from typing import Any

from finding_nemo.core.names.registries import find_entry
from finding_nemo.models.bundle.manifest import SCHEMA_VERSION as BUNDLE_VERSION
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.results.schema import SCHEMA_VERSION as PREDICTIONS_VERSION
from finding_nemo.results.schema import TOP_K
from finding_nemo.validating.format_columns import FormatColumn
from finding_nemo.validating.recognize_format import FILE_FORMATS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"text": "string", "whole": "integer", "number": "number", "moment": "string"}
# The number that a file of a format carries, or would carry; it changes as docs/formats.md says.
SCHEMA_VERSIONS = {
    "predictions": PREDICTIONS_VERSION,
    "table": 1,
    "bundle": BUNDLE_VERSION,
    "reviews": 1,
    "split": 1,
    "submission": 1,
}
_LIST = "list of "
# Of lists in a row of predictions, which may be no longer than so many guesses.
_OF_GUESSES = "categories"


def format_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a format.

    Raises:
        SettingsError: If there is no such format.
    """
    known = find_entry(FILE_FORMATS, name, kind="format")
    head = {
        "$schema": _DIALECT,
        "title": f"finding-nemo {known.name}",
        "description": known.about,
        "x-schema-version": SCHEMA_VERSIONS[known.name],
    }
    if not known.columns:
        return {**BundleManifest.model_json_schema(), **head}
    is_table = known.name != "predictions"
    return {
        **head,
        "type": "object",
        "required": [each.name for each in known.columns if each.needed],
        "properties": {each.name: _property(each, is_table=is_table) for each in known.columns},
    }


def _property(column: FormatColumn, *, is_table: bool) -> dict[str, Any]:
    """Return what one value must be; a table's cells may be empty, others null."""
    kind = column.type.removeprefix(_LIST)
    value: dict[str, Any] = {"type": _TYPES[kind]}
    if kind == "moment":
        value["format"] = "date-time"
    if column.choices:
        value["enum"] = [*column.choices, "" if is_table else None]
    if column.least is not None:
        value["minimum"] = column.least
    if column.most is not None:
        value["maximum"] = column.most
    if column.type.startswith(_LIST):
        value["type"] = [value["type"], "null"]
        value = {"type": "array", "items": value}
        if _OF_GUESSES in (column.name, column.along):
            value["maxItems"] = TOP_K
        value["uniqueItems"] = column.holds_ids
    is_id = column.needed and column.name in ("id", "image_id")
    if is_id:
        value["minLength"] = 1
    elif not column.choices or not is_table:
        kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
        value["type"] = [*kinds, "null"]
    return {**value, "description": column.meaning, "x-since": column.since}
