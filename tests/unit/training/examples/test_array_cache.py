"""Where caches lie, whoever runs the program, and stores that are damaged."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import OutputError
from finding_nemo.training.examples import array_cache as array_store
from finding_nemo.training.examples.array_cache import ArrayCache, find_cache


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No variable names a cache, and temporary files go to `tmp_path`/tmp."""
    for name in ("FINDING_NEMO_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path


def test_cache__is_what_a_person_named(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINDING_NEMO_CACHE", str(homeless / "mine/deep"))
    found = find_cache()
    assert (found.folder, found.reason) == (homeless / "mine/deep", "")
    (homeless / "file").touch()
    monkeypatch.setenv("FINDING_NEMO_CACHE", str(homeless / "file/below"))
    with pytest.raises(OutputError, match="FINDING_NEMO_CACHE names .*file/below, which cannot"):
        find_cache()


def test_cache__is_the_users_own_where_there_is_a_home(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(homeless / "home"))
    found = find_cache()
    assert (found.folder, found.reason) == (homeless / "home/.cache/finding-nemo", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(homeless / "xdg"))
    assert find_cache().folder == homeless / "xdg/finding-nemo"


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null", None])
def test_cache__is_a_private_temporary_folder_without_a_home(
    homeless: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    if home is None:
        monkeypatch.setattr(array_store, "_usual_folder", lambda: None)
    else:
        monkeypatch.setenv("HOME", home)
    found = find_cache()
    assert found.folder.parent == homeless / "tmp"
    assert found.folder.stat().st_mode & 0o777 == 0o700
    assert ("there is no home folder" if home is None else f"{home}/.cache") in found.reason
    assert find_cache().folder == found.folder  # found again by the next run


def test_cache__never_takes_a_folder_that_others_can_write(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/proc/none")
    usual = find_cache().folder
    usual.chmod(0o777)
    assert find_cache().folder != usual
    usual.rmdir()
    usual.symlink_to(homeless)
    assert find_cache().folder != usual


def test_cache__nowhere_at_all(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/none")

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(OutputError, match="Name one with FINDING_NEMO_CACHE"):
        find_cache()


def store(folder: Path) -> ArrayCache:
    return ArrayCache(folder, row_shape=(3,), dtype=np.float32)


def test_store__makes_damaged_rows_again(tmp_path: Path) -> None:
    rows = [np.full(3, number, dtype=np.float32) for number in range(4)]
    store(tmp_path).add(["a", "b"], rows[:2])
    store(tmp_path).add(["c"], rows[2:3])
    store(tmp_path).add(["d"], rows[3:])
    shards = {json.loads(path.read_text())[0]: path for path in tmp_path.glob("*.json")}
    shards["a"].with_suffix(".npy").write_bytes(b"\x93NUMPY half")
    shards["c"].write_text("[")
    opened = store(tmp_path)
    assert opened.missing(["a", "b", "c", "d"]) == ["a", "b", "c"]
    opened.add(["a", "b", "c"], rows[:3])
    taken = opened.rows(["d", "c", "a"]).take(np.array([0, 1, 2]))
    np.testing.assert_array_equal(taken[:, 0], [3, 2, 0])


def test_store__says_which_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "pixels").touch()
    with pytest.raises(OutputError, match="Cannot write the cache .*FINDING_NEMO_CACHE"):
        store(tmp_path / "pixels").add(["a"], [np.zeros(3, dtype=np.float32)])
