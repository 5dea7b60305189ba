"""CVAT for images 1.1: tags, shapes, and XML that is not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box


def write(folder: Path, body: str, *, before: str = "") -> Path:
    (folder / "annotations.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n{before}<annotations><version>1.1</version>'
        "<meta><job><labels><label><name>Eel</name><attributes><attribute><name>sex</name>"
        f"</attribute></attributes></label></labels></job></meta>\n{body}</annotations>\n",
        encoding="utf-8",
    )
    return folder / "annotations.xml"


def test_cvat__by_hand(tmp_path: Path) -> None:
    body = (
        '<image id="0" name="D1/a.png" subset="x" width="64" height="48">'
        '<tag label="Crab &amp; co" source="manual"><attribute name="sex">f</attribute></tag>'
        '<tag label="Squid" source="auto"></tag>'
        '<box label="Fish" source="manual" occluded="0" xtl="1" ytl="2" xbr="4" ybr="6"/>'
        '<polygon label="Fish" source="semi-auto" points="1.0,2.0;5.0,2.0;5.0,9.0"/>'
        '<ellipse label="Fish" cx="10" cy="20" rx="5" ry="2"/>'
        '<mask label="Fish" rle="1, 2" left="3" top="4" width="5" height="6"/>'
        '<points label="Eel" points="1.0,2.0"/>'
        "</image>"
        '<image id="1" name="b.png" width="64" height="48"/>'
    )
    found = read_dataset(write(tmp_path, body))
    assert found.categories.names == ("Crab & co", "Eel", "Fish")
    first, second = found.records
    assert (first.category_ids, first.width, first.height) == ((1, 2, 3), 64, 48)
    assert first.boxes == (
        *(Box(3, 1, 2, 3, 4), Box(3, 1, 2, 4, 7), Box(3, 5, 18, 10, 4), Box(3, 3, 4, 5, 6)),
    )
    assert (first.image_id, first.path) == ("a", tmp_path / "D1/a.png")
    assert second.category_ids is None
    assert "1 labels are of points or lines" in found.notices[0]
    assert "1 labels are a machine's" in found.notices[1]


_BILLION = (
    '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>\n'
)
_OUTSIDE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>\n'


@pytest.mark.parametrize("before", [_BILLION, _OUTSIDE, "<!DOCTYPE annotations>\n"])
def test_document_types__are_refused_before_anything_is_read(tmp_path: Path, before: str) -> None:
    body = '<image id="0" name="a.png"><tag label="Crab"/></image>'
    with pytest.raises(AnnotationError, match="line 2: it declares a document type"):
        read_dataset(write(tmp_path, body, before=before))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<image name='a.png'><tag/></image>", "line 3: label of a tag must be the name"),
        ("<image name='a.png'><box label='x' xtl='1'/></image>", "finite numbers, got xtl='1'"),
        ("<image name='a.png'><polygon label='x' points='1,a'/></image>", "points must be numbers"),
        ("<image><tag label='x'/></image>", "line 3: file name '' is empty"),
        ("<track id='0' label='x'/>", "CVAT for video. Export it as CVAT for images"),
        ("<image name='a.png'>", "not XML"),
        ("<image>" + "<a>" * 200, "nested more than 100 deep"),
        ("<image name='a.png'>&x;</image>", "not XML .undefined entity"),
    ],
)
def test_cvat__faults_are_told_with_their_line(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, body))


def test_other_xml__is_told_by_its_look(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    with pytest.raises(AnnotationError, match="looks like an annotation of one image in Pascal"):
        read_dataset(tmp_path / "a.xml")
