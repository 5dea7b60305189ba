"""An evaluation small enough to be worked by hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Dataset, ImageRecord, Prediction, Split, SplitRow
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.names_file import write_names
from finding_nemo.marine.taxon import Taxon
from finding_nemo.reporting.figures.frames_picture import draw_frames
from finding_nemo.reporting.html.evaluation_page import in_words, write_evaluation_page
from finding_nemo.reporting.terminal.evaluation_text import print_evaluation
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import PredictionTable
from finding_nemo.results.writers import write_predictions

TABLE = CategoryTable(
    (Category(1, "crab", "Crustacea"), Category(2, "eel", "Fish"), Category(3, "ray", "Fish"))
)
# id, dive, what is in it
FRAMES = [
    ("t1", "a", (1,)),
    ("t2", "a", (1, 2)),
    ("v1", "b", (1,)),
    ("v2", "b", (2,)),
    ("v3", "c", (3,)),
    ("v4", "c", ()),
]
SCORES = {"v1": (0.9, 0.2, 0.1), "v2": (0.6, 0.3, 0.1), "v3": (0.3, 0.2, 0.1), "v4": (0, 0, 0)}
SPLIT = Split(
    tuple(SplitRow(name, dive, "train" if name[0] == "t" else "test") for name, dive, _ in FRAMES),
    kind="dive",
)


@pytest.fixture
def dataset() -> Dataset:
    records = [ImageRecord(n, Path(f"{n}.png"), held, dive=dive) for n, dive, held in FRAMES]
    return Dataset(Path("frames"), TABLE, tuple(records))


def predictions(
    folder: Path, scores: dict[str, Sequence[float]] | None = None, *, failed: str = ""
) -> PredictionTable:
    rows = []
    for name, values in (scores or SCORES).items():
        row = None if name == failed else np.array(values, dtype=np.float32)
        rows.append(
            Prediction(
                image_id=name,
                path=f"{name}.png",
                width=None if name == failed else 64,
                height=None if name == failed else 48,
                failure="is truncated" if name == failed else None,
                probabilities=row,
                novelty=None if row is None else float(1 - row.max()),
            )
        )
    path = folder / "p.parquet"
    write_predictions(
        iter(rows),
        path,
        category_ids=TABLE.ids,
        metadata=lambda: {"schema_version": 1},
        fallback_ids=list(TABLE.ids),
        overwrite=True,
    )
    return read_predictions(path)


def test_scores__are_as_worked_by_hand(dataset: Dataset, tmp_path: Path) -> None:
    found = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test")
    # crab first: 1; eel second: 1/2; ray third: 1/3; v4 holds nothing and is left out.
    assert found.model.map_at_20.value == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    # dive b: 3/4, dive c: 1/3
    assert found.model.map_at_20_by_dive.value == pytest.approx((3 / 4 + 1 / 3) / 2)
    # The order of crab, eel, ray by frequency in t1, t2 ranks the same way.
    assert found.prior.map_at_20.value == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert found.gain.value == 0
    assert (found.n_images, found.n_dives, found.n_empty, found.n_failed) == (3, 2, 1, 0)


def test_categories__carry_score_and_evidence(dataset: Dataset, tmp_path: Path) -> None:
    found = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test")
    crab, eel, ray = found.categories
    # Crab: its one frame has the best score of four. Eel: the best of 0.2, 0.3, 0.2, 0.
    # Ray: v1, v2 and v3 share 0.1, so the step is 1 hit in 3.
    assert [crab.ap, eel.ap, ray.ap] == pytest.approx([1, 1, 1 / 3])
    assert (crab.train_images, eel.train_images, ray.train_images) == (2, 1, 0)
    assert (crab.n_images, crab.n_dives, crab.train_dives) == (1, 1, 1)
    fish = next(group for group in found.supercategories if group.name == "Fish")
    assert (fish.n_categories, fish.n_images) == (2, 2)
    assert fish.mean_ap == pytest.approx((1 + 1 / 3) / 2)
    assert [group.name for group in found.thirds] == ["head", "middle", "tail"]


def test_novelty__is_scored_where_a_judged_frame_holds_an_untrained_category(
    dataset: Dataset, tmp_path: Path
) -> None:
    found = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test")
    assert found.novelty is not None
    # v3 (0.7) is above v1 (0.1) and v2 (0.4) and below the empty v4 (1.0).
    assert found.novelty.auc == pytest.approx(2 / 3)
    assert found.novelty.n_novel == 1
    assert found.novelty.scaled_auc == pytest.approx(1 / 3)


def test_counts_of_one__are_in_the_singular(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test")
    print_evaluation(found)
    assert "on 1 novel image, mean" in capsys.readouterr().out
    write_evaluation_page(found, dataset.categories, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert " on 1 novel image</span>" in page


def test_failed_image__counts_zero_and_is_told(dataset: Dataset, tmp_path: Path) -> None:
    table = predictions(tmp_path, failed="v1")
    found = evaluate(table, dataset, split=SPLIT, part="test")
    assert found.model.map_at_20.value == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert found.n_failed == 1
    assert any("could not be read" in notice for notice in found.notices)


def test_predictions__must_cover_the_part(dataset: Dataset, tmp_path: Path) -> None:
    few: dict[str, Sequence[float]] = {name: row for name, row in SCORES.items() if name != "v2"}
    with pytest.raises(PredictionsError, match=r"1 images of part 'test' .* \(first: v2\)"):
        evaluate(predictions(tmp_path, few), dataset, split=SPLIT, part="test")
    with pytest.raises(PredictionsError, match="None of the 1 predicted images"):
        evaluate(predictions(tmp_path, {"else": (0, 0, 1)}), dataset)
    with pytest.raises(PredictionsError, match="nothing to score"):
        evaluate(predictions(tmp_path, {"v4": (0, 0, 1)}), dataset)


def test_prior__without_a_split_says_that_it_is_flattered(dataset: Dataset, tmp_path: Path) -> None:
    found = evaluate(predictions(tmp_path), dataset)
    assert "flatters" in found.prior_source
    assert found.time_copy is None
    assert found.leakage is None


def test_json__has_the_contract_and_no_nan(dataset: Dataset, tmp_path: Path) -> None:
    text = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test").to_json()
    assert "NaN" not in text
    figures = json.loads(text)
    assert figures["map_at_20"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    low, high = figures["map_at_20_ci"]
    assert low <= figures["map_at_20"] <= high
    assert figures["baseline_prior_map_at_20"] == pytest.approx(figures["map_at_20"])
    assert [entry["id"] for entry in figures["categories"]] == [1, 2, 3]


def test_names__are_shown_with_their_rank_where_it_is_known(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.names.csv"
    crabs = Taxon("Brachyura", "infraorder", 106673)
    crab = NameRecord(
        name="crab",
        accepted="Brachyura",
        rank="infraorder",
        aphia_id=106673,
        lineage=(crabs,),
        status="unaccepted",
        how="WoRMS",
    )
    write_names((crab,), path)
    found = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test")
    write_evaluation_page(found, TABLE, tmp_path / "report.html", names_file=path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    words = "infraorder, now Brachyura, AphiaID 106673"
    assert f'<td title="{words}">crab <small>infraorder</small></td>' in page
    assert "<bdi>Infraorder: crab</bdi> (<bdi>Crustacea</bdi>), " in page
    print_evaluation(found, names_file=path)
    assert " infraorder " in capsys.readouterr().out
    print_evaluation(found)  # nothing known: no column
    assert " rank " not in capsys.readouterr().out


def test_page__is_one_file_that_shows_every_score(dataset: Dataset, tmp_path: Path) -> None:
    found = evaluate(predictions(tmp_path), dataset, split=SPLIT, part="test")
    write_evaluation_page(found, TABLE, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for wanted in ("0.611", "class frequency", "crab", "Fish", "ray"):
        assert wanted in page
    # Nothing is fetched: every source is inline, every link stays inside the page.
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)[^"']*""", page) == []
    assert "@import" not in page


