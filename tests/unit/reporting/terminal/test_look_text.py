"""Guesses on the terminal: within its width, side by side where there is room, plain in a pipe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from finding_nemo.reporting.guess_rows import BundleGuesses, GuessRow, ImageGuesses
from finding_nemo.reporting.terminal.look_text import (
    bar_of,
    lay_out,
    look_lines,
    plain_lines,
    print_failure,
    print_look,
)

# Markup, an emoji's name, a control sequence, wide letters and a name without an end.
NAMES = ("Worm: [b]x[/b]", ":crab: \x1b[2J", "深海: 鮟鱇", "Fish: " + "a" * 90, "Fish: rov")


def guess(name: str, probability: float = 0.5, *, is_true: bool = False) -> GuessRow:
    return GuessRow(
        name=name,
        probability=probability,
        evidence="1,200 images, 33 dives",
        dives="33 dives",
        is_true=is_true,
    )


def image(n_bundles: int = 2, truth: tuple[str, ...] | None = ("rov", "kelp")) -> ImageGuesses:
    block = BundleGuesses(
        bundle="runs/nemo",
        guesses=tuple(guess(name, 0.9 / (k + 1), is_true=k == 4) for k, name in enumerate(NAMES)),
        missed=("kelp",),
        novelty="more unusual than 97 % of validation frames",
        answer="Worm",
        heat=np.zeros((2, 3), np.uint8),
    )
    return ImageGuesses(path="a[red].png", size=(64, 48), truth=truth, bundles=(block,) * n_bundles)


@pytest.mark.parametrize(
    ("width", "beside", "evidence"),
    [(60, 1, "33 dives"), (80, 1, "images"), (120, 2, "33 dives"), (160, 2, "images")],
)
def test_bundles__stand_side_by_side_where_there_is_room(
    width: int, beside: int, evidence: str
) -> None:
    lines = [line.plain for line in look_lines(image(), width)]
    (heads, *_) = [line for line in lines if "runs/nemo" in line]
    assert heads.count("runs/nemo") == beside
    assert any(evidence in line for line in lines)
    assert lines[0] == "a[red].png  64 x 48 px"
    assert lines[1] == "truth: rov, kelp"
    true = [line for line in lines if "✓" in line]
    assert "".join(true).count("✓ Fish: rov") == 2
    assert "".join(lines).count("also there: kelp") == 2


@settings(deadline=None, max_examples=40)
@given(st.integers(40, 220), st.integers(1, 4))
def test_lines__fit_any_terminal(width: int, n_bundles: int) -> None:
    for line in list(look_lines(image(n_bundles), width))[2:]:
        assert cell_len(line.plain) <= width
        assert "\x1b" not in line.plain


@given(st.integers(40, 220), st.integers(1, 4), st.integers(1, 200))
def test_layout__gives_each_part_some_room(width: int, n_blocks: int, name: int) -> None:
    layout = lay_out(width, n_blocks=n_blocks, name=name, evidence=22, dives=8)
    assert 1 <= layout.n_beside <= n_blocks
    assert layout.name >= 12
    assert layout.bar >= 1
    used = 2 + layout.name + 1 + layout.bar + 1 + 5
    assert used + (layout.evidence + 2 if layout.evidence else 0) <= max(layout.width, 40)
    assert layout.in_dives == (layout.evidence != 22)


def test_truth__is_said_only_where_it_is_known() -> None:
    assert not any("truth" in line.plain for line in look_lines(image(truth=None), 80))
    said = [line.plain for line in look_lines(image(truth=()), 80)]
    assert "truth: nothing of the categories" in said
    assert "truth: nothing of the categories" in list(plain_lines(image(truth=())))
    assert not any("truth" in line for line in plain_lines(image(truth=None)))


@pytest.mark.parametrize(
    ("share", "bar"),
    [(0, "    "), (1, "████"), (0.5, "██  "), (0.53125, "██▏ "), (2, "████"), (-1, "    ")],
)
def test_bar__by_hand(share: float, bar: str) -> None:
    assert bar_of(share, 4) == bar


@given(st.floats(0, 1), st.integers(1, 30))
def test_bar__is_always_as_wide(share: float, width: int) -> None:
    bar = bar_of(share, width)
    assert len(bar) == width
    eighths = sum(8 if c == "█" else " ▏▎▍▌▋▊▉".index(c) for c in bar)
    assert abs(eighths / 8 / width - share) <= 0.5 / 8 / width + 1e-9


def test_pipe__gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_look(image(1))
    print_failure("b[red].png", "is empty (0 bytes)")
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert said.splitlines()[:4] == [
        "a[red].png (64 x 48 px)",
        "truth: rov, kelp",
        "runs/nemo",
        "   0.90  Worm: [b]x[/b], 1,200 images, 33 dives",
    ]
    assert "   0.18  Fish: rov (true), 1,200 images, 33 dives" in said
    assert said.endswith("b[red].png: is empty (0 bytes).\n")
