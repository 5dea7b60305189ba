"""The picture of one image and what bundles say of it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from finding_nemo.reporting.figures.look_picture import (
    Framed,
    _quiet_corner,
    draw_look,
    overlay,
    row_size,
)
from finding_nemo.reporting.guess_rows import BundleGuesses, GuessRow, ImageGuesses

ODD = ("Worm: $x^2$", "Fish: <b>&\x07 " + "a" * 300, "深海: 鮟鱇")


def framed(n_bundles: int = 2, *, heat: Any = None, height: int = 48) -> Framed:
    guesses = tuple(
        GuessRow(name=name, probability=0.9 / (k + 1), evidence="", dives="", is_true=k == 1)
        for k, name in enumerate(ODD)
    )
    block = BundleGuesses(
        bundle="runs/nemo", guesses=guesses, missed=("$kelp",), novelty="as usual", answer="Worm",
        heat=heat,
    )  # fmt: skip
    pixels = np.full((height, 64, 3), 90, dtype=np.uint8)
    said = ImageGuesses(
        path="dive/$a_1.png", size=(64, height), truth=("$kelp",), bundles=(block,) * n_bundles
    )
    return Framed(said, pixels)


def test_svg__holds_names_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "look.svg"
    draw_look([framed(), framed()], out)
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    ElementTree.fromstring(text)  # noqa: S314 - our own file
    for words in ("Worm: $x^2$", "深海: 鮟鱇", "$a_1.png", "also there: $kelp", "answer: Worm"):
        assert words in text
    assert text.count("truth: $kelp") == 2
    draw_look([framed(), framed()], out)
    assert out.read_text(encoding="utf-8") == text


def test_png__is_an_image_as_large_as_its_rows(tmp_path: Path) -> None:
    out = tmp_path / "look.PNG"
    heat = np.zeros((2, 3), np.uint8)
    heat[0, 0] = 255
    draw_look([framed(heat=heat)], out)
    with Image.open(out) as picture:
        one = picture.size
    draw_look([framed(heat=heat, n_bundles=1), framed(heat=heat, n_bundles=1)], out)
    with Image.open(out) as picture:
        two = picture.size
    assert two[1] > 1.8 * one[1]
    assert two[0] < one[0]


def test_map__is_drawn_where_it_is_wanted(tmp_path: Path) -> None:
    heat = np.full((2, 3), 200, np.uint8)
    texts = []
    for number, with_heat in enumerate((True, False)):
        out = tmp_path / f"{number}.svg"
        draw_look([framed(heat=heat)], out, with_heat=with_heat)
        texts.append(out.read_text(encoding="utf-8"))
    assert ["(runs/nemo)" in text for text in texts] == [True, False]


def test_overlay__by_hand() -> None:
    heat = np.array([[0, 255]], dtype=np.uint8)
    drawn = overlay(heat, 1, 8)
    # Middles of patches are at pixels 1.5 and 5.5: 0 up to the first, 1 from the second on.
    np.testing.assert_allclose(
        drawn[0, :, 3] / 0.75, [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1], atol=1e-6
    )
    assert drawn.shape == (1, 8, 4)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**31))
def test_overlay__is_between_its_patches(rows: int, columns: int, seed: int) -> None:
    heat = np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)
    opacity = overlay(heat, 3 * rows, 3 * columns)[..., 3] / 0.75
    # The middle pixel of a patch of 3 x 3 px is its own value.
    np.testing.assert_allclose(opacity[1::3, 1::3], heat / 255, atol=1e-6)
    assert opacity.max() <= heat.max() / 255 + 1e-6
    assert opacity.min() >= heat.min() / 255 - 1e-6


@pytest.mark.parametrize(
    ("peak", "corner"),
    [((0, 0), (False, False)), ((4, 4), (False, True)), ((2, 2), (False, True))],
)
def test_inset__goes_where_the_map_says_least(
    peak: tuple[int, int], corner: tuple[bool, bool]
) -> None:
    heat = np.zeros((5, 5), np.uint8)
    heat[peak] = 255
    upper, left = _quiet_corner(heat)
    if peak == (0, 0):
        assert (upper, left) != (True, True)
    elif peak == (4, 4):
        assert (upper, left) != (False, False)
    else:
        assert (upper, left) == corner


def test_row__is_as_tall_as_what_needs_most() -> None:
    short = row_size((48, 64), n_guesses=3, n_below=0, has_truth=False)
    assert short.frame_height == 4.5
    assert short.height > 4.5
    many = row_size((48, 64), n_guesses=20, n_below=3, has_truth=True)
    assert many.height > short.height
    assert row_size((9000, 10), n_guesses=1, n_below=0, has_truth=False).frame_height <= 8.4