def pictures_on_page(page: Path) -> int:
    return page.read_text(encoding="utf-8").count('<img src="data:image/jpeg')


def test_one_dive__has_no_interval_and_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = tuple(
        ImageRecord(name, Path(f"{name}.png"), held, dive="b") for name, _, held in FRAMES[2:5]
    )
    alone = Dataset(Path("frames"), TABLE, frames)
    scores: dict[str, Sequence[float]] = {
        "v1": (0.9, 0.2, 0.1), "v2": (0.2, 0.9, 0.1), "v3": (0.3, 0.2, 0.9)
    }  # fmt: skip
    found = evaluate(predictions(tmp_path, scores), alone)
    # Every frame is right, and class frequency is not: a gain, which one dive cannot vouch for.
    assert found.gain.low == found.gain.high == found.gain.value > 0
    print_evaluation(found)
    said = " ".join(capsys.readouterr().out.split())
    assert f"gain over the prior {found.gain.value:+.3f} (too few dives for an interval)" in said
    assert "1.000 to 1.000" not in said
    assert found.facts()["map_at_20"] == "1.0000 (too few dives for an interval)"
    words = in_words(found)
    assert words.startswith("MAP@20 is 1.000 (too few dives for an interval) on 3 images of 1 dive")
    assert words.endswith("These dives are too few or too unlike to tell the two apart.")
    write_evaluation_page(found, TABLE, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "MAP@20, too few dives for an interval" in page
    assert "over it, too few dives for an interval" in page


def test_page__opens_only_pictures_of_the_data_set(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "frames", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    for path in (root / "v1.png", root / "inside.png", elsewhere / "secret.png"):
        Image.new("RGB", (64, 48), (200, 10, 10)).save(path)
    (root / "link.png").symlink_to(elsewhere / "secret.png")
    named = {
        "v1": elsewhere / "secret.png",  # the data set has the file itself
        "v2": root / ".." / "elsewhere" / "secret.png",
        "v3": root / "link.png",
    }
    records = [
        ImageRecord(n, root / f"{n}.png", held, dive=n) for n, _, held in FRAMES if n in named
    ]
    table = predictions(tmp_path, {name: SCORES[name] for name in named})
    data = Dataset(root, TABLE, tuple(records))
    found = evaluate(replace(table, paths=tuple(map(str, named.values()))), data)
    assert [image.is_outside for image in found.images] == [False, True, True]
    write_evaluation_page(found, TABLE, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert pictures_on_page(tmp_path / "page.html") == 2  # v1, among the worst and the best
    assert "2 frames are not shown: they lie outside the data set&#39;s folder." in page
    assert page.count(">not shown: it lies outside") == 2 * 2
    draw_frames(found, TABLE, tmp_path / "frames.png")

    inside = evaluate(replace(table, paths=(str(root / "inside.png"),) * 3), data)
    write_evaluation_page(inside, TABLE, tmp_path / "inside.html")
    assert pictures_on_page(tmp_path / "inside.html") == 6
    assert "outside the data set" not in (tmp_path / "inside.html").read_text(encoding="utf-8")


def test_page__reads_no_pipe_and_no_device(tmp_path: Path, dataset: Dataset) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    table = predictions(tmp_path)
    paths = (str(tmp_path / "pipe.png"), "/dev/zero", str(tmp_path), "a\0b")
    found = evaluate(replace(table, paths=paths), replace(dataset, root=Path("/")))
    write_evaluation_page(found, TABLE, tmp_path / "page.html")
    draw_frames(found, TABLE, tmp_path / "frames.png")
    assert pictures_on_page(tmp_path / "page.html") == 0


def test_page__tells_a_story_of_any_form(dataset: Dataset, tmp_path: Path) -> None:
    table = predictions(tmp_path)
    metadata = {"recipe": ["<b>"], "bundle_hash": 12, "command": {"a": "\x1b[2J"}}
    found = replace(evaluate(table, dataset), metadata=metadata)
    write_evaluation_page(found, TABLE, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Predicted by [&#39;&lt;b&gt;&#39;], bundle 12, " in page
    assert "\x1b" not in page
