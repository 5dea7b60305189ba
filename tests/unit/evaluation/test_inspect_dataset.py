"""What is counted of a data set before anything is trained."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Box, Dataset, ImageRecord, Split, SplitRow
from finding_nemo.data.datasets.subsample import sample_images
from finding_nemo.evaluation.dataset.baseline_protocols import compare_protocols
from finding_nemo.evaluation.dataset.box_sizes import measure_animals
from finding_nemo.evaluation.dataset.dataset_statistics import explore
from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
from finding_nemo.evaluation.dataset.split_summary import summarise_split
from finding_nemo.reporting.html.inspect_page import write_inspect_page
from finding_nemo.reporting.terminal.inspection_text import print_inspection

_NOON = datetime(2015, 5, 1, 12)
_TABLE = CategoryTable(
    (
        Category(3, "Urchin <b>", "Urchin"),
        Category(1, "Star", "Sea star"),
        Category(7, "Never", "Sea star"),
    )
)


def record(name: str, ids: tuple[int, ...] | None, dive: str, second: float) -> ImageRecord:
    boxes = tuple(Box(number, 0, 0, 96, 40) for number in ids or ())
    return ImageRecord(
        image_id=name,
        path=Path(f"nowhere/{name}.png"),
        category_ids=ids,
        origin="train" if ids is not None else "eval",
        width=1920,
        height=1080,
        dive=dive,
        captured=_NOON + timedelta(seconds=second),
        time_known=True,
        sequence="",
        boxes=boxes,
    )


@pytest.fixture
def dataset() -> Dataset:
    return Dataset(
        root=Path("nowhere"),
        categories=_TABLE,
        records=(
            record("a", (3,), "d1", 0),
            record("b", (3, 1), "d1", 8),
            record("c", (3, 1), "d1", 60),
            record("d", (1,), "d2", 0),
            record("e", None, "d2", 4000),
        ),
    )


def test_explore__counts_worked_by_hand(dataset: Dataset) -> None:
    found = explore(dataset)
    origins = [(o.name, o.n_images, o.n_annotated, o.n_dives) for o in found.origins]
    assert origins == [("train", 4, 4, 2), ("eval", 1, 0, 1)]
    assert found.n_shared_dives == 1
    assert found.n_boxes == 6
    assert [(c.name, c.n_images, c.n_dives) for c in found.categories] == [
        ("Star", 3, 2),
        ("Urchin <b>", 3, 1),
        ("Never", 0, 0),
    ]
    assert (found.n_without_image, found.n_scarce, found.n_single_dive) == (1, 2, 1)
    assert found.labels_per_image == {1: 2, 2: 2}
    assert found.frame_sizes == {(1920, 1080): 5}
    assert [
        (s.name, s.n_categories, s.n_with_images, s.n_images) for s in found.supercategories
    ] == [
        ("Sea star", 2, 1, 3),
        ("Urchin", 1, 1, 3),
    ]


def test_explore__neighbours_in_time_are_of_the_same_dive(dataset: Dataset) -> None:
    found = explore(dataset)
    # a and b are 8 s apart, c 52 s from b; d and e have nobody near.
    assert found.within_10_s == pytest.approx(2 / 5)
    assert found.within_60_s == pytest.approx(3 / 5)


def test_explore__pairs_and_their_lift(dataset: Dataset) -> None:
    (pair,) = explore(dataset).pairs
    assert {pair.first, pair.second} == {"Star", "Urchin <b>"}
    assert pair.n_images == 2
    assert pair.lift == pytest.approx(2 * 4 / (3 * 3))


def test_animals__are_measured_after_the_squeeze(dataset: Dataset) -> None:
    found = measure_animals(dataset.records)
    assert found is not None
    assert found.median_width_px == 96
    assert found.median_squeezed_px == pytest.approx(96 / 1920 * 224)
    assert found.tiny_share == 1.0
    assert measure_animals([record("x", (), "d", 0)]) is None


def test_summary__counts_untrained_categories_and_leaks(dataset: Dataset) -> None:
    split = Split(
        (
            SplitRow("a", "d1", "train"),
            SplitRow("b", "d1", "test"),
            SplitRow("c", "d1", "test"),
            SplitRow("d", "d2", "test"),
        )
    )
    test, train = summarise_split(split, dataset)
    assert (test.n_images, test.n_dives, test.n_categories, test.n_untrained) == (3, 2, 2, 1)
    assert test.leakage is not None
    assert test.leakage.same_dive == pytest.approx(2 / 3)
    assert test.leakage.within_10_s == pytest.approx(1 / 3)
    assert train.leakage is None


def many(n_dives: int) -> Dataset:
    flips = np.random.default_rng(0).random((n_dives, 8)) < 0.1
    records = [
        record(f"{dive}-{k}", (3,) if (dive % 2) ^ flips[dive, k] else (1,), f"d{dive}", 30 * k)
        for dive in range(n_dives)
        for k in range(8)
    ]
    return Dataset(Path("nowhere"), _TABLE, tuple(records))


def test_protocols__time_copy_falls_to_the_prior_on_unseen_dives() -> None:
    random, dive = compare_protocols(many(10))
    assert random.same_dive > 0.8
    assert dive.same_dive == 0
    assert dive.time_copy == dive.prior
    assert random.time_copy.map_at_20 > random.prior.map_at_20
    assert random.prior.lowest <= random.prior.map_at_20 <= random.prior.highest


def test_protocols__too_few_dives_leave_the_random_one() -> None:
    assert [protocol.name for protocol in compare_protocols(many(4))] == ["random"]


def test_inspection__prints_and_writes_a_page_that_stands_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = inspect_dataset(many(10))
    print_inspection(found)
    told = capsys.readouterr()
    assert "80 images" not in told.err
    assert "random: means over five random 80/20 splits, seeds 0 to 4; test frames are" in told.out
    write_inspect_page(found, tmp_path / "page.html", name="<script>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "What is in &lt;script&gt;?" in page
    assert "course study" not in page
    assert "that flatters a score, for the next dive has no such neighbours" in page
    assert "Urchin <b>" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_counts_of_one__are_in_the_singular(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = inspect_dataset(dataset)
    print_inspection(found)
    assert "1 dive in more than one annotation file" in capsys.readouterr().out
    write_inspect_page(found, tmp_path / "page.html", name="it")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>1</b><span>dive in more than one of them</span>" in page


def test_inspection__of_a_few_images_has_no_protocols(dataset: Dataset) -> None:
    assert inspect_dataset(dataset).protocols == ()


def test_sample__is_spread_over_the_order() -> None:
    dataset = many(10)
    chosen = sample_images(dataset, 20)
    assert len(chosen.records) == 20
    assert chosen.records[0].image_id == "0-0"
    assert chosen.records[-1].image_id == "9-7"
    assert len({r.image_id for r in chosen.records}) == 20
    assert sample_images(dataset, 500) is dataset
