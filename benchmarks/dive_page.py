"""The page of a dive: how fast it is written, and how it behaves in a browser.

`python benchmarks/dive_page.py PREDICTIONS --images FOLDER [--frames 10000]`; needs chromium and
playwright. Rows are repeated with ids of their own until there are that many.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from timing import table

from finding_nemo.reporting.dive.dive_frames import DiveFrames
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.html.dive_page import write_dive_page

SCROLLS = 60
SCROLL_PX = 900
WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
  window.longTasks.push([entry.startTime, entry.duration]))
).observe({type: "longtask", buffered: true});
"""
PAINT = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    paint: paint ? paint.startTime : null,
    ready: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
    tasks: window.longTasks,
  };
}"""


def repeated(found: DiveFrames, n_frames: int) -> DiveFrames:
    frames = []
    for number in range(n_frames):
        frame = found.frames[number * len(found.frames) // n_frames]
        frames.append(replace(frame, image_id=f"{number:06d} {frame.image_id}"))
    return replace(found, frames=tuple(frames))


def watched(page_file: Path, scheme: str = "light") -> dict[str, Any]:
    """Open the page, show all frames, scroll through them, and go through 40 frames large."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.add_init_script(WATCH)
        page.goto(page_file.as_uri())
        page.wait_for_timeout(1500)
        found: dict[str, Any] = page.evaluate(PAINT)
        n_loading = len(found["tasks"])
        page.select_option("#list", "all")
        page.mouse.move(640, 400)
        for _ in range(SCROLLS):
            page.mouse.wheel(0, SCROLL_PX)
            page.wait_for_timeout(50)
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        page.wait_for_timeout(500)
        page.locator(".cell").first.click()
        for _ in range(40):
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(20)
        scrolled = page.evaluate("window.longTasks")[n_loading:]
        browser.close()
    loading = [task[1] for task in found["tasks"]]
    moving = [task[1] for task in scrolled]
    return {
        "first paint ms": round(found["paint"] or 0),
        "ready ms": round(found["ready"]),
        "longest task while loading ms": round(max(loading, default=0)),
        "long tasks while scrolling": len(moving),
        "longest while scrolling ms": round(max(moving, default=0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--frames", type=int, nargs="*", default=[1444, 10_000])
    given = parser.parse_args()
    read = read_dive_frames(given.predictions)
    rows = []
    for n_frames in given.frames:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "dive.html"
            began = time.perf_counter()
            written = write_dive_page(
                repeated(read, n_frames), page, title="benchmark", images=given.images
            )
            seconds = time.perf_counter() - began
            parts = list(written.outputs.folder.iterdir())
            size = sum(part.stat().st_size for part in parts) / 1e6
            seen = watched(page)
        rows.append((n_frames, f"{seconds:.1f}", f"{size:.1f}", len(parts), *seen.values()))
    header = ("frames", "written in s", "MB beside", "files beside", *seen)
    print(table(header, rows))


if __name__ == "__main__":
    main()
