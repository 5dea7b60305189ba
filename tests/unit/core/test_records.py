"""Settings, files and category tables."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pydantic import Field

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.config import Settings, parse_assignments, read_toml
from finding_nemo.core.errors import (
    DatasetError,
    FindingNemoError,
    NoSpaceError,
    OutputError,
    OutputExistsError,
    SettingsError,
    SplitError,
)
from finding_nemo.core.files.atomic_files import (
    prepare_output_folder,
    raise_no_space,
    write_text,
)
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.records import Split, SplitRow


class _Example(Settings):
    epochs: int = Field(default=3, ge=1)
    learning_rate: float = 0.1


def test_settings__all_faults_come_in_one_message() -> None:
    with pytest.raises(SettingsError) as caught:
        _Example.build({"epoch": 3, "epochs": 0, "learning_rate": "fast"}, source="--set")
    message = str(caught.value)
    assert message.startswith("3 faults in --set:")
    assert "unknown key 'epoch'; did you mean 'epochs'?" in message
    assert "epochs = 0: input should be greater than or equal to 1" in message
    assert "learning_rate = 'fast'" in message


def test_settings__cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _Example().epochs = 4  # type: ignore[misc] # the point of the test


def test_assignments__values_are_json_where_they_can_be() -> None:
    words = ["epochs=3", "rate=0.5", "on=true", "backbone=resnet18", "ids=[1, 2]", "text=a=b"]
    assert parse_assignments(words) == {
        "epochs": 3,
        "rate": 0.5,
        "on": True,
        "backbone": "resnet18",
        "ids": [1, 2],
        "text": "a=b",
    }


def test_assignments__every_bad_word_is_named() -> None:
    with pytest.raises(SettingsError, match=r"(?s)'epochs' is not.*'=3' is not"):
        parse_assignments(["epochs", "=3"])


def test_toml__is_read_and_its_faults_have_a_line(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("epochs = 3\n")
    assert read_toml(path) == {"epochs": 3}
    path.write_text("epochs = \n")
    with pytest.raises(SettingsError, match="line 1"):
        read_toml(path)
    with pytest.raises(SettingsError, match="does not exist"):
        read_toml(tmp_path / "nowhere.toml")


def test_output_folder__is_refused_emptied_or_protected(tmp_path: Path) -> None:
    ours = prepare_output_folder(tmp_path / "run", overwrite=False)
    (ours / "old").touch()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        prepare_output_folder(ours, overwrite=False)
    prepare_output_folder(ours, overwrite=True)
    assert not (ours / "old").exists()
    theirs = tmp_path / "photos"
    theirs.mkdir()
    (theirs / "wedding.jpg").touch()
    with pytest.raises(OutputExistsError, match="did not make"):
        prepare_output_folder(theirs, overwrite=True)
    assert (theirs / "wedding.jpg").exists()


def test_write__a_full_disk_is_one_clear_message(tmp_path: Path) -> None:
    with (
        pytest.raises(NoSpaceError, match="make room and run the same command again"),
        raise_no_space(tmp_path / "x"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_write__into_a_file_as_if_it_were_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot"):
        prepare_output_folder(tmp_path / "file" / "run", overwrite=False)
    write_text(tmp_path / "new" / "x.txt", "text")
    assert (tmp_path / "new" / "x.txt").read_text() == "text"


def test_errors__also_are_built_in_ones() -> None:
    assert issubclass(OutputExistsError, FileExistsError)
    assert issubclass(SettingsError, ValueError)
    assert str(OutputExistsError("only this")) == "only this"
    assert issubclass(OutputError, FindingNemoError)


def test_categories__refuse_repeats_and_unknown_ids() -> None:
    with pytest.raises(DatasetError, match=r"repeated: \[3\]"):
        CategoryTable((Category(3, "a", "x"), Category(3, "b", "x")))
    with pytest.raises(DatasetError, match="empty"):
        CategoryTable(())
    table = CategoryTable((Category(3, "a", "x"), Category(1, "b", "x")))
    assert table.multi_hot([(1,), ()]).tolist() == [[False, True], [False, False]]
    with pytest.raises(DatasetError, match="Category id 2 is not"):
        table.column_of(2)


def test_split__parts_and_training_ids() -> None:
    folds = Split(tuple(SplitRow(f"i{n}", f"d{n}", f"fold{n % 3}") for n in range(6)))
    assert folds.parts == {"fold0": 2, "fold1": 2, "fold2": 2}
    assert folds.training_ids_for("fold1") == ("i0", "i2", "i3", "i5")
    parts = Split((SplitRow("a", "d", "train"), SplitRow("b", "e", "test")))
    assert parts.training_ids_for("test") == ("a",)
    with pytest.raises(SplitError, match="has no part 'val'; it has test, train"):
        parts.ids_in("val")


def test_hash_file__is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_file(tmp_path / "x") == expected
