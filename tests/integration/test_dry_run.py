"""`--dry-run` says what would be done and writes nothing; it refuses what the real one refuses."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from finding_nemo import read_dataset
from finding_nemo.cli import main
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.data.splits.splitters.by_dive import split_by_dive

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the program in this process, in a folder of its own with a cache of its own."""
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("FINDING_NEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["finding-nemo", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main.run()
        said = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    return call


def tree(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return every file and folder with what changes when it is touched."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.stat()
        found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def dry(run: Run, folder: Path, *words: str | Path) -> str:
    """Check that a dry run ends well and changes nothing; return what it printed."""
    before = tree(folder)
    code, out, err = run(*words, "--dry-run")
    assert tree(folder) == before
    assert code == 0, err
    assert out.startswith("Dry run: nothing is written. This command would\n")
    for name in ("time ", "disk ", "memory "):
        assert sum(line.startswith(name) for line in out.splitlines()) == 1, out
    return out


def refused_alike(run: Run, folder: Path, *words: str | Path) -> str:
    """Check that a dry run is refused as the real one is, and changes nothing."""
    before = tree(folder)
    found = run(*words, "--dry-run")
    assert tree(folder) == before
    code, _, err = run(*words)
    assert found[0] == code != 0
    message = err[err.index("finding-nemo: ") :] if code == 1 else err
    assert message in found[2]
    return message


def test_predict__measures_and_writes_nothing(
    run: Run, tmp_path: Path, tiny_folder: Path, small_bundle: Path
) -> None:
    words = ("predict", small_bundle, tiny_folder, "--out", tmp_path / "p.parquet")
    out = dry(run, tmp_path, *words)
    assert f"predict 30 images with {small_bundle} into {tmp_path / 'p.parquet'} (parquet)." in out
    assert "measured just now on 30 of these images" in out
    for suffix in ("csv", "jsonl"):
        out = dry(run, tmp_path, "predict", small_bundle, tiny_folder, "--out", f"p.{suffix}")
        assert f"({suffix})" in out
    (tmp_path / "a.png").touch()
    out = dry(run, tmp_path, "predict", small_bundle, "a.png", "--out", "p.parquet")
    assert "1 of them cannot be used" in out
    assert run(*words)[0] == 0
    assert "exists already" in refused_alike(run, tmp_path, *words)


def test_predict__refuses_what_the_real_one_refuses(
    run: Run, tmp_path: Path, tiny_folder: Path, small_bundle: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for words in (
        (small_bundle, "nowhere", "--out", "p.parquet"),
        (small_bundle, "empty", "--out", "p.parquet"),
        ("nowhere", tiny_folder, "--out", "p.parquet"),
        (small_bundle, tiny_folder, "--out", "empty"),
        (small_bundle, tiny_folder, "--out", "p.csv", "--shard", "1/2"),
        (small_bundle, tiny_folder, "--out", "p.csv", "--shard", "3/2"),
        (small_bundle, tiny_folder, "--out", "p.csv", "--precision", "2"),
        (small_bundle, tiny_folder, "--out", "p.csv", "--engine", "steam"),
    ):
        refused_alike(run, tmp_path, "predict", *words)


def test_predict__of_what_another_process_writes_is_refused(
    run: Run, tmp_path: Path, tiny_folder: Path, small_bundle: Path
) -> None:
    (tmp_path / ".p.parquet.parts").mkdir()
    with (tmp_path / ".p.parquet.parts/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = ("predict", small_bundle, tiny_folder, "--out", tmp_path / "p.parquet")
        assert "Another process" in refused_alike(run, tmp_path, *words)


def test_merge__reads_every_row(
    run: Run, tmp_path: Path, tiny_folder: Path, small_bundle: Path
) -> None:
    for out, shard in (("1.parquet", "1/1"), ("2.parquet", "2/2")):
        run("predict", small_bundle, tiny_folder, "--out", out, "--shard", shard)
    said = dry(run, tmp_path, "merge", "1.parquet", "--out", "all.csv")
    assert "join 30 rows of 1 files into all.csv (csv)." in said
    assert "is missing" in refused_alike(run, tmp_path, "merge", "2.parquet", "--out", "a.parquet")


def test_train__looks_at_the_data_and_says_what_it_would_take(
    run: Run, tmp_path: Path, tiny_folder: Path
) -> None:
    out = dry(run, tmp_path, "train", tiny_folder, "--out", "r", "--set", "epochs=7")
    assert "train probe: 7 epochs of " in out
    assert "224 x 224 px on cpu into r." in out
    assert "1 minute on two cores" in out
    out = dry(run, tmp_path, "train", tiny_folder, "--out", "r", "--recipe", "prior")
    assert "none of them opened" in out
    out = dry(run, tmp_path, "train", tiny_folder, "--out", "r", "--recipe", "resnet18")
    assert "time    not known: nobody has measured resnet18" in out
    out = dry(run, tmp_path, "train", tiny_folder, "--out", "r", "--recipe", "nemo")
    assert "10 epochs" in out
    assert run("train", tiny_folder, "--recipe", "prior", "--out", "r")[0] == 0
    again = ("train", tiny_folder, "--recipe", "prior", "--out", "r")
    assert "has ended" in refused_alike(run, tmp_path, *again)
    assert "as it is" in run(*again, "--resume", "--dry-run")[1]


def test_train__refuses_what_the_real_one_refuses(
    run: Run, tmp_path: Path, tiny_folder: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    for words in (
        ("nowhere", "--out", "r"),
        (tiny_folder, "--out", "r", "--recipe", "prob"),
        (tiny_folder, "--out", "r", "--set", "epoch=3"),
        (tiny_folder, "--out", "r", "--set", "device=mps"),
        (tiny_folder, "--out", "r", "--fold", "1"),
        (tiny_folder, "--out", "mine"),
        (tiny_folder, "--out", "mine", "--overwrite"),
        (tiny_folder, "--out", "r", "--recipe", "prior", "--devices", "2"),
    ):
        refused_alike(run, tmp_path, "train", *words)


def test_compare__counts_what_is_left(run: Run, tmp_path: Path, tiny_folder: Path) -> None:
    words = ("compare", tiny_folder, "--recipes", "prior,time-copy", "--folds", "2", "--out", "c")
    out = dry(run, tmp_path, *words, "--resume")
    assert "train, use and judge 4 bundles in c." in out
    assert "train prior, 2 times" in out
    assert run(*words)[0] == 0
    assert "0 bundles in c; 4 others are done" in dry(run, tmp_path, *words, "--resume")
    message = refused_alike(run, tmp_path, *words, "--seed", "3", "--resume")
    assert "seed 0 there, 3 here" in message
    assert "exclude each other" in refused_alike(run, tmp_path, *words, "--resume", "--overwrite")
    refused_alike(run, tmp_path, "compare", tiny_folder, "--recipes", "prob", "--out", "d")
    out = dry(run, tmp_path, "compare", tiny_folder, "--recipes", "prior,probe", "--out", "d",
              "--set", "epochs=0")  # fmt: skip
    assert "report that probe fails" in out


def test_tune__counts_trials_and_folds(run: Run, tmp_path: Path, tiny_folder: Path) -> None:
    pytest.importorskip("optuna")
    words = ("tune", tiny_folder, "--out", "t", "--trials", "4", "--folds", "2", "--minutes", "5")
    out = dry(run, tmp_path, *words)
    assert "try 4 sets of settings in t, each trained on 2 inner folds" in out
    assert "begin no trial after 5 minutes" in out
    refused_alike(run, tmp_path, "tune", tiny_folder, "--out", "t", "--set", "epochs=x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    refused_alike(run, tmp_path, "tune", tiny_folder, "--out", "mine")


def test_split_with_a_test_part__is_what_compare_predicts(
    run: Run, tmp_path: Path, tiny_folder: Path
) -> None:
    data = read_dataset(tiny_folder)
    write_split(split_by_dive(data, val_fraction=0.2, seed=0), tmp_path / "s.csv")
    out = dry(run, tmp_path, "train", tiny_folder, "--split", "s.csv", "--out", "r")
    n_val = sum(row.part == "val" for row in split_by_dive(data, val_fraction=0.2, seed=0).rows)
    assert f"judged on {n_val} validation images" in out
