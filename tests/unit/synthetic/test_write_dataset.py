"""The drawn frames: the same for the same seed, and shaped like the competition's data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import OutputExistsError
from finding_nemo.data.images.decode import decode_image
from finding_nemo.results.submission import read_submission
from finding_nemo.synthetic.canvas import Canvas
from finding_nemo.synthetic.frame import draw_dive
from finding_nemo.synthetic.scene_plan import plan_dives
from finding_nemo.synthetic.seafloor import View
from finding_nemo.synthetic.species import DEEP_M, SPECIES, drawn_categories
from finding_nemo.synthetic.water import Look, through_water
from finding_nemo.synthetic.write_dataset import EVAL_TRUTH, draw_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("drawn") / "set", dives=8, images=20, seed=3)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def test_species__are_many_in_several_groups_some_of_them_deep() -> None:
    assert len(SPECIES) >= 24
    assert len({species.supercategory for species in SPECIES}) >= 8
    assert sum(species.deep for species in SPECIES) >= 4
    assert drawn_categories().ids == tuple(range(1, len(SPECIES) + 1))


@pytest.mark.parametrize("number", range(len(SPECIES)))
def test_body__fills_part_of_its_canvas(number: int) -> None:
    canvas = Canvas(64)
    SPECIES[number].body(canvas, np.random.default_rng(number), SPECIES[number].colour)
    lit = canvas.lit()
    assert lit.shape == (64, 64, 4)
    assert 0.01 < float((lit[..., 3] > 0.2).mean()) < 0.9
    assert lit.min() >= 0
    assert lit.max() <= 1


def test_plan__deep_dives_are_held_out_and_images_fall_off() -> None:
    dives, held_out = plan_dives(n_dives=40, n_images=1400, seed=0)
    deep = {place for place, dive in enumerate(dives) if dive.depth_m > DEEP_M}
    assert len(dives) == 40
    assert deep
    assert deep < held_out
    for place in set(range(40)) - held_out:
        shown = {a.species for stop in dives[place].stops for a in stop.animals}
        assert not any(SPECIES[number].deep for number in shown)
    counts = sorted((sum(s.n_frames for s in dive.stops) for dive in dives), reverse=True)
    assert counts[0] > 5 * counts[20]
    assert abs(sum(counts) - 1400) < 40


def test_water__takes_red_first_and_more_with_distance() -> None:
    look = Look((0.25, 0.08, 0.06), (0, 0, 0), 0.1, (0, 0), 0.3, 1.0, 0.01, 0.3, 10, False)
    white = np.ones((2, 3), dtype=np.float32)
    near, far = through_water(white, np.array([1.0, 4.0], dtype=np.float32), look)
    assert near[0] == pytest.approx(np.exp(-0.5), rel=1e-5)
    assert far[0] / far[2] < near[0] / near[2]


def test_view__what_is_drawn_at_a_place_lies_on_the_pixel_of_that_place() -> None:
    view = View(640, 360, above_m=1.2, down=0.7, x_m=0.1, y_m=-0.2)
    x_m, y_m, distance_m = view.on_bottom()
    x, y, depth = view.on_screen(float(x_m[200, 300]), float(y_m[200, 300]))
    assert (x, y) == pytest.approx((300.5, 200.5), abs=0.05)
    assert depth <= float(distance_m[200, 300]) + 1e-4


def test_frame__boxes_lie_inside_it() -> None:
    dives, _ = plan_dives(n_dives=8, n_images=16, seed=1)
    frame = next(frame for dive in dives for frame in draw_dive(dive) if frame.boxes)
    for box in frame.boxes:
        assert 0 <= box.x_px < box.x_px + box.width_px <= frame.image.width
        assert 0 <= box.y_px < box.y_px + box.height_px <= frame.image.height


def test_dataset__is_in_the_competitions_layout(folder: Path) -> None:
    dataset = read_dataset(folder)
    assert len(dataset.categories) == len(SPECIES)
    assert {record.origin for record in dataset.records} == {"train", "eval"}
    assert all(r.dive and r.time_known and r.boxes for r in dataset.annotated)
    first = dataset.records[0]
    decoded = decode_image(first.path)
    assert (decoded.width, decoded.height) == (first.width, first.height) == (640, 360)
    # Dark, yet not black; greener and bluer than red, as light is at depth.
    red, green, _ = decoded.pixels.reshape(-1, 3).mean(axis=0)
    assert 5 < red < green < 200


def test_truth__marks_what_training_never_shows(folder: Path) -> None:
    dataset = read_dataset(folder)
    trained = {number for r in dataset.annotated for number in r.category_ids or ()}
    lines = read_submission(folder / EVAL_TRUTH)
    held_out = [r.image_id for r in dataset.records if r.origin == "eval"]
    assert [line.image_id for line in lines] == held_out
    for line in lines:
        assert line.osd == float(not set(line.category_ids) <= trained)


@pytest.mark.slow
def test_dataset__same_seed_same_bytes_however_many_draw(folder: Path, tmp_path: Path) -> None:
    again = draw_dataset(tmp_path / "again", dives=8, images=20, seed=3, workers=2)
    other = draw_dataset(tmp_path / "other", dives=8, images=20, seed=4)
    assert digest(again) == digest(folder)
    assert digest(other) != digest(folder)


def test_dataset__a_folder_in_use_is_refused(folder: Path) -> None:
    with pytest.raises(OutputExistsError, match="--overwrite"):
        draw_dataset(folder, dives=8, images=20)
