"""Outputs: checked before work, in the format of their name, whole or not at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from finding_nemo.core.errors import NoSpaceError, OutputError, OutputExistsError, SettingsError
from finding_nemo.core.files import atomic_files as files
from finding_nemo.core.files.atomic_files import (
    atomic_write,
    new_output_folder,
    prepare_output_folder,
    raise_output_error,
    users_path,
    write_text,
)
from finding_nemo.core.files.output_checks import (
    check_apart,
    check_output_file,
    check_output_folder,
)
from finding_nemo.results.chunk_store import ChunkStore
from finding_nemo.results.prediction_formats import choose_format


@pytest.mark.parametrize(
    ("name", "wanted", "chosen"),
    [
        ("dive.csv", None, "csv"),
        ("dive.CSV", None, "csv"),
        ("dive.parquet", None, "parquet"),
        ("dive.jsonl", None, "jsonl"),
        ("dive.ndjson", None, "jsonl"),
        ("dive", None, "parquet"),
        ("dive", "csv", "csv"),
        ("dive", "submission", "submission"),
        ("dive.out", "jsonl", "jsonl"),
        ("dive.ndjson", "jsonl", "jsonl"),
        ("submission.csv", "submission", "submission"),
        ("dive.2.csv", None, "csv"),
    ],
)
def test_format__is_what_the_name_says(name: str, wanted: str | None, chosen: str) -> None:
    assert choose_format(Path(name), wanted) == chosen


@pytest.mark.parametrize(
    ("name", "wanted", "words"),
    [
        ("dive.csv", "parquet", "format parquet and the name 'dive.csv' disagree: .csv is csv"),
        ("dive.parquet", "jsonl", "disagree: .parquet is parquet"),
        ("dive.xlsx", None, ".xlsx is unknown. End it in .parquet, .csv, .jsonl, .ndjson"),
        ("dive.v2", None, ".v2 is unknown"),
        ("dive.csv.gz", None, ".gz is unknown"),
        ("s.parquet", "submission", "A submission is a CSV file"),
        ("s.txt", "submission", "A submission is a CSV file"),
        ("p", "xlsx", "Unknown format 'xlsx'"),
    ],
)
def test_format__that_disagrees_or_is_unknown_is_refused(
    name: str, wanted: str | None, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        choose_format(Path(name), wanted)
    assert words in str(caught.value)


def refused(path: Path, *, overwrite: bool = True, inputs: tuple[Path, ...] = ()) -> str:
    with pytest.raises(OutputError) as caught:
        check_output_file(path, overwrite=overwrite, inputs=inputs)
    return str(caught.value)


def test_file__that_cannot_be_an_output(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.txt").touch()
    assert "is a folder. Name a file" in refused(tmp_path / "empty")
    assert "is a folder. Name a file" in refused(tmp_path / "full")
    assert "is a device or pipe" in refused(Path(os.devnull))
    os.mkfifo(tmp_path / "pipe")
    assert "is a device or pipe" in refused(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        os.chdir(tmp_path)  # a socket's path is short
        door.bind("door")
        assert "is a device or pipe" in refused(tmp_path / "door")
    assert f"{tmp_path / 'full/a.txt'} is a file, not a folder" in refused(
        tmp_path / "full/a.txt/below/p.csv"
    )
    assert "File name too long" in refused(tmp_path / ("n" * 300))
    for url in ("s3://bucket/p.csv", "gs://b/p.parquet", "https://x/p.csv", "file:///tmp/p.csv"):
        assert "is an address" in refused(Path(url))
    check_output_file(tmp_path / "new/folders/p.csv")
    assert not (tmp_path / "new").exists()


def test_file__that_exists_is_replaced_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.touch()
    (tmp_path / "loose").symlink_to(tmp_path / "nowhere")
    for name in ("p.csv", "loose"):
        with pytest.raises(OutputExistsError, match="add --overwrite"):
            check_output_file(tmp_path / name)
        check_output_file(tmp_path / name, overwrite=True)


def test_file__that_is_read_is_never_replaced(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    image.write_bytes(b"x")
    (tmp_path / "link.jpg").symlink_to(image)
    (tmp_path / "hard.jpg").hardlink_to(image)
    other = tmp_path / "b.jpg"
    other.touch()
    for name in ("a.jpg", "link.jpg", "hard.jpg", "../" + tmp_path.name + "/a.jpg"):
        assert "what the command reads" in refused(tmp_path / name, inputs=(other, image))
        assert "what the command reads" in refused(image, inputs=(tmp_path / name,))
    check_output_file(other, overwrite=True, inputs=(image, tmp_path / "absent", Path("s3://x")))


def test_file__whose_folder_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    message = refused(tmp_path / "deep/er/p.csv")
    assert message == (
        f"Cannot write {tmp_path / 'deep/er/p.csv'}: Permission denied ({tmp_path})."
    )


def test_file__of_another_user_in_a_shared_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.csv").touch()
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: 65533)
    assert "another user's file" in refused(tmp_path / "p.csv")
    check_output_file(tmp_path / "q.csv")


def test_folder__that_holds_what_is_read_is_never_replaced(tmp_path: Path) -> None:
    run = prepare_output_folder(tmp_path / "run", overwrite=False)
    (run / "dataset").mkdir()
    (run / "dataset/a.jpg").touch()
    (tmp_path / "link").symlink_to(run / "dataset")
    for read in (run, run / "dataset", run / "dataset/a.jpg", tmp_path / "link"):
        with pytest.raises(OutputError, match="which would be replaced"):
            check_output_folder(run, overwrite=True, inputs=(read,))
    check_output_folder(run, overwrite=True, inputs=(tmp_path, tmp_path / "elsewhere"))
    with pytest.raises(OutputExistsError, match="--overwrite"):
        check_output_folder(run)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    with pytest.raises(OutputExistsError, match="did not make"):
        check_output_folder(tmp_path / "mine", overwrite=True)
    with pytest.raises(OutputError, match="a device or pipe"):
        check_output_folder(Path(os.devnull), overwrite=True)
    with pytest.raises(OutputError, match="is an address"):
        check_output_folder(Path("s3://bucket/run"))


def test_folder__with_our_marker_alone_keeps_nobody_from_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        prepare_output_folder(out, overwrite=False)
    check_output_folder(out)


def test_folder__is_emptied_not_removed(tmp_path: Path) -> None:
    """A mounted folder cannot be removed."""
    out = prepare_output_folder(tmp_path / "out", overwrite=False)
    (out / "a").mkdir()
    (out / "a/b").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/c").touch()
    (out / "link").symlink_to(tmp_path / "kept")
    number = out.stat().st_ino
    prepare_output_folder(out, overwrite=True)
    assert out.stat().st_ino == number
    assert [path.name for path in out.iterdir()] == [".finding-nemo-output"]
    assert (tmp_path / "kept/c").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_new_folder__leaves_nothing_of_a_start_that_failed(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def start() -> None:
        with new_output_folder(tmp_path / "out", overwrite=False) as out:
            (out / "split.csv").touch()
            raise error

    with pytest.raises(error):
        start()
    assert list(tmp_path.iterdir()) == []
    with new_output_folder(tmp_path / "out", overwrite=False) as out:
        (out / "split.csv").touch()
    assert (tmp_path / "out/split.csv").exists()


def test_outputs__of_one_command_are_apart(tmp_path: Path) -> None:
    check_apart({"--out": tmp_path / "a", "--json": tmp_path / "b", "--more": None})
    with pytest.raises(OutputError, match="--out and --json are one file"):
        check_apart({"--out": tmp_path / "a", "--json": tmp_path / "x/../a"})


def test_writers__at_once_have_files_of_their_own_and_the_last_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    with atomic_write(path) as first:
        first.write_text("first" * 1000)
        with atomic_write(path) as second:
            assert second != first
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" * 1000
    assert [entry.name for entry in tmp_path.iterdir()] == ["e.json"]


def test_writers__many_threads_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    texts = [str(number) * 20_000 for number in range(8)]
    threads = [threading.Thread(target=write_text, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert [entry.name for entry in tmp_path.iterdir()] == ["e.json"]


def test_leftovers__of_killed_writers_are_removed_and_of_live_ones_kept(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from finding_nemo.core.files.atomic_files import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path / "e.json"], check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [entry.name for entry in tmp_path.iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".e.json.")
    for name in (".mine.partial", ".e.json.partial", "e.json.0123abcd.partial"):
        (tmp_path / name).touch()  # not of our pattern
    files._tidied.clear()
    with atomic_write(tmp_path / "live.csv") as live:
        files._tidied.clear()
        write_text(tmp_path / "other.csv", "")
        assert live.exists()
        live.touch()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        ".e.json.partial", ".mine.partial", "e.json.0123abcd.partial", "live.csv", "other.csv",
    ]  # fmt: skip


def test_writers__permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_writers__take_long_names_in_any_script(tmp_path: Path) -> None:
    for name in ("n" * 250 + ".csv", "ヒ" * 80 + ".csv"):
        write_text(tmp_path / name, "x")
        assert (tmp_path / name).read_text() == "x"


@pytest.mark.parametrize(
    ("private", "shown"),
    [
        ("a/.od.parts/whole/od", "a/od"),
        ("/x/.p.parquet.parts/part-00000001.parquet", "/x/p.parquet"),
        ("a/.x.json.0123abcd.partial", "a/x.json"),
        ("a/.hidden/x", "a/.hidden/x"),
        ("x.partial", "x.partial"),
    ],
)
def test_messages__name_the_users_path(private: str, shown: str) -> None:
    assert users_path(private) == shown
    with (
        pytest.raises(NoSpaceError, match="No space left") as full,
        raise_output_error(Path(private)),
    ):
        raise OSError(28, "No space left on device")
    with pytest.raises(OutputError) as denied, raise_output_error(Path(private)):
        raise PermissionError(13, "Permission denied", private)
    assert str(denied.value) == f"Cannot write {shown}: Permission denied."
    for caught in (full, denied):
        assert ".parts" not in str(caught.value)
        assert "0123abcd" not in str(caught.value)


def test_parts__are_one_run_at_a_time(tmp_path: Path) -> None:
    folder = ChunkStore(tmp_path / "p.csv")
    with folder.held():
        folder.begin({"request": {}})
        with (
            pytest.raises(OutputError, match="Another process is writing"),
            ChunkStore(tmp_path / "p.csv").held(),
        ):
            pass
        folder.clear()
    with ChunkStore(tmp_path / "p.csv").held():
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="rights of another kind")
def test_written_file__may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "last.safetensors") as partial:
            own = tmp_path / "own"
            own.write_text("x")
            own.chmod(0o600)
            own.replace(partial)
    finally:
        os.umask(before)
    assert (tmp_path / "last.safetensors").stat().st_mode & 0o777 == 0o640
