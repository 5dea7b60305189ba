"""What is shown of a training: a bar that moves, or lines where there is no terminal."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from finding_nemo.training.loop.checkpoints import EpochPosition
from finding_nemo.training.loop.progress import EpochProgress, image_ticks, in_words


def _terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)


def _no_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=80, highlight=False)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _start(epoch: int = 1, step: int = 0) -> EpochPosition:
    return EpochPosition(epoch, step, 5, 0.0, 0.0, "cpu")


def test_bar__moves_with_every_step_and_says_what_is_left() -> None:
    console = _terminal()
    done: list[float] = []
    total: list[float | None] = []
    words: list[str] = []
    with EpochProgress(2, console=console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        for n_images in (6, 6, 6, 6, 4):
            shown.step(n_images, 0.5)
            task = shown.bar.tasks[0]
            done.append(task.completed)
            total.append(task.total)
            words.append(task.fields["words"])
        shown.judge(3, 10)
        judged = [shown.bar.tasks[0].completed, shown.bar.tasks[0].total]
        shown.end(0.5, 0.625)
        shown.bar.refresh()
    assert done == [1, 2, 3, 4, 5]
    assert set(total) == {5}
    assert words[2].startswith("3/5 ")
    assert "images/s, loss 0.5000, " in words[2]
    assert words[2].endswith(" left")
    assert judged == [3, 10]
    assert "epoch 1 of 2" in _text(console)
    assert "MAP@20 0.6250" in _text(console)


def test_bar__is_redrawn_while_a_step_takes_long() -> None:
    console = _terminal()
    with EpochProgress(1, console=console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        before = len(_text(console))
        time.sleep(0.5)
        assert len(_text(console)) > before


def test_bar__goes_on_where_a_training_was_stopped() -> None:
    with EpochProgress(1, console=_terminal()) as shown:
        shown.start(_start(step=3), n_images=28, seen=18)
        assert shown.bar.tasks[0].completed == 3
        shown.step(6, 0.5)
        assert shown.bar.tasks[0].completed == 4


def test_no_terminal__a_line_now_and_then_and_at_each_end(monkeypatch: pytest.MonkeyPatch) -> None:
    console = _no_terminal()
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with EpochProgress(1, console=console) as shown:
        shown.start(EpochPosition(1, 0, 617, 0.0, 0.0, "cpu"), n_images=3700, seen=0)
        for _ in range(390):
            now[0] += 6 / 14
            shown.step(6, 0.0312)
        shown.end(0.031, 0.625)
    lines = _text(console).splitlines()
    # 167 s, with a line after 20 s and a step.
    assert len(lines) == 9
    assert lines[3] == ("epoch 1 of 1: 1,128 of 3,700 images, 14 images/s, loss 0.0312, 3 min left")
    assert lines[7].endswith("2,256 of 3,700 images, 14 images/s, loss 0.0312, 103 s left")
    assert lines[8] == "epoch 1 of 1: done, loss 0.0310, MAP@20 0.6250"


def test_terminal_that_moves_no_cursor__has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    console = _terminal()
    with EpochProgress(1, console=console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.end(0.5, 0.5)
    assert _text(console) == "epoch 1 of 1: done, loss 0.5000, MAP@20 0.5000\n"


@pytest.mark.parametrize("console", [_terminal(), _no_terminal()])
def test_nobody_looks__nothing_is_written(console: Console) -> None:
    with EpochProgress(1, shown=False, console=console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.step(28, 0.5)
        shown.judge(1, 1)
        shown.end(0.5, 0.5)
    with image_ticks("reading images", shown=False, console=console) as tick:
        tick(1, 2)
    assert _text(console) == ""


def test_images__are_counted_on_a_terminal_and_in_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, plain = _terminal(), _no_terminal()
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for console in (drawn, plain):
        with image_ticks("reading images", shown=True, console=console) as tick:
            for done in range(1, 101):
                now[0] += 0.5
                tick(done, 100)
    assert "100 of 100 images" in _text(drawn)
    assert _text(plain).splitlines() == [
        "reading images: 40 of 100 images, 30 s left",
        "reading images: 80 of 100 images, 10 s left",
    ]


def test_images__nothing_to_read_leaves_no_bar() -> None:
    console = _terminal()
    with image_ticks("reading images", shown=True, console=console):
        time.sleep(0.15)
    last = _text(console).rsplit("reading images", 1)[-1]
    assert "\x1b[2K" in last or "\x1b[1A" in last


def test_ascii_terminal__has_every_letter() -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii"), force_terminal=True, width=80)
    with EpochProgress(1, console=console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.step(6, 0.5)
    console.file.flush()
    assert b"1/5" in raw.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"), [(97.4, "97 s"), (725, "12 min"), (12_000, "3 h 20 min")]
)
def test_time__in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
