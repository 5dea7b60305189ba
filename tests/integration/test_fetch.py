"""Many images from a server of which three requests in ten go wrong, with the fetch killed often.

`FINDING_NEMO_FETCH=2000` fetches 2,000 images and kills 20 times; few are fetched otherwise.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from finding_nemo import read_dataset, train
from finding_nemo.core.errors import TrainingError
from finding_nemo.core.reporter import Reporter
from finding_nemo.fetching.fetch_images import FetchRequest, FetchSummary, fetch_images
from finding_nemo.fetching.fetch_run import Sources
from finding_nemo.fetching.transfer.politeness import Politeness
from misbehaving_server import FAULTS, Account, MisbehavingServer

pytestmark = pytest.mark.usefixtures("no_proxy")
_N = int(os.environ.get("FINDING_NEMO_FETCH", "150"))
_KILLS = 20 if _N >= 2000 else 2
_ABSENT = 7
# The clocks of a test: what takes minutes of a real server takes tenths of a second of this one.
POLITE = Politeness(
    connections=5,
    per_s=200.0,
    first_wait_s=0.02,
    longest_wait_s=0.2,
    silent_s=0.5,
    connect_s=2.0,
    grace_s=0.5,
    least_bytes_per_s=4000.0,
)
_HOLD_S = 1.2


def pictures(n: int, *, side: int) -> dict[str, bytes]:
    rng = np.random.default_rng(5)
    files = {}
    for number in range(n):
        content = io.BytesIO()
        pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(content, "PNG" if number % 3 else "JPEG", quality=95)
        files[f"/dive%20{number % 5}/{number}.png"] = content.getvalue()
    return files


def write_annotations(folder: Path, server: MisbehavingServer) -> Path:
    paths = [*server.files, *(f"/gone/g{number}.png" for number in range(_ABSENT))]
    images = [
        {"id": number, "file_name": path.rsplit("/", 1)[1], "coco_url": f"{server.url}{path}"}
        for number, path in enumerate(paths)
    ]
    path = folder / "annotations.json"
    path.write_text(json.dumps({"images": images, "categories": [{"id": 1, "name": "Crab"}]}))
    return path


def fetch(path: Path, folder: Path) -> FetchSummary:
    sources = Sources(moved_to="", api="")
    request = FetchRequest(annotations=path, folder=folder, politeness=POLITE, sources=sources)
    return fetch_images(request, Reporter())


def check_all_is_here(server: MisbehavingServer, folder: Path, summary: FetchSummary) -> None:
    for path, content in server.files.items():
        assert (folder / path.rsplit("/", 1)[1]).read_bytes() == content, path
    assert len(summary.fetched) == len(server.files)
    assert sorted(image.file for image in summary.missing) == [
        f"g{number}.png" for number in range(_ABSENT)
    ]
    assert all("404" in image.reason for image in summary.missing)


def check_politeness(account: Account) -> None:
    assert account.most_connections <= POLITE.connections
    assert account.most_requests <= POLITE.connections
    # A window of half a second, and one request more that was on its way.
    assert account.most_starts_within(0.5) <= 0.5 * POLITE.per_s + 2


def test_all_images_that_can_be_had__arrive_byte_for_byte(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    files = pictures(_N, side=24)
    with MisbehavingServer(files, fault_rate=0.3, seed=1, hold_s=_HOLD_S) as server:
        path = write_annotations(tmp_path, server)
        summary = fetch(path, folder)
        check_all_is_here(server, folder, summary)
        check_politeness(server.account)
        done = {each.done for each in server.account.asked}
        assert _N < 100 or set(FAULTS) <= done
        n_before = len(server.account.asked)
        again = fetch(path, folder)
        paths = [each.path for each in server.account.asked[n_before:]]
    # What is here is not asked for again; what was missing is.
    assert sorted(paths) == sorted(f"/gone/g{number}.png" for number in range(_ABSENT))
    assert again.n_new == 0
    assert again.fetched == summary.fetched
    assert [image.image_id for image in summary.fetched] == [f"{n}" for n in range(_N)]


_PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {paths}
from test_fetch import fetch
fetch(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def program() -> list[str]:
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
    return [sys.executable, "-c", _PROGRAM.format(paths=repr(paths))]


@pytest.mark.slow
def test_kills__lose_nothing_and_no_finished_image_is_fetched_again(
    tmp_path: Path, program: list[str]
) -> None:
    random, folder = Random(3), tmp_path / "images"  # noqa: S311 - moments, no secret
    files = pictures(25 * _KILLS, side=90)
    finished: dict[str, int] = {}
    with MisbehavingServer(files, fault_rate=0.3, seed=2, hold_s=_HOLD_S, pause_s=0.002) as server:
        path = write_annotations(tmp_path, server)
        command = [*program, str(path), str(folder)]
        for _ in range(_KILLS):
            wanted = len(server.account.starts) + random.randint(8, 40)
            for number in _killed(command, server, wanted):
                for image in folder.glob("*.png"):
                    finished.setdefault(image.name, number)
        assert len(finished) > _KILLS
        subprocess.run(command, check=True, timeout=900)
        summary = fetch(path, folder)
        check_all_is_here(server, folder, summary)
        for number, each in enumerate(server.account.asked):
            name = each.path.rsplit("/", 1)[1]
            assert number < finished.get(name, number + 1), f"{name} was fetched again"


def _killed(command: list[str], server: MisbehavingServer, n_asked: int) -> Iterator[int]:
    """Run a command, kill it when the server was asked so often, and yield how often it was."""
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 120
    while len(server.account.starts) < n_asked and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(_HOLD_S / 4)  # what the server was still answering is in its account, too
    yield len(server.account.asked)


@pytest.mark.slow
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c__keeps_what_came_and_says_how_to_go_on(tmp_path: Path) -> None:
    with MisbehavingServer(pictures(300, side=24), pause_s=0.02) as server:
        path = write_annotations(tmp_path, server)
        command = [sys.executable, "-m", "finding_nemo", "fetch", str(path)]
        command += ["--out", str(tmp_path / "images")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while len(server.account.asked) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on" in words
    n_here = len(list((tmp_path / "images").glob("*.png")))
    assert n_here >= 3
    # The signal may come between an image and its line; the next run adds that.
    n_listed = (tmp_path / "images/fetched.csv").read_text().count("\n") - 1
    assert n_listed in (n_here - 1, n_here)
    n_stopped = (tmp_path / "images/missing.csv").read_text().count("stopped")
    assert n_stopped == 300 + _ABSENT - n_listed


@pytest.mark.slow
def test_command__says_what_is_here_and_what_is_missing(tmp_path: Path) -> None:
    with MisbehavingServer(pictures(6, side=24)) as server:
        path = write_annotations(tmp_path, server)
        command = [sys.executable, "-m", "finding_nemo", "fetch", str(path)]
        command += ["--out", str(tmp_path / "images"), "--rate", "200"]
        dry = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True)
        assert f"fetch {6 + _ABSENT} images from {server.url}" in dry.stdout
        assert not (tmp_path / "images").exists()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert f"6 of {6 + _ABSENT} images are here (6 of them new)" in done.stdout
        assert f"{_ABSENT} are missing, each with why" in done.stdout
        assert "404 Not Found" in done.stdout


@pytest.mark.slow
def test_train__says_how_to_get_images_that_are_not_here(tmp_path: Path, tiny_folder: Path) -> None:
    dataset = read_dataset(tiny_folder, images=tmp_path)
    with pytest.raises(TrainingError, match=r"None of the \d+ images is here") as caught:
        train(dataset, out=tmp_path / "run")
    assert f"`finding-nemo fetch {tiny_folder} --out DIR`" in str(caught.value)
    assert not (tmp_path / "run").exists()
