"""The picture of where guesses come from: words as they are, sizes, and what is drawn where."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from finding_nemo.prediction.explain_frames import COVERING, EXACT, ExplainedGuess
from finding_nemo.reporting.figures.explanation_picture import (
    CAUTION,
    ExplainedFrame,
    draw_explanation,
)


def explained(heats: list[Any], *, height: int = 60) -> ExplainedFrame:
    guesses = tuple(
        ExplainedGuess(
            column=number,
            name=("Worm: $x^2$", "<b>&\x07" + "a" * 300, "深海")[number % 3],
            supercategory="",
            probability=0.7 / (number + 1),
            heat=np.asarray(heat, np.uint8),
        )
        for number, heat in enumerate(heats)
    )
    pixels = np.full((height, 80, 3), (20, 60, 120), dtype=np.uint8)
    return ExplainedFrame(name="dive/$a_1.png", pixels=pixels, guesses=guesses, answer="a $worm$")


def read(path: Path) -> npt.NDArray[np.int64]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.int64)


def test_svg__holds_names_and_the_way_as_text(tmp_path: Path) -> None:
    out = tmp_path / "why.svg"
    heat = [[0, 0], [0, 255]]
    draw_explanation([explained([heat, [[0]], heat])], out, way=COVERING)
    text = out.read_text(encoding="utf-8")
    ElementTree.fromstring(text)  # noqa: S314 - our own file
    for words in ("Worm: $x^2$", "深海", "$a_1.png", "a $worm$", "By covering parts", CAUTION):
        assert words in text
    assert "no part speaks more for it" in text
    draw_explanation([explained([heat, [[0]], heat])], out, way=COVERING)
    assert out.read_text(encoding="utf-8") == text


def test_png__has_colour_only_where_the_map_speaks(tmp_path: Path) -> None:
    out = tmp_path / "why.png"
    heat = np.zeros((6, 8), np.uint8)
    heat[:, :2] = 255
    draw_explanation([explained([heat])], out, way=EXACT)
    pixels = read(out)
    # Panels are 3.7 inches wide at 130 dots, the second behind a margin, the first and a gap.
    left, wide = round((0.2 + 3.7 + 0.16) * 130), round(3.7 * 130)
    row = pixels[round((0.2 + 0.56 + 1.4) * 130), left : left + wide]
    reddish = row[:, 0] - row[:, 2]
    assert reddish[wide // 16 : wide // 8].min() > 60
    assert np.abs(reddish[wide // 2 : -2]).max() <= 2
    draw_explanation([explained([heat])] * 3, out, way=EXACT)
    assert len(read(out)) > 2 * len(pixels)
