"""The program as a person uses it: exit codes, one clear message, nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import finding_nemo
from finding_nemo.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program in this process; return exit code, stdout and stderr."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["finding-nemo", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main.run()
        said = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    return call


@pytest.fixture(scope="module")
def bundle(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny trained network."""
    from finding_nemo import read_dataset
    from finding_nemo.training.train_recipe import train

    settings = {"epochs": 1, "width_px": 16, "height_px": 16, "batch_size": 8}
    out = tmp_path_factory.mktemp("runs") / "tiny"
    return train(
        read_dataset(tiny_folder), out=out, recipe="logistic-regression", settings=settings
    ).folder


def failed(answer: tuple[int, str, str]) -> str:
    """Check that a run failed with one clear message, and return it."""
    code, _, err = answer
    assert code == 1, err
    assert "Traceback" not in err
    message = err[err.index("finding-nemo: ") :].strip()
    assert message
    return message


def test_help__is_fast_and_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; sys.argv=['finding-nemo','--help']\n"
        "import finding_nemo\n"
        "from finding_nemo.cli.main import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        "print(sorted({'torch','numpy','timm','onnxruntime'} & set(sys.modules)))"
    )
    started = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
    for verb in ("demo", "inspect", "split", "train", "predict", "evaluate", "score", "compare"):
        assert verb in found.stdout
    # The promise is half a second; ten leave room for a busy machine.
    assert time.perf_counter() - started < 10


def test_import__loads_no_torch() -> None:
    code = "import sys, finding_nemo; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_public_names__all_exist_and_are_listed() -> None:
    no_functions = {"errors", "STUDY_RECIPES"}
    assert set(finding_nemo.__all__) == set(finding_nemo._HOMES) | {"errors"}
    for name in finding_nemo.__all__:
        assert callable(getattr(finding_nemo, name)) or name in no_functions
    assert dir(finding_nemo) == sorted(finding_nemo.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        finding_nemo.nothing  # noqa: B018


def test_version__is_the_packages(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("finding-nemo 0.")


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("split", "x", "--by", "mood", "--out", "s.csv"),
        ("predict", "b", "x", "--out", "p", "--precision", "1.5"),
        ("split", "x", "--categories", "1", "--out", "s.csv"),
        ("train", "x"),
        ("predict", "b", "x", "--out", "p", "--format", "xlsx"),
        ("predict", "b", "x", "--out", "p", "--part", "test"),
        ("evaluate", "p", "d", "--part", "test"),
    ],
)
def test_wrong_usage__is_code_two(run: Run, words: tuple[str, ...]) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert "Traceback" not in err


def test_options_of_a_spreadsheet__are_refused_for_other_formats(run: Run, tmp_path: Path) -> None:
    for words in (("predict", "b", "x"), ("merge", "s1")):
        for option in (("--guesses", "9"), ("--ids",)):
            code, _, err = run(*words, "--out", tmp_path / "p.parquet", *option)
            assert code == 2
            assert "are of a CSV file" in " ".join(err.replace("│", " ").split())


