"""What is stopped goes on, or says how; what never began keeps nobody from its output."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.cli import main
from finding_nemo.core.errors import OutputExistsError, StoppedError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.category_holdouts import choose_holdouts
from finding_nemo.synthetic.write_dataset import draw_dataset
from finding_nemo.workflows import compare_recipes as comparison
from finding_nemo.workflows import novelty_benchmark as novelty_bed
from finding_nemo.workflows import run_demo as demo
from finding_nemo.workflows.compare_recipes import compare_recipes

_RECIPES = ("prior", "time-copy")


def stopping_at(micro_batch: int, real: Callable[..., Any], error: type[BaseException]) -> Any:
    """Return `real`, interrupted when it is called for the `micro_batch`th time."""
    calls = 0

    def call(*words: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == micro_batch:
            raise error
        return real(*words, **options)

    return call


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedError])
@pytest.mark.parametrize("place", ["run_training", "predict_test_part", "write_comparison"])
def test_comparison__ends_at_ctrl_c_and_goes_on(
    dataset: Dataset,
    split: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    place: str,
) -> None:
    def compare(out: Path) -> tuple[Any, ...]:
        return compare_recipes(
            dataset, out=out, recipes=_RECIPES, splits={"dive": split}, reporter=Reporter()
        ).rows

    whole = compare(tmp_path / "whole")
    out = tmp_path / "cut"
    real = getattr(comparison, place)
    monkeypatch.setattr(comparison, place, stopping_at(2, real, error))
    with pytest.raises(StoppedError, match="the same command goes on") as caught:
        compare(out)
    assert str(out) in str(caught.value)
    trained: list[str] = []
    monkeypatch.setattr(comparison, place, real)
    training = getattr(comparison, "run_training")  # noqa: B009 - as that module sees it

    def noted(*words: Any, **options: Any) -> Any:
        trained.append(options["recipe"])
        return training(*words, **options)

    monkeypatch.setattr(comparison, "run_training", noted)
    rows = compare(out)
    # What had ended is not trained again.
    assert trained == ([] if place == "write_comparison" else ["time-copy"])
    assert [row.map_at_20 for row in rows] == [row.map_at_20 for row in whole]
    assert [row.failure for row in rows] == [None, None]
    with pytest.raises(OutputExistsError, match="holds another comparison"):
        compare_recipes(
            dataset, out=out, recipes=("prior",), splits={"dive": split}, reporter=Reporter()
        )


def test_demo__says_how_to_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "draw_dataset", stopping_at(1, draw_dataset, KeyboardInterrupt))
    with pytest.raises(StoppedError, match="with --overwrite begins anew"):
        demo.run_demo(tmp_path / "d", images=200, seed=0, overwrite=False, reporter=Reporter())


def test_novelty__says_what_is_done(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        novelty_bed, "_held_out", stopping_at(1, novelty_bed._held_out, StoppedError)
    )
    chosen = choose_holdouts(dataset, least_images=1, most_share=1.0)[:1]
    with pytest.raises(StoppedError, match="0 of 1 hold-outs done"):
        novelty_bed.run_novelty_benchmark(
            dataset,
            out=tmp_path / "n",
            holdouts=chosen,
            recipe="prior",
            reporter=Reporter(),
        )


def ended(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    """Run the program in this process; return its exit code and what it said on stderr."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["finding-nemo", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main.run()
    code = stopped.value.code
    return (code if isinstance(code, int) else 0), capsys.readouterr().err


def test_verbs__check_outputs_before_they_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data and bundles that are not there are not even looked for."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    nowhere, bad = str(tmp_path / "nowhere"), str(tmp_path / "file/x")
    folder = str(tmp_path / "folder")
    for words in (
        ("inspect", nowhere, "--out", bad),
        ("inspect", nowhere, "--out", folder),
        ("split", nowhere, "--out", bad),
        ("split", nowhere, "--out", folder),
        ("split", nowhere, "--by", "novel", "--out", bad),
        ("evaluate", nowhere, nowhere, "--out", bad),
        ("evaluate", nowhere, nowhere, "--json", folder),
        ("evaluate", nowhere, nowhere, "--json", f"{bad}.json", "--out", f"{tmp_path}/e.html"),
        ("report", nowhere, "--out", bad),
        ("report", nowhere, "--out", folder),
        ("predict", nowhere, nowhere, "--out", folder),
        ("predict", nowhere, nowhere, "--out", bad),
        ("predict", nowhere, nowhere, "--out", "s3://bucket/p.csv"),
        ("merge", nowhere, "--out", folder),
        ("merge", nowhere, "--out", bad),
        ("train", nowhere, "--out", bad),
        ("tune", nowhere, "--out", bad),
        ("novelty", nowhere, "--out", bad),
        ("compare", nowhere, "--out", bad),
        ("demo", "--out", bad),
        ("ensemble", nowhere, nowhere, "--out", bad),
        ("train", nowhere, "--out", "s3://bucket/run"),
    ):
        code, said = ended(capsys, *words)
        assert code == 1, (words, said)
        assert "nowhere" not in said, words
        assert said.startswith("finding-nemo: "), words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "p", "d", "--out", "r.pdf"),
        ("evaluate", "p", "d", "--json", "r.html"),
        ("report", "p", "--out", "r.pdf"),
        ("inspect", "d", "--out", "r.json"),
        ("split", "d", "--out", "s.parquet"),
        ("predict", "b", "d", "--out", "p.xlsx"),
        ("predict", "b", "d", "--out", "p.csv", "--format", "parquet"),
        ("predict", "b", "d", "--out", "p.parquet", "--format", "submission"),
        ("merge", "s", "--out", "p.xlsx"),
    ],
)
def test_names__that_promise_another_format_are_wrong_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = ended(capsys, *words)
    assert code == 2
    assert "Traceback" not in said


def test_overwrite__never_replaces_what_is_read(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "run/frames"
    shutil.copytree(tiny_folder, data)
    (tmp_path / "run/.finding-nemo-output").touch()
    image = sorted((data / "images/train").iterdir())[0]
    (tmp_path / "i.html").symlink_to(image)
    (tmp_path / "s.csv").symlink_to(data / "category_key.csv")
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    for words in (
        ("inspect", data, "--no-open-images", "--out", tmp_path / "i.html"),
        ("split", data, "--out", data / "multilabel_classification/train.csv"),
        ("split", data, "--out", tmp_path / "s.csv"),
        ("split", data, "--by", "novel", "--out", tmp_path / "run"),
        ("train", data, "--recipe", "prior", "--out", tmp_path / "run"),
        ("train", data, "--recipe", "prior", "--out", data),
        ("compare", data, "--recipes", "prior", "--out", tmp_path / "run"),
        ("novelty", data, "--out", tmp_path / "run"),
        ("tune", data, "--out", tmp_path / "run"),
    ):
        code, said = ended(capsys, *words, "--overwrite")
        assert code == 1, words
        assert "what the command reads" in said, (words, said)
    assert before == {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
