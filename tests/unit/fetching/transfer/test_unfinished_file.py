"""An unfinished file, gone on with only where it is certain what it is half of."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.fetching.transfer.unfinished_file import Begun, UnfinishedFile

URL = "https://h.org/a.png"


def written(
    folder: Path, content: bytes, *, validator: str = '"v"', total: int | None = 9
) -> UnfinishedFile:
    unfinished = UnfinishedFile(folder, "dive/a.png")
    with unfinished.begin(URL, validator=validator, total=total) as file:
        file.write(content)
    return unfinished


def test_unfinished__is_gone_on_with(tmp_path: Path) -> None:
    unfinished = written(tmp_path, b"abc")
    assert unfinished.begun(URL) == Begun(3, '"v"', 9)
    assert not unfinished.begun(URL).is_whole
    with unfinished.go_on() as file:
        file.write(b"defghi")
    assert unfinished.path.read_bytes() == b"abcdefghi"
    assert unfinished.begun(URL).is_whole


def test_unfinished__of_another_address_or_no_known_version_is_begun_anew(
    tmp_path: Path,
) -> None:
    assert UnfinishedFile(tmp_path, "none").begun(URL) == Begun()
    assert written(tmp_path, b"abc").begun("https://h.org/b.png") == Begun()
    assert written(tmp_path, b"abc", validator="").begun(URL) == Begun()
    assert written(tmp_path, b"too many bytes").begun(URL) == Begun()


def test_unfinished__that_is_whole_needs_no_version(tmp_path: Path) -> None:
    assert written(tmp_path, b"ninebytes", validator="").begun(URL).is_whole


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"url": 1}', '{"url":"u","validator":"","total":"x"}']
)
def test_unfinished__without_its_whole_origin_is_begun_anew(tmp_path: Path, text: str) -> None:
    unfinished = written(tmp_path, b"abc")
    unfinished.path.with_suffix(".json").write_text(text)
    assert unfinished.begun(URL) == Begun()


def test_begin__empties_and_discard_removes(tmp_path: Path) -> None:
    unfinished = written(tmp_path, b"abc")
    unfinished.begin(URL, validator='"w"', total=None).close()
    assert unfinished.begun(URL) == Begun(0, '"w"', None)
    unfinished.discard()
    unfinished.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../a", "/etc/x", "a/b", "\ud800", "n" * 999, "."])
def test_unfinished__of_any_name_lies_in_the_folder(tmp_path: Path, name: str) -> None:
    assert UnfinishedFile(tmp_path, name).path.parent == tmp_path
