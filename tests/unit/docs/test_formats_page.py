"""The page of formats is that of the code: columns, keys, files and numbers of versions."""

from __future__ import annotations

import re
from pathlib import Path

from finding_nemo.models.bundle.bundle_files import HASHED, MANIFEST, MODEL_CARD
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.results.reading.row_values import NEEDED
from finding_nemo.results.schema import Columns, SpreadsheetLayout
from finding_nemo.results.spreadsheet import spreadsheet_columns
from finding_nemo.reviewing.review_exports import COLUMNS as REVIEW_COLUMNS
from finding_nemo.validating.format_columns import PREDICTIONS, REVIEWS, TABLE_FOR_PEOPLE
from finding_nemo.validating.format_schemas import SCHEMA_VERSIONS
from finding_nemo.validating.recognize_format import FILE_FORMATS
from formats_page import PAGE, formats_page

_TEXT = Path(PAGE).read_text(encoding="utf-8")


def test_page__is_up_to_date() -> None:
    assert formats_page(_TEXT) == _TEXT, "make it again: python tests/formats_page.py"
    tables = re.findall(r"<!-- columns of (\w+) -->", _TEXT)
    assert tables == [each.name for each in FILE_FORMATS.values() if each.columns]


def test_columns__are_those_that_writers_write() -> None:
    schema = Columns(2, with_time=True, n_features=2, map_grid=(1, 1)).schema()
    assert [each.name for each in PREDICTIONS] == [*schema.names, "method"]
    assert {each.name for each in PREDICTIONS if each.needed} == set(NEEDED)
    layout = SpreadsheetLayout(guesses=1, with_ids=True)
    assert [each.name for each in TABLE_FOR_PEOPLE] == [*spreadsheet_columns(layout), "method"]
    assert {each.name for each in REVIEWS} == set(REVIEW_COLUMNS)


def test_bundle__has_each_key_and_file_on_the_page() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", _TEXT[_TEXT.index("## Bundle") :], re.MULTILINE)
    files = {MANIFEST, MODEL_CARD, *HASHED}
    assert set(rows) == files | set(BundleManifest.model_fields)


def test_versions__are_those_on_the_page() -> None:
    versions = SCHEMA_VERSIONS["predictions"], SCHEMA_VERSIONS["bundle"]
    told = "`schema_version`: {} for predictions, {} for bundles".format(*versions)
    assert told in " ".join(_TEXT.split())
