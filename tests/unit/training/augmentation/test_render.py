"""The pixels of planned views."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Box, ImageRecord
from finding_nemo.training.augmentation.color_transfer import ColorTransfer, ColorTransferSources
from finding_nemo.training.augmentation.plan import (
    WHOLE,
    Area,
    AugmentationPlan,
    AugmentationPolicy,
    ColorJitter,
    Mark,
    Paste,
    PasteSource,
    PasteSources,
    plan_augmentation,
)
from finding_nemo.training.augmentation.render import render_augmentation

_FRAME = ImageRecord("a", Path("a.png"), (3,))
_SOURCE = ImageRecord("b", Path("b.png"), (5,))
_PIXELS = {
    "a": np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8),
    "b": np.full((40, 60, 3), (250, 10, 10), dtype=np.uint8),
}
_PLAIN = AugmentationPlan(_FRAME, 7, None, WHOLE, False, ColorJitter(), (), (), frozenset())


def rendered(
    plan: AugmentationPlan, width_px: int = 60, height_px: int = 40
) -> npt.NDArray[np.uint8]:
    return render_augmentation(
        plan, lambda r: _PIXELS[r.image_id], width_px=width_px, height_px=height_px
    )


def test_plain_view__is_the_frame() -> None:
    np.testing.assert_array_equal(rendered(_PLAIN), _PIXELS["a"])


def test_light__is_another_frames() -> None:
    jittered = rendered(replace(_PLAIN, color_transfer=ColorTransfer(_SOURCE, 1.0)))
    np.testing.assert_allclose(jittered.mean(axis=(0, 1)), (250, 10, 10), atol=2.0)
    assert jittered.std(axis=(0, 1)).max() < 5


def test_mirrored__exchanges_left_and_right() -> None:
    np.testing.assert_array_equal(rendered(replace(_PLAIN, mirrored=True)), _PIXELS["a"][:, ::-1])


def test_window__is_cut_out_and_resized() -> None:
    cut = Image.fromarray(_PIXELS["a"][:20, 30:]).resize((60, 40), Image.Resampling.BILINEAR)
    seen = rendered(replace(_PLAIN, window=Area(0.5, 0.0, 1.0, 0.5)))
    # A box that is resized in place sees the pixels beside it at its rim.
    np.testing.assert_array_equal(seen[2:-2, 2:-2], np.asarray(cut)[2:-2, 2:-2])


def test_colours__are_gamma_then_gain() -> None:
    seen = rendered(replace(_PLAIN, color_jitter=ColorJitter(gamma=2.0, gains=(1.0, 0.5, 2.0))))
    curve = 255 * (_PIXELS["a"] / 255.0) ** 2 * np.array([1.0, 0.5, 2.0])
    np.testing.assert_array_equal(seen, np.clip(np.rint(curve), 0, 255).astype(np.uint8))


def test_noise__is_the_views_own_and_as_strong_as_said() -> None:
    noisy = replace(_PLAIN, color_jitter=ColorJitter(noise=5.0))
    grey = np.full((40, 60, 3), 128, dtype=np.uint8)
    seen = render_augmentation(noisy, lambda _: grey, width_px=60, height_px=40)
    again = render_augmentation(noisy, lambda _: grey, width_px=60, height_px=40)
    np.testing.assert_array_equal(seen, again)
    assert 4.7 < seen.astype(float).std() < 5.3


def test_noise__is_one_of_256_equally_frequent_levels_a_value() -> None:
    seen = rendered(replace(_PLAIN, color_jitter=ColorJitter(noise=5.0))).reshape(-1)
    middles = [NormalDist().inv_cdf((step + 0.5) / 256) for step in range(256)]
    spread = sum(m * m for m in middles) / 256  # their mean is 0
    drawn = np.random.default_rng(_PLAIN.seed).bytes(len(seen))
    for value, byte, plain in zip(seen, drawn, _PIXELS["a"].reshape(-1), strict=True):
        noise = round(5.0 * middles[byte] / spread**0.5)
        assert value == min(max(int(plain) + noise, 0), 255)


def test_paste__is_shifted_by_the_difference_of_exact_means() -> None:
    paste = Paste(
        PasteSource(_FRAME, Mark(1, WHOLE)), WHOLE, WHOLE, mirrored=True, colour_match=0.5
    )
    plan = replace(_PLAIN, record=_SOURCE, pastes=(paste,))
    seen = rendered(plan)[20, 30]  # inside the rim
    for channel in range(3):
        cut = [int(value) for value in _PIXELS["a"][..., channel].reshape(-1)]
        shift = 0.5 * ((250, 10, 10)[channel] - sum(cut) / len(cut))
        wanted = min(max(round(int(_PIXELS["a"][20, 59 - 30, channel]) + shift), 0), 255)
        assert seen[channel] == wanted


def test_paste__fills_its_target_and_leaves_the_rest() -> None:
    target = Area(0.25, 0.25, 0.75, 0.75)
    paste = Paste(
        PasteSource(_SOURCE, Mark(1, WHOLE)), WHOLE, target, mirrored=False, colour_match=0.0
    )
    seen = rendered(replace(_PLAIN, pastes=(paste,)))
    np.testing.assert_array_equal(seen[18:22, 28:32], _PIXELS["b"][18:22, 28:32])
    np.testing.assert_array_equal(seen[:10], _PIXELS["a"][:10])


def test_paste__matched_in_colour_has_the_mean_of_its_place() -> None:
    target = Area(0.0, 0.0, 1.0, 1.0)
    paste = Paste(
        PasteSource(_SOURCE, Mark(1, WHOLE)), WHOLE, target, mirrored=False, colour_match=1.0
    )
    seen = rendered(replace(_PLAIN, pastes=(paste,)))
    wanted = _PIXELS["a"].mean(axis=(0, 1))
    np.testing.assert_allclose(seen[20, 30].astype(float), wanted, atol=1.0)


@pytest.mark.parametrize("number", range(1, 9))
def test_marks__are_where_the_animal_is_whatever_the_policy_draws(number: int) -> None:
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[10:30, 20:60] = 255
    frame = ImageRecord(
        "white", Path("w.png"), (3,), width=200, height=100, boxes=(Box(3, 20, 10, 40, 20),)
    )
    # Each field as strong as it can be; without other frames nothing is pasted or recoloured.
    policy = AugmentationPolicy(**{field.name: 1.0 for field in fields(AugmentationPolicy)})
    table = CategoryTable((Category(3, "animal", "group"),))
    plan = plan_augmentation(
        frame,
        number,
        PasteSources([], table),
        ColorTransferSources([], color_transfer_prob=0),
        table,
        seed=0,
        policy=policy,
    )
    seen = render_augmentation(plan, lambda _: pixels, width_px=200, height_px=100)
    is_animal = seen.mean(axis=2) > 60
    in_mark = np.zeros_like(is_animal)
    for mark in plan.marks:
        rows = slice(round(100 * mark.area.top), round(100 * mark.area.bottom))
        in_mark[rows, round(200 * mark.area.left) : round(200 * mark.area.right)] = True
    # But for the rim, and for an animal of which the cut leaves too little to be marked.
    both = (is_animal & in_mark).sum()
    assert both > 0.85 * (is_animal | in_mark).sum() or not plan.marks
