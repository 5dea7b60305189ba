"""What a person sees of a job: on a terminal, in a log, in a notebook; quiet, usual and verbose."""

from __future__ import annotations

import io
import json
import time
import warnings

import pytest
from rich.console import Console

from finding_nemo.core.choice import Choice
from finding_nemo.core.reporter import Reporter, rate_in_words, time_in_words
from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter
from finding_nemo.reporting.terminal.json_reporter import JsonReporter


def _terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)


def _no_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=80, highlight=False)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


def test_images__are_counted_on_a_terminal_and_in_lines(now: list[float]) -> None:
    drawn, plain = _terminal(), _no_terminal()
    for console in (drawn, plain):
        with ConsoleReporter(console=console).progress("reading images") as progress:
            progress(0, 100)
            for done in range(1, 101):
                now[0] += 0.5
                progress(done, 100)
    assert "100 of 100 images" in _text(drawn)
    lines = _text(plain).splitlines()
    # A line each 8 s, so each 16 images: 6 in 50 s.
    assert len(lines) == 6
    assert lines[0] == "reading images: 16 of 100 images, 2.0 images/s, 42 s left"
    assert lines[5] == "reading images: 96 of 100 images, 2.0 images/s, 2 s left"


def test_images__failures_are_counted(now: list[float]) -> None:
    console = _no_terminal()
    with ConsoleReporter(console=console).progress("predicting") as progress:
        progress(0, 10)
        now[0] += 10
        progress(10, 10, 3)
    assert _text(console) == "predicting: 10 of 10 images, 1.0 images/s, 3 failed\n"


def test_counting_that_falls_back__begins_anew(now: list[float]) -> None:
    console = _no_terminal()
    with ConsoleReporter(console=console, every_s=0.001).progress("reading") as progress:
        for done in (1, 100, 1, 2):
            now[0] += 1
            progress(done, 100)
    assert _text(console).splitlines()[-1] == "reading: 2 of 100 images, 1.0 images/s, 98 s left"


def test_nothing_to_read__leaves_no_bar() -> None:
    console = _terminal()
    with ConsoleReporter(console=console).progress("reading images"):
        time.sleep(0.15)
    last = _text(console).rsplit("reading images", 1)[-1]
    assert "\x1b[2K" in last or "\x1b[1A" in last


def test_notebook__has_lines_and_no_warning(now: list[float]) -> None:
    console = Console(file=io.StringIO(), force_jupyter=True, width=80)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ConsoleReporter(console=console).progress("reading images") as progress:
            progress(1, 100)
            now[0] += 9
            progress(10, 100)


def test_silence__is_broken_with_what_goes_on() -> None:
    console = _no_terminal()
    with ConsoleReporter(console=console, every_s=0.05) as reporter:
        reporter.step("drawing")
        with reporter.progress("drawing frames", unit="frames") as progress:
            progress(3, 1400)
            time.sleep(0.5)
        reporter.step("training")
        time.sleep(0.5)
    lines = _text(console).splitlines()
    assert lines[0].endswith(" s] drawing")
    assert "still drawing frames: 3 of 1,400 frames ..." in lines
    assert lines[-1] == "still training ..."
    count = len(lines)
    time.sleep(0.2)
    assert len(_text(console).splitlines()) == count


def test_silence__means_nothing_while_the_program_waits_for_others() -> None:
    console = _no_terminal()
    with ConsoleReporter(console=console, every_s=0.05) as reporter:
        reporter.step("opening")
        reporter.at_rest()
        with reporter.progress("adapting") as progress:
            progress(1, 1)
        time.sleep(0.3)
        reporter.message("asked for")
    assert [line[-9:] for line in _text(console).splitlines()] == ["s] opening"[-9:], "asked for"]


def test_silence__is_left_to_a_bar() -> None:
    console = _terminal()
    with (
        ConsoleReporter(console=console, every_s=0.05) as reporter,
        reporter.progress("drawing") as progress,
    ):
        progress(1, 2)
        time.sleep(0.3)
    assert "still" not in _text(console)


def test_verbosity__decides_what_is_told() -> None:
    told = {}
    for verbosity in ("quiet", "normal", "verbose"):
        console = _no_terminal()
        reporter = ConsoleReporter(verbosity, console=console)
        reporter.message("words")
        reporter.detail("more")
        told[verbosity] = _text(console)
    assert told == {"quiet": "", "normal": "words\n", "verbose": "words\nmore\n"}


def test_choice__is_told_with_its_reason_and_given_back() -> None:
    told: list[str] = []
    size = Reporter(told.append).announce("frames", Choice((1, 2), "few", shown="1 x 2 px"))
    assert size == (1, 2)
    assert told == ["frames 1 x 2 px: few."]


def test_json__is_one_object_a_line_of_ascii() -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream, every_s=1000)
    reporter.message('a "crab" of \u00c6r\u00f8')
    reporter.detail("raised")
    with reporter.progress("reading") as progress:
        progress(1, 2)
        progress(2, 2)
    assert stream.getvalue().isascii()
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [row["event"] for row in rows] == ["message", "detail", "progress"]
    assert rows[0]["message"] == 'a "crab" of \u00c6r\u00f8'
    assert (rows[2]["what"], rows[2]["done"], rows[2]["total"]) == ("reading", 2, 2)


@pytest.mark.parametrize(
    ("seconds", "words"), [(97.4, "97 s"), (725, "12 min"), (12_000, "3 h 20 min")]
)
def test_time__in_words(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


@pytest.mark.parametrize(("rate", "words"), [(0.314, "0.31"), (4.24, "4.2"), (56.7, "57")])
def test_rate__in_words(rate: float, words: str) -> None:
    assert rate_in_words(rate) == words
