"""What the tests of the review page share: a drawn dive, a server, and a page without a fault."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import write_tables

NAMES = ("crab", "sea star", "squid", "sea pen")
_COLOURS = ("#c0563a", "#c9a13b", "#8a6fb0", "#5f9e6e")
_READY_S = 60


@dataclass
class Server:
    """The program serving, in a process of its own.

    Attributes:
        arguments: What the verb is given, without the port.
    """

    arguments: Sequence[str]
    port: int = 0
    token: str | None = None
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The page's address, without a token."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start, on the port of before where there was one, and wait until it says it is ready."""
        said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "finding_nemo", *self.arguments, "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=_read_all, args=(stream, said), daemon=True).start()
        for _ in range(_READY_S * 20):
            found = re.search(r"http://127\.0\.0\.1:(\d+)/(?:#token=(\S+))?", "".join(said))
            if found:
                self.port, self.token = int(found[1]), found[2]
                return
            if self.process.poll() is not None:
                break
            threading.Event().wait(0.05)
        raise RuntimeError("".join(said))

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def _read_all(stream: Any, said: list[str]) -> None:
    for line in stream:
        said.append(line)
    stream.close()


@pytest.fixture(scope="module")
def start_server() -> Iterator[Callable[..., Server]]:
    """Starts servers, and ends them after the module's tests."""
    pytest.importorskip("uvicorn")
    started: list[Server] = []

    def start(*arguments: str | Path) -> Server:
        server = Server([str(one) for one in arguments])
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@dataclass
class Opened:
    """A page in a browser, and what it complained of."""

    page: Any
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def open_review(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Opens the review page; at the end it must have had no fault."""
    opened: list[Opened] = []

    def open_url(
        url: str, *, width: int = 1280, height: int = 800, dark: bool = False, **more: Any
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
            **more,
        )
        one = Opened(context.new_page())
        one.page.set_default_timeout(15_000)
        one.page.on("console", lambda told: one.faults.append(told.text))
        one.page.on("pageerror", lambda error: one.faults.append(str(error)))
        one.page.on("request", lambda asked: _only_own(one, asked.url))
        one.page.goto(url)
        opened.append(one)
        return one

    yield open_url
    for one in opened:
        one.page.context.close()
        assert one.faults == []


def _only_own(one: Opened, url: str) -> None:
    if not url.startswith(("http://127.0.0.1:", "blob:", "data:")):
        one.faults.append(f"asked for {url}")


@dataclass(frozen=True)
class DrawnDive:
    """A predictions file with the images that it names, and what is in each.

    Attributes:
        truth: The category of each image id.
    """

    predictions: Path
    images: Path
    truth: dict[str, str]

    def command(self, *more: str) -> list[str]:
        """Return the arguments that open it for review."""
        return ["review", str(self.predictions), "--images", str(self.images), *more]


@pytest.fixture(scope="session")
def write_drawn_dive(draw_dive: Callable[..., Any]) -> Callable[..., DrawnDive]:
    """Writes a dive whose network knows next to nothing; its frame 3 could not be read."""

    def write(
        folder: Path, *, n_frames: int, names: Sequence[str] = NAMES, dive: str = "Tow 1"
    ) -> DrawnDive:
        return _write_dive(folder, draw_dive, n_frames, names, dive)

    return write


def _write_dive(
    folder: Path, draw_dive: Callable[..., Any], n_frames: int, names: Sequence[str], dive: str
) -> DrawnDive:
    images = folder / "images"
    images.mkdir(parents=True)
    drawn = draw_dive(n_frames=n_frames, n_categories=len(names), seed=1)
    kinds, start = drawn.truth.argmax(axis=1), datetime(2015, 5, 7, 8)
    rows: list[Prediction] = []
    truth: dict[str, str] = {}
    for number, kind in enumerate(kinds.tolist()):
        name = f"frame_{number:04d}"
        _draw_frame(images / f"{name}.png", number, kind)
        rows.append(
            Prediction(
                name,
                f"{name}.png",
                96,
                54,
                None,
                drawn.dive.base[number],
                0.5,
                embedding=drawn.dive.frames.features[number].astype(np.float32),
                dive=dive,
                captured=start + timedelta(seconds=20 * number),
            )
        )
        truth[name] = names[kind]
    rows[3] = Prediction(
        rows[3].image_id, rows[3].path, None, None, "ends too early", None, None, dive=dive
    )
    del truth[rows[3].image_id]
    path = folder / "dive.parquet"
    _write_predictions(path, rows, names)
    return DrawnDive(path, images, truth)


def _draw_frame(path: Path, number: int, kind: int) -> None:
    image = Image.new("RGB", (96, 54), (8, 40 + number % 20, 60))
    left = 10 + 3 * (number % 20)
    ImageDraw.Draw(image).ellipse((left, 20, left + 16, 34), fill=_COLOURS[kind % 4])
    image.save(path)


def _write_predictions(path: Path, rows: list[Prediction], names: Sequence[str]) -> None:
    columns = Columns(len(names), n_features=6)
    categories = [
        {"category_id": number, "name": name, "supercategory": "animals", "n_images": 5}
        | {"n_dives": 2, "validation_ap": 0.5}
        for number, name in enumerate(names, start=1)
    ]
    write_tables(
        [to_table(rows, range(1, len(names) + 1), columns)],
        path,
        schema=columns.schema(),
        metadata=lambda: {
            "schema_version": 1,
            "recipe": "drawn",
            "bundle_hash": "0123456789abcdef",
            "categories": categories,
            "precision": 0.9,
        },
        fallback_ids=[1],
    )
