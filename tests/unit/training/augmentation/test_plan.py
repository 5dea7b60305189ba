"""Views of a frame: planned from the seed alone, with labels that match what is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Box, ImageRecord
from finding_nemo.training.augmentation.color_transfer import ColorTransferSources
from finding_nemo.training.augmentation.plan import (
    WHOLE,
    Area,
    AugmentationPolicy,
    PasteSources,
    identity_plan,
    marks_of,
    plan_augmentation,
)
from finding_nemo.training.recipes.settings import NemoSettings

_TABLE = CategoryTable(tuple(Category(k, f"animal {k}", "group") for k in (3, 5, 8)))


def record(name: str, boxes: tuple[Box, ...], ids: tuple[int, ...] = (3,)) -> ImageRecord:
    return ImageRecord(
        name, Path(f"{name}.png"), ids, width=200, height=100, boxes=boxes, dive=name
    )


_OWN = ColorTransferSources([], color_transfer_prob=0)
_FRAME = record("a", (Box(3, 20, 10, 40, 20),))
_OTHER = record("b", (Box(5, 50, 50, 20, 20), Box(8, 100, 40, 30, 20)), ids=(5, 8))


def sides(area: Area) -> tuple[float, float, float, float]:
    return (area.left, area.top, area.right, area.bottom)


def test_marks__are_shares_of_the_frame() -> None:
    (mark,) = marks_of(_FRAME, _TABLE)
    assert mark.column == 0
    assert sides(mark.area) == pytest.approx((0.1, 0.1, 0.3, 0.3))


def test_marks__are_none_where_the_size_is_unknown() -> None:
    unsized = ImageRecord("c", Path("c.png"), (3,), boxes=(Box(3, 0, 0, 9, 9),))
    assert marks_of(unsized, _TABLE) == ()
    assert identity_plan(unsized, _TABLE).unplaced == {0}


def test_area__seen_from_a_window() -> None:
    half = Area(0.5, 0.0, 1.0, 1.0)
    seen = Area(0.6, 0.2, 0.8, 0.4).seen_from(half)
    assert sides(seen) == pytest.approx((0.2, 0.2, 0.6, 0.4))
    assert Area(0.0, 0.0, 0.4, 1.0).overlap(half).size == 0
    assert sides(Area(0.1, 0.2, 0.3, 0.4).mirrored()) == pytest.approx((0.7, 0.2, 0.9, 0.4))


def test_plan__is_the_same_for_the_same_seed_and_another_for_another_number() -> None:
    paste_sources = PasteSources([_FRAME, _OTHER], _TABLE)

    def plan(number: int, seed: int = 0) -> object:
        return plan_augmentation(
            _FRAME,
            number,
            paste_sources,
            _OWN,
            _TABLE,
            seed=seed,
            policy=AugmentationPolicy(copy_paste=2),
        )

    assert plan(1) == plan(1)
    assert plan(1) != plan(2)
    assert plan(1) != plan(1, seed=1)


@given(st.integers(1, 10_000))
def test_plan__has_marks_inside_the_view(number: int) -> None:
    plan = plan_augmentation(
        _FRAME,
        number,
        PasteSources([_OTHER], _TABLE),
        _OWN,
        _TABLE,
        seed=3,
        policy=AugmentationPolicy(copy_paste=3),
    )
    for mark in plan.marks:
        assert mark.area.size > 0
        assert mark.area.overlap(WHOLE).size == pytest.approx(mark.area.size)
    assert {paste.paste_source.mark.column for paste in plan.pastes} <= {1, 2}


def test_plan__without_donors_pastes_nothing() -> None:
    plan = plan_augmentation(
        _FRAME,
        1,
        PasteSources([], _TABLE),
        _OWN,
        _TABLE,
        seed=0,
        policy=AugmentationPolicy(copy_paste=5),
    )
    assert plan.pastes == ()


def test_plan__forgets_an_animal_that_the_cut_leaves_out() -> None:
    corner = record("d", (Box(3, 1, 1, 8, 4),))
    plans = [
        plan_augmentation(
            corner,
            k,
            PasteSources([], _TABLE),
            _OWN,
            _TABLE,
            seed=0,
            policy=AugmentationPolicy(copy_paste=0),
        )
        for k in range(60)
    ]
    seen = [bool(plan.marks) for plan in plans]
    assert 0 < sum(seen) < 60
    gone = next(plan for plan in plans if not plan.marks)
    assert gone.window.left > 1 / 200 or gone.window.top > 1 / 100


def test_donors__are_small_and_whole() -> None:
    at_the_edge = record("e", (Box(3, 0, 10, 40, 20),))
    a_scene = record("f", (Box(3, 10, 10, 180, 80),))
    a_speck = record("g", (Box(3, 10, 10, 2, 2),))
    assert PasteSources([at_the_edge, a_scene, a_speck], _TABLE).paste_sources == ()


def test_donors__rare_categories_by_the_root_of_their_count() -> None:
    common = [record(f"c{k}", (Box(3, 20, 10, 40, 20),)) for k in range(4)]
    paste_sources = PasteSources(
        [*common, record("r", (Box(5, 50, 50, 20, 20),), ids=(5,))], _TABLE
    )
    generator = np.random.default_rng(0)
    drawn = [paste_sources.draw(generator).mark.column for _ in range(3000)]
    # Roots of 4 and 1: two of three draws are of the common category.
    assert np.mean(np.array(drawn) == 0) == pytest.approx(2 / 3, abs=0.03)


def test_policy__is_what_the_settings_of_that_name_say() -> None:
    settings = NemoSettings(copy_paste=0.5, color_transfer_prob=0.25)
    assert AugmentationPolicy.of(settings) == AugmentationPolicy(
        copy_paste=0.5, color_transfer_prob=0.25
    )
