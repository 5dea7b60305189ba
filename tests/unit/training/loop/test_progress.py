"""What is told of a training: a bar that moves, or lines where there is no terminal."""

from __future__ import annotations

import io
import json
import time

import pytest
from rich.console import Console

from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter
from finding_nemo.reporting.terminal.json_reporter import JsonReporter
from finding_nemo.training.loop.checkpoints import EpochPosition
from finding_nemo.training.loop.progress import EpochProgress


def _terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)


def _no_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=80, highlight=False)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _start(epoch: int = 1, step: int = 0) -> EpochPosition:
    return EpochPosition(epoch, step, 5, 0.0, 0.0, "cpu")


def _progress(n_epochs: int, console: Console) -> EpochProgress:
    return EpochProgress(n_epochs, ConsoleReporter(console=console))


def test_bar__moves_with_every_step_and_says_what_is_left() -> None:
    console = _terminal()
    done: list[float] = []
    total: list[float | None] = []
    words: list[str] = []
    with _progress(2, console) as shown:
        bar = shown.display.bar  # type: ignore[attr-defined]
        shown.start(_start(), n_images=28, seen=0)
        for n_images in (6, 6, 6, 6, 4):
            shown.step(n_images, 0.5)
            task = bar.tasks[0]
            done.append(task.completed)
            total.append(task.total)
            words.append(task.fields["words"])
        shown.validate(3, 10)
        validated = [bar.tasks[0].completed, bar.tasks[0].total]
        shown.end(0.5, 0.625)
        bar.refresh()
    assert done == [1, 2, 3, 4, 5]
    assert set(total) == {5}
    assert words[2].startswith("step 3 of 5, ")
    assert "images/s, loss 0.5000, " in words[2]
    assert words[2].endswith(" left")
    assert validated == [3, 10]
    assert "epoch 1 of 2" in _text(console)
    assert "MAP@20 0.6250" in _text(console)


def test_bar__is_redrawn_while_a_step_takes_long() -> None:
    console = _terminal()
    with _progress(1, console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        before = len(_text(console))
        time.sleep(0.5)
        assert len(_text(console)) > before


def test_bar__goes_on_where_a_training_was_stopped() -> None:
    with _progress(1, _terminal()) as shown:
        bar = shown.display.bar  # type: ignore[attr-defined]
        shown.start(_start(step=3), n_images=28, seen=18)
        assert bar.tasks[0].completed == 3
        shown.step(6, 0.5)
        assert bar.tasks[0].completed == 4


def test_no_terminal__a_line_now_and_then_and_at_each_end(monkeypatch: pytest.MonkeyPatch) -> None:
    console = _no_terminal()
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with _progress(1, console) as shown:
        shown.start(EpochPosition(1, 0, 617, 0.0, 0.0, "cpu"), n_images=3700, seen=0)
        for _ in range(390):
            now[0] += 6 / 14
            shown.step(6, 0.0312)
        shown.end(0.031, 0.625)
    lines = _text(console).splitlines()
    # 167 s, with a line after 8 s and a step: each 19th step of 0.43 s.
    assert len(lines) == 21
    assert lines[3] == "epoch 1 of 1: step 76 of 617, 14 images/s, loss 0.0312, 4 min left"
    assert lines[19] == "epoch 1 of 1: step 380 of 617, 14 images/s, loss 0.0312, 101 s left"
    assert lines[20] == ("epoch 1 of 1: loss 0.0310, MAP@20 0.6250 by its own ranking, 14 images/s")


def test_each_epoch__has_a_line_with_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    console = _no_terminal()
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with _progress(3, console) as shown:
        for epoch in (1, 2, 3):
            shown.start(EpochPosition(epoch, 0, 1, 0.0, 0.0, "cpu"), n_images=10, seen=0)
            now[0] += 2
            shown.step(10, 0.5)
            shown.end(0.5 / epoch, 0.5 + epoch / 100)
    assert _text(console).splitlines() == [
        "epoch 1 of 3: loss 0.5000, MAP@20 0.5100 by its own ranking, 5.0 images/s, 4 s left",
        "epoch 2 of 3: loss 0.2500, MAP@20 0.5200 by its own ranking, 5.0 images/s, 2 s left",
        "epoch 3 of 3: loss 0.1667, MAP@20 0.5300 by its own ranking, 5.0 images/s",
    ]


def test_epoch__tells_other_rankings_and_training_images_where_they_are_known() -> None:
    console = _no_terminal()
    with _progress(1, console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.end(
            0.5,
            0.5,
            others=RankingScores(own=0.5, calibrated=0.52, shown=0.53),
            train_map_at_20=0.9,
        )
    assert _text(console) == (
        "epoch 1 of 1: loss 0.5000, MAP@20 0.5000 by its own ranking, 0.5200 calibrated, "
        "0.5300 as shown, 0.9000 on training images\n"
    )
    stream = io.StringIO()
    with EpochProgress(1, JsonReporter(stream, every_s=1000)) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.end(0.5, 0.5, others=RankingScores(shown=0.53), train_map_at_20=0.9)
    line = json.loads(stream.getvalue().splitlines()[-1])
    assert (line["map_at_20_shown"], line["train_map_at_20"]) == (0.53, 0.9)
    assert "map_at_20_calibrated" not in line


def test_terminal_that_moves_no_cursor__has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    console = _terminal()
    with _progress(1, console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.end(0.5, 0.5)
    assert _text(console) == "epoch 1 of 1: loss 0.5000, MAP@20 0.5000 by its own ranking\n"


@pytest.mark.parametrize("console", [_terminal(), _no_terminal()])
def test_nobody_looks__nothing_is_written(console: Console) -> None:
    for reporter in (Reporter(), ConsoleReporter("quiet", console=console)):
        with EpochProgress(1, reporter) as shown:
            shown.start(_start(), n_images=28, seen=0)
            shown.step(28, 0.5)
            shown.validate(1, 1)
            shown.end(0.5, 0.5)
    assert _text(console) == ""


def test_json__has_the_figures_of_each_epoch() -> None:
    stream = io.StringIO()
    with EpochProgress(1, JsonReporter(stream, every_s=1000)) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.step(28, 0.5)
        shown.end(0.5, 0.625)
    (line,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "event": "epoch",
        "epoch": 1,
        "n_epochs": 1,
        "training_loss": 0.5,
        "map_at_20": 0.625,
    }


def test_ascii_terminal__has_every_letter() -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii"), force_terminal=True, width=80)
    with _progress(1, console) as shown:
        shown.start(_start(), n_images=28, seen=0)
        shown.step(6, 0.5)
    console.file.flush()
    assert b"step 1 of 5" in raw.getvalue()
