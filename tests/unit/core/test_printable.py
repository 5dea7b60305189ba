"""Names of users are text wherever they are shown: no markup, mathematics, emoji or control."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from finding_nemo.cli.console.notices import reporter, show_notices
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.core.text.printable import one_line
from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
from finding_nemo.evaluation.evaluation_results import Measured
from finding_nemo.reporting.figures.learning_curves import (
    draw_learning_curves,
    learning_curves_figure,
)
from finding_nemo.reporting.figures.scores_figure import ScoreLine, draw_scores
from finding_nemo.reporting.figures.svg import (
    bars_svg,
    names_as_text,
    shown_name,
    svg_of,
    to_svg,
)
from finding_nemo.reporting.html.inspect_page import write_inspect_page
from finding_nemo.reporting.terminal.inspection_text import print_inspection
from finding_nemo.reporting.terminal.tables import print_line, print_table
from finding_nemo.training.loop.epoch_log import EpochRow

# What each looks like where it is shown.
NAMES = {
    "[bold]crab[/bold]": "[bold]crab[/bold]",
    "crab [/]": "crab [/]",
    "[link=https://a.example]eel[/link]": "[link=https://a.example]eel[/link]",
    ":crab: :fish:": ":crab: :fish:",
    r"coin $5 \frac{ $": r"coin $5 \frac{ $",
    "$x_1^2$": "$x_1^2$",
    "a_b^c": "a_b^c",
    "_hidden": "_hidden",
    "螃蟹 🦀": "螃蟹 🦀",
    "سرطان": "سرطان",
    "कैकड़ा": "कैकड़ा",
    "a\x1b[2J\x1b]0;owned\x07b": r"a\x1b[2J\x1b]0;owned\x07b",
    "a\rb\nc\td\0e": r"a\x0db\x0ac\x09d\x00e",
    "c1 \x9b2J": r"c1 \x9b2J",
    "bidi \u202egpj.exe": r"bidi \u202egpj.exe",
    "no utf-8 \udcff": r"no utf-8 \xff",
    "</script><script>alert(1)</script>": "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>': '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %}": "{{ 7 * 7 }} {% raw %}",
    "--> & <!-- ]]>": "--> & <!-- ]]>",
    "%s {0} {name}": "%s {0} {name}",
}


def sends_nothing(text: str) -> bool:
    """Return whether text holds line ends and what can be seen, and nothing else."""
    return all(c in "\n" or unicodedata.category(c) not in ("Cc", "Cs") for c in text)


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_terminal__shows_a_name_as_it_is(
    name: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_line(f"line {name}")
    print_table(("category", name), [(name, "1")], title=name)
    reporter().message(f"said {name}")
    show_notices([name])
    found = capsys.readouterr()
    assert f"line {shown}\n" in found.out
    assert found.out.count(shown) == 4
    assert found.err == f"said {shown}\nnote: {shown}\n"
    assert sends_nothing(found.out + found.err)


def test_progress__describes_in_text(capsys: pytest.CaptureFixture[str]) -> None:
    with reporter().display("opening [/] [bold]") as display:
        display.line("opening [/] [bold]")
    assert "[/] [bold]" in capsys.readouterr().err


class _Reader(HTMLParser):
    """Collects texts, tags, attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.handlers: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def read_page(path: Path) -> tuple[str, _Reader]:
    page = path.read_text(encoding="utf-8")
    reader = _Reader()
    reader.feed(page)
    return page, reader


def dataset_of_names(folder: Path) -> Dataset:
    categories = [Category(n, name, name) for n, name in enumerate(NAMES, start=1)]
    records = [
        ImageRecord(
            image_id=f"{name} {copy}",
            path=folder / f"absent {n}",
            category_ids=(n, n % len(NAMES) + 1),
            origin=name,
            vehicle=name,
            dive=name,
        )
        for n, name in enumerate(NAMES, start=1)
        for copy in range(2)
    ]
    table = CategoryTable(tuple(categories))
    return Dataset(folder, table, tuple(records), notices=tuple(NAMES))


def test_inspection__shows_every_name_and_runs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = inspect_dataset(dataset_of_names(tmp_path))
    print_inspection(found)
    printed = capsys.readouterr().out
    assert sends_nothing(printed)
    write_inspect_page(found, tmp_path / "page.html", name=next(iter(NAMES)))
    page, reader = read_page(tmp_path / "page.html")
    assert sends_nothing(page)
    assert reader.tags.count("script") == 1
    assert reader.handlers == []
    cells = set(reader.texts)
    for shown in NAMES.values():
        assert shown in cells


def test_figures__show_names_as_they_are(tmp_path: Path) -> None:
    lines = [ScoreLine(name, Measured(0.5, 0.4, 0.6), "#000000") for name in NAMES]
    epochs = [EpochRow(**dict.fromkeys(EpochRow.__annotations__, 1))]
    histories = dict.fromkeys(NAMES, epochs)
    with names_as_text():
        curves = to_svg(learning_curves_figure(histories))
    for figure in (
        bars_svg(list(NAMES), [1] * len(NAMES), label="images"),
        svg_of(lambda axes: draw_scores(axes, lines, label="AUC"), width_in=8, height_in=9),
        curves,
    ):
        shown = "".join(ET.fromstring(figure).itertext())  # noqa: S314 - our own
        assert not [name for name in NAMES.values() if name not in shown]
    draw_learning_curves(histories, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_name_of_a_figure__is_short_and_never_empty() -> None:
    assert shown_name("x" * 44) == "x" * 44
    assert shown_name("x" * 4000) == "x" * 43 + "…"
    assert shown_name("") == shown_name("  ") == "(no name)"
    svg = bars_svg(["x" * 4000, "", " "], [1, 2, 3], label="images")
    assert "x" * 43 + "…" in svg
    assert svg.count("(no name)") == 2


def test_mathematics__is_as_it_was_outside_our_figures() -> None:
    bars_svg(["$x$"], [1], label="images")
    assert Figure().text(0, 0, "$x$").get_parse_math()


def test_words_of_another_program__are_one_short_line_that_commands_nothing() -> None:
    assert one_line(ValueError(" shapes\n\t do not  fit \n"), longest=13) == "shapes do not"
    assert one_line("\x1b[2J gone", longest=9) == "\\x1b[2J gone"
    assert one_line("", longest=5) == ""
