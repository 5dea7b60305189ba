"""The data set of a bundle, found again wherever run and data set have gone together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from finding_nemo import (
    Predictor,
    evaluate,
    load_bundle,
    read_dataset,
    read_predictions,
    split_by_dive,
    write_split,
)
from finding_nemo.cli.main import app
from finding_nemo.cli.options.bundle_dataset import read_dataset_of
from finding_nemo.core.provenance import dataset_provenance, find_recorded
from finding_nemo.core.records import Dataset, Split, SplitRow
from finding_nemo.evaluation.dataset.trained_frames import trained_frames_warning
from finding_nemo.prediction.run.chunked_run import Shard
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.results.merge_shards import merge_shards
from finding_nemo.training.train_recipe import train

PATTERN = r"images/(?P<dive>\d+)/"


def coco(folder: Path) -> Dataset:
    path = folder / "object_detection/train.json"
    return read_dataset(path, images=folder / "images/train", dive_pattern=PATTERN)


def csv(folder: Path) -> Dataset:
    rows = ["path,categories,dive"]
    rows += [f"{folder.name}/images/train/f{n}.png,crab;fish{n % 3},d{n // 5}" for n in range(30)]
    path = folder.parent / "labels.csv"  # not beside category_key.csv, which has other names
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return read_dataset(path)


@pytest.fixture
def place(tiny_folder: Path, tmp_path: Path) -> Path:
    """A folder with a data set in it, and room for runs."""
    shutil.copytree(tiny_folder, tmp_path / "place/frames")
    return tmp_path / "place"


def provenance(run: Path) -> dict[str, str]:
    content = json.loads((run / "bundle/bundle.json").read_text(encoding="utf-8"))
    found: dict[str, str] = content["provenance"]
    return found


@pytest.mark.parametrize("read", [read_dataset, coco, csv])
def test_data_set__is_found_again_as_it_was_read(
    read: Callable[[Path], Dataset], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read(place / "frames")
    train(data, out=place / "runs/one", recipe="prior")
    assert not provenance(place / "runs/one")["dataset"].startswith("/")
    assert read_dataset_of(load_bundle(place / "runs/one")) == data
    moved = tmp_path / "elsewhere/deeper"
    moved.parent.mkdir()
    place.rename(moved)
    monkeypatch.chdir(tmp_path)
    found = read_dataset_of(load_bundle(moved / "runs/one"))
    assert [record.image_id for record in found.records] == [r.image_id for r in data.records]
    assert [record.dive for record in found.records] == [r.dive for r in data.records]
    assert all(record.path.is_file() for record in found.records)


def test_story__is_the_path_from_the_run_with_all_that_was_asked_for(place: Path) -> None:
    metadata = dataset_provenance(coco(place / "frames"), place / "runs/one")
    assert metadata == {
        "dataset": "../../frames/object_detection/train.json",
        "images": "../../frames/images/train",
        "dive_pattern": PATTERN,
    }
    assert dataset_provenance(read_dataset(place / "frames"), place / "frames/run") == {
        "dataset": ".."
    }


def test_story__is_the_whole_path_where_nothing_is_common(place: Path) -> None:
    metadata = dataset_provenance(read_dataset(place / "frames"), Path("/dev/run"))
    assert metadata == {"dataset": (place / "frames").as_posix()}


def test_runs_behind_a_link__find_what_was_beside_them(place: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (place / "runs").symlink_to(tmp_path / "disk")
    data = read_dataset(place / "frames")
    train(data, out=place / "runs/one", recipe="prior")
    assert read_dataset_of(load_bundle(place / "runs/one")) == data
    assert read_dataset_of(load_bundle(tmp_path / "disk/one")) == data


def test_a_path_of_an_earlier_version__is_from_where_the_program_is_called(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    assert find_recorded("frames", place / "runs/one") == Path("frames")
    assert find_recorded("gone", place / "runs/one") is None
    assert find_recorded(str(place / "frames"), Path("/nowhere")) == place / "frames"


def test_a_data_set_that_is_gone__says_which_and_what_to_give(place: Path) -> None:
    train(coco(place / "frames"), out=place / "runs/one", recipe="prior")
    (place / "frames").rename(place / "other")
    with pytest.raises(typer.BadParameter, match=r"\.\./\.\./frames/object_detection/train\.json"):
        read_dataset_of(load_bundle(place / "runs/one"))
    (place / "frames/object_detection").mkdir(parents=True)
    file = "object_detection/train.json"
    shutil.copyfile(place / "other" / file, place / "frames" / file)
    with pytest.raises(typer.BadParameter, match=r"image folder .* give --images"):
        read_dataset_of(load_bundle(place / "runs/one"))
    found = read_dataset_of(load_bundle(place / "runs/one"), images=place / "other/images/train")
    assert all(record.path.is_file() for record in found.records)
    # What is named takes the place of all that was recorded but the dives' pattern.
    named = read_dataset_of(load_bundle(place / "runs/one"), dataset=place / "other" / file)
    assert {record.dive for record in named.records} == {record.dive for record in found.records}


def test_a_folder_of_an_earlier_version__that_does_not_say_which_file(place: Path) -> None:
    train(csv(place / "frames"), out=place / "runs/one", recipe="prior")
    path = place / "runs/one/bundle/bundle.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["provenance"]["dataset"] = str(place / "frames/images")
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(typer.BadParameter, match="not in which file: give --dataset"):
        read_dataset_of(load_bundle(place / "runs/one"))


def evaluated(place: Path, *words: str) -> str:
    frames = [str(place / "runs.parquet"), str(place / "frames")]
    said = CliRunner().invoke(app, ["evaluate", *frames, *words], terminal_width=200)
    assert said.exit_code == 0, said.output
    return said.output


def test_judged_frames_that_were_trained_on__are_warned_of(place: Path, tmp_path: Path) -> None:
    data = read_dataset(place / "frames")
    split = split_by_dive(data, seed=0)
    train(data, out=place / "runs/one", recipe="prior", split=split)
    words = ["predict", str(place / "runs/one"), str(place / "frames")]
    made = CliRunner().invoke(app, [*words, "--out", str(place / "runs.parquet")])
    assert made.exit_code == 0, made.output
    write_split(split, place / "own.csv")
    own = evaluated(place, "--split", str(place / "own.csv"), "--part", "test")
    assert "WARNING" not in own
    moved = tmp_path / "elsewhere"
    place.rename(moved)
    chosen = [row for row in split.rows if row.part == "test"][:1]
    chosen += [row for row in split.rows if row.part == "train"][:2]
    other = Split(tuple(replace(row, part="test") for row in chosen))
    write_split(other, moved / "other.csv")
    page, figures = moved / "page.html", moved / "figures.json"
    written = ["--out", str(page), "--json", str(figures)]
    said = evaluated(moved, "--split", str(moved / "other.csv"), "--part", "test", *written)
    warning = "WARNING: The bundle was trained on 2 of the 3 judged frames: a score on frames that"
    assert warning in " ".join(said.split())
    assert said.count("was trained on 2 of") == 1
    assert warning in page.read_text(encoding="utf-8")
    assert json.loads(figures.read_text(encoding="utf-8"))["notices"][0].startswith(warning)
    # Another training in its place is not what made the predictions.
    write_split(other, moved / "runs/one/split.csv", overwrite=True)
    assert "WARNING" not in evaluated(moved)
    (moved / "runs").rename(moved / "gone")
    assert "WARNING" not in evaluated(moved)


def test_from_python__streams_and_files_are_warned_of(place: Path) -> None:
    data = read_dataset(place / "frames")
    run = train(data, out=place / "runs/one", recipe="prior", split=split_by_dive(data, seed=0))
    warning = "WARNING: The bundle was trained on"
    assert evaluate(Predictor(run.bundle).predict(data), data).notices[0].startswith(warning)
    Predictor(run.bundle).predict(data).to_parquet(place / "all.parquet")
    assert evaluate(place / "all.parquet", data).notices[0].startswith(warning)
    # A list says of no bundle; a table does not say where it lies.
    bare = evaluate(list(Predictor(run.bundle).predict(data)), data)
    assert not any(notice.startswith(warning) for notice in bare.notices)


def test_frames_of_one_name__are_trained_on_where_no_dive_says_otherwise(place: Path) -> None:
    data = read_dataset(place / "frames")
    rows = [SplitRow(record.image_id, record.dive or "", "train") for record in data.records]
    found = evaluate(train_prior(data, place), data)
    n = found.n_images
    assert f"on all of the {n} judged frames" in trained_frames_warning(found, Split(tuple(rows)))
    unknown = tuple(replace(row, dive="") for row in rows)
    assert f"on all of the {n} judged frames" in trained_frames_warning(found, Split(unknown))
    elsewhere = tuple(replace(row, dive="another") for row in rows)
    assert trained_frames_warning(found, Split(elsewhere)) == ""


def train_prior(data: Dataset, place: Path) -> Path:
    """Return predictions of all frames by class frequency."""
    run = train(data, out=place / "runs/one", recipe="prior")
    out = place / "predictions.parquet"
    predict_to_file(run.bundle, collect_images([str(place / "frames")]), out)
    return out


def test_merged_shards__know_the_split_from_where_they_are_put(place: Path) -> None:
    run = train(read_dataset(place / "frames"), out=place / "runs/one", recipe="prior")
    images = collect_images([str(place / "frames")])
    predict_to_file(run.bundle, images, place / "shard.parquet", shard=Shard(1, 1))
    (place / "put/here").mkdir(parents=True)
    merge_shards([place / "shard.parquet"], place / "put/here/all.parquet")
    recorded = [
        read_predictions(path).metadata["training_split"]["path"]
        for path in (place / "shard.parquet", place / "put/here/all.parquet")
    ]
    assert recorded == ["runs/one/split.csv", "../../runs/one/split.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("read", [coco, csv])
def test_export_and_ensemble__need_no_data_set_to_be_named(
    read: Callable[[Path], Dataset], place: Path
) -> None:
    small = {"width_px": 32, "height_px": 32, "epochs": 1, "batch_size": 8}
    data = read(place / "frames")
    split = split_by_dive(data, seed=0)
    for seed in (0, 1):
        train(
            data,
            out=place / f"runs/{seed}",
            recipe="basic-nn",
            split=split,
            seed=seed,
            settings={**small, "loss": "mean-bce"},
        )
    runs = [str(place / "runs/0"), str(place / "runs/1")]
    said = CliRunner().invoke(app, ["export", runs[0], "--to", "onnx", "--int8"])
    assert said.exit_code in (0, 1), said.output  # one epoch may lose more in int8 than is allowed
    assert "float32 on onnxruntime: MAP@20" in said.output
    both = CliRunner().invoke(app, ["ensemble", *runs, "--out", str(place / "runs/both")])
    assert both.exit_code == 0, both.output
    assert load_bundle(place / "runs/both").manifest.activation == "sigmoid"
    assert provenance(place / "runs/both")["dataset"].startswith("../../")
