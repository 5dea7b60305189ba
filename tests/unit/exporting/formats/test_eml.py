"""The record of a data set, by GBIF's profile of EML and by a validator that is not ours."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eml_profile import eml_faults
from exported_frames import ODD_TEXTS, source
from finding_nemo.exporting.about_dataset import ABOUT_KEYS
from finding_nemo.exporting.formats.darwin_core_words import eml_xml

_ALL = {
    "title": "<Dives> & more",
    "abstract": "Two dives.",
    "citation": "Lovelace 2026",
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "institution": "An institute",
    "contact": "Ada Lovelace",
    "email": "ada@example.org",
    "creators": "Ada Lovelace; Hopper",
}


def metapype_faults(text: str) -> list[str]:
    """Return what metapype, which has the rules of EML 2.2 of its own, finds wrong."""
    with warnings.catch_warnings():  # it reads its version by a function that Python 3.11 deplores
        warnings.simplefilter("ignore", DeprecationWarning)
        pytest.importorskip("metapype", reason="needs metapype, of the extra dev")
        from metapype.eml import validate
        from metapype.model import metapype_io
    found: list[tuple[object, ...]] = []
    validate.tree(metapype_io.from_xml(text), found)
    return [str(each[1]) for each in found]


@pytest.mark.parametrize(
    "about",
    [{}, _ALL, *({key: value} for key, value in _ALL.items())],
    ids=["nothing", "all", *_ALL],
)
def test_record__is_valid_whatever_is_said(tmp_path: Path, about: dict[str, str]) -> None:
    text = eml_xml(source(**about))
    (tmp_path / "eml.xml").write_text(text, encoding="utf-8")
    assert eml_faults(tmp_path / "eml.xml") == []
    assert metapype_faults(text) == []


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(ABOUT_KEYS)), ODD_TEXTS))
def test_record__is_valid_with_odd_words(about: dict[str, str]) -> None:
    # As `read_about` has them: blanks around are gone, and nothing is no value.
    stripped = {key: value.strip() for key, value in about.items() if value.strip()}
    text = eml_xml(source(**stripped))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "eml.xml").write_text(text, encoding="utf-8")
        assert eml_faults(Path(folder) / "eml.xml") == []
    assert metapype_faults(text) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("<language>en</language>", "", None),
        ("<para>", "<para><b/>", "para is None"),
        ("    <pubDate>2026-01-03</pubDate>\n", "", "dataset has 0 pubDate, not 1"),
        ("2026-01-03</pubDate>", "soon</pubDate>", "pubDate is 'soon'"),
        ("<contact>", "<contact><phone>1</phone>", "contact has 0 organizationName|"),
        ("<metadata>", "<metadata>x", "metadata has text beside its elements"),
        ('scope="system"', 'scope="other"', "eml has no scope"),
        ("<dataset>", '<dataset id="1">', "dataset has the attribute id"),
        ("  <dataset>", "  <dataset><project/>", "dataset has 0 title, not 1"),
    ],
)
def test_profile__finds_faults(tmp_path: Path, old: str, new: str, fault: str | None) -> None:
    text = eml_xml(source(**_ALL))
    assert old in text
    (tmp_path / "eml.xml").write_text(text.replace(old, new, 1), encoding="utf-8")
    found = eml_faults(tmp_path / "eml.xml")
    assert found == [] if fault is None else any(each.startswith(fault) for each in found)
