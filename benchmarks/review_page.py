"""The review page over many frames: first paint, long tasks while scrolling, the server's memory.

    python benchmarks/review_page.py FOLDER [--frames 100000] [--features 1280]

Draws a predictions file with 200 images into FOLDER, unless it is there, serves it with `review`,
and scrolls through it in chromium. Needs chromium and playwright.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from playwright.sync_api import sync_playwright
from timing import table

from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import write_tables

N_IMAGES, N_CATEGORIES, FRAMES_A_DIVE, CHUNK = 200, 40, 5000, 2000
SCROLLS, SCROLL_PX = 120, 700
WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
  window.longTasks.push([entry.startTime, entry.duration]))
).observe({type: "longtask", buffered: true});
"""


def draw(folder: Path, n_frames: int, n_features: int) -> Path:
    path = folder / f"frames-{n_frames}-{n_features}.parquet"
    if path.exists():
        return path
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(N_IMAGES):
        pixels = rng.integers(0, 160, (45, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((1280, 720)).save(folder / f"images/{number}.jpg")
    columns = Columns(N_CATEGORIES, n_features=n_features)
    categories = [
        {"category_id": k, "name": f"animal {k}", "supercategory": "all", "n_images": 9}
        for k in range(1, N_CATEGORIES + 1)
    ]
    write_tables(
        chunks(columns, n_frames, n_features),
        path,
        schema=columns.schema(),
        metadata=lambda: {"schema_version": 1, "categories": categories, "precision": 0.9},
        fallback_ids=[1],
    )
    return path


def chunks(columns: Columns, n_frames: int, n_features: int) -> Iterator[pa.Table]:
    rng = np.random.default_rng(1)
    for begin in range(0, n_frames, CHUNK):
        rows = []
        for number in range(begin, min(begin + CHUNK, n_frames)):
            chances = rng.random(N_CATEGORIES, dtype=np.float32) ** 6
            features = rng.normal(size=n_features).astype(np.float32)
            name, file = f"frame-{number:06d}", f"{number % N_IMAGES}.jpg"
            dive = f"dive {number // FRAMES_A_DIVE}"
            rows.append(
                Prediction(name, file, 1280, 720, None, chances, 0.5, embedding=features, dive=dive)
            )
        yield to_table(rows, range(1, N_CATEGORIES + 1), columns)


def scrolled(url: str) -> dict[str, Any]:
    """Open the page, scroll steadily, jump to the middle, and open a frame there."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCH)
        page.goto(url)
        page.wait_for_selector(".cell img:not([hidden])")
        seen = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        pictures = page.evaluate("performance.now()")
        page.wait_for_timeout(1000)
        n_loading = len(page.evaluate("window.longTasks"))
        page.mouse.move(640, 500)
        for _ in range(SCROLLS):
            page.mouse.wheel(0, SCROLL_PX)
            page.wait_for_timeout(40)
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        page.wait_for_timeout(1500)
        cells = page.locator(".cell").count()
        tasks = page.evaluate("window.longTasks")
        browser.close()
    loading, moving = tasks[:n_loading], tasks[n_loading:]
    return {
        "first paint ms": round(seen),
        "first pictures ms": round(pictures),
        "longest task while loading ms": round(max((task[1] for task in loading), default=0)),
        "long tasks while scrolling": len(moving),
        "longest while scrolling ms": round(max((task[1] for task in moving), default=0)),
        "cells": cells,
    }


def memory_mb(process: int) -> tuple[int, int]:
    """Return the memory of a process now and at its peak."""
    told = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    now, peak = (re.search(rf"{name}:\s+(\d+) kB", told) for name in ("VmRSS", "VmHWM"))
    if now is None or peak is None:
        raise SystemExit("/proc tells nothing of the server's memory here")
    return int(now[1]) // 1000, int(peak[1]) // 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=1280)
    given = parser.parse_args()
    path = draw(given.folder, given.frames, given.features)
    images = str(given.folder / "images")
    command = [sys.executable, "-m", "finding_nemo", "review", str(path), "--images", images]
    began = time.perf_counter()
    server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        url = None
        for line in server.stdout or ():
            url = re.search(r"http://\S+", line)
            if url:
                break
        if url is None:
            raise SystemExit("the server did not start")
        ready_s = time.perf_counter() - began
        found = scrolled(url[0])
        now, peak = memory_mb(server.pid)
    finally:
        server.terminate()
        server.wait()
    header = ("frames", "server ready in s", *found, "server's MB", "at its peak")
    print(table(header, [(given.frames, f"{ready_s:.1f}", *found.values(), now, peak)]))


if __name__ == "__main__":
    main()
