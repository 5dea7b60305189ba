"""Texts as forms hold them: on one line, and as parts of ids."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exported_frames import frame, source
from finding_nemo.exporting.export_frame import id_text, plain_text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\r\nb\tc", "a  b c"),
        ("\x00\x7f\u2028é🐙", "?? é🐙"),
        ("\ufffe\ud800", "??"),
        ("no\u00a0break", "no\u00a0break"),
        ("=1+1", "=1+1"),
    ],
)
def test_plain_text__is_one_line(text: str, wanted: str) -> None:
    assert plain_text(text) == wanted


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_id_text__can_be_turned_back(text: str) -> None:
    found = id_text(text)
    assert unquote(found) == text
    assert not set(found) & set(" :\t\n\r")
    assert plain_text(found) == found


def test_addresses__are_below_the_one_that_was_given() -> None:
    odd = frame(file_name="a b/ü#1.png")
    assert source(image_address="https://x.example/").address_of(odd) == (
        "https://x.example/a%20b/%C3%BC%231.png"
    )
    assert source().address_of(odd) == ""
    fetched = frame(path="https://y.example/1.png")
    assert source().address_of(fetched) == "https://y.example/1.png"
