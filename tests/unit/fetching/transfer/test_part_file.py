"""An unfinished file, gone on with only where it is certain what it is half of."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.fetching.transfer.part_file import Begun, PartFile

URL = "https://h.org/a.png"


def written(
    folder: Path, content: bytes, *, validator: str = '"v"', total: int | None = 9
) -> PartFile:
    part = PartFile(folder, "dive/a.png")
    with part.begin(URL, validator=validator, total=total) as file:
        file.write(content)
    return part


def test_part__is_gone_on_with(tmp_path: Path) -> None:
    part = written(tmp_path, b"abc")
    assert part.begun(URL) == Begun(3, '"v"', 9)
    assert not part.begun(URL).is_whole
    with part.go_on() as file:
        file.write(b"defghi")
    assert part.path.read_bytes() == b"abcdefghi"
    assert part.begun(URL).is_whole


def test_part__of_another_address_or_of_no_known_version_is_begun_anew(tmp_path: Path) -> None:
    assert PartFile(tmp_path, "none").begun(URL) == Begun()
    assert written(tmp_path, b"abc").begun("https://h.org/b.png") == Begun()
    assert written(tmp_path, b"abc", validator="").begun(URL) == Begun()
    assert written(tmp_path, b"too many bytes").begun(URL) == Begun()


def test_part__that_is_whole_needs_no_version(tmp_path: Path) -> None:
    assert written(tmp_path, b"ninebytes", validator="").begun(URL).is_whole


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"url": 1}', '{"url":"u","validator":"","total":"x"}']
)
def test_part__whose_origin_was_not_written_whole_is_begun_anew(tmp_path: Path, text: str) -> None:
    part = written(tmp_path, b"abc")
    part.path.with_suffix(".json").write_text(text)
    assert part.begun(URL) == Begun()


def test_begin__empties_and_discard_removes(tmp_path: Path) -> None:
    part = written(tmp_path, b"abc")
    part.begin(URL, validator='"w"', total=None).close()
    assert part.begun(URL) == Begun(0, '"w"', None)
    part.discard()
    part.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../a", "/etc/x", "a/b", "\ud800", "n" * 999, "."])
def test_part__of_any_name_lies_in_the_folder(tmp_path: Path, name: str) -> None:
    assert PartFile(tmp_path, name).path.parent == tmp_path
