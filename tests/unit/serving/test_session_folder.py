"""The folder of a session: own names, one owner, nothing lost but a last line cut short."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from finding_nemo.core.errors import OtherRunError, OutputError
from finding_nemo.serving.session_folder import (
    LIST_NAME,
    KeptFrame,
    SessionFolder,
    open_session_folder,
)


def kept(number: int, name: str = "a.png") -> KeptFrame:
    """Return a frame that is kept."""
    return KeptFrame(image_id=f"i{number}", name=name, file=f"{number:06d}.png")


def test_frames__are_there_again(tmp_path: Path) -> None:
    name = 'x"\n<b>\u202e.png'
    with open_session_folder(tmp_path / "new") as folder:
        folder.add([kept(1, name)])
        folder.add([kept(2), KeptFrame(image_id="f", name="f", file="", failure="is empty")])
    with open_session_folder(tmp_path / "new") as folder:
        assert [frame.image_id for frame in folder.frames] == ["i1", "i2", "f"]
        assert folder.frames[0].name == name
        assert folder.unique_id("i1", "i1") == "i1#2"


def test_names__of_files_go_on_where_they_were(tmp_path: Path) -> None:
    assert SessionFolder(tmp_path).new_file().name == "000001.part"
    (tmp_path / "000041.png").write_bytes(b"")
    (tmp_path / "000050.part").write_bytes(b"left by a server that was killed")
    folder = SessionFolder(tmp_path)
    assert folder.new_file().name == "000051.part"
    assert not (tmp_path / "000050.part").exists()


def test_ids__are_told_apart_by_name_then_number(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    found = [folder.unique_id("a", f"{dive}/a.png") for dive in ("x", "y", "y", "y")]
    assert found == ["a", "y/a.png", "y/a.png#2", "y/a.png#3"]


@pytest.mark.parametrize("n_left", [2, 49, 50, 51, 52])
def test_line__that_a_kill_cut_short_is_left_out(tmp_path: Path, n_left: int) -> None:
    """Also where it was cut within a character."""
    SessionFolder(tmp_path).add([kept(1), kept(2, "\U0001f420" * 9)])
    path = tmp_path / LIST_NAME
    start = path.read_bytes().index(b"\n") + 1
    path.write_bytes(path.read_bytes()[: start + n_left])
    folder = SessionFolder(tmp_path)
    assert [frame.image_id for frame in folder.frames] == ["i1"]
    folder.add([kept(3)])
    assert [frame.image_id for frame in SessionFolder(tmp_path).frames] == ["i1", "i3"]


def test_list__that_the_disk_has_no_room_for_stays_as_it_was(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    folder.add([kept(1)])
    size = (tmp_path / LIST_NAME).stat().st_size
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, usual[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            folder.add([kept(2), kept(3)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (tmp_path / LIST_NAME).stat().st_size == size
    folder.add([kept(4)])
    assert [frame.image_id for frame in SessionFolder(tmp_path).frames] == ["i1", "i4"]


def test_frames__are_taken_from_the_list_where_what_follows_fails(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    folder.add([kept(1)])
    assert folder.unique_id("i2", "a.png") == "i2"
    with pytest.raises(OSError, match="no room"), folder.added([kept(2)]):
        raise OSError("no room")
    assert [frame.image_id for frame in folder.frames] == ["i1"]
    assert [frame.image_id for frame in SessionFolder(tmp_path).frames] == ["i1"]
    assert folder.unique_id("i2", "a.png") == "i2"


def test_list__that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / LIST_NAME).write_bytes(b"\xff\n")
    with pytest.raises(OutputError, match="line 1 is no UTF-8"):
        SessionFolder(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "nonsense",
        '{"image_id": "a", "name": "a", "file": "../../etc/passwd"}',
        '{"image_id": "a", "name": "a", "file": "/etc/passwd"}',
        '{"image_id": "a", "name": "a", "file": ".."}',
        '{"image_id": "a", "name": "a", "file": 3}',
        '{"image_id": "a", "name": "a", "file": "", "more": 1}',
    ],
)
def test_line__that_is_none_of_ours_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / LIST_NAME).write_text(line + "\n")
    with pytest.raises(OutputError, match="line 1"):
        SessionFolder(tmp_path)


def test_folder__is_one_servers(tmp_path: Path) -> None:
    with (
        open_session_folder(tmp_path),
        pytest.raises(OtherRunError, match="keeps the frames"),
        open_session_folder(tmp_path),
    ):
        pass


def test_folder__without_a_name_is_gone_afterwards() -> None:
    with open_session_folder(None) as folder:
        folder.new_file().write_bytes(b"x")
        assert folder.path.is_dir()
    assert not folder.path.exists()
