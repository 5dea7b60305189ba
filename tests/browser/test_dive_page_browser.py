"""The page of a dive as a person uses it: read, clicked and scrolled, from a disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.html.dive_page import write_dive_page

_EVIL = "<img src=x onerror=alert(1)></script>\u2028&\"'"
_N_MANY = 10_000
_GRID = {"rows": 2, "columns": 3, "guesses": 3}


@dataclass
class Opened:
    """A page in a browser, and what it complained of."""

    page: Any
    faults: list[str] = field(default_factory=list)


OpenPage = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """What opens a page's file; at the end it must have had no fault."""
    opened: list[Opened] = []

    def open_file(
        path: Path, *, width: int = 1280, height: int = 800, dark: bool = False
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        one = Opened(context.new_page())
        one.page.on("console", lambda told: one.faults.append(told.text))
        one.page.on("pageerror", lambda error: one.faults.append(str(error)))
        one.page.on("dialog", lambda dialog: one.faults.append(dialog.message))
        one.page.on("requestfailed", lambda request: one.faults.append(request.url))
        one.page.goto(path.as_uri())
        opened.append(one)
        return one

    yield open_file
    for one in opened:
        one.page.context.close()
        assert one.faults == []


def rows_of_two_dives(dive_files: Any) -> list[dict[str, Any]]:
    """Return forty frames: crabs, then an eel in doubt, one that failed, and odd texts."""
    start = datetime(2015, 5, 7, 8, 0)
    rows = [
        dive_files.row(
            n,
            dive="Tow 1" if n < 30 else f"Tow {_EVIL}",
            captured=start + timedelta(minutes=2 * n),
            answer="crab",
            confidence="sure",
            why="The name itself is sure.",
            maps=[250, 0, 0, 0, 0, 0] + [0, 250, 0, 0, 0, 0] * 2,
        )
        for n in range(40)
    ]
    rows[12] |= {
        "categories": [2, 1, 7],
        "probabilities": [0.4, 0.35, 0.1],
        "unusualness": 0.999,
        "answer": "eel",
        "confidence": "guess",
    }
    rows[35] |= {"image_id": _EVIL, "answer": _EVIL}
    rows[5] = dive_files.row(5, dive="Tow 1", captured=rows[5]["captured"], failure=_EVIL)
    return rows


@pytest.fixture(scope="module")
def dive(dive_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of forty frames, with images, in a folder of an odd name."""
    folder = tmp_path_factory.mktemp("dive") / "a #1 %41 ü"
    (folder / "images").mkdir(parents=True)
    for number in range(40):
        colour = (5 * number, 90, 120)
        Image.new("RGB", (320, 240), colour).save(folder / f"images/f{number}.png")
    rows = rows_of_two_dives(dive_files)
    path = dive_files.write(folder / "d.parquet", rows, maps=_GRID)
    write_dive_page(
        read_dive_frames(path), folder / "p #2.html", title=_EVIL, images=folder / "images"
    )
    return folder / "p #2.html"


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True), (2560, False)])
def test_first_screen__says_what_was_seen(
    dive: Path, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = open_page(dive, width=width, dark=dark).page
    assert page.locator("h1").inner_text().startswith("<img src=x onerror=alert(1)>")
    assert "crab (37 frames, " in page.locator(".lines").inner_text()
    first = page.locator(".card").first
    assert "eel" in first.inner_text()
    assert "Two names are about as likely: eel (" in first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "[...document.images].filter((one) => one.getBoundingClientRect().top < innerHeight)"
        ".every((one) => one.complete && one.naturalWidth > 0)"
    )


def test_frame__is_shown_large_and_the_keyboard_goes_on(dive: Path, open_page: OpenPage) -> None:
    page = open_page(dive).page
    page.locator(".card").first.click()
    about = page.locator("#about")
    assert page.locator("#place").inner_text().startswith("1 of ")
    assert "eel" in about.locator("h2").inner_text()
    assert "12 training frames of 3 dives" in about.inner_text()
    assert "More unusual than all frames" in about.inner_text()
    page.wait_for_function("document.querySelector('#stage img')?.naturalWidth === 320")
    page.keyboard.press("ArrowRight")
    assert page.locator("#place").inner_text().startswith("2 of ")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#place").inner_text().startswith("1 of ")
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()


def test_heat_map__lies_over_the_frame_and_follows_the_guess(
    dive: Path, open_page: OpenPage
) -> None:
    page = open_page(dive).page
    page.locator(".card").first.click()
    page.wait_for_selector("#stage canvas:not([hidden])")
    hottest = """() => {
      const canvas = document.querySelector("#stage canvas");
      const context = canvas.getContext("2d", {willReadFrequently: true});
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
      const heat = [...pixels].filter((_, place) => place % 4 === 3);
      return [canvas.width, canvas.height, heat.indexOf(Math.max(...heat))];
    }"""
    assert page.evaluate(hottest) == [3, 2, 0]
    page.locator(".guess").nth(1).click()
    assert page.evaluate(hottest) == [3, 2, 1]
    page.locator(".guess").nth(1).click()
    assert page.locator("#stage canvas").is_hidden()


def test_lists__are_by_name_and_by_probability(dive: Path, open_page: OpenPage) -> None:
    page = open_page(dive).page
    count, options = page.locator("#count"), page.locator("#list option")
    texts = options.all_inner_texts()
    assert "crab (37)" in texts
    assert "All frames (40)" in texts
    assert "Could not be read (1)" in texts
    page.select_option("#list", label="crab (37)")
    assert count.inner_text() == "39 frames"  # every readable frame guesses it
    page.locator("#threshold").fill("60")
    assert count.inner_text() == "38 frames"  # all but the eel's 0.35
    assert page.locator(".cell").first.inner_text().split("\n")[0] == "crab"
    page.select_option("#list", "failed")
    assert count.inner_text() == "1 frame"
    page.locator(".cell").click()
    assert "<img src=x" in page.locator("#about .failed").inner_text()


def test_timeline__shows_dives_and_then_one_over_time(dive: Path, open_page: OpenPage) -> None:
    page = open_page(dive).page
    heads = page.locator("#timeline tbody th").all_inner_texts()
    assert heads[0] == "crab"
    assert heads[-1] == "frames read"
    page.select_option("#dive", "0")
    assert "Each column is 1 minute." in page.locator("#time-words").inner_text()
    page.locator("#timeline td.has[title^='eel']").click()
    assert page.locator("#count").inner_text() == "1 frame"
    assert page.locator("#bin").inner_text().startswith("From 2015-05-07 08:24:00")
    page.locator("#bin").click()
    assert page.locator("#count").inner_text() == "29 frames"
    page.locator("#timeline th button", has_text="eel").click()
    assert page.locator("#bin").is_hidden()


def test_page_without_its_folder__says_so(dive: Path, open_page: OpenPage, tmp_path: Path) -> None:
    copy = tmp_path / "alone.html"
    shutil.copy(dive, copy)
    one = open_page(copy)
    assert one.page.locator("#no-data").is_visible()
    assert "p #2_files is not beside this page" in one.page.locator("#no-data").inner_text()
    assert any("frames.js" in fault for fault in one.faults)
    one.faults.clear()


def test_ten_thousand_frames__are_as_few_cells_as_fit_the_window(
    dive_files: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    pictures = [tmp_path / f"f{n}.png" for n in range(4)]
    for number, path in enumerate(pictures):
        Image.new("RGB", (32, 18), (60 * number, 80, 90)).save(path)
    rows = [
        dive_files.row(
            n,
            path=str(pictures[n % 4]) if n % 16 < 4 else "gone",
            dive=f"d{n // 2500}",
            width=32,
            height=18,
        )
        for n in range(_N_MANY)
    ]
    path = dive_files.write(tmp_path / "d.parquet", rows)
    write_dive_page(read_dive_frames(path), tmp_path / "p.html", title="many")
    page = open_page(tmp_path / "p.html").page
    page.select_option("#list", "all")
    assert page.locator("#count").inner_text() == "10,000 frames"
    assert page.locator(".cell").count() < 200
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector(f".cell[data-place='{_N_MANY - 1}']")
    assert page.locator(".cell").count() < 200
    page.locator(f".cell[data-place='{_N_MANY - 1}']").click()
    assert page.locator("#place").inner_text() == "10,000 of 10,000"
    page.keyboard.press("ArrowRight")
    assert page.locator("#about .file").inner_text().startswith("f9999")


def test_print__shows_the_findings_on_paper(dive: Path, open_page: OpenPage) -> None:
    page = open_page(dive, dark=True).page
    page.emulate_media(media="print")
    assert page.locator("#grid").is_hidden()
    assert page.locator("#timeline").is_visible()
    assert page.locator(".card").first.is_visible()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(20, 32, 43)"
