"""The examples of every verb, as its help and docs/verbs.md show them, run on drawn frames."""

from __future__ import annotations

import csv
import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import page_follower
import page_stand_ins
from finding_nemo import make_split, read_dataset
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.chunked_run import Shard
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection
from page_commands import blocks_of, own_words
from page_follower import Person

pytestmark = pytest.mark.slow

_PAGE = Path(__file__).parents[2] / "docs/verbs.md"
_EXAMPLES: Mapping[str, tuple[str, ...]] = {
    (own_words(block.commands[0]) or [""])[0]: block.commands
    for block in blocks_of(_PAGE)
    if block.is_run
}
# Those that ask FathomNet, WoRMS or who holds the images.
_ASKING = ("fetch", "names")
# Those that need dives of many frames, and animals on many frames.
_OF_MANY = ("novelty", "adaptation-curve")
# Names that examples give to predictions of all frames.
_PREDICTIONS = ("archive", "dive", "dive-0297", "probe")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that an example names, and what is made by none of its verb."""
    folder = tmp_path_factory.mktemp("drawn")
    page_follower.begin(folder)
    shutil.rmtree(folder / "runs/probe")
    (folder / "runs/patches").rename(folder / "runs/probe")
    (folder / "FRAMES").rename(folder / "fathomnet")
    (folder / "FRAMES").symlink_to(folder / "fathomnet")
    (folder / "ARCHIVE").rename(folder / "archive")
    shutil.rmtree(folder / "frames")
    shutil.copytree(folder / "fathomnet/images/train", folder / "frames")
    shutil.copy(next((folder / "frames").iterdir()), folder / "frame.png")
    shutil.copy(folder / "fathomnet/object_detection/train.json", folder / "annotations.json")
    _write_predictions(folder)
    _write_tables(folder)
    return folder


def _write_predictions(folder: Path) -> None:
    dataset = read_dataset(folder / "fathomnet")
    bundle = load_bundle(folder / "runs/nemo/bundle")
    frames = ImageSelection((str(folder / "fathomnet"),))
    first = folder / f"{_PREDICTIONS[0]}.parquet"
    predict_to_file(bundle, frames, first, with_embedding=True)
    for name in _PREDICTIONS[1:]:
        shutil.copy(first, folder / f"{name}.parquet")
    split = make_split(dataset, by="dive", val_fraction=0.3)
    write_split(split, folder / "split.csv")
    for number in (1, 2):
        archive = ImageSelection((str(folder / "archive"),))
        part = folder / f"part-{number}.parquet"
        predict_to_file(bundle, archive, part, shard=Shard(number, 2))


def _write_tables(folder: Path) -> None:
    """Write reviews of every frame, and a submission with what it is scored against."""
    dives = {record.image_id: record.dive for record in read_dataset(folder / "fathomnet").records}
    with (folder / "fathomnet/multilabel_classification/train.csv").open() as stream:
        truth = [(row["id"], row["categories"]) for row in csv.DictReader(stream)]
    for name, column, values in (
        ("reviews", "dive", dives),
        ("submission", "osd", dict.fromkeys(dives, "0.5")),
        ("solution", "osd", dict.fromkeys(dives, "0")),
    ):
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(["id", "categories", column])
            table.writerows((*row, values[row[0]]) for row in truth)


@pytest.fixture(scope="module")
def elsewhere(drawn: Path) -> Iterator[Mapping[str, str]]:
    """Machines of others, and the variables that lead to them; adds a competition to `drawn`."""
    with page_stand_ins.web(drawn, {}) as (_, variables):
        yield {**variables, "XDG_CACHE_HOME": str(drawn / "cache")}


@pytest.fixture
def workspace(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy in which the examples of one verb are run, one after the other."""
    folder = tmp_path / "work"
    shutil.copytree(drawn, folder, copy_function=os.link)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("verb", _EXAMPLES)
def test_examples__do_what_they_show(
    verb: str,
    request: pytest.FixtureRequest,
    start_server: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = request.getfixturevalue("elsewhere") if verb in _ASKING else {}
    folder = request.getfixturevalue("workspace")
    if verb == "fetch":
        _give_competition(folder)
    if verb in _OF_MANY:
        _give_large_dives(folder / "fathomnet")
    if verb == "adaptation-curve":
        _predict_halves(folder)
    person = Person(folder, start_server, monkeypatch)
    person.know(others)
    for command in _EXAMPLES[verb]:
        _put_away(command, folder)
        person.carry_out(command)


def _give_competition(folder: Path) -> None:
    """Put annotations whose images a server of the test has in place of the drawn frames."""
    shutil.rmtree(folder / "fathomnet")
    shutil.copy(folder / "category_key.csv", folder / "competition")
    shutil.copytree(folder / "competition", folder / "fathomnet")
    shutil.copytree(folder / "competition/object_detection", folder / "object_detection")
    shutil.copy(folder / "object_detection/train.json", folder / "train.json")
    dataset = read_dataset(folder / "competition")
    (folder / "split.csv").unlink()
    write_split(make_split(dataset, by="dive", val_fraction=0.3), folder / "split.csv")


def _give_large_dives(competition: Path) -> None:
    """Show every frame twice, on six dives of 20 frames, with two animals a dive in turn."""
    path = competition / "object_detection/train.json"
    coco = json.loads(path.read_text())
    images, boxes, rows = [], [], []
    for number in range(120):
        of = coco["images"][number % len(coco["images"])]
        name, dive = f"{number:04d}.jpg", number // 20
        os.link(competition / "images/train" / of["file_name"], competition / "images/train" / name)
        address = f"https://drawn.example/framegrabs/Ventana/images/{dive:04d}/{name}"
        images.append({**of, "id": number, "file_name": name, "coco_url": address})
        animal = 1 + (dive + number % 2) % 6
        box = {"id": number, "image_id": number, "category_id": animal, "bbox": [9, 9, 40, 40]}
        boxes.append(box)
        rows.append([name.removesuffix(".jpg"), f"[{animal}]"])
    path.unlink()  # the same file as in other folders
    path.write_text(json.dumps({**coco, "images": images, "annotations": boxes}))
    table = competition / "multilabel_classification/train.csv"
    table.unlink()
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "categories"], *rows])


def _predict_halves(folder: Path) -> None:
    """Predict the first three of the large dives, and the others."""
    bundle = load_bundle(folder / "runs/nemo/bundle")
    for name, numbers in (("a", range(60)), ("b", range(60, 120))):
        frames = (str(folder / f"fathomnet/images/train/{number:04d}.jpg") for number in numbers)
        out = folder / f"{name}.parquet"
        predict_to_file(bundle, ImageSelection(tuple(frames)), out, with_embedding=True)


def _put_away(command: str, folder: Path) -> None:
    """Remove what a command would be refused to write over, as what it makes is of another verb."""
    if "names update" in command:
        (folder / "runs/nemo/bundle.names.csv").unlink(missing_ok=True)
    named = re.search(r"--out (\S+)", command)
    if named is None or "--resume" in command:
        return
    for name in glob.glob(named[1].replace("-1.", "-*.")):
        made = folder / name
        if made.is_dir():
            shutil.rmtree(made)
        else:
            made.unlink()