def test_the_whole_way__on_a_tiny_data_set(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    split, out = tmp_path / "split.csv", tmp_path / "run"
    code, said, _ = run("inspect", tiny_folder, "--out", tmp_path / "inspect.html")
    assert code == 0
    assert "30 files: 0 missing" in said
    code, said, _ = run("split", tiny_folder, "--out", split, "--val-fraction", "0.2")
    assert code == 0
    assert "0.0 %" in said
    code, said, _ = run(
        "train",
        tiny_folder,
        "--recipe",
        "logistic-regression",
        "--split",
        split,
        "--out",
        out,
        "--set",
        "epochs=2",
        "--set",
        "width_px=16",
        "--set",
        "height_px=16",
    )
    assert code == 0
    assert "class frequency alone" in said
    predictions = tmp_path / "p.parquet"
    code, said, _ = run(
        "predict", out, tiny_folder, "--split", split, "--part", "test", "--out", predictions
    )
    assert code == 0
    code, said, _ = run(
        "evaluate",
        predictions,
        tiny_folder,
        "--split",
        split,
        "--part",
        "test",
        "--json",
        tmp_path / "e.json",
        "--out",
        tmp_path / "e.html",
    )
    assert code == 0
    assert "prior (class frequency)" in said
    figures = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    contract = {"map_at_20", "map_at_20_ci", "map_at_20_by_dive", "macro_ap", "n_images",
                "n_dives", "baseline_prior_map_at_20", "categories"}  # fmt: skip
    assert contract <= set(figures)
    assert {"ap", "n_images", "n_dives"} <= set(figures["categories"][0])


@pytest.mark.slow
def test_compare__baselines_and_a_failing_recipe_in_one_table(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    code, said, err = run(
        "compare",
        tiny_folder,
        "--recipes",
        "prior,time-copy,basic-nn,logistic-regression",
        "--by",
        "dive,random",
        "--out",
        tmp_path / "b",
        "--set",
        "learning_rate=1e30",
        "--set",
        "epochs=4",
        "--set",
        "width_px=16",
        "--set",
        "height_px=16",
    )
    assert code == 0, err
    assert "prior" in said
    assert "gives NaN or infinity" in (tmp_path / "b/table.md").read_text(encoding="utf-8")
    assert (tmp_path / "b/report.html").is_file()
    assert "None of prior has the setting epochs" in failed(
        run(
            "compare",
            tiny_folder,
            "--recipes",
            "prior",
            "--set",
            "epochs=1",
            "--out",
            tmp_path / "c",
        )
    )
    assert "Did you mean probe?" in failed(
        run("compare", tiny_folder, "--recipes", "prob", "--out", tmp_path / "c")
    )


def test_missing__folders_files_bundles(
    run: Run, tiny_folder: Path, tmp_path: Path, bundle: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    for words in (
        ("inspect", nowhere),
        ("split", nowhere, "--out", tmp_path / "s.csv"),
        ("train", nowhere, "--out", tmp_path / "r"),
        ("predict", nowhere, tiny_folder, "--out", tmp_path / "p"),
        ("predict", bundle, nowhere, "--out", tmp_path / "p"),
        ("evaluate", nowhere, tiny_folder),
        ("score", nowhere, nowhere),
        ("train", tiny_folder, "--split", nowhere, "--out", tmp_path / "r"),
        ("train", tiny_folder, "--config", nowhere, "--out", tmp_path / "r"),
    ):
        assert "nowhere" in failed(run(*words))
    assert not (tmp_path / "r").exists()
    assert not (tmp_path / "p").exists()


def test_existing_output__is_refused_and_kept(
    run: Run, tiny_folder: Path, tmp_path: Path, bundle: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("precious")
    for words in (
        ("inspect", tiny_folder, "--out", kept),
        ("split", tiny_folder, "--out", kept),
        ("train", tiny_folder, "--recipe", "prior", "--out", kept),
        ("predict", bundle, tiny_folder, "--out", kept),
        ("demo", "--out", kept),
    ):
        assert "--overwrite" in failed(run(*words))
    assert kept.read_text() == "precious"


def test_overwrite__never_empties_a_folder_of_somebody_elses(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    message = failed(
        run("train", tiny_folder, "--recipe", "prior", "--out", tmp_path, "--overwrite")
    )
    assert "did not make" in message
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_predict__every_kind_of_bad_file_is_a_row_in_its_place(
    run: Run, bundle: Path, tmp_path: Path
) -> None:
    from finding_nemo import read_predictions

    frames = tmp_path / "frames"
    frames.mkdir()
    good = Image.new("RGB", (40, 30), (10, 90, 120))
    good.save(frames / "a-good.png")
    (frames / "b-truncated.png").write_bytes((frames / "a-good.png").read_bytes()[:60])
    (frames / "c-empty.png").touch()
    (frames / "d-text.png").write_text("not an image")
    Image.new("L", (20000, 20000)).save(frames / "e-bomb.png")
    Image.new("I;16", (9, 9), 30000).save(frames / "f-sixteen.png")
    Image.new("CMYK", (9, 9)).save(frames / "g-cmyk.jpg")
    Image.new("P", (1, 1)).save(frames / "h-one-pixel.png")
    code, out, err = run(
        "predict", bundle, frames, frames / "z-absent.png", "--out", tmp_path / "p.parquet"
    )
    assert code == 0
    assert "9 images, 5 of them failed" in out
    assert "b-truncated.png" in err
    table = read_predictions(tmp_path / "p.parquet")
    assert [Path(path).name[0] for path in table.paths] == list("abcdefghz")
    failures = dict(zip("abcdefghz", table.failures, strict=True))
    assert [name for name, reason in failures.items() if reason is None] == list("afgh")
    assert "truncated" in str(failures["b"])
    assert "empty" in str(failures["c"])
    assert "not an image" in str(failures["d"])
    assert "megapixels" in str(failures["e"])
    assert "not found" in str(failures["z"])


def test_predict__nothing_usable_is_code_one(run: Run, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    code, _, err = run("predict", bundle, tmp_path / "a.png", "--out", tmp_path / "p.parquet")
    assert code == 1
    assert "No image could be used." in err


def test_bundle__of_another_schema_version_is_refused(
    run: Run, bundle: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(bundle, tmp_path / "old")
    manifest = tmp_path / "old/bundle/bundle.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, "schema_version": 99}), encoding="utf-8")
    message = failed(run("predict", tmp_path / "old", tiny_folder, "--out", tmp_path / "p"))
    assert "99" in message


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("multilabel_classification/train.csv", "id,labels\n1,2\n", "column categories"),
        ("multilabel_classification/train.csv", 'id,categories\nf0,"[777]"\n', "line 2"),
        ("multilabel_classification/train.csv", 'id,categories\nf0,"[2]"\nf0,"[2]"\n', "line 3"),
        ("object_detection/train.json", '{"images": [\n{]}', "line 2"),
        ("category_key.csv", "id,name\n", "column supercat"),
    ],
)
def test_broken_annotations__name_the_place(
    run: Run, tiny_folder: Path, tmp_path: Path, name: str, damage: str, words: str
) -> None:
    shutil.copytree(tiny_folder, tmp_path / "broken")
    (tmp_path / "broken" / name).write_text(damage)
    message = failed(run("inspect", tmp_path / "broken"))
    assert words in message
    assert Path(name).name in message


def test_settings__all_faults_in_one_message(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    message = failed(
        run(
            "train",
            tiny_folder,
            "--out",
            tmp_path / "r",
            "--set",
            "epochs=0",
            "--set",
            "droput=0.5",
            "--set",
            "learning_rate=fast",
        )
    )
    for word in ("epochs", "droput", "dropout", "learning_rate"):
        assert word in message


def test_split__one_dive_only(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    table = tmp_path / "frames.csv"
    table.write_text("path,categories,dive\na.png,crab,d1\na.png,fish,d1\n")
    table.write_text("id,path,categories,dive\n1,a.png,crab,d1\n2,a.png,fish,d1\n")
    message = failed(run("split", table, "--out", tmp_path / "s.csv"))
    assert "1 dive(s) cannot fill 3 parts" in message
    assert "--by random" in message


@pytest.mark.parametrize(
    ("submission", "words"),
    [
        ("id,categories,osd\na,1 2,0.1\n", "missing"),
        ("id,categories,osd\na,1,0.1\nb,1,0.1\nc,1,0.1\n", "c"),
        ("id,categories,osd\na,1,0.1\na,1,0.1\n", "1 ids are repeated"),
        ("id,osd\na,0.1\n", "categories"),
    ],
)
def test_score__wrong_missing_or_repeated_ids(
    run: Run, tmp_path: Path, submission: str, words: str
) -> None:
    (tmp_path / "truth.csv").write_text("id,categories,osd\na,1,0\nb,2,1\n")
    (tmp_path / "sub.csv").write_text(submission)
    assert words in failed(run("score", tmp_path / "sub.csv", tmp_path / "truth.csv"))


def test_score__a_perfect_submission(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,categories,osd\na,1,0\nb,2 3,1\n")
    (tmp_path / "sub.csv").write_text("id,categories,osd\nb,3 2 1,0.9\na,1 2 3,0.1\n")
    code, out, _ = run("score", tmp_path / "sub.csv", tmp_path / "truth.csv")
    assert code == 0
    assert "MAP@20       1.000000" in out
    assert "final score  1.000000" in out


def test_ctrl_c__is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, tiny_folder: Path, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("finding_nemo.data.dataset.read_dataset", interrupted)
    code, _, err = run("split", tiny_folder, "--out", tmp_path / "s.csv")
    # What shells expect of an interrupted program.
    assert code == 130
    assert "Traceback" not in err


def test_training_without_the_extra_says_what_to_install(tiny_folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; from finding_nemo.cli.main import run; run()"
    )
    words = ["train", str(tiny_folder), "--out", str(tmp_path / "run")]
    answer = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    message = failed((answer.returncode, answer.stdout, answer.stderr))
    assert "torch is not installed" in message
    # Where from depends on how it was installed; see tests/unit/core/test_extras.py.
    assert "pip install" in message
    assert "[train]'" in message
