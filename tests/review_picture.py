"""Make the picture of the review page in README.md, on drawn frames.

    finding-nemo demo --out DEMO
    python tests/review_picture.py DEMO

Predicts the demo's frames with embeddings and maps, reviews some by keyboard as the truth says, and
writes docs/pictures/review.png, 1,280 x 800. Needs chromium and playwright.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).resolve().parents[1] / "docs/pictures/review.png"
N_REVIEWS, MOST_SKIPPED, MOST_BYTES = 8, 30, 300_000
DIVE_PATTERN = r"(?P<dive>[a-z]+-\d+)-\d+"


def program(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "finding_nemo", *map(str, arguments)]


def names_of_frames(demo: Path) -> dict[str, list[str]]:
    """Return what is in each frame of the demo, by its id."""
    with (demo / "dataset/category_key.csv").open(encoding="utf-8") as stream:
        names = {float(row[0]): row[1] for row in list(csv.reader(stream))[1:]}
    found = {}
    for name in ("eval_truth.csv", "multilabel_classification/train.csv"):
        with (demo / "dataset" / name).open(encoding="utf-8") as stream:
            for row in list(csv.reader(stream))[1:]:
                ids = [float(number) for number in re.findall(r"\d+\.?\d*", row[1])]
                found[row[0]] = [names[number] for number in ids]
    return found


def review_some(page: Any, truth: dict[str, list[str]]) -> None:
    """Review suggested frames, and stop at one that shows what the page is for."""
    page.keyboard.press("r")
    for _ in range(N_REVIEWS):
        page.wait_for_selector(".about .reason")
        page.wait_for_timeout(500)
        for name in truth.get(page.locator(".about .file bdi").inner_text(), []):
            page.keyboard.press("a")
            page.keyboard.type(name)
            page.keyboard.press("Enter")
        page.keyboard.press("Enter" if page.locator("#will bdi").inner_text() else "n")
        page.wait_for_selector("#said:has-text('Saved')")
        page.wait_for_timeout(500)
    for _ in range(MOST_SKIPPED):
        page.wait_for_selector(".about .reason")
        page.wait_for_timeout(500)
        here = truth.get(page.locator(".about .file bdi").inner_text(), [])
        if len(here) == 1 and page.locator(".guess .name").first.inner_text() in here:
            break
        page.keyboard.press("s")
        page.wait_for_selector("#said:has-text('Skipped')")
    page.keyboard.press("1")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(800)


def take(url: str, truth: dict[str, list[str]]) -> bytes:
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector(".cell img:not([hidden])")
        review_some(page, truth)
        taken: bytes = page.screenshot()
        browser.close()
    return taken


def write_small(picture: bytes, path: Path) -> None:
    """Write a PNG with as many colours as the size allows."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for n_colours in (256, 128, 64):
        image.quantize(n_colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("--out", type=Path, default=PICTURE)
    given = parser.parse_args()
    images = given.demo / "dataset/images/eval"
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "dive.parquet"
        command = program("predict", given.demo / "run", images, "--out", found)
        subprocess.run([*command, "--embeddings", "--maps"], check=True)
        server = subprocess.Popen(
            [
                *program("review", found, "--images", images, "--port", 0, "--reviewer", "anna"),
                *("--dive-pattern", DIVE_PATTERN),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            url = next(u for line in server.stdout or () if (u := re.search(r"http://\S+", line)))
            picture = take(url[0], names_of_frames(given.demo))
        finally:
            server.terminate()
            server.wait()
    write_small(picture, given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
